"""The head of an HTTP answer, out of bytes."""

from __future__ import annotations

import re

from msgspec import Struct

from backend.errors import AnswerTooLarge, ProtocolError

HEAD_CAP = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\Z")


class Head(Struct, frozen=True):
    """Status and headers, names in small letters; of a header that comes twice the last stays."""

    status: int
    headers: dict[str, str]

    @property
    def length(self) -> int | None:
        """Content-Length in bytes, None when not given."""
        value = self.headers.get("content-length")
        return None if value is None or self.chunked else int(value)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()


def parse_head(data: bytes, what: str) -> Head:
    """Reads a head without its closing blank line. Raises ProtocolError."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    match = _STATUS.match(lines[0])
    if match is None:
        raise ProtocolError(what, "the answer is not HTTP")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name.strip():
            raise ProtocolError(what, "a header of the answer is malformed")
        headers[name.strip().decode("latin-1").lower()] = value.strip().decode("latin-1")
    length = headers.get("content-length")
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 19):
        raise ProtocolError(what, "the answer's length is not a number")
    return Head(int(match[1]), headers)


class HeadReader:
    """Gathers bytes until the head is whole. Raises AnswerTooLarge past `cap` bytes."""

    def __init__(self, what: str, cap: int = HEAD_CAP) -> None:
        self._what = what
        self._cap = cap
        self._buffer = bytearray()

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and what of the body came with it, once it is whole."""
        start = max(0, len(self._buffer) - 3)
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n", start)
        if end > self._cap or (end < 0 and len(self._buffer) > self._cap):
            raise AnswerTooLarge(self._what, f"headers of more than {self._cap} bytes")
        if end < 0:
            return None
        return parse_head(bytes(self._buffer[:end]), self._what), bytes(self._buffer[end + 4 :])
