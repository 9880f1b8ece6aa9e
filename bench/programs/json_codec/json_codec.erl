-module(json_codec).
-export([main/0]).

record(I) ->
    N = integer_to_binary(I),
    #{<<"id">> => I,
      <<"name">> => <<"user ", N/binary>>,
      <<"email">> => <<"user", N/binary, "@example.org">>,
      <<"active">> => I rem 2 =:= 0,
      <<"score">> => I * 1.5,
      <<"tags">> => [<<"alpha">>, <<"beta">>, <<"say \"hi\"\n">>],
      <<"nested">> => #{<<"a">> => null, <<"b">> => [1, 2, 3]}}.

rounds(0, _, Text) -> Text;
rounds(N, Doc, _) ->
    Text = iolist_to_binary(json:encode(Doc)),
    rounds(N - 1, json:decode(Text), Text).

main() ->
    Doc = [record(I) || I <- lists:seq(1, 20000)],
    T0 = erlang:monotonic_time(nanosecond),
    Text = rounds(10, Doc, <<>>),
    T1 = erlang:monotonic_time(nanosecond),
    Back = json:decode(Text),
    io:format("~p ~p~n", [Back =:= Doc, length(Back)]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
