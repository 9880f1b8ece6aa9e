-module(parked).
-export([main/0]).

park(Main) -> receive go -> Main ! here end.

wait(0) -> ok;
wait(N) -> receive here -> wait(N - 1) end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    binary_to_integer(lists:nth(2, binary:split(Text, <<" ">>, [global]))) * 4096.

main() ->
    Before = resident(),
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    All = [spawn(fun() -> park(Me) end) || _ <- lists:seq(1, 1000000)],
    T1 = erlang:monotonic_time(nanosecond),
    garbage_collect(),
    timer:sleep(10),
    Bytes = (resident() - Before) / 1000000,
    T2 = erlang:monotonic_time(nanosecond),
    [P ! go || P <- All],
    R = wait(1000000),
    T3 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "spawn_ms ~p~n", [(T1 - T0) / 1.0e6]),
    io:format(standard_error, "wake_ms ~p~n", [(T3 - T2) / 1.0e6]),
    io:format(standard_error, "process_bytes ~p~n", [Bytes]).
