-module(big).
-export([main/0]).

member(Main) ->
    receive
        {start, All} ->
            Me = self(),
            [P ! {ping, Me} || P <- All],
            talk(length(All), length(All), Main)
    end.

talk(0, 0, Main) -> Main ! done;
talk(Pings, Pongs, Main) ->
    receive
        {ping, From} -> From ! pong, talk(Pings - 1, Pongs, Main);
        pong -> talk(Pings, Pongs - 1, Main)
    end.

wait(0) -> ok;
wait(N) -> receive done -> wait(N - 1) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    All = [spawn(fun() -> member(Me) end) || _ <- lists:seq(1, 800)],
    [P ! {start, All} || P <- All],
    R = wait(800),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
