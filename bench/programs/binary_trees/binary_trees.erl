-module(binary_trees).
-export([main/0]).

make(0) -> {nil, nil};
make(D) -> {make(D - 1), make(D - 1)}.

check({nil, nil}) -> 1;
check({L, R}) -> 1 + check(L) + check(R).

rounds(0, _, Sum) -> Sum;
rounds(N, D, Sum) -> rounds(N - 1, D, Sum + check(make(D))).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    MaxDepth = 16,
    LongLived = make(MaxDepth),
    Sums = [rounds(1 bsl (MaxDepth - D + 4), D, 0) || D <- [4, 6, 8, 10, 12, 14, 16]],
    Kept = check(LongLived),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~s ~p~n", [lists:join(" ", [integer_to_list(S) || S <- Sums]), Kept]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
