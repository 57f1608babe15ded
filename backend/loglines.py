"""LogLines, which turns the bytes of a log stream into whole lines with their time and stream, at any split.

Two formats, as of the engine's API reference (attach, "stream format"): frames with a header of 8 bytes (stream,
three zeros, length big-endian) or, for a TTY, the bare text. With timestamps each message begins with RFC 3339 in
nanoseconds and a space; a line of more than 16 KB comes as several messages of the same time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from backend.errors import ProtocolError
from backend.frames import ERROR_CAP, STDIN, SYSTEM, FrameDecoder

STAMP: Final = 30
"""Bytes of a time as it is kept: `2026-01-31T23:59:59.123456789Z`."""
NO_STAMP: Final = b" " * STAMP
PIECE: Final = 16 * 1024
"""The most text in one message of the engine's log drivers."""
LINE_CAP: Final = 256 * 1024
"""Bytes of a line that are kept; the rest is counted and only a saved log has it."""

OUT: Final = 1
ERR: Final = 2
CAPPED: Final = 4

_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d) ")


@dataclass(slots=True)
class Batch:
    """Whole lines: `text` with a newline after each, `lengths` in bytes with it, STAMP bytes and a kind each.

    A kind is OUT or ERR, plus CAPPED for a line that was cut at LINE_CAP.
    """

    text: bytes = b""
    lengths: list[int] = field(default_factory=list)
    stamps: bytes = b""
    kinds: bytes = b""

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(slots=True)
class _Open:
    """A line whose end has not come."""

    stamp: bytes
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    kept: int = 0

    def add(self, text: bytes) -> None:
        room = LINE_CAP - self.kept
        if room > 0:
            self.parts.append(text[:room])
            self.kept += min(room, len(text))
        self.size += len(text)


class LogLines:
    """Feed it what the socket gives; it gives back the lines that became whole. `messages` counts the engine's.

    `tty` is what inspect says; a stream that plainly is the other format is read as that.
    """

    def __init__(self, *, tty: bool) -> None:
        self.messages = 0
        self.tty = tty
        self._sure = False
        self._rest = b""
        self._frames = FrameDecoder("log stream")
        self._open: dict[int, _Open] = {}
        self._texts: list[bytes] = []
        self._stamps: list[bytes] = []
        self._kinds: list[int] = []

    def feed(self, data: bytes) -> Batch:
        """The lines that end in `data`. Raises what FrameDecoder does; ProtocolError with an engine's complaint."""
        buffer = self._rest + data if self._rest else data
        if not self._sure:
            if len(buffer) < 8 + STAMP and (len(buffer) < 4 or not self.tty):
                self._rest = buffer
                if len(buffer) < 8:
                    return Batch()
            self._look(buffer)
        self._rest = b""
        if self.tty:
            self._feed_text(buffer)
        else:
            self._feed_frames(buffer)
        return self._take()

    def close(self) -> Batch:
        """The stream ended: what is left becomes lines, without waiting for their ends."""
        rest, self._rest = self._rest, b""
        if rest and (self.tty or not self._sure):
            self._add_text_line(rest, OUT)
        for kind, line in sorted(self._open.items()):
            self._finish(kind, line)
        self._open.clear()
        return self._take()

    def _look(self, buffer: bytes) -> None:
        """Tells by the first bytes, in case that inspect and the stream do not agree."""
        framed = buffer[0] <= SYSTEM and buffer[1:4] == b"\0\0\0"
        if framed == self.tty and (not framed or _STAMP.match(buffer, 8)):
            self.tty = not self.tty
        self._sure = True

    def _feed_frames(self, buffer: bytes) -> None:
        texts, stamps, kinds, opened = self._texts, self._stamps, self._kinds, self._open
        frames = self._frames.feed(buffer)
        self.messages += len(frames)
        for kind, payload in frames:
            # One message is one line nearly always: two slices and three appends are all that it costs.
            if (
                31 < len(payload) <= PIECE
                and payload[-1] == 10
                and payload[29] == 90
                and payload[30] == 32
                and kind not in opened
                and STDIN < kind < SYSTEM
            ):
                texts.append(payload[31:])
                stamps.append(payload[:30])
                kinds.append(kind)
            elif kind == SYSTEM:
                raise ProtocolError("log stream", payload[:ERROR_CAP].decode("utf-8", "replace").strip())
            else:
                self._add_message(kind or OUT, payload)

    def _feed_text(self, buffer: bytes) -> None:
        lines = buffer.split(b"\n")
        rest = lines.pop()
        opened = self._open
        for line in lines:
            if not opened and len(line) <= PIECE and line[29:31] == b"Z ":
                self._texts.append((line[31:-1] if line.endswith(b"\r") else line[31:]) + b"\n")
                self._stamps.append(line[:30])
                self._kinds.append(OUT)
                self.messages += 1
            else:
                self._add_text_line(line, OUT)
        if len(rest) > 4 * PIECE:
            rest = self._add_pieces(rest)
        self._rest = rest

    def _add_pieces(self, rest: bytes) -> bytes:
        """Moves whole 16 KB pieces of a giant line out of the rest, so that it is not copied again and again."""
        stamp, text = _split_stamp(rest)
        line = self._open.get(OUT)
        if line is None:
            line = self._open[OUT] = _Open(stamp)
        prefix = rest[: len(rest) - len(text)]
        step = PIECE + len(prefix)
        position = 0
        while len(rest) - position >= step + STAMP + 2:
            start = position + (len(prefix) if rest.startswith(prefix, position) else 0)
            line.add(rest[start : position + step])
            self.messages += 1
            position += step
        return rest[position:]

    def _add_text_line(self, raw: bytes, kind: int) -> None:
        stamp, text = _split_stamp(raw)
        prefix = raw[: len(raw) - len(text)]
        line = self._open.pop(kind, None) or _Open(stamp)
        if prefix and len(text) > PIECE:
            step = PIECE + len(prefix)
            pieces = [raw[p : p + step].removeprefix(prefix) for p in range(0, len(raw), step)]
            self.messages += len(pieces)
            text = b"".join(pieces)
        else:
            self.messages += 1
        line.add(text.removesuffix(b"\r"))
        self._finish(kind, line)

    def _add_message(self, kind: int, message: bytes) -> None:
        stamp, text = _split_stamp(message)
        while True:
            head, newline, text = text.partition(b"\n")
            line = self._open.pop(kind, None) or _Open(stamp)
            line.add(head)
            if not newline:
                if line.size:
                    self._open[kind] = line
                return
            self._finish(kind, line)
            if not text:
                return

    def _finish(self, kind: int, line: _Open) -> None:
        lost = line.size - line.kept
        if lost:
            line.parts.append(f" … {lost:,} more bytes, whole when saved".encode())
        self._texts.append(b"".join(line.parts) + b"\n")
        self._stamps.append(line.stamp)
        self._kinds.append(kind | CAPPED if lost else kind)

    def _take(self) -> Batch:
        texts, stamps, kinds = self._texts, self._stamps, self._kinds
        if not texts:
            return Batch()
        self._texts, self._stamps, self._kinds = [], [], []
        text = b"".join(texts)
        if text.count(b"\n") != len(texts):
            texts, stamps, kinds = _split_again(texts, stamps, kinds)
        return Batch(text, list(map(len, texts)), b"".join(stamps), bytes(kinds))


def _split_again(
    texts: list[bytes], stamps: list[bytes], kinds: list[int]
) -> tuple[list[bytes], list[bytes], list[int]]:
    """Messages that held several lines, as drivers other than the engine's own may send them."""
    lines: list[bytes] = []
    times: list[bytes] = []
    streams: list[int] = []
    for text, stamp, kind in zip(texts, stamps, kinds, strict=True):
        for line in text.split(b"\n")[:-1]:
            lines.append(line + b"\n")
            times.append(stamp)
            streams.append(kind)
    return lines, times, streams


def _split_stamp(message: bytes) -> tuple[bytes, bytes]:
    """Time and text of a message; a time that is not in UTC or not in nanoseconds is rewritten."""
    if len(message) >= STAMP + 1 and message[29:31] == b"Z " and message[19:20] == b".":
        return message[:STAMP], message[STAMP + 1 :]
    match = _STAMP.match(message)
    if match is None:
        return NO_STAMP, message
    return _normal(message[: match.end() - 1]), message[match.end() :]


def _normal(stamp: bytes) -> bytes:
    text = stamp.decode("ascii")
    whole, _, rest = text[:19], text[19:20], text[19:]
    digits = re.match(r"\.(\d+)", rest)
    nanos = (digits[1] if digits else "").ljust(9, "0")
    zone = rest[digits.end() :] if digits else rest
    try:
        moment = datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        return NO_STAMP
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos}Z".encode().rjust(STAMP, b"0")


def seconds(stamp: bytes) -> str:
    """A kept time as the `since` of the API: Unix seconds with nanoseconds; empty when there is none."""
    try:
        moment = datetime.fromisoformat(stamp[:19].decode("ascii") + "+00:00")
    except ValueError:
        return ""
    return f"{int(moment.timestamp())}.{stamp[20:29].decode('ascii')}"
