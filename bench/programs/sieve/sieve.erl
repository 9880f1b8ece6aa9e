-module(sieve).
-export([main/0]).

sieve([]) -> [];
sieve([P | Rest]) when P * P > 20000 -> [P | Rest];
sieve([P | Rest]) -> [P | sieve([N || N <- Rest, N rem P =/= 0])].

repeat(0, R) -> R;
repeat(K, _) -> repeat(K - 1, sieve(lists:seq(2, 20000))).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    P = repeat(20, []),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p~n", [length(P), lists:sum(P)]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
