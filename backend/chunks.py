"""The chunks of an HTTP/1.1 body, out of bytes that arrive cut anywhere."""

from __future__ import annotations

import re

from backend.errors import ProtocolError

CHUNK_CAP = 1 << 31
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\Z")
_LINE_CAP = 4096
_SIZE_LINE, _BODY, _BODY_END, _TRAILER = range(4)


class ChunkDecoder:
    """Gives the bytes inside the chunks. `ended` is set after the last one; what follows is dropped."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._line = bytearray()
        self._left = 0
        self._step = _SIZE_LINE
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The body bytes in `data`. Raises ProtocolError for a size that is no hexadecimal number or absurd."""
        out: list[bytes] = []
        pos, end = 0, len(data)
        while pos < end and not self.ended:
            if self._step == _BODY:
                piece = data[pos : pos + self._left]
                out.append(piece)
                pos += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._step = _BODY_END
                continue
            newline = data.find(b"\n", pos)
            stop = end if newline < 0 else newline + 1
            self._line += data[pos:stop]
            pos = stop
            if len(self._line) > _LINE_CAP:
                raise ProtocolError(self._what, "a chunk's head is too long")
            if newline >= 0:
                line, self._line = bytes(self._line).rstrip(b"\r\n"), bytearray()
                self._on_line(line)
        return b"".join(out)

    def _on_line(self, line: bytes) -> None:
        if self._step == _BODY_END:
            if line:
                raise ProtocolError(self._what, "a chunk is longer than it said")
            self._step = _SIZE_LINE
        elif self._step == _TRAILER:
            self.ended = not line
        else:
            match = _SIZE.match(line)
            if match is None or (size := int(match[1], 16)) >= CHUNK_CAP:
                raise ProtocolError(self._what, "a chunk's size is not a number that can be")
            self._left = size
            self._step = _BODY if size else _TRAILER
