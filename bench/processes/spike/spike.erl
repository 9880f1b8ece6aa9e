-module(spike).
-export([main/0]).

build(0, Acc) -> Acc;
build(N, Acc) -> build(N - 1, [{N, N + 1, N + 2} | Acc]).

ticks(0, Worst) -> Worst;
ticks(N, Worst) ->
    T0 = erlang:monotonic_time(nanosecond),
    receive never -> ok after 1 -> ok end,
    ticks(N - 1, max(Worst, erlang:monotonic_time(nanosecond) - T0 - 1000000)).

spikes(0, Worst) -> Worst;
spikes(N, Worst) ->
    Me = self(),
    spawn(fun() -> Me ! {built, length(build(4000000, []))} end),
    receive {built, 4000000} -> spikes(N - 1, max(Worst, ticks(1500, 0))) end.

resident_mb() ->
    {ok, File} = file:open("/proc/self/statm", [read, binary]),
    {ok, Status} = file:read_line(File),
    binary_to_integer(lists:nth(2, binary:split(Status, <<" ">>, [global]))) * 4096 / 1.0e6.

main() ->
    Worst = spikes(3, 0),
    io:format("~p~n", [done]),
    io:format(standard_error, "worst_ms ~p~n", [Worst / 1.0e6]),
    io:format(standard_error, "resident_mb ~p~n", [resident_mb()]).
