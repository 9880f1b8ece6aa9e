-module(huge_heap).
-export([main/0]).

item(I) -> {I, #{id => I, name => [I, I + 1, I + 2], next => {node, I}}}.

now_ns() -> erlang:monotonic_time(nanosecond).

build(0, Acc, _, Worst) -> {Acc, Worst};
build(N, Acc, T0, Worst) when N rem 1000 =:= 0 ->
    T1 = now_ns(),
    build(N - 1, [item(N) | Acc], T1, max(Worst, T1 - T0));
build(N, Acc, T0, Worst) -> build(N - 1, [item(N) | Acc], T0, Worst).

work(0, _, _, Worst) -> Worst;
work(N, {A, _}, T0, Worst) when N rem 1000 =:= 0 ->
    T1 = now_ns(),
    work(N - 1, {N, A}, T1, max(Worst, T1 - T0));
work(N, {A, _}, T0, Worst) -> work(N - 1, {N, A}, T0, Worst).

main() ->
    T0 = now_ns(),
    {Live, Built} = build(2600000, [], T0, 0),
    Worst = work(20000000, {0, 0}, now_ns(), Built),
    T1 = now_ns(),
    erlang:garbage_collect(),
    T2 = now_ns(),
    io:format("~p~n", [length(Live)]),
    io:format(standard_error, "worst_ms ~p~n", [Worst / 1.0e6]),
    io:format(standard_error, "collect_ms ~p~n", [(T2 - T1) / 1.0e6]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
