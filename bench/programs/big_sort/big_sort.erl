-module(big_sort).
-export([main/0]).

random_list(0, _, Acc) -> Acc;
random_list(N, Seed, Acc) ->
    Next = (Seed * 1103515245 + 12345) rem 2147483648,
    random_list(N - 1, Next, [Next | Acc]).

main() ->
    Xs = random_list(10000000, 42, []),
    T0 = erlang:monotonic_time(nanosecond),
    Sorted = lists:sort(Xs),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p ~p~n", [hd(Sorted), length(Sorted), lists:last(Sorted)]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
