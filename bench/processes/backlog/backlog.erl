-module(backlog).
-export([main/0]).

fill(0) -> ok;
fill(N) -> self() ! {other, N}, fill(N - 1).

rounds(0, Sum) -> Sum;
rounds(N, Sum) ->
    self() ! {wanted, N},
    receive {wanted, M} -> rounds(N - 1, Sum + M) end.

main() ->
    fill(100000),
    T0 = erlang:monotonic_time(nanosecond),
    Sum = rounds(2000, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [Sum]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
