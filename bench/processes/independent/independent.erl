-module(independent).
-export([main/0]).

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

sums(0, Acc) -> Acc;
sums(N, Acc) -> sums(N - 1, (Acc + sum([X * N || X <- lists:seq(1, 100)], 0)) rem 1000003).

sum([], Acc) -> Acc;
sum([X | Xs], Acc) -> sum(Xs, Acc + X).

wait(0, Acc) -> Acc;
wait(N, Acc) -> receive M -> wait(N - 1, Acc + M) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    [spawn(fun() -> Me ! fib(25) + sums(20000, 0) end) || _ <- lists:seq(1, 16)],
    R = wait(16, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
