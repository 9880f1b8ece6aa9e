-module(word_count).
-export([main/0]).

count_words(<<C, Rest/binary>>, N, _) when C =:= $\s; C =:= $\n; C =:= $\t -> count_words(Rest, N, false);
count_words(<<_, Rest/binary>>, N, true) -> count_words(Rest, N, true);
count_words(<<_, Rest/binary>>, N, false) -> count_words(Rest, N + 1, true);
count_words(<<>>, N, _) -> N.

lines(File, N) ->
    case file:read_line(File) of
        {ok, Line} -> lines(File, count_words(Line, N, false));
        eof -> N
    end.

main() ->
    Path = "/tmp/quelea-bench-words.txt",
    Text = binary:copy(<<"the quick brown fox jumps over the lazy dog and runs away from it all\n">>, 1500000),
    ok = file:write_file(Path, Text),
    T0 = erlang:monotonic_time(nanosecond),
    {ok, File} = file:open(Path, [read, raw, binary, {read_ahead, 65536}]),
    Total = lines(File, 0),
    T1 = erlang:monotonic_time(nanosecond),
    file:delete(Path),
    io:format("~p~n", [Total]),
    io:format(standard_error, "ms ~p~n", [(T1 - T0) / 1.0e6]).
