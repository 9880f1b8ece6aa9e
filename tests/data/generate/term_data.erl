%% Makes the files under tests/data/term: what Erlang/OTP (27 or newer, where 0.0 and -0.0 are distinct) answers to
%% questions of arithmetic, order, float text, external terms and binaries. Run from the root of the tree:
%%   erlc -o /tmp tests/data/generate/term_data.erl
%%   erl -noshell -pa /tmp -eval 'term_data:main(["tests/data/term"]), halt().'
-module(term_data).
-export([main/1]).

main([Dir]) ->
    rand:seed(exsss, {1, 2, 3}),
    write(Dir, "arithmetic.txt", arithmetic()),
    write(Dir, "numbers.txt", int_floats()),
    write(Dir, "order.txt", order()),
    write(Dir, "floats.txt", floats()),
    write(Dir, "external.txt", external()),
    write(Dir, "segments.txt", segments()).

write(Dir, Name, Lines) ->
    ok = file:write_file(filename:join(Dir, Name), [[L, $\n] || L <- Lines]).

hex(Bin) -> binary:encode_hex(Bin, lowercase).
etf(Term) -> hex(term_to_binary(Term, [{minor_version, 2}])).

%% Integers -----------------------------------------------------------------------------------------
edges() ->
    Powers = [1 bsl N || N <- [0, 1, 7, 8, 31, 32, 53, 59, 60, 61, 62, 63, 64, 65, 127, 128, 129, 192, 256]],
    lists:usort(lists:append([[P - 1, P, P + 1, -P, -P - 1, -P + 1] || P <- Powers])).

random_int() ->
    Bits = case rand:uniform(4) of 1 -> rand:uniform(12); 2 -> rand:uniform(62); 3 -> rand:uniform(130);
               4 -> rand:uniform(420) end,
    N = rand:uniform(1 bsl Bits) - 1,
    case rand:uniform(2) of 1 -> N; 2 -> -N end.

some_int() ->
    case rand:uniform(3) of
        1 -> lists:nth(rand:uniform(length(edges())), edges());
        _ -> random_int()
    end.

arithmetic() ->
    Two = [{'+', fun(A, B) -> A + B end}, {'-', fun(A, B) -> A - B end}, {'*', fun(A, B) -> A * B end},
           {'div', fun(A, B) -> A div B end}, {'rem', fun(A, B) -> A rem B end},
           {'band', fun(A, B) -> A band B end}, {'bor', fun(A, B) -> A bor B end},
           {'bxor', fun(A, B) -> A bxor B end}],
    L1 = [[atom_to_list(Op), $\s, integer_to_list(A), $\s, integer_to_list(B), $\s, integer_to_list(F(A, B))]
          || {Op, F} <- Two, _ <- lists:seq(1, 150), A <- [some_int()], B <- [nonzero(Op)]],
    L2 = [[Op, $\s, integer_to_list(A), $\s, integer_to_list(S), $\s, integer_to_list(R)]
          || _ <- lists:seq(1, 150), A <- [some_int()], S <- [rand:uniform(300) - 150],
             {Op, R} <- [{"bsl", A bsl S}, {"bsr", A bsr S}]],
    L3 = [["bnot ", integer_to_list(A), " 0 ", integer_to_list(bnot A)] || A <- edges()],
    L1 ++ L2 ++ L3.

nonzero(Op) when Op =:= 'div'; Op =:= 'rem' ->
    case some_int() of 0 -> 3; N -> N end;
nonzero(_) -> some_int().

%% Integer to float, and float to integer
int_floats() ->
    Ints = edges() ++ [random_int() || _ <- lists:seq(1, 150)] ++
        [(1 bsl 60) + (1 bsl 7) + D || D <- [-1, 0, 1]] ++ [(1 bsl 120) + (1 bsl 67) + D || D <- [-1, 0, 1]],
    [[integer_to_list(I), $\s, hex(<<(float(I))/float>>), $\s, integer_to_list(trunc(float(I))), $\s,
      integer_to_list(round(float(I) / 8))] || I <- Ints].

%% Order --------------------------------------------------------------------------------------------
order_terms() ->
    Big = #{N => N || N <- lists:seq(1, 40)},
    [0, 1, -1, 2, 1.0, 0.0, -0.0, 1.5, -2.5, 1 bsl 60, -(1 bsl 60) - 1, 1 bsl 64, (1 bsl 64) + 1, float(1 bsl 64),
     -(1 bsl 64), 1.0e300, 10000000000000000000000000000000000000000000, 9007199254740993, 9007199254740992.0,
     a, b, aa, 'A', 'abcdefghi', 'abcdefghj', '', 'é', true,
     {}, {1}, {1.0}, {2}, {0, 0}, {a, b}, {a, {b}}, {a, [b]},
     #{}, #{a => 1}, #{a => 1.0}, #{b => 1}, #{1 => a}, #{1.0 => a}, #{1 => a, 2 => b}, #{a => 1, b => 2},
     #{1 => a, 1.5 => b}, #{0.5 => b, 1 => a}, #{-0.0 => 1}, #{0.0 => 1},
     Big, Big#{1 := 1.0}, Big#{41 => 0}, maps:remove(1, Big#{41 => 41}), maps:remove(40, Big#{40.0 => 40}),
     [], [1], [1.0], [1, 2], [1 | 2], [2], [[]], [[], []], [a, b, c], [a | b],
     <<>>, <<0>>, <<1>>, <<1, 2>>, <<"hello">>, <<"hello world">>, <<1:1>>, <<0:1>>, <<0:2>>, <<255, 1:3>>, <<255, 0:3>>,
     binary:copy(<<"x">>, 100), binary:copy(<<"x">>, 101)].

order() ->
    Terms = order_terms(),
    [etf(T) || T <- Terms] ++ ["--"] ++
        [[case {A < B, A == B} of {true, _} -> $<; {_, true} -> $=; _ -> $> end || B <- Terms] || A <- Terms] ++ ["--"] ++
        [[case A =:= B of true -> $=; false -> $. end || B <- Terms] || A <- Terms].

%% Floats -------------------------------------------------------------------------------------------
random_float() ->
    <<F/float>> = case rand:uniform(3) of
        1 -> finite(rand:bytes(8));
        2 -> <<((rand:uniform(2000000) - 1000000) / 1000)/float>>;
        3 -> <<((rand:uniform(1 bsl 60)) * math:pow(10, rand:uniform(40) - 20))/float>>
    end,
    F.

finite(Bytes) ->
    case Bytes of <<_/float>> -> Bytes; _ -> finite(rand:bytes(8)) end.

floats() ->
    Fixed = [0.0, -0.0, 1.0, 0.1, 0.5, 100.0, 1000.0, 12345.678, 1.0e10, 1.0e15, 1.0e16, 1.0e22, 1.0e-3, 1.0e-4, 1.0e-5, 1.5e-3,
             1.5e-5, 9007199254740991.0, 9007199254740992.0, 5.0e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
             4503599627370496.5, 123456789.125, 6.02e23, 0.30000000000000004],
    [[hex(<<F/float>>), $\s, float_to_binary(F, [short]), $\s, float_to_binary(F, [{scientific, 6}])]
     || F <- Fixed ++ [random_float() || _ <- lists:seq(1, 400)]].

%% External terms: our encoding must be the same, byte for byte ------------------------------------------
external() ->
    Terms = [T || T <- order_terms(), not (is_map(T) andalso map_size(T) > 1)] ++
        [N || N <- edges()] ++
        [lists:seq(1, 300), lists:duplicate(65535, 7), lists:duplicate(65536, 7), "text", [256], [1, 2 | 3],
         list_to_tuple(lists:seq(1, 300)), 1 bsl 4000, -(1 bsl 4000),
         list_to_atom(lists:duplicate(255, $x)), list_to_atom(lists:duplicate(200, 16#20AC)),
         fun lists:map/2, {ok, [{a, 1.5}, {b, <<"bin">>}]}],
    %% Of the long ones the beginning and the size are compared.
    Encoded = [term_to_binary(T, [{minor_version, 2}]) || T <- Terms],
    [case byte_size(Bin) of
         Size when Size < 3000 -> hex(Bin);
         Size -> [hex(binary:part(Bin, 0, 20)), " ", integer_to_list(Size)]
     end || Bin <- Encoded].

%% Segments of binaries ---------------------------------------------------------------------------------
segments() ->
    Sizes = [0, 1, 3, 7, 8, 9, 12, 16, 24, 31, 32, 33, 48, 60, 61, 63, 64, 65, 80, 127, 128, 200],
    [[integer_to_list(I), $\s, integer_to_list(S), $\s, integer_to_list(Pad), $\s,
      bits(<<0:Pad, I:S/big>>), $\s, bits(<<0:Pad, I:S/little>>), $\s,
      integer_to_list(get(u, big, S, <<I:S/big>>)), $\s, integer_to_list(get(s, big, S, <<I:S/big>>)), $\s,
      integer_to_list(get(u, little, S, <<I:S/big>>)), $\s, integer_to_list(get(s, little, S, <<I:S/big>>))]
     || S <- Sizes, _ <- lists:seq(1, 12), I <- [some_int()], Pad <- [rand:uniform(9) - 1]].

get(u, big, S, B) -> <<X:S/big-unsigned>> = B, X;
get(s, big, S, B) -> <<X:S/big-signed>> = B, X;
get(u, little, S, B) -> <<X:S/little-unsigned>> = B, X;
get(s, little, S, B) -> <<X:S/little-signed>> = B, X.

bits(B) -> [$b | [$0 + X || <<X:1>> <= B]].
