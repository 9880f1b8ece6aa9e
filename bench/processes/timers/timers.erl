-module(timers).
-export([main/0]).

start(0, Refs) -> Refs;
start(N, Refs) -> start(N - 1, [erlang:send_after(100000 + N rem 1000, self(), tick) | Refs]).

cancel([], N) -> N;
cancel([Ref | Refs], N) ->
    case is_integer(erlang:cancel_timer(Ref)) of
        true -> cancel(Refs, N + 1);
        false -> cancel(Refs, N)
    end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    N = cancel(start(1000000, []), 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [N]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
