-module(ping_pong).
-export([main/0]).

pong() ->
    receive
        {ping, From, N} -> From ! {pong, N}, pong();
        stop -> ok
    end.

ping(_, 0) -> done;
ping(Peer, N) ->
    Peer ! {ping, self(), N},
    receive {pong, N} -> ping(Peer, N - 1) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Peer = spawn(fun() -> pong() end),
    R = ping(Peer, 1000000),
    Peer ! stop,
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
