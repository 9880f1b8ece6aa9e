-module(links).
-export([main/0]).

idle() -> receive never -> ok end.

collect(0, 0) -> ok;
collect(Exits, Downs) ->
    receive
        {'EXIT', _, killed} -> collect(Exits - 1, Downs);
        {'DOWN', _, process, _, killed} -> collect(Exits, Downs - 1)
    end.

storm(N) ->
    Pids = [spawn_link(fun() -> idle() end) || _ <- lists:seq(1, N)],
    [monitor(process, P) || P <- Pids],
    [exit(P, kill) || P <- Pids],
    collect(N, N).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    process_flag(trap_exit, true),
    ok = storm(100000),
    ok = storm(100000),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("(:ok, :ok)~n"),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
