-module(mandelbrot).
-export([main/0]).

escape(_, _, _, _, 0) -> 1;
escape(X, Y, Cx, Cy, N) ->
    X2 = X * X,
    Y2 = Y * Y,
    if X2 + Y2 > 4.0 -> 0;
       true -> escape(X2 - Y2 + Cx, 2.0 * X * Y + Cy, Cx, Cy, N - 1)
    end.

grid(Size) -> rows(0, Size, 0).

rows(Size, Size, Count) -> Count;
rows(Row, Size, Count) -> rows(Row + 1, Size, cols(0, Row, Size, Count)).

cols(Size, _, Size, Count) -> Count;
cols(Col, Row, Size, Count) ->
    cols(Col + 1, Row, Size, Count + escape(0.0, 0.0, 3.0 * Col / Size - 2.0, 3.0 * Row / Size - 1.5, 100)).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    R = grid(600),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~p~n", [R]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
