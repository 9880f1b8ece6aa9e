-module(spectral_norm).
-export([main/0]).

a(I, J) -> 1.0 / ((I + J) * (I + J + 1) div 2 + I + 1).

row(_, _, [], Sum) -> Sum;
row(I, J, [X | Xs], Sum) -> row(I, J + 1, Xs, Sum + a(I, J) * X).

column(_, _, [], Sum) -> Sum;
column(I, J, [X | Xs], Sum) -> column(I, J + 1, Xs, Sum + a(J, I) * X).

times(N, V) -> [row(I, 0, V, 0.0) || I <- lists:seq(0, N - 1)].
transposed(N, V) -> [column(I, 0, V, 0.0) || I <- lists:seq(0, N - 1)].
both(N, V) -> transposed(N, times(N, V)).

iterate(0, _, U, V) -> {U, V};
iterate(K, N, U, _) ->
    V = both(N, U),
    iterate(K - 1, N, both(N, V), V).

dot([], [], Sum) -> Sum;
dot([X | Xs], [Y | Ys], Sum) -> dot(Xs, Ys, Sum + X * Y).

main() ->
    T0 = erlang:monotonic_time(nanosecond),
    N = 300,
    {U, V} = iterate(10, N, [1.0 || _ <- lists:seq(1, N)], []),
    Norm = math:sqrt(dot(U, V, 0.0) / dot(V, V, 0.0)),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~s~n", [float_to_list(Norm, [{decimals, 9}])]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
