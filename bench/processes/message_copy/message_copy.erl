-module(message_copy).
-export([main/0]).

echo() ->
    receive
        {From, Xs} -> From ! length(Xs), echo();
        stop -> ok
    end.

rounds(_, _, 0, Sum) -> Sum;
rounds(Pid, Xs, N, Sum) ->
    Pid ! {self(), Xs},
    receive K -> rounds(Pid, Xs, N - 1, Sum + K) end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    Pid = spawn(fun() -> echo() end),
    Small = rounds(Pid, [{X, tag} || X <- lists:seq(1, 25)], 200000, 0),
    Large = rounds(Pid, [{X, tag} || X <- lists:seq(1, 2500)], 2000, 0),
    Pid ! stop,
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p~n", [Small, Large]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
