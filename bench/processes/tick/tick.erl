-module(tick).
-export([main/0]).

churn(N) ->
    Xs = [{X, [X]} || X <- lists:seq(1, 1000)],
    churn(N + length(Xs)).

spin(N) -> spin(N + 1).

hold(Main) ->
    Xs = lists:seq(1, 31250000),
    Main ! held,
    collect(Xs).

collect(Xs) ->
    garbage_collect(),
    receive length -> length(Xs) after 100 -> collect(Xs) end.

ticks(0, Late) -> Late;
ticks(N, Late) ->
    T0 = erlang:monotonic_time(nanosecond),
    receive never -> ok after 1 -> ok end,
    ticks(N - 1, [erlang:monotonic_time(nanosecond) - T0 - 1000000 | Late]).

main() ->
    Me = self(),
    spawn(fun() -> hold(Me) end),
    receive held -> ok end,
    [spawn(fun() -> churn(0) end) || _ <- lists:seq(1, 4)],
    spawn(fun() -> spin(0) end),
    Late = lists:reverse(lists:sort(ticks(3000, []))),
    io:format("~p~n", [length(Late)]),
    io:format(standard_error, "p50_ms ~p~n", [lists:nth(1501, Late) / 1.0e6]),
    io:format(standard_error, "p99_9_ms ~p~n", [lists:nth(4, Late) / 1.0e6]),
    io:format(standard_error, "worst_ms ~p~n", [hd(Late) / 1.0e6]),
    erlang:halt(0).
