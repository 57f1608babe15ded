"""Properties of the decoders: cut anywhere, the result is the same; broken, the error has a name."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.chunks import ChunkDecoder
from backend.errors import AnswerTooLarge, ProtocolError
from backend.frames import FRAME_CAP, FrameDecoder
from backend.heads import HEAD_CAP, HeadReader
from backend.ndjson import LineSplitter

FRAMES = st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=60)), max_size=12)
CUTS = st.lists(st.integers(0, 700), max_size=20)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places)]


def feed_all(feed: Callable[[bytes], object], piece: bytes, times: int) -> None:
    for _ in range(times):
        feed(piece)


def wire(frames: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">BxxxL", s, len(p)) + p for s, p in frames)


@given(FRAMES, CUTS)
def test_any_split_of_any_frames_gives_the_same_frames(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    decoder = FrameDecoder()
    found = [f for piece in cut(wire(frames), cuts) for f in decoder.feed(piece)]
    decoder.finish()
    assert found == frames


@pytest.mark.parametrize("at", range(22))
def test_a_frame_split_at_every_byte(at: int) -> None:
    data = wire([(1, b"one"), (2, b"two")])
    decoder = FrameDecoder()
    assert decoder.feed(data[:at]) + decoder.feed(data[at:]) == [(1, b"one"), (2, b"two")]
    assert decoder.pending == 0


@pytest.mark.parametrize("head", [b"\x07\0\0\0\0\0\0\x01", b"\x01\x01\0\0\0\0\0\x01", b"HTTP/1.1"])
def test_a_header_that_cannot_be_stops_the_stream(head: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameDecoder().feed(wire([(1, b"good")]) + head + b"x")


@pytest.mark.parametrize("length", [FRAME_CAP + 1, 0xFFFFFFFF])
def test_a_giant_frame_is_refused_by_its_header(length: int) -> None:
    decoder = FrameDecoder()
    with pytest.raises(AnswerTooLarge):
        decoder.feed(struct.pack(">BxxxL", 1, length))
    assert decoder.pending == 0


def test_an_end_in_the_middle_of_a_frame_is_told() -> None:
    decoder = FrameDecoder()
    decoder.feed(wire([(1, b"hello")])[:-1])
    with pytest.raises(ProtocolError):
        decoder.finish()


@given(st.binary(max_size=300), CUTS)
def test_garbage_gives_frames_or_the_named_error(data: bytes, cuts: list[int]) -> None:
    """The same however it is cut, and never more than came."""

    def outcome(pieces: list[bytes]) -> list[tuple[int, bytes]] | None:
        decoder, frames = FrameDecoder(), []
        try:
            for piece in pieces:
                frames += decoder.feed(piece)
            decoder.finish()
        except ProtocolError:
            return None
        return frames

    found = outcome(cut(data, cuts))
    assert found == outcome([data])
    assert sum(8 + len(payload) for _, payload in found or []) <= len(data)


def test_64_mib_of_a_line_in_partials_comes_whole() -> None:
    piece = wire([(1, b"x" * 16384)])
    decoder = FrameDecoder()
    data = piece * 64
    assert sum(len(p) for _ in range(64) for _, p in decoder.feed(data)) == 64 * 1024 * 1024


LINES = st.lists(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=30).map(str.encode), max_size=10
)


@given(LINES, CUTS, st.booleans())
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], cuts: list[int], ended: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    splitter = LineSplitter("test")
    found = [line for piece in cut(data, cuts) for line in splitter.feed(piece)] + splitter.finish()
    assert found == [line for line in lines if line and not line.isspace()]


def test_line_separators_of_unicode_do_not_split() -> None:
    line = '{"a":"x\u2028y\u0085z"}'.encode()
    assert LineSplitter("test").feed(line + b"\r\n") == [line + b"\r"]


def test_a_line_past_the_cap_is_refused_before_its_end() -> None:
    splitter = LineSplitter("test", cap=1000)
    with pytest.raises(AnswerTooLarge):
        feed_all(splitter.feed, b"x" * 10, 200)
    with pytest.raises(AnswerTooLarge):
        LineSplitter("test", cap=10).feed(b"ok\n" + b"y" * 11 + b"\n")


def test_64_mib_of_json_in_one_line_are_refused() -> None:
    splitter, piece = LineSplitter("test"), b"[" * 65_536
    with pytest.raises(AnswerTooLarge):
        feed_all(splitter.feed, piece, 1024)


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts if p) + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=50), max_size=10), CUTS)
def test_chunks_are_the_same_however_they_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    decoder = ChunkDecoder("test")
    assert b"".join(decoder.feed(piece) for piece in cut(chunked(parts), cuts)) == b"".join(parts)
    assert decoder.ended


@pytest.mark.parametrize("size", [b"FFFFFFFFFFFFFFFF", b"-5", b"xyz", b"", b"FFFFFFFF", b"5" * 5000])
def test_a_chunk_size_that_cannot_be(size: bytes) -> None:
    with pytest.raises(ProtocolError):
        ChunkDecoder("test").feed(size + b"\r\nhello\r\n")


def test_a_chunk_longer_than_it_said() -> None:
    with pytest.raises(ProtocolError):
        ChunkDecoder("test").feed(b"2\r\nhello\r\n0\r\n\r\n")


@given(st.binary(max_size=200), CUTS)
def test_broken_chunks_give_bytes_or_the_named_error(data: bytes, cuts: list[int]) -> None:
    """The same however they are cut, and never more than came."""

    def outcome(pieces: list[bytes]) -> tuple[bytes, bool] | None:
        decoder = ChunkDecoder("test")
        try:
            return b"".join([decoder.feed(piece) for piece in pieces]), decoder.ended
        except ProtocolError:
            return None

    found = outcome(cut(data, cuts))
    assert found == outcome([data])
    assert found is None or len(found[0]) <= len(data)


@given(CUTS)
def test_a_head_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    reader, body, head = HeadReader("test"), b"", None
    for piece in cut(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc", cuts):
        if head is not None:
            body += piece
        elif (found := reader.feed(piece)) is not None:
            head, body = found
    assert head is not None
    assert (head.status, head.length, head.headers["x-a"], body) == (200, 3, "b", b"abc")


def test_headers_without_end_are_cut_at_the_cap() -> None:
    reader = HeadReader("test")
    with pytest.raises(AnswerTooLarge):
        feed_all(reader.feed, b"a: bcdef\r\n", 2 + HEAD_CAP // 10)


@pytest.mark.parametrize(
    "head",
    [b"garbage", b"HTTP/1.1 999 x", b"HTTP/1.1 200 OK\r\nno colon", b"HTTP/1.1 200 OK\r\nContent-Length: -1", b"",
     b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999"],
)  # fmt: skip
def test_a_head_that_is_none(head: bytes) -> None:
    with pytest.raises(ProtocolError):
        HeadReader("test").feed(head + b"\r\n\r\n")


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(b"HTTP/1.1 200 OK\r\nA: ".__add__)))
def test_any_head_gives_a_head_or_the_named_error(data: bytes) -> None:
    try:
        found = HeadReader("test").feed(data + b"\r\n\r\nbody")
    except ProtocolError:
        return
    assert found is not None
    assert 100 <= found[0].status < 600
    assert (data + b"\r\n\r\nbody").endswith(found[1])
    assert found[1].endswith(b"body")
