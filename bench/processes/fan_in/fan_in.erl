-module(fan_in).
-export([main/0]).

sender(_, 0) -> ok;
sender(To, N) -> To ! {item, N}, sender(To, N - 1).

drain(0, Sum) -> Sum;
drain(N, Sum) -> receive {item, M} -> drain(N - 1, Sum + M) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Me = self(),
    [spawn(fun() -> sender(Me, 20000) end) || _ <- lists:seq(1, 100)],
    Sum = drain(2000000, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [Sum]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
