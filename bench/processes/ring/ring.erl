-module(ring).
-export([main/0]).

relay(Next) ->
    receive
        0 -> Next ! 0;
        N -> Next ! N - 1, relay(Next)
    end.

pass(First) ->
    receive
        0 -> 0;
        N -> First ! N - 1, pass(First)
    end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    First = lists:foldl(fun(_, Next) -> spawn(fun() -> relay(Next) end) end, self(), lists:seq(1, 1000)),
    First ! 5000000,
    R = pass(First),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
