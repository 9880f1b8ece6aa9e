-module(timers).
-export([main/0]).

start(0, _, Refs) -> Refs;
start(N, Base, Refs) -> start(N - 1, Base, [erlang:send_after(Base + N rem 1000, self(), tick) | Refs]).

cancel([], N) -> N;
cancel([Ref | Refs], N) ->
    case is_integer(erlang:cancel_timer(Ref)) of
        true -> cancel(Refs, N + 1);
        false -> cancel(Refs, N)
    end.

take(0) -> ok;
take(N) -> receive tick -> take(N - 1) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Refs = start(1000000, 100000, []),
    T1 = erlang:monotonic_time(nanosecond),
    N = cancel(Refs, 0),
    T2 = erlang:monotonic_time(nanosecond),
    start(1000000, 1, []),
    R = take(1000000),
    T3 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p~n", [N, R]),
    io:format(standard_error, "start_ns ~p~n", [(T1 - T0) / 1.0e6]),
    io:format(standard_error, "cancel_ns ~p~n", [(T2 - T1) / 1.0e6]),
    io:format(standard_error, "start_and_fire_ms ~p~n", [(T3 - T2) / 1.0e6]).
