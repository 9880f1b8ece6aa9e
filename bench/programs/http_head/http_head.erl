-module(http_head).
-export([main/0]).

request(Bytes) -> method(Bytes, 0, Bytes).

method(<<$\s, Rest/binary>>, N, All) ->
    <<Name:N/binary, _/binary>> = All,
    target(Rest, 0, Rest, Name);
method(<<_, Rest/binary>>, N, All) -> method(Rest, N + 1, All).

target(<<$\s, Rest/binary>>, N, All, Name) ->
    <<Path:N/binary, _/binary>> = All,
    <<"HTTP/1.", _, "\r\n", Headers/binary>> = Rest,
    header(Headers, 0, Headers, {Name, Path}, []);
target(<<_, Rest/binary>>, N, All, Name) -> target(Rest, N + 1, All, Name).

header(<<"\r\n", Rest/binary>>, 0, _, Line, Acc) -> {Line, Acc, Rest};
header(<<": ", Rest/binary>>, N, All, Line, Acc) ->
    <<Key:N/binary, _/binary>> = All,
    field(Rest, 0, Rest, Key, Line, Acc);
header(<<_, Rest/binary>>, N, All, Line, Acc) -> header(Rest, N + 1, All, Line, Acc).

field(<<"\r\n", Rest/binary>>, N, All, Key, Line, Acc) ->
    <<Text:N/binary, _/binary>> = All,
    header(Rest, 0, Rest, Line, [{Key, Text} | Acc]);
field(<<_, Rest/binary>>, N, All, Key, Line, Acc) -> field(Rest, N + 1, All, Key, Line, Acc).

all_requests(<<>>, Count, Fields) -> {Count, Fields};
all_requests(Bytes, Count, Fields) ->
    {_, Headers, Rest} = request(Bytes),
    all_requests(Rest, Count + 1, Fields + length(Headers)).

main() ->
    Head = <<"GET /a/path/to/somewhere?with=query HTTP/1.1\r\nHost: example.org\r\nUser-Agent: quelea/1.0 (bench)\r\nAccept: text/html,application/json\r\nAccept-Encoding: gzip, br\r\nCookie: session=0123456789abcdef\r\n\r\n">>,
    Input = binary:copy(Head, 50000),
    T0 = erlang:monotonic_time(nanosecond),
    {Count, Fields} = all_requests(Input, 0, 0),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p~n", [Count, Fields]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
