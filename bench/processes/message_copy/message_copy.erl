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

measure(Label, Pid, Xs, N) ->
    T0 = erlang:monotonic_time(nanosecond),
    Sum = rounds(Pid, Xs, N, 0),
    io:format(standard_error, "~s ~p~n", [Label, (erlang:monotonic_time(nanosecond) - T0) / N]),
    Sum.

main() ->
    Pid = spawn(fun() -> echo() end),
    Small = measure("of_1kb_ns", Pid, [{X, tag} || X <- lists:seq(1, 25)], 200000),
    Large = measure("of_100kb_ns", Pid, [{X, tag} || X <- lists:seq(1, 2500)], 2000),
    Pid ! stop,
    io:format("~p ~p~n", [Small, Large]).
