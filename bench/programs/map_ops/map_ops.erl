-module(map_ops).
-export([main/0]).

insert(N, N, Map) -> Map;
insert(I, N, Map) -> insert(I + 1, N, maps:put((I * 7919) rem 1000003, I, Map)).

lookup(N, N, _, Sum) -> Sum;
lookup(I, N, Map, Sum) -> lookup(I + 1, N, Map, Sum + maps:get((I * 7919) rem 1000003, Map)).

thin(N, N, Map) -> Map;
thin(I, N, Map) when I rem 3 =:= 0 -> thin(I + 1, N, maps:remove((I * 7919) rem 1000003, Map));
thin(I, N, Map) -> thin(I + 1, N, Map).

words(N, N, Map) -> Map;
words(I, N, Map) ->
    Key = <<"key", (integer_to_binary(I rem 50000))/binary>>,
    words(I + 1, N, maps:put(Key, maps:get(Key, Map, 0) + 1, Map)).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Map = insert(0, 500000, #{}),
    Sum = lookup(0, 500000, Map, 0),
    Left = map_size(thin(0, 500000, Map)),
    Counts = words(0, 500000, #{}),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p ~p ~p ~p~n", [map_size(Map), Sum, Left, map_size(Counts), maps:get(<<"key77">>, Counts)]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
