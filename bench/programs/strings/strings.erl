-module(strings).
-export([main/0]).

grow(N, N, Acc) -> Acc;
grow(I, N, Acc) ->
    grow(I + 1, N, <<Acc/binary, "line ", (integer_to_binary(I))/binary, " of ", (integer_to_binary(N))/binary, "\n">>).

push(N, N, Acc) -> Acc;
push(I, N, Acc) -> push(I + 1, N, <<Acc/binary, "item,", (integer_to_binary(I))/binary, ";">>).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    A = grow(0, 300000, <<>>),
    B = push(0, 500000, <<>>),
    C = iolist_to_binary(lists:join(<<",">>, [integer_to_binary(I) || I <- lists:seq(1, 300000)])),
    D = length(binary:split(C, <<",">>, [global])),
    E = binary:replace(B, <<"item">>, <<"thing">>, [global]),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p ~p ~p ~p ~p~n", [byte_size(A), byte_size(B), byte_size(C), D, byte_size(E)]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
