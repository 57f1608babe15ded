"""Any split of any frames gives the same lines."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import AnswerTooLarge, ProtocolError
from backend.loglines import CAPPED, LINE_CAP, NO_STAMP, PIECE, Batch, LogLines, seconds

STAMP = b"2026-01-31T23:59:59.123456789Z"
Row = tuple[bytes, bytes, int]


def frame(kind: int, payload: bytes) -> bytes:
    return bytes((kind, 0, 0, 0)) + len(payload).to_bytes(4, "big") + payload


def rows(batches: list[Batch]) -> list[Row]:
    found: list[Row] = []
    for batch in batches:
        texts = batch.text.split(b"\n")[:-1]
        assert [len(t) + 1 for t in texts] == batch.lengths
        assert len(batch.stamps) == 30 * len(texts)
        found += [(t, batch.stamps[30 * i : 30 * i + 30], batch.kinds[i]) for i, t in enumerate(texts)]
    return found


def decode(data: bytes, cuts: list[int], tty: bool = False) -> list[Row]:
    decoder = LogLines(tty=tty)
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    batches = [decoder.feed(data[a:b]) for a, b in itertools.pairwise(edges) if a < b]
    return rows([*batches, decoder.close()])


LINE = st.binary(max_size=60).map(lambda b: b.replace(b"\n", b""))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([1, 2]), LINE), min_size=1, max_size=8), st.lists(st.integers(0, 10_000)))
def test_frames_split_anywhere_give_the_same_lines(lines: list[tuple[int, bytes]], cuts: list[int]) -> None:
    data = b"".join(frame(k, STAMP + b" " + t + b"\n") for k, t in lines)
    assert decode(data, cuts) == [(t, STAMP, k) for k, t in lines]


@settings(max_examples=100, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=8), st.lists(st.integers(0, 10_000)))
def test_a_terminals_log_split_anywhere_gives_the_same_lines(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(STAMP + b" " + t + b"\r\n" for t in lines)
    found = decode(data, cuts, tty=True)
    assert [t.rstrip(b"\r") for t, _, _ in found] == [t.rstrip(b"\r") for t in lines]
    assert all(stamp == STAMP for _, stamp, _ in found)


def test_every_cut_of_a_header() -> None:
    data = frame(1, STAMP + b" caf\xc3\xa9\n") + frame(2, STAMP + b" two\n")
    for cut in range(len(data)):
        assert decode(data, [cut]) == [(b"caf\xc3\xa9", STAMP, 1), (b"two", STAMP, 2)]


def test_pieces_of_a_long_line_are_joined() -> None:
    data = b"".join(frame(1, STAMP + b" " + bytes([c]) * PIECE) for c in b"ab") + frame(1, STAMP + b" end\n")
    assert decode(data, [5, 20_000]) == [(b"a" * PIECE + b"b" * PIECE + b"end", STAMP, 1)]
    raw = STAMP + b" " + b"a" * PIECE + STAMP + b" " + b"b" * PIECE + STAMP + b" end\r\n" + STAMP + b" next\r\n"
    assert decode(raw, [9], tty=True) == [(b"a" * PIECE + b"b" * PIECE + b"end", STAMP, 1), (b"next", STAMP, 1)]


@pytest.mark.parametrize("tty", [False, True])
def test_a_line_of_64_mib_is_cut_and_says_so(tty: bool) -> None:
    piece = STAMP + b" " + b"x" * PIECE
    count = 64 * 1024 * 1024 // PIECE
    data = (piece if tty else frame(1, piece)) * 16
    end = STAMP + b" \r\n" if tty else frame(1, STAMP + b" \n")
    decoder = LogLines(tty=tty)
    tracemalloc.start()
    try:
        assert not any(decoder.feed(data).lengths for _ in range(count // 16))
        assert tracemalloc.get_traced_memory()[1] < 3 * LINE_CAP + 4 * len(data)
    finally:
        tracemalloc.stop()
    ((text, _, kind),) = rows([decoder.feed(end)])
    assert kind & CAPPED
    assert text.startswith(b"x" * LINE_CAP)
    assert f"{count * PIECE - LINE_CAP:,} more bytes".encode() in text


def test_no_final_newline_nul_and_no_time() -> None:
    assert decode(frame(1, b"a\0b"), [3]) == [(b"a\0b", NO_STAMP, 1)]
    assert decode(frame(1, b"one\ntwo\n"), []) == [(b"one", NO_STAMP, 1), (b"two", NO_STAMP, 1)]


def test_the_stream_itself_is_believed() -> None:
    assert decode(STAMP + b" text of a terminal\r\n", [], tty=False) == [(b"text of a terminal", STAMP, 1)]
    assert decode(frame(2, STAMP + b" framed\n"), [], tty=True) == [(b"framed", STAMP, 2)]


def test_a_broken_header_stops_the_stream() -> None:
    decoder = LogLines(tty=False)
    with pytest.raises(ProtocolError):
        decoder.feed(frame(1, STAMP + b" x\n") + b"\x07\0\0\0\xff\xff\xff\xff")
    with pytest.raises(AnswerTooLarge):
        LogLines(tty=False).feed(b"\x01\0\0\0\xff\xff\xff\xff and more")


def test_times() -> None:
    other = frame(1, b"2026-02-01T00:59:59.5+01:00 x\n")
    assert decode(other, []) == [(b"x", b"2026-01-31T23:59:59.500000000Z", 1)]
    assert seconds(b"1970-01-01T00:00:01.000000002Z") == "1.000000002"
    assert seconds(NO_STAMP) == ""


def test_what_an_engine_complains_in_the_stream_is_said() -> None:
    with pytest.raises(ProtocolError, match="error from daemon in stream: damaged"):
        LogLines(tty=False).feed(frame(3, b"error from daemon in stream: damaged log file, line 7 of it is no JSON"))
