-module(spawn_exit).
-export([main/0]).

rounds(0, Sum) -> Sum;
rounds(N, Sum) ->
    Me = self(),
    spawn(fun() -> Me ! N end),
    receive M -> rounds(N - 1, Sum + M) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Sum = rounds(1000000, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [Sum]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
