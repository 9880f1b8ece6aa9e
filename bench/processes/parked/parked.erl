-module(parked).
-export([main/0]).

park(Main) -> receive go -> Main ! here end.

wait(0) -> ok;
wait(N) -> receive here -> wait(N - 1) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    All = [spawn(fun() -> park(Me) end) || _ <- lists:seq(1, 1000000)],
    [P ! go || P <- All],
    R = wait(1000000),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
