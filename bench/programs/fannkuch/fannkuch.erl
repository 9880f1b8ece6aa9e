-module(fannkuch).
-export([main/0]).

permutations([]) -> [[]];
permutations(Xs) -> [[X | Rest] || X <- Xs, Rest <- permutations(without(X, Xs))].

without(X, [X | Rest]) -> Rest;
without(X, [Y | Rest]) -> [Y | without(X, Rest)].

flips([1 | _], N) -> N;
flips([K | _] = Xs, N) -> flips(reverse_first(K, Xs, []), N + 1).

reverse_first(0, Rest, Acc) -> onto(Acc, Rest);
reverse_first(K, [X | Xs], Acc) -> reverse_first(K - 1, Xs, [X | Acc]).

onto(Acc, Rest) -> back(Acc, [], Rest).
back([], Tmp, Rest) -> join(Tmp, Rest);
back([X | Xs], Tmp, Rest) -> back(Xs, [X | Tmp], Rest).
join([], Rest) -> Rest;
join([X | Xs], Rest) -> join(Xs, [X | Rest]).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    {Longest, Total} = lists:foldl(
        fun(P, {L, T}) ->
            N = flips(P, 0),
            {max(L, N), T + N}
        end, {0, 0}, permutations([1, 2, 3, 4, 5, 6, 7, 8, 9])),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p~n", [Longest, Total]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
