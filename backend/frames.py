"""The frames in which an engine mixes stdout and stderr (moby: pkg/stdcopy)."""

from __future__ import annotations

import struct

from backend.errors import AnswerTooLarge, ProtocolError

STDIN, STDOUT, STDERR, SYSTEM = range(4)
FRAME_CAP = 16 * 1024 * 1024
ERROR_CAP = 2000
"""Bytes of what an engine says instead of a log."""
_HEADER = struct.Struct(">LL")
_SIZE = 8
# The first four bytes of a header, as a number.
_STREAMS = {0: STDIN, 1 << 24: STDOUT, 2 << 24: STDERR, 3 << 24: SYSTEM}
Frame = tuple[int, bytes]


class FrameDecoder:
    """A frame is a byte of stream, three zeros, a length, a payload.

    Takes bytes cut anywhere, gives whole frames as (stream, payload); one cut frame is kept, at most `cap` bytes.

    Raises ProtocolError for a header that cannot be one (nothing is allocated for it) and AnswerTooLarge for a frame
    past `cap`; the stream cannot be read any further then, since only headers say where the next one is.
    """

    def __init__(self, what: str = "the log", cap: int = FRAME_CAP) -> None:
        self._what = what
        self._cap = cap
        self._parts: list[bytes] = []
        self._held = 0
        self._need = _SIZE

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return self._held

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes; empty ones are left out."""
        if self._held:
            self._parts.append(data)
            self._held += len(data)
            if self._held < self._need:
                return []
            data = b"".join(self._parts)
        frames, pos = self._whole_frames(data)
        self._parts = [data[pos:]] if pos < len(data) else []
        self._held = len(data) - pos
        return frames

    def _whole_frames(self, data: bytes) -> tuple[list[Frame], int]:
        frames: list[Frame] = []
        append, unpack, streams, cap = frames.append, _HEADER.unpack_from, _STREAMS, self._cap
        pos, total = 0, len(data)
        last = total - _SIZE
        self._need = _SIZE
        while pos <= last:
            kind, length = unpack(data, pos)
            if kind not in streams:
                raise ProtocolError(self._what, f"a frame of stream {kind >> 24} that does not exist")
            if length > cap:
                raise AnswerTooLarge(self._what, f"a frame of {length} bytes")
            end = pos + _SIZE + length
            if end > total:
                self._need = _SIZE + length
                break
            if length:
                append((streams[kind], data[pos + _SIZE : end]))
            pos = end
        return frames, pos

    def finish(self) -> None:
        """Says that the bytes ended. Raises ProtocolError when a frame was cut."""
        if self._held:
            raise ProtocolError(self._what, "it ended in the middle of a frame")
