-module(nbody).
-export([main/0]).

advance(Bodies, Dt) -> [move(push(B, Bodies, Dt), Dt) || B <- Bodies].

push(Body, [], _) -> Body;
push({Id, X, Y, Z, Vx, Vy, Vz, M}, [{Id2, X2, Y2, Z2, _, _, _, M2} | Rest], Dt) ->
    if Id =:= Id2 -> push({Id, X, Y, Z, Vx, Vy, Vz, M}, Rest, Dt);
       true ->
            Dx = X - X2,
            Dy = Y - Y2,
            Dz = Z - Z2,
            D2 = Dx * Dx + Dy * Dy + Dz * Dz,
            Mag = Dt * M2 / (D2 * math:sqrt(D2)),
            push({Id, X, Y, Z, Vx - Dx * Mag, Vy - Dy * Mag, Vz - Dz * Mag, M}, Rest, Dt)
    end.

move({Id, X, Y, Z, Vx, Vy, Vz, M}, Dt) -> {Id, X + Dt * Vx, Y + Dt * Vy, Z + Dt * Vz, Vx, Vy, Vz, M}.

run(0, Bodies) -> Bodies;
run(N, Bodies) -> run(N - 1, advance(Bodies, 0.01)).

kinetic(Bodies) ->
    lists:foldl(fun({_, _, _, _, Vx, Vy, Vz, M}, E) -> E + 0.5 * M * (Vx * Vx + Vy * Vy + Vz * Vz) end, 0.0, Bodies).

main() ->
    Bodies = [
        {1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743},
        {2, 4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949},
        {3, 8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.82566237123041, 0.00841576137658415, 0.011286326131968767},
        {4, 12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.08279100644154, 0.868713018169608, -0.01083263740136364, 0.0017237240570597112},
        {5, 15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.594698998647676, -0.03475595555078104, 0.0020336868699246304}
    ],
    T0 = erlang:monotonic_time(nanosecond),
    Last = run(100000, Bodies),
    T1 = erlang:monotonic_time(nanosecond),
    io:format("~s~n", [float_to_list(kinetic(Last), [{decimals, 9}])]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
