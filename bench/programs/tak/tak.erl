-module(tak).
-export([main/0]).

tak(X, Y, Z) when Y >= X -> Z;
tak(X, Y, Z) -> tak(tak(X - 1, Y, Z), tak(Y - 1, Z, X), tak(Z - 1, X, Y)).

repeat(0, R) -> R;
repeat(N, _) -> repeat(N - 1, tak(24, 16, 8)).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    R = repeat(4, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
