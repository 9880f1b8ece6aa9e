-module(csv).
-export([main/0]).

rows(<<>>, Acc) -> Acc;
rows(Bytes, Acc) ->
    {Fields, Rest} = row(Bytes, []),
    rows(Rest, [Fields | Acc]).

row(<<$", Rest/binary>>, Acc) -> quoted(Rest, 0, Rest, Acc);
row(Bytes, Acc) -> plain(Bytes, 0, Bytes, Acc).

plain(<<$,, Rest/binary>>, N, All, Acc) -> row(Rest, [field(All, N) | Acc]);
plain(<<$\n, Rest/binary>>, N, All, Acc) -> {[field(All, N) | Acc], Rest};
plain(<<_, Rest/binary>>, N, All, Acc) -> plain(Rest, N + 1, All, Acc);
plain(<<>>, N, All, Acc) -> {[field(All, N) | Acc], <<>>}.

quoted(<<$", $,, Rest/binary>>, N, All, Acc) -> row(Rest, [field(All, N) | Acc]);
quoted(<<$", $\n, Rest/binary>>, N, All, Acc) -> {[field(All, N) | Acc], Rest};
quoted(<<_, Rest/binary>>, N, All, Acc) -> quoted(Rest, N + 1, All, Acc).

field(All, N) ->
    <<Text:N/binary, _/binary>> = All,
    Text.

total([], Sum) -> Sum;
total([[Amount, _, _, _] | Rest], Sum) -> total(Rest, Sum + binary_to_integer(Amount)).

main() ->
    Input = binary:copy(<<"1001,\"Smith, Ann\",Zurich,250\n1002,Bob,\"New York\",17\n1003,Cleo,Lima,4000\n1004,\"D\",Oslo,3\n">>, 50000),
    T0 = erlang:monotonic_time(nanosecond),
    Parsed = rows(Input, []),
    Sum = total(Parsed, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p~n", [length(Parsed), Sum]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
