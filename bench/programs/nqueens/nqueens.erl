-module(nqueens).
-export([main/0]).

safe(_, _, []) -> true;
safe(Q, D, [C | Rest]) -> Q =/= C andalso Q =/= C + D andalso Q =/= C - D andalso safe(Q, D + 1, Rest).

place(0, _, _) -> 1;
place(Left, N, Board) -> try_columns(N, Left, N, Board, 0).

try_columns(0, _, _, _, Count) -> Count;
try_columns(Q, Left, N, Board, Count) ->
    case safe(Q, 1, Board) of
        true -> try_columns(Q - 1, Left, N, Board, Count + place(Left - 1, N, [Q | Board]));
        false -> try_columns(Q - 1, Left, N, Board, Count)
    end.

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    R = place(11, 11, []),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
