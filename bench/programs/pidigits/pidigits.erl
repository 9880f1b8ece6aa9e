-module(pidigits).
-export([main/0]).

digits(_, _, _, _, 0, Acc) -> Acc;
digits(Q, R, T, K, Left, Acc) ->
    N = (3 * Q + R) div T,
    case (4 * Q + R) div T =:= N of
        true -> digits(10 * Q, 10 * (R - N * T), T, K, Left - 1, Acc * 31 + N);
        false ->
            L = 2 * K + 1,
            digits(Q * K, (2 * Q + R) * L, T * L, K + 1, Left, Acc)
    end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    R = digits(1, 0, 1, 1, 2000, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R rem 1000000007]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
