-module(tail_calls).
-export([main/0]).

even(0) -> true;
even(N) -> odd(N - 1).
odd(0) -> false;
odd(N) -> even(N - 1).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    R = even(1000000000),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
