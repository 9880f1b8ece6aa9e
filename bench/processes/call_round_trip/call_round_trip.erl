-module(call_round_trip).
-export([main/0]).

server(N) ->
    receive
        {call, {From, Ref}, X} -> From ! {Ref, X + N}, server(N);
        stop -> ok
    end.

call(Pid, X) ->
    Ref = monitor(process, Pid),
    Pid ! {call, {self(), Ref}, X},
    receive
        {Ref, Reply} -> demonitor(Ref, [flush]), Reply;
        {'DOWN', Ref, _, _, Reason} -> exit(Reason)
    end.

calls(_, 0, Sum) -> Sum;
calls(Pid, N, Sum) -> calls(Pid, N - 1, Sum + call(Pid, N)).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Pid = spawn(fun() -> server(1) end),
    Sum = calls(Pid, 1000000, 0),
    Pid ! stop,
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [Sum]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
