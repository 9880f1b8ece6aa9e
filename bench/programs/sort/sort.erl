-module(sort).
-export([main/0]).

random_list(0, _, Acc) -> Acc;
random_list(N, Seed, Acc) ->
    Next = (Seed * 1103515245 + 12345) rem 2147483648,
    random_list(N - 1, Next, [Next | Acc]).

merge_sort([]) -> [];
merge_sort([X]) -> [X];
merge_sort(Xs) ->
    {A, B} = halve(Xs, [], []),
    merge(merge_sort(A), merge_sort(B), []).

halve([], A, B) -> {A, B};
halve([X | Rest], A, B) -> halve(Rest, [X | B], A).

merge([], Ys, Acc) -> onto(Acc, Ys);
merge(Xs, [], Acc) -> onto(Acc, Xs);
merge([X | Xs], [Y | Ys], Acc) ->
    if X =< Y -> merge(Xs, [Y | Ys], [X | Acc]);
       true -> merge([X | Xs], Ys, [Y | Acc])
    end.

onto([], Tail) -> Tail;
onto([X | Rest], Tail) -> onto(Rest, [X | Tail]).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Xs = random_list(1000000, 42, []),
    A = merge_sort(Xs),
    B = lists:sort(Xs),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p ~p~n", [A =:= B, hd(A), length(B)]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
