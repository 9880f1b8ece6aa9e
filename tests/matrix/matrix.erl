%% What Erlang does: exits, links, monitors, names, aliases, group leaders, case by case. `matrix.qu` beside it is the same
%% program in Quelea; `regenerate` runs this one and keeps what it prints in `expected`.
%%
%% Each case runs in a process of its own, all at once, and prints `name -> outcome`: what it returns, or `dies Reason`.
-module(matrix).
-export([main/0, idle/0]).

main() ->
    logger:set_primary_config(level, none),
    Started = [{Name, spawn_monitor(fun() -> exit({done, text(F())}) end)} || {Name, F} <- cases()],
    Lines = [receive
                 {'DOWN', Ref, process, _, {done, Text}} -> Name ++ " -> " ++ Text;
                 {'DOWN', Ref, process, _, Reason} -> Name ++ " -> dies " ++ show(Reason)
             end || {Name, {_, Ref}} <- Started],
    [io:format("~ts~n", [L]) || L <- Lines],
    halt().

cases() ->
    ends() ++ chains() ++ exits() ++ own_exits() ++ the_dead() ++ bad_arguments() ++ unlinks() ++ demonitors() ++ names()
        ++ aliases() ++ monitor_aliases() ++ tags() ++ priorities() ++ flags() ++ leaders() ++ labels() ++ families()
        ++ spawns() ++ nested() ++ reasons_of_exit() ++ orders() ++ looks() ++ values().

%% Helpers ----------------------------------------------------------------------------------------

text(T) -> show(T).

show(T) when T =:= self() -> "self";
show(T) when is_pid(T) -> "pid";
show(T) when is_reference(T) -> "ref";
show(T) when T =:= node() -> "node";
show(T) when is_atom(T) -> atom_to_list(T);
show(T) when is_integer(T) -> integer_to_list(T);
show(T) when is_tuple(T) -> "(" ++ lists:join(", ", [show(E) || E <- tuple_to_list(T)]) ++ ")";
show([{M, F, _, L} | _]) when is_atom(M), is_atom(F), is_list(L) -> "trace";
show(T) when is_list(T) -> "[" ++ lists:join(", ", [show(E) || E <- T]) ++ "]".

%% All messages until it is quiet, in the order of their text; `arrived` in that of their arrival.
events() -> lists:sort(fun(A, B) -> show(A) =< show(B) end, arrived()).
arrived() -> arrived(600).
arrived(Ms) -> receive M -> [M | arrived(Ms)] after Ms -> [] end.
%% The same in a process that another waits for.
soon() -> arrived(150).

info(P, Item) -> case process_info(P, Item) of {_, Value} -> Value; Other -> Other end.

attempt(F) -> try F() catch C:R -> {C, R} end.

reasons() -> [return, normal, kill, killed, custom, shutdown, tuple, error, badarith, throw].

die(return) -> ok;
die(tuple) -> exit({shutdown, 1});
die(error) -> error(boom);
die(badarith) -> id(1) + id(x);
die(throw) -> throw(ball);
die(Reason) -> exit(Reason).

id(X) -> X.

idle() -> receive stop -> ok end.
on_go(Why) -> receive go -> die(Why) end.
dead() -> {P, R} = spawn_monitor(fun() -> ok end), receive {'DOWN', R, _, _, _} -> P end.
await(P) -> R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end.
trap(On) -> process_flag(trap_exit, On).
trapping() -> [{"plain", false}, {"trap", true}].
name(Parts) -> lists:append(lists:join(" ", [if is_atom(P) -> atom_to_list(P); true -> P end || P <- Parts])).

%% How a process ends, and what its relations get -----------------------------------------------

relations() ->
    [{"link", fun(F) -> P = spawn(F), link(P), P end},
     {"monitor", fun(F) -> P = spawn(F), monitor(process, P), P end},
     {"both", fun(F) -> P = spawn(F), link(P), monitor(process, P), P end},
     {"spawn_link", fun(F) -> spawn_link(F) end},
     {"spawn_monitor", fun(F) -> {P, _} = spawn_monitor(F), P end},
     {"spawn_opt both", fun(F) -> {P, _} = spawn_opt(F, [link, monitor]), P end}].

ends() ->
    [{name(["end", Why, Relation, Trap]),
      fun() -> trap(On), P = Make(fun() -> on_go(Why) end), P ! go, events() end}
     || Why <- reasons(), {Relation, Make} <- relations(), {Trap, On} <- trapping()].

%% a - b - c: a ends, c tells.
chains() ->
    [{name(["chain", Why, Trap]),
      fun() ->
              Me = self(),
              trap(true),
              spawn_link(fun() ->
                                 trap(On),
                                 A = spawn_link(fun() -> on_go(Why) end),
                                 A ! go,
                                 Me ! {middle, soon()}
                         end),
              events()
      end} || Why <- reasons(), {Trap, On} <- trapping()].

%% exit/2 ---------------------------------------------------------------------------------------

exits() ->
    [{name(["exit/2", Reason, Trap]),
      fun() ->
              Me = self(),
              {P, _} = spawn_monitor(fun() -> trap(On), Me ! ready, Me ! {got, soon()} end),
              receive ready -> ok end,
              exit(P, Reason),
              events()
      end} || Reason <- [normal, kill, killed, custom, noproc], {Trap, On} <- trapping()]
    ++ [{name(["exit/2 linked", Reason, Trap]),
         fun() ->
                 Me = self(),
                 spawn_monitor(fun() ->
                                                Q = spawn_link(fun idle/0),
                                                trap(On),
                                                Me ! {ready, Q},
                                                Me ! {got, soon()}
                                        end),
                 receive {ready, Q} -> ok end,
                 exit(Q, Reason),
                 monitor(process, Q),
                 events()
         end} || Reason <- [normal, kill, killed, custom], {Trap, On} <- trapping()]
    ++ [{"exit/2 linked to the sender plain", fun() -> P = spawn_link(fun idle/0), exit(P, custom), events() end},
        {"exit/2 linked to the sender trap", fun() -> trap(true), P = spawn_link(fun idle/0), exit(P, custom), events() end},
        {"exit/2 kill linked to the sender trap", fun() -> trap(true), P = spawn_link(fun idle/0), exit(P, kill), events() end},
        {"exit/2 keeps order with messages",
         fun() ->
                 Me = self(),
                 P = spawn(fun() -> trap(true), Me ! ready, Me ! {got, soon()} end),
                 receive ready -> ok end,
                 P ! a, exit(P, b), P ! c, exit(P, d),
                 arrived()
         end},
        {"exit/2 twice", fun() -> {P, _} = spawn_monitor(fun idle/0), exit(P, a), exit(P, b), events() end},
        {"exit/2 then kill", fun() -> {P, _} = spawn_monitor(fun idle/0), exit(P, normal), exit(P, kill), events() end},
        {"exit/2 while it ends", fun() -> {P, _} = spawn_monitor(fun() -> on_go(custom) end), P ! go, exit(P, normal), events() end}].

own_exits() ->
    [{name(["own exit/2", Reason, Trap]), fun() -> trap(On), R = exit(self(), Reason), {R, events()} end}
     || Reason <- [normal, kill, killed, custom, shutdown], {Trap, On} <- trapping()]
    ++ [{"own exit/2 is at once",
         fun() -> Me = self(), spawn_monitor(fun() -> exit(self(), custom), Me ! still_here end), events() end},
        {"own exit/2 normal is at once",
         fun() -> Me = self(), spawn_monitor(fun() -> exit(self(), normal), Me ! still_here end), events() end},
        {"own exit/2 cannot be caught",
         fun() -> spawn_monitor(fun() -> try exit(self(), custom) catch _:_ -> exit(caught) end end), events() end},
        {"own exit/2 behind own messages", fun() -> trap(true), self() ! a, exit(self(), b), self() ! c, arrived() end},
        {"own exit/1 runs what is to be run", fun() -> Me = self(), spawn_monitor(fun() -> try exit(custom) after Me ! later end end), events() end},
        {"own exit/1 can be caught", fun() -> try exit(custom) catch exit:R -> {caught, R} end end}].

%% Who is not there -------------------------------------------------------------------------------

the_dead() ->
    [{name(["link to the dead", Trap]), fun() -> trap(On), P = dead(), {attempt(fun() -> link(P) end), events()} end}
     || {Trap, On} <- trapping()]
    ++ [{"link to one that was killed", fun() -> trap(true), P = spawn(fun idle/0), exit(P, kill), {link(P), events()} end},
        {"monitor of one that was killed", fun() -> P = spawn(fun idle/0), exit(P, kill), monitor(process, P), events() end},
        {"link behind the kill of a linked one",
         fun() -> trap(true), P = spawn_link(fun idle/0), exit(P, kill), {link(P), events()} end},
        {"unlink behind the kill", fun() -> trap(true), P = spawn_link(fun idle/0), exit(P, kill), {unlink(P), events()} end},
        {"link and unlink behind the kill",
         fun() -> trap(true), P = spawn(fun idle/0), exit(P, kill), {link(P), unlink(P), arrived()} end}]
    ++ [{"monitor of the dead", fun() -> monitor(process, dead()), events() end},
        {"monitor of the dead twice", fun() -> P = dead(), monitor(process, P), monitor(process, P), events() end},
        {"exit/2 to the dead", fun() -> trap(true), {exit(dead(), custom), events()} end},
        {"kill the dead", fun() -> {exit(dead(), kill), events()} end},
        {"unlink of the dead", fun() -> {unlink(dead()), events()} end},
        {"message to the dead", fun() -> {dead() ! hello, events()} end},
        {"is the dead alive", fun() -> is_process_alive(dead()) end},
        {"name for the dead", fun() -> P = dead(), attempt(fun() -> register(m_dead, P) end) end},
        {"links of the dead are gone",
         fun() -> trap(true), P = spawn_link(fun() -> ok end), events(), L = info(self(), links), lists:member(P, L) end},
        {"monitors of the dead are gone",
         fun() -> spawn_monitor(fun() -> ok end), events(), M = info(self(), monitors), M end},
        {"watchers that are dead are gone",
         fun() ->
                 P = spawn(fun idle/0), W = spawn(fun() -> monitor(process, P) end), await(W),
                 receive after 100 -> ok end,
                 L = info(P, monitored_by), L
         end},
        {"link to oneself", fun() -> R = link(self()), L = info(self(), links), {R, L} end},
        {"unlink of oneself", fun() -> unlink(self()) end},
        {"monitor of oneself", fun() -> R = monitor(process, self()), M = info(self(), monitors), {R, M, demonitor(R, [info])} end}].

bad_arguments() ->
    [{name(["bad argument", Name]), fun() -> attempt(F) end}
     || {Name, F} <- [{"link(atom)", fun() -> link(id(an_atom)) end},
                      {"link(1)", fun() -> link(id(1)) end},
                      {"unlink(atom)", fun() -> unlink(id(an_atom)) end},
                      {"exit(atom, r)", fun() -> exit(id(an_atom), custom) end},
                      {"exit(1, r)", fun() -> exit(id(1), custom) end},
                      {"monitor(1)", fun() -> monitor(process, id(1)) end},
                      {"demonitor(atom)", fun() -> demonitor(id(an_atom)) end},
                      {"demonitor(plain reference)", fun() -> demonitor(make_ref()) end},
                      {"demonitor(plain reference, info)", fun() -> demonitor(make_ref(), [info]) end},
                      {"demonitor(ref, bad option)", fun() -> demonitor(make_ref(), [id(nonsense)]) end},
                      {"unalias(atom)", fun() -> unalias(id(an_atom)) end},
                      {"unalias(plain reference)", fun() -> unalias(make_ref()) end},
                      {"alias(bad option)", fun() -> alias([id(nonsense)]) end},
                      {"monitor(pid, bad option)", fun() -> monitor(process, self(), [{id(nonsense), 1}]) end},
                      {"monitor(pid, bad alias)", fun() -> monitor(process, self(), [{alias, id(nonsense)}]) end},
                      {"send to an integer", fun() -> id(1) ! x end},
                      {"send to a free name", fun() -> id(m_nobody) ! x end},
                      {"register(undefined)", fun() -> register(undefined, self()) end},
                      {"register(1)", fun() -> register(id(1), self()) end},
                      {"register(name, 1)", fun() -> register(m_one, id(1)) end},
                      {"unregister(free)", fun() -> unregister(m_nobody) end},
                      {"process_flag(trap_exit, 1)", fun() -> process_flag(trap_exit, id(1)) end},
                      {"process_flag(nonsense)", fun() -> process_flag(id(nonsense), true) end},
                      {"group_leader(atom)", fun() -> group_leader(id(an_atom), self()) end},
                      {"group_leader of the dead", fun() -> group_leader(self(), dead()) end}]].

%% Taking relations away --------------------------------------------------------------------------

unlinks() ->
    [{name(["unlink before", Why, Trap]),
      fun() -> trap(On), P = spawn_link(fun() -> on_go(Why) end), R = unlink(P), P ! go, {R, events()} end}
     || Why <- [normal, kill, custom, error], {Trap, On} <- trapping()]
    ++ [{name(["unlink by the other", Trap]),
         fun() ->
                 Me = self(), trap(On),
                 P = spawn_link(fun() -> unlink(Me), Me ! ready, on_go(custom) end),
                 receive ready -> ok end,
                 P ! go, events()
         end} || {Trap, On} <- trapping()]
    ++ [{"unlink leaves the message",
         fun() -> trap(true), P = spawn_link(fun() -> on_go(custom) end), P ! go, await(P), receive after 50 -> ok end, unlink(P), events() end},
        {"unlink twice", fun() -> P = spawn_link(fun idle/0), {unlink(P), unlink(P)} end},
        {"link twice, unlink once",
         fun() -> P = spawn(fun() -> on_go(custom) end), link(P), link(P), unlink(P), P ! go, events() end},
        {"unlink, link again", fun() -> trap(true), P = spawn_link(fun() -> on_go(custom) end), unlink(P), link(P), P ! go, events() end},
        {"link from both sides, unlink once",
         fun() ->
                 Me = self(), trap(true),
                 P = spawn(fun() -> link(Me), Me ! ready, on_go(custom) end),
                 link(P), receive ready -> ok end, unlink(P), P ! go, events()
         end},
        {"link from both sides, one exit",
         fun() ->
                 Me = self(), trap(true),
                 P = spawn(fun() -> link(Me), Me ! ready, on_go(custom) end),
                 link(P), receive ready -> ok end, P ! go, events()
         end},
        {"unlink of a stranger", fun() -> P = spawn(fun idle/0), {unlink(P), events()} end},
        {"unlink keeps the monitor",
         fun() -> P = spawn(fun() -> on_go(custom) end), link(P), monitor(process, P), unlink(P), P ! go, events() end},
        {"demonitor keeps the link",
         fun() -> trap(true), P = spawn(fun() -> on_go(custom) end), link(P), R = monitor(process, P), demonitor(R), P ! go, events() end},
        {"one of two links", fun() -> trap(true), P = spawn_link(fun idle/0), Q = spawn_link(fun idle/0), unlink(P), exit(P, a), exit(Q, b), events() end},
        {"links are listed once",
         fun() -> P = spawn_link(fun idle/0), link(P), L = info(self(), links), L =:= [P] end}].

demonitors() ->
    Watched = fun() -> spawn_monitor(fun() -> on_go(custom) end) end,
    [{"demonitor before", fun() -> {P, R} = Watched(), D = demonitor(R), P ! go, {D, events()} end},
     {"demonitor after", fun() -> {P, R} = Watched(), P ! go, await(P), receive after 50 -> ok end, D = demonitor(R), {D, events()} end},
     {"demonitor flush before", fun() -> {P, R} = Watched(), D = demonitor(R, [flush]), P ! go, {D, events()} end},
     {"demonitor flush after", fun() -> {P, R} = Watched(), P ! go, await(P), receive after 50 -> ok end, {demonitor(R, [flush]), events()} end},
     {"demonitor info before", fun() -> {_, R} = Watched(), demonitor(R, [info]) end},
     {"demonitor info after", fun() -> {P, R} = Watched(), P ! go, await(P), receive after 50 -> ok end, {demonitor(R, [info]), events()} end},
     {"demonitor info twice", fun() -> {_, R} = Watched(), {demonitor(R, [info]), demonitor(R, [info])} end},
     {"demonitor flush info before", fun() -> {_, R} = Watched(), {demonitor(R, [flush, info]), events()} end},
     {"demonitor flush info after",
      fun() -> {P, R} = Watched(), P ! go, await(P), receive after 50 -> ok end, {demonitor(R, [flush, info]), events()} end},
     {"demonitor flush of the dead", fun() -> R = monitor(process, dead()), {demonitor(R, [flush]), events()} end},
     {"demonitor flush takes one", fun() -> P = dead(), R = monitor(process, P), monitor(process, P), receive after 50 -> ok end, demonitor(R, [flush]), events() end},
     {"two monitors", fun() -> {P, _} = Watched(), monitor(process, P), P ! go, events() end},
     {"one of two monitors", fun() -> {P, R} = Watched(), monitor(process, P), demonitor(R), P ! go, events() end},
     {"demonitor of another's",
      fun() -> {P, R} = Watched(), Q = spawn(fun() -> attempt(fun() -> demonitor(R) end) end), await(Q), P ! go, events() end},
     {"a monitor is one-sided", fun() -> Me = self(), spawn(fun() -> monitor(process, Me), exit(custom) end), events() end}].

%% Names ------------------------------------------------------------------------------------------

names() ->
    [{"name: monitor of one", fun() -> P = spawn(fun() -> on_go(custom) end), register(m_a, P), monitor(process, m_a), P ! go, events() end},
     {"name: monitor with its node",
      fun() -> P = spawn(fun() -> on_go(custom) end), register(m_b, P), monitor(process, {m_b, node()}), P ! go, events() end},
     {"name: monitor of a free one", fun() -> monitor(process, m_nobody), events() end},
     {"name: monitor of a free one with its node", fun() -> monitor(process, {m_nobody, node()}), events() end},
     {"name: monitor stays when it is taken away",
      fun() -> P = spawn(fun() -> on_go(custom) end), register(m_c, P), monitor(process, m_c), unregister(m_c), P ! go, events() end},
     {"name: monitor stays when it passes on",
      fun() ->
              P = spawn(fun() -> on_go(custom) end), register(m_d, P), monitor(process, m_d), unregister(m_d),
              Q = spawn(fun idle/0), register(m_d, Q), P ! go, E = events(), unregister(m_d), E
      end},
     {"name: demonitor of one", fun() -> P = spawn(fun() -> on_go(custom) end), register(m_e, P), R = monitor(process, m_e), demonitor(R), P ! go, events() end},
     {"name: in process_info",
      fun() -> P = spawn(fun idle/0), register(m_f, P), monitor(process, m_f), M = info(self(), monitors), unregister(m_f), M end},
     {"name: goes with its process",
      fun() -> P = spawn(fun() -> on_go(custom) end), register(m_g, P), P ! go, await(P), whereis(m_g) =:= P end},
     {"name: is free before the monitor fires",
      fun() ->
              {P, R} = spawn_monitor(fun() -> on_go(custom) end), register(m_h, P), P ! go,
              receive {'DOWN', R, _, _, _} -> register(m_h, self()) end
      end},
     {"name: twice", fun() -> P = spawn(fun idle/0), register(m_i, P), attempt(fun() -> register(m_i, self()) end) end},
     {"name: two of one", fun() -> P = spawn(fun idle/0), register(m_j, P), attempt(fun() -> register(m_k, P) end) end},
     {"name: again after unregister", fun() -> P = spawn(fun idle/0), register(m_l, P), unregister(m_l), register(m_m, P) end},
     {"name: message", fun() -> register(m_n, self()), m_n ! hello, {m_n, node()} ! there, arrived() end},
     {"name: message to a free one with its node", fun() -> {m_nobody, node()} ! hello end},
     {"name: whereis", fun() -> register(m_o, self()), {whereis(m_o), unregister(m_o)} end},
     {"name: process_info", fun() -> A = info(self(), registered_name), register(m_p, self()), {A, info(self(), registered_name)} end},
     {"name: is listed", fun() -> register(m_q, self()), lists:member(m_q, registered()) end},
     {"name: taken away by another", fun() -> register(m_r, self()), P = spawn(fun() -> unregister(m_r) end), await(P), {whereis(m_r) =:= undefined, info(self(), registered_name)} end},
     {"name: taken away twice", fun() -> register(m_s, self()), unregister(m_s), attempt(fun() -> unregister(m_s) end) end},
     {"name: twice for oneself", fun() -> register(m_t, self()), attempt(fun() -> register(m_t, self()) end) end},
     {"name: is gone behind a kill",
      fun() -> P = spawn(fun idle/0), register(m_v, P), await_kill(P), {whereis(m_v) =:= undefined, attempt(fun() -> m_v ! x end), register(m_v, self())} end},
     {"name: is gone for a link's other end",
      fun() -> trap(true), P = spawn_link(fun() -> on_go(custom) end), register(m_w, P), P ! go, receive {'EXIT', P, _} -> whereis(m_w) =:= undefined end end},
     {"name: exit by one", fun() -> register(m_x, self()), attempt(fun() -> exit(id(m_x), custom) end) end},
     {"name: link by one", fun() -> register(m_y, self()), attempt(fun() -> link(id(m_y)) end) end},
     {"name: monitor of oneself by it", fun() -> register(m_z, self()), R = monitor(process, m_z), M = info(self(), monitors), {M, demonitor(R, [info])} end},
     {"name: monitor's tag and name", fun() -> P = spawn(fun() -> on_go(custom) end), register(m_aa, P), monitor(process, m_aa, [{tag, {gone, m_aa}}]), P ! go, events() end},
     {"name: monitor's alias outlives it",
      fun() ->
              P = spawn(fun() -> on_go(custom) end), register(m_ab, P), R = monitor(process, m_ab, [{alias, explicit_unalias}]), P ! go, E = events(), R ! 1,
              {E, events(), unalias(R)}
      end}]
    ++ [{name(["name: bad", Name]), fun() -> attempt(F) end}
        || {Name, F} <- [{"whereis(1)", fun() -> whereis(id(1)) end}, {"unregister(1)", fun() -> unregister(id(1)) end},
                         {"monitor of (name, 1)", fun() -> monitor(process, id({m_nobody, 1})) end},
                         {"message to (name, 1)", fun() -> id({m_nobody, 1}) ! x end}, {"message to (1, node)", fun() -> {id(1), node()} ! x end}]].

await_kill(P) -> R = monitor(process, P), exit(P, kill), receive {'DOWN', R, _, _, killed} -> ok end.

%% Aliases ----------------------------------------------------------------------------------------

aliases() ->
    [{"alias: messages", fun() -> A = alias(), A ! 1, A ! 2, arrived() end},
     {"alias: explicit", fun() -> A = alias([explicit_unalias]), A ! 1, A ! 2, arrived() end},
     {"alias: reply", fun() -> A = alias([reply]), A ! 1, A ! 2, arrived() end},
     {"alias: unalias", fun() -> A = alias(), R = unalias(A), A ! 1, {R, arrived()} end},
     {"alias: unalias twice", fun() -> A = alias(), {unalias(A), unalias(A)} end},
     {"alias: unalias reply", fun() -> A = alias([reply]), R = unalias(A), A ! 1, {R, arrived()} end},
     {"alias: unalias after the reply", fun() -> A = alias([reply]), A ! 1, receive 1 -> ok end, unalias(A) end},
     {"alias: what arrived stays", fun() -> A = alias(), A ! 1, self() ! 2, receive 2 -> ok end, unalias(A), arrived() end},
     {"alias: from another", fun() -> A = alias(), spawn(fun() -> A ! 1, A ! 2 end), arrived() end},
     {"alias: keeps order", fun() -> Me = self(), A = alias(), spawn(fun() -> Me ! 1, A ! 2, Me ! 3, A ! 4 end), arrived() end},
     {"alias: of the dead",
      fun() -> Me = self(), P = spawn(fun() -> Me ! alias() end), A = receive M -> M end, await(P), {A ! 1 =:= 1, arrived()} end},
     {"alias: only the owner ends it",
      fun() -> Me = self(), A = alias(), P = spawn(fun() -> Me ! attempt(fun() -> unalias(A) end) end), await(P), A ! 1, length(arrived()) end},
     {"alias: two are two", fun() -> A = alias(), B = alias(), unalias(A), A ! 1, B ! 2, arrived() end},
     {"alias: a reference is none", fun() -> {make_ref() ! 1, arrived()} end},
     {"alias: value of a send", fun() -> alias() ! x end},
     {"alias: timer", fun() -> A = alias([reply]), erlang:send_after(1, A, 1), erlang:send_after(5, A, 2), arrived() end}].

modes() -> [explicit_unalias, demonitor, reply_demonitor].

monitor_aliases() ->
    Start = fun(Mode) -> P = spawn(fun() -> on_go(custom) end), {P, monitor(process, P, [{alias, Mode}])} end,
    Scenes =
        [{"replies, end", fun(P, R) -> R ! 1, R ! 2, receive 1 -> ok end, P ! go, events() end},
         {"reply, then the monitor", fun(_, R) -> R ! 1, receive 1 -> ok end, M = info(self(), monitors), {length(M), demonitor(R, [info])} end},
         {"demonitor, send", fun(P, R) -> demonitor(R), R ! 1, P ! go, events() end},
         {"end, send", fun(P, R) -> P ! go, receive {'DOWN', R, _, _, _} -> ok end, R ! 1, events() end},
         {"unalias, send, end", fun(P, R) -> U = unalias(R), R ! 1, P ! go, {U, events()} end},
         {"unalias after the end", fun(P, R) -> P ! go, receive {'DOWN', R, _, _, _} -> ok end, unalias(R) end},
         {"unalias after demonitor", fun(_, R) -> demonitor(R), unalias(R) end},
         {"unalias after a reply", fun(_, R) -> R ! 1, receive 1 -> ok end, unalias(R) end},
         {"flush after the end", fun(P, R) -> P ! go, await(P), receive after 50 -> ok end, {demonitor(R, [flush, info]), R ! 1, events()} end}],
    [{name(["monitor alias", Mode, Scene]), fun() -> {P, R} = Start(Mode), F(P, R) end}
     || Mode <- modes(), {Scene, F} <- Scenes]
    ++ [{name(["monitor alias of the dead", Mode]), fun() -> R = monitor(process, dead(), [{alias, Mode}]), E = events(), R ! 1, {E, events()} end}
        || Mode <- modes()]
    ++ [{name(["spawn_opt monitor alias", Mode]),
         fun() -> {P, R} = spawn_opt(fun() -> on_go(custom) end, [{monitor, [{alias, Mode}]}]), R ! 1, receive 1 -> ok end, P ! go, E = events(), R ! 2, {E, events()} end}
        || Mode <- modes()]
    ++ [{"monitor alias of oneself", fun() -> R = monitor(process, self(), [{alias, explicit_unalias}]), R ! 1, {arrived(), unalias(R)} end},
        {"monitor alias of a free name", fun() -> R = monitor(process, m_nobody, [{alias, reply_demonitor}]), E = events(), R ! 1, {E, arrived()} end}].

tags() ->
    [{"tag: atom", fun() -> P = spawn(fun() -> on_go(custom) end), monitor(process, P, [{tag, gone}]), P ! go, events() end},
     {"tag: tuple", fun() -> P = spawn(fun() -> on_go(custom) end), monitor(process, P, [{tag, {a, [1, b]}}]), P ! go, events() end},
     {"tag: of the dead", fun() -> monitor(process, dead(), [{tag, {gone, 1}}]), events() end},
     {"tag: by name", fun() -> monitor(process, m_nobody, [{tag, gone}]), events() end},
     {"tag: with alias", fun() -> P = spawn(fun() -> on_go(custom) end), R = monitor(process, P, [{tag, gone}, {alias, demonitor}]), R ! 1, P ! go, events() end},
     {"tag: demonitor", fun() -> P = spawn(fun() -> on_go(custom) end), R = monitor(process, P, [{tag, gone}]), demonitor(R), P ! go, events() end},
     {"tag: flush", fun() -> R = monitor(process, dead(), [{tag, gone}]), receive after 50 -> ok end, demonitor(R, [flush]), events() end},
     {"tag: two of one", fun() -> P = spawn(fun() -> on_go(custom) end), monitor(process, P, [{tag, one}]), monitor(process, P, [{tag, two}]), P ! go, events() end},
     {"tag: spawn_opt", fun() -> {P, _} = spawn_opt(fun() -> on_go(custom) end, [{monitor, [{tag, gone}]}]), P ! go, events() end}].

%% Priority messages ------------------------------------------------------------------------------

%% The other end sends; all has arrived when `done` has, which is taken first.
sent(F) ->
    Me = self(),
    spawn(fun() -> F(Me), Me ! done end),
    receive done -> ok end,
    arrived().

priorities() ->
    [{"priority: goes first", fun() -> A = alias([priority]), sent(fun(Me) -> Me ! 1, Me ! 2, erlang:send(A, 3, [priority]) end) end},
     {"priority: among themselves in order",
      fun() -> A = alias([priority]), sent(fun(Me) -> Me ! 1, erlang:send(A, 2, [priority]), Me ! 3, erlang:send(A, 4, [priority]) end) end},
     {"priority: without the option", fun() -> A = alias([priority]), sent(fun(Me) -> Me ! 1, A ! 2 end) end},
     {"priority: without the alias's consent", fun() -> A = alias(), sent(fun(Me) -> Me ! 1, erlang:send(A, 2, [priority]) end) end},
     {"priority: to a pid", fun() -> sent(fun(Me) -> Me ! 1, erlang:send(Me, 2, [priority]) end) end},
     {"priority: reply", fun() -> A = alias([priority, reply]), sent(fun(Me) -> Me ! 1, erlang:send(A, 2, [priority]), erlang:send(A, 3, [priority]) end) end},
     {"priority: after unalias", fun() -> A = alias([priority]), unalias(A), sent(fun(Me) -> Me ! 1, erlang:send(A, 2, [priority]) end) end},
     {"priority: monitor alias",
      fun() ->
              P = spawn(fun idle/0), A = monitor(process, P, [{alias, explicit_unalias}]),
              sent(fun(Me) -> Me ! 1, erlang:send(A, 2, [priority]) end)
      end},
     {"priority: into a receive that waits",
      fun() ->
              A = alias([priority]), Me = self(),
              Me ! 1,
              spawn(fun() -> receive after 50 -> ok end, Me ! 2, erlang:send(A, {go, 3}, [priority]), Me ! {go, 4} end),
              receive {go, N} -> [N | arrived()] end
      end},
     {"priority: value of a send", fun() -> erlang:send(alias([priority]), 1, [priority]) end}]
    ++ priority_links() ++ exits_by_alias().

%% A message waits, then the other end of a link ends.
linked_end(Relate) ->
    process_flag(trap_exit, true),
    P = spawn(fun idle/0),
    Relate(P),
    self() ! 1,
    exit(P, custom),
    soon_after(P).
soon_after(P) -> R = monitor(process, P), receive {'DOWN', R, _, _, _} -> ok end, arrived(150).

priority_links() ->
    [{name(["priority link:", Name]), fun() -> linked_end(Relate) end}
     || {Name, Relate} <- [{"first", fun(P) -> link(P, [priority]) end},
                           {"no options", fun(P) -> link(P, []) end},
                           {"then link/1", fun(P) -> link(P, [priority]), link(P) end},
                           {"then link/2", fun(P) -> link(P, [priority]), link(P, []) end},
                           {"after link/1", fun(P) -> link(P), link(P, [priority]) end},
                           {"unlinked and linked", fun(P) -> link(P, [priority]), unlink(P), link(P) end},
                           {"unlinked", fun(P) -> link(P, [priority]), unlink(P) end}]]
    ++ [{name(["priority link: spawn_opt", Name]),
         fun() ->
                 process_flag(trap_exit, true),
                 P = spawn_opt(fun idle/0, [{link, Options}]),
                 self() ! 1, exit(P, custom), soon_after(P)
         end} || {Name, Options} <- [{"priority", [priority]}, {"nothing", []}]]
    ++ [{"priority link: the other end is not",
         fun() ->
                 Me = self(),
                 P = spawn(fun() -> process_flag(trap_exit, true), receive go -> ok end, self() ! 1,
                                    receive {'EXIT', _, _} = X -> self() ! X, Me ! arrived(50) after 300 -> Me ! arrived(50) end end),
                 spawn(fun() -> link(P, [priority]), P ! go, receive after 50 -> exit(custom) end end),
                 receive L -> L end
         end},
        {"priority link: made by the other end, too",
         fun() ->
                 process_flag(trap_exit, true), Me = self(),
                 P = spawn(fun() -> receive go -> link(Me), Me ! linked, idle() end end),
                 link(P, [priority]), P ! go, receive linked -> ok end,
                 self() ! 1, exit(P, custom), soon_after(P)
         end},
        {"priority link: with the dead", fun() -> process_flag(trap_exit, true), P = dead(), self() ! 1, {link(P, [priority]), soon()} end},
        {"priority link: with the dead, not trapping", fun() -> P = dead(), attempt(fun() -> link(P, [priority]) end) end},
        {"priority link: with itself", fun() -> link(self(), [priority]) end}]
    ++ [{name(["priority link: bad", Name]), fun() -> P = spawn(fun idle/0), attempt(fun() -> link(P, id(Options)) end) end}
        || {Name, Options} <- [{"nonsense", [nonsense]}, {"no list", an_atom}, {"improper", [priority | x]}, {"pair", [{priority, unsure}]}]]
    ++ [{"priority link: bad pid", fun() -> attempt(fun() -> link(id(an_atom), []) end) end}].

%% Another process with an alias of its own, which it sends.
owner(Trap, Make) ->
    Me = self(),
    P = spawn(fun() -> process_flag(trap_exit, Trap), Me ! Make(), receive stop -> ok; {'EXIT', _, R} -> Me ! {trapped, R} end end),
    receive A -> {P, A} end.

exits_by_alias() ->
    [{name(["exit by alias:", Kind, Reason, Name]),
      fun() ->
              {P, A} = owner(Trap, Make),
              R = exit(A, Reason),
              monitor(process, P), {R, [element(tuple_size(M), M) || M <- arrived(200)]}
      end} || {Kind, Make} <- [{"plain", fun() -> alias() end}, {"reply", fun() -> alias([reply]) end}, {"priority", fun() -> alias([priority]) end},
                               {"over", fun() -> A = alias(), unalias(A), A end}, {"no", fun() -> make_ref() end}],
              Reason <- [custom, kill, normal], {Name, Trap} <- trapping()]
    ++ [{name(["exit by alias:", Name]),
         fun() -> process_flag(trap_exit, true), A = Make(), sent(fun(Me) -> Me ! 1, exit(A, x, Options) end) end}
        || {Name, Make, Options} <- [{"with consent", fun() -> alias([priority]) end, [priority]},
                                     {"without consent", fun() -> alias() end, [priority]},
                                     {"without the option", fun() -> alias([priority]) end, []},
                                     {"reply with consent", fun() -> alias([priority, reply]) end, [priority]},
                                     {"by a monitor", fun() -> monitor(process, spawn(fun idle/0), [{alias, reply_demonitor}, priority]) end, [priority]},
                                     {"pid", fun() -> self() end, [priority]}]]
    ++ [{"exit by alias: is not used up",
         fun() ->
                 process_flag(trap_exit, true), A = alias([reply, priority]),
                 sent(fun(Me) -> Me ! 0, exit(A, x, [priority]), exit(A, y, [priority]), A ! 1, A ! 2 end)
         end},
        {"exit by alias: one's own, normal", fun() -> exit(alias(), normal), soon() end},
        {"exit by alias: one's own", fun() -> exit(alias(), custom), soon() end},
        {"exit by alias: one's own, trapping", fun() -> process_flag(trap_exit, true), exit(alias(), custom), soon() end},
        {"exit/3 to oneself", fun() -> exit(self(), custom, [priority]), soon() end}]
    ++ [{name(["exit/3 bad", Name]), fun() -> attempt(fun() -> exit(self(), normal, id(Options)) end) end}
        || {Name, Options} <- [{"nonsense", [nonsense]}, {"no list", an_atom}, {"improper", [priority | x]}, {"pair", [{priority, unsure}]}]]
    ++ [{"exit/3 bad destination", fun() -> attempt(fun() -> exit(id(an_atom), x, []) end) end}].

%% Flags ------------------------------------------------------------------------------------------

flags() ->
    [{"flag: trap_exit gives the old value", fun() -> {trap(true), trap(true), trap(false), trap(false)} end},
     {"flag: trapped before, plain now", fun() -> trap(true), P = spawn_link(fun() -> on_go(a) end), P ! go, await(P), receive after 50 -> ok end, trap(false), events() end},
     {"flag: plain when it arrives", fun() -> trap(true), trap(false), P = spawn_link(fun() -> on_go(a) end), P ! go, events() end},
     {"flag: is not inherited", fun() -> Me = self(), trap(true), spawn(fun() -> Me ! info(self(), trap_exit) end), events() end},
     {"flag: trap_exit in process_info", fun() -> trap(true), info(self(), trap_exit) end},
     {"flag: trapped normal of a link", fun() -> trap(true), spawn_link(fun() -> ok end), events() end},
     {"flag: priority", fun() -> {process_flag(priority, high), process_flag(priority, normal)} end}].

leaders() ->
    [{"leader: is inherited", fun() -> Me = self(), G = group_leader(), spawn(fun() -> Me ! (group_leader() =:= G) end), events() end},
     {"leader: can be set", fun() -> P = spawn(fun idle/0), {group_leader(P, self()), group_leader() =:= P} end},
     {"leader: that was set is inherited",
      fun() -> Me = self(), P = spawn(fun idle/0), group_leader(P, self()), spawn(fun() -> Me ! (group_leader() =:= P) end), events() end},
     {"leader: of another",
      fun() ->
              Me = self(), P = spawn(fun() -> receive go -> Me ! (group_leader() =:= Me) end end),
              R = group_leader(Me, P), P ! go, {R, events()}
      end},
     {"leader: in process_info",
      fun() -> P = spawn(fun idle/0), group_leader(self(), P), info(P, group_leader) end}].

%% Labels and families ---------------------------------------------------------------------------

labels() ->
    [{"label: of oneself", fun() -> proc_lib:set_label({worker, 1}), info(self(), label) end},
     {"label: of another", fun() -> P = spawn(fun() -> proc_lib:set_label(a), idle() end), until_it_waits(P), info(P, label) end},
     {"label: the last one counts", fun() -> proc_lib:set_label(a), proc_lib:set_label(b), info(self(), label) end},
     {"label: is not inherited", fun() -> Me = self(), proc_lib:set_label(a), spawn(fun() -> Me ! (info(self(), label) =:= a) end), events() end},
     {"label: is no name", fun() -> proc_lib:set_label(m_label), attempt(fun() -> id(m_label) ! x end) end}].

families() ->
    [{name(["family: a child of one that ended", Why, Trap]),
      fun() ->
              Me = self(),
              spawn(fun() -> Parent = self(), spawn_link(fun() -> trap(On), Parent ! up, Me ! {child, soon()} end), receive up -> die(Why) end end),
              events()
      end} || Why <- [normal, custom, kill, error], {Trap, On} <- trapping()]
    ++ [{"family: a ring of links dies of one",
         fun() ->
                 Me = self(),
                 A = spawn(fun idle/0), B = spawn(fun() -> link(A), Me ! linked, idle() end), C = spawn(fun() -> link(B), link(A), Me ! linked, idle() end),
                 receive linked -> ok end, receive linked -> ok end,
                 [monitor(process, P) || P <- [A, B, C]], exit(B, custom), events()
         end},
        {"family: one that traps stops it",
         fun() ->
                 Me = self(),
                 A = spawn(fun idle/0), B = spawn(fun() -> trap(true), link(A), Me ! linked, Me ! {b, soon()} end),
                 C = spawn(fun() -> link(B), Me ! linked, idle() end),
                 receive linked -> ok end, receive linked -> ok end,
                 [monitor(process, P) || P <- [A, C]], exit(A, custom), events()
         end},
        {"family: killed by a link, not by kill",
         fun() -> Me = self(), P = spawn(fun() -> trap(true), Q = spawn_link(fun() -> exit(kill) end), Me ! element(3, receive {'EXIT', Q, _} = X -> X end) end), await(P), events() end},
        {"family: alive behind a kill", fun() -> P = spawn(fun idle/0), exit(P, kill), is_process_alive(P) end},
        {"family: alive behind an exit that is trapped", fun() -> Me = self(), P = spawn(fun() -> trap(true), Me ! ready, idle() end), receive ready -> ok end, exit(P, custom), is_process_alive(P) end},
        {"family: a leader that ended stays", fun() -> P = spawn(fun idle/0), group_leader(P, self()), await_kill(P), group_leader() =:= P end},
        {"family: a child of a child has the leader",
         fun() -> Me = self(), P = spawn(fun idle/0), spawn(fun() -> group_leader(P, self()), spawn(fun() -> Me ! (group_leader() =:= P) end) end), events() end}].

%% Spawning with several options at once ----------------------------------------------------------

spawns() ->
    Sets = [{"link", [link]}, {"monitor", [monitor]}, {"link monitor", [link, monitor]}, {"link tag", [link, {monitor, [{tag, gone}]}]},
            {"monitor priority", [monitor, {priority, high}]}, {"all", [link, monitor, {priority, low}]},
            {"twice", [link, link, monitor, monitor]}],
    [{name(["spawn_opt", Set, Why, Trap]),
      fun() ->
              trap(On),
              P = case spawn_opt(fun() -> on_go(Why) end, Options) of {Pid, _} -> Pid; Pid -> Pid end,
              P ! go, events()
      end} || {Set, Options} <- Sets, Why <- [normal, custom, error, kill], {Trap, On} <- trapping()]
    ++ [{name(["spawn_opt bad option", Name]), fun() -> attempt(fun() -> spawn_opt(fun idle/0, id(Options)) end) end}
        || {Name, Options} <- [{"nonsense", [nonsense]}, {"priority", [{priority, nonsense}]}, {"no list", an_atom},
                               {"improper", [link | monitor]}, {"alias mode", [{monitor, [{alias, nonsense}]}]}]]
    ++ [{name(["spawn of", Name]), fun() -> attempt(F) end}
        || {Name, F} <- [{"an integer", fun() -> spawn(id(1)) end}, {"a function of one", fun() -> spawn(id(fun(X) -> X end)) end},
                         {"improper arguments", fun() -> spawn(m_none, f, id([1 | 2])) end}, {"no atom", fun() -> spawn(id(1), f, []) end}]]
    ++ [{"spawn of no such function", fun() -> spawn_monitor(m_none, f, []), events() end}].

%% Errors inside of errors ------------------------------------------------------------------------

nested() ->
    [{name(["nested", Name, Trap]), fun() -> trap(On), spawn_opt(F, [link, monitor]), events() end}
     || {Name, F} <- [{"error in catch", fun() -> try error(a) catch error:a -> error(b) end end},
                      {"exit in catch", fun() -> try error(a) catch error:a -> exit(b) end end},
                      {"throw in catch", fun() -> try exit(a) catch exit:a -> throw(b) end end},
                      {"normal in catch", fun() -> try error(a) catch _:_ -> exit(normal) end end},
                      {"exit in after", fun() -> try error(a) after exit(b) end end},
                      {"throw in after", fun() -> try error(a) after throw(b) end end},
                      {"kill in after", fun() -> try exit(a) after exit(kill) end end},
                      {"exit in the after of what went well", fun() -> try ok after exit(b) end end},
                      {"no clause of catch", fun() -> try exit(a) catch error:_ -> ok end end},
                      {"badmatch", fun() -> ok = id(no) end},
                      {"case_clause", fun() -> case id(1) of 2 -> ok end end},
                      {"badfun", fun() -> F = id(1), F() end},
                      {"badkey", fun() -> maps:get(k, id(#{})) end},
                      {"undef", fun() -> (id(m_none)):f() end},
                      {"badarg", fun() -> link(id(1)) end},
                      {"an error with a reason that is a tuple", fun() -> error({shutdown, 1}) end},
                      {"link to oneself", fun() -> link(self()), exit(custom) end}],
        {Trap, On} <- trapping()].

reasons_of_exit() ->
    [{name(["exit/2 with", Name, Trap]),
      fun() ->
              Me = self(),
              {P, _} = spawn_monitor(fun() -> trap(On), Me ! ready, Me ! {got, soon()} end),
              receive ready -> ok end,
              exit(P, Reason), events()
      end} || {Name, Reason} <- [{"shutdown", shutdown}, {"a tuple", {shutdown, 1}}, {"an integer", 1}, {"a list", [a, b]}, {"nothing", {}},
                                 {"what looks like a kill", {kill}}], {Trap, On} <- trapping()].

orders() ->
    Two = fun(Options, On) ->
                  Me = self(),
                  trap(On),
                  spawn_opt(fun() -> receive after 30 -> ok end, Me ! 1, Me ! 2, exit(custom) end, Options),
                  arrived()
          end,
    [{"order: messages, then the exit", fun() -> Two([link], true) end},
     {"order: messages, then the end of a monitor", fun() -> Two([monitor], true) end},
     {"order: messages before a kill",
      fun() -> Me = self(), P = spawn(fun() -> Me ! 1, Me ! 2, receive stop -> ok end end), monitor(process, P), receive 2 -> ok end, exit(P, kill), arrived() end},
     {"order: unlink, exit, message",
      fun() -> Me = self(), trap(true), P = spawn_link(fun() -> receive go -> unlink(Me), Me ! 1, exit(custom) end end), P ! go, arrived() end},
     {"order: exit/2 and messages of one sender",
      fun() -> Me = self(), trap(true), spawn(fun() -> Me ! 1, exit(Me, a), Me ! 2, exit(Me, b), Me ! 3 end), arrived() end},
     {"order: a priority monitor goes first",
      fun() -> P = spawn(fun idle/0), monitor(process, P, [priority]), self() ! 1, self() ! 2, exit(P, custom), arrived() end},
     {"order: a monitor does not", fun() -> P = spawn(fun idle/0), monitor(process, P), self() ! 1, exit(P, custom), receive after 50 -> ok end, self() ! 2, arrived() end},
     {"order: kill of one that traps", fun() -> P = spawn(fun() -> trap(true), idle() end), monitor(process, P), exit(P, kill), events() end},
     {"order: exit normal, then another", fun() -> P = spawn(fun idle/0), monitor(process, P), exit(P, normal), exit(P, custom), events() end},
     {"order: demonitor and the end cross",
      fun() -> P = spawn(fun idle/0), R = monitor(process, P), exit(P, custom), D = demonitor(R, [flush, info]), {is_boolean(D), events()} end},
     {"order: unlink and the end cross", fun() -> trap(true), P = spawn_link(fun idle/0), exit(P, custom), unlink(P), E = events(), {length(E) < 2, [X || X <- E, element(1, X) =/= 'EXIT']} end}].

%% Looking ----------------------------------------------------------------------------------------

until_it_waits(P) ->
    case process_info(P, status) of {status, waiting} -> P; _ -> receive after 5 -> until_it_waits(P) end end.

looks() ->
    Waiting = fun() -> until_it_waits(spawn(fun idle/0)) end,
    [{name(["look at", Name, Item]), fun() -> I = info(Make(), Item), I end}
     || {Name, Make} <- [{"oneself", fun() -> self() end}, {"one that waits", Waiting},
                         {"one that hibernates", fun() -> until_it_waits(spawn(fun() -> erlang:hibernate(?MODULE, idle, []) end)) end}],
        Item <- [status, message_queue_len, messages, links, monitors, monitored_by, trap_exit, priority, dictionary, registered_name]]
    ++ [{"look at messages", fun() -> self() ! 1, self() ! 2, {info(self(), messages), info(self(), message_queue_len)} end},
        {"look at another's messages", fun() -> P = Waiting(), P ! 1, P ! 2, {info(P, messages), info(P, message_queue_len)} end},
        {"look at several", fun() -> P = Waiting(), process_info(P, [status, links, message_queue_len]) end},
        {"look at none", fun() -> process_info(self(), []) end},
        {"look at nonsense", fun() -> attempt(fun() -> process_info(self(), id(nonsense)) end) end},
        {"look at an integer", fun() -> attempt(fun() -> process_info(id(1), status) end) end},
        {"look at one that was killed", fun() -> P = Waiting(), exit(P, kill), process_info(P, status) =:= undefined end},
        {"look does not wake", fun() -> Me = self(), P = spawn(fun() -> receive X -> Me ! X after 100 -> Me ! timeout end end), info(P, links), info(P, status), events() end},
        {"watcher in monitored_by", fun() -> P = Waiting(), monitor(process, P), monitor(process, P), info(P, monitored_by) end}].

%% The dictionary, timers, receive ----------------------------------------------------------------

values() ->
    [{"dictionary: old values", fun() -> put(a, 1), {put(a, 2), get(a), erase(a)} end},
     {"dictionary: all", fun() -> put(a, 1), put(b, 2), lists:sort(get()) end},
     {"dictionary: is not inherited", fun() -> Me = self(), put(a, 1), spawn(fun() -> Me ! length(get()) end), events() end},
     {"dictionary: exact keys", fun() -> put(1, a), put(1.0, b), {get(1), get(1.0), length(get())} end},
     {"dictionary: stays in a catch", fun() -> catch_all(fun() -> put(a, 1), error(x) end), get(a) end},
     {"timer: cancel twice", fun() -> R = erlang:send_after(10000, self(), m), {is_integer(erlang:cancel_timer(R)), erlang:cancel_timer(R), events()} end},
     {"timer: of another", fun() -> Me = self(), R = erlang:send_after(10000, self(), m), spawn(fun() -> Me ! is_integer(erlang:cancel_timer(R)) end), events() end},
     {"timer: to a name", fun() -> register(m_timed, self()), erlang:send_after(1, m_timed, x), arrived() end},
     {"timer: to a free name", fun() -> is_reference(erlang:send_after(1, m_nobody, x)) end},
     {"timer: to the dead", fun() -> is_reference(erlang:send_after(1, dead(), x)) end},
     {"timer: to the dead is over", fun() -> R = erlang:send_after(10000, dead(), x), {erlang:read_timer(R), erlang:cancel_timer(R)} end},
     {"timer: of one that ends",
      fun() ->
              {P, M} = spawn_monitor(fun() -> receive go -> ok end end),
              R = erlang:send_after(10000, P, x),
              P ! go,
              receive {'DOWN', M, _, _, _} -> ok end,
              {erlang:read_timer(R), erlang:cancel_timer(R)}
      end},
     {"timer: read when cancelled", fun() -> R = erlang:send_after(10000, self(), m), erlang:cancel_timer(R), erlang:read_timer(R) end},
     {"timer: order", fun() -> [erlang:send_after(N * 20, self(), N) || N <- [3, 1, 2]], arrived() end},
     {"timer: a year", fun() -> R = erlang:send_after(365 * 86400000, self(), m), erlang:cancel_timer(R) > 31535000000 end},
     {"timer: cancel of a plain reference", fun() -> erlang:cancel_timer(make_ref()) end}]
    ++ [{name(["timer: bad time", Name]), fun() -> attempt(fun() -> erlang:send_after(id(T), self(), m) end) end}
        || {Name, T} <- times()]
    ++ [{name(["receive: bad time", Name]), fun() -> attempt(fun() -> receive m_never -> ok after id(T) -> timeout end end) end}
        || {Name, T} <- times()]
    ++ [{"receive: a bad time that is not needed", fun() -> self() ! a, receive a -> got after id(nonsense) -> timeout end end},
        {"receive: after 0 takes the oldest that matches", fun() -> self() ! 1, self() ! {a, 2}, self() ! {a, 3}, receive {a, N} -> [N | arrived()] after 0 -> none end end},
        {"receive: after 0 with nothing", fun() -> self() ! 1, R = receive {a, _} -> yes after 0 -> none end, {R, arrived()} end},
        {"receive: a guard that fails skips", fun() -> self() ! {a, x}, self() ! {a, [1]}, receive {a, L} when hd(L) =:= 1 -> [L | arrived()] end end},
        {"receive: the time is that of the entry",
         fun() ->
                 Me = self(), spawn(fun() -> [begin receive after 20 -> ok end, Me ! {noise, N} end || N <- lists:seq(1, 20)] end),
                 T = erlang:monotonic_time(millisecond), receive {wanted, _} -> ok after 100 -> ok end,
                 D = erlang:monotonic_time(millisecond) - T, D >= 100
         end}]
    ++ [{name(["flag: priority", P]), fun() -> {process_flag(priority, P), info(self(), priority), process_flag(priority, normal)} end} || P <- [low, normal, high]]
    ++ [{name(["flag: bad priority", Name]), fun() -> attempt(fun() -> process_flag(priority, id(V)) end) end} || {Name, V} <- [{"nonsense", nonsense}, {"1", 1}]].

times() -> [{"-1", -1}, {"1.5", 1.5}, {"atom", an_atom}, {"too large", 1 bsl 70}].
catch_all(F) -> try F() catch _:_ -> ok end.
