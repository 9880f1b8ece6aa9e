-module(signals).
-export([main/0]).

idle() -> receive stop -> ok end.

refs(0, Ref) -> Ref;
refs(N, _) -> refs(N - 1, make_ref()).

monitors(_, 0) -> ok;
monitors(Pid, N) -> demonitor(monitor(process, Pid)), monitors(Pid, N - 1).

links(_, 0) -> ok;
links(Pid, N) -> link(Pid), unlink(Pid), links(Pid, N - 1).

ends(0) -> ok;
ends(N) ->
    {_, Ref} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Ref, _, _, normal} -> ends(N - 1) end.

measure(Label, N, F) ->
    F(N),
    T0 = erlang:monotonic_time(nanosecond),
    F(N),
    io:format(standard_error, "~s ~p~n", [Label, (erlang:monotonic_time(nanosecond) - T0) / N]).

main() ->
    Pid = spawn(fun() -> idle() end),
    measure("make_ref_ns", 1000000, fun(N) -> refs(N, nil) end),
    measure("monitor_demonitor_ns", 500000, fun(N) -> monitors(Pid, N) end),
    measure("link_unlink_ns", 500000, fun(N) -> links(Pid, N) end),
    measure("spawn_monitor_down_ns", 200000, fun ends/1),
    io:format("done~n").
