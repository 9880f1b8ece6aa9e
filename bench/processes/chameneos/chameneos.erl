-module(chameneos).
-export([main/0]).

blend(C, C) -> C;
blend(blue, red) -> yellow;
blend(red, blue) -> yellow;
blend(blue, yellow) -> red;
blend(yellow, blue) -> red;
blend(_, _) -> blue.

creature(Place, Colour, Met) ->
    Place ! {meet, self(), Colour},
    receive
        {met, Other} -> creature(Place, blend(Colour, Other), Met + 1);
        {stop, To} -> To ! {met_in_all, Met}
    end.

place(0, Main, Creatures) -> close(Creatures, Main);
place(N, Main, Creatures) ->
    receive
        {meet, A, Ca} ->
            receive
                {meet, B, Cb} ->
                    A ! {met, Cb},
                    B ! {met, Ca},
                    place(N - 1, Main, Creatures)
            end
    end.

close(0, _) -> ok;
close(N, Main) -> receive {meet, Pid, _} -> Pid ! {stop, Main}, close(N - 1, Main) end.

sum(0, Acc) -> Acc;
sum(N, Acc) -> receive {met_in_all, K} -> sum(N - 1, Acc + K) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    Colours = [blue, red, yellow, blue, red, yellow, blue, red, yellow, blue],
    Meeting = spawn(fun() -> place(500000, Me, 10) end),
    [spawn(fun() -> creature(Meeting, C, 0) end) || C <- Colours],
    R = sum(10, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
