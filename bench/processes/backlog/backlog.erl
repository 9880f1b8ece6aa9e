-module(backlog).
-export([main/0]).

fill(0) -> ok;
fill(N) -> self() ! {other, N}, fill(N - 1).

by_tag(0, Sum) -> Sum;
by_tag(N, Sum) ->
    self() ! {wanted, N},
    receive {wanted, M} -> by_tag(N - 1, Sum + M) end.

by_ref(0, Sum) -> Sum;
by_ref(N, Sum) ->
    Ref = make_ref(),
    self() ! {Ref, N},
    receive {Ref, M} -> by_ref(N - 1, Sum + M) end.

measure(Label, N, F) ->
    F(N, 0),
    T0 = erlang:monotonic_time(nanosecond),
    Sum = F(N, 0),
    io:format(standard_error, "~s ~p~n", [Label, (erlang:monotonic_time(nanosecond) - T0) / N]),
    Sum =:= N * (N + 1) div 2.

%% As many messages as can be waited for: each takes as long as looking through all that wait.
pair(Name, Tags, Refs) ->
    {measure("tag_" ++ Name ++ "_ns", Tags, fun by_tag/2), measure("ref_" ++ Name ++ "_ns", Refs, fun by_ref/2)}.

main() ->
    {A, B} = pair("empty", 100000, 100000),
    fill(100000),
    {C, D} = pair("100k", 1000, 100000),
    fill(900000),
    {E, F} = pair("1m", 100, 100000),
    io:format("(~p, ~p) (~p, ~p) (~p, ~p)~n", [A, B, C, D, E, F]).
