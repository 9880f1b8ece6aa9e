-module(skynet).
-export([main/0]).

node_of(Parent, Number, 1) -> Parent ! Number;
node_of(Parent, Number, Size) ->
    Me = self(),
    Part = Size div 10,
    [spawn(fun() -> node_of(Me, Number + I * Part, Part) end) || I <- lists:seq(0, 9)],
    Parent ! collect(10, 0).

collect(0, Sum) -> Sum;
collect(N, Sum) -> receive M -> collect(N - 1, Sum + M) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    spawn(fun() -> node_of(Me, 0, 1000000) end),
    Sum = receive M -> M end,
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [Sum]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
