"""A container's log as a stream of frames or of bare bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Protocol

from backend.errors import ProtocolError
from backend.frames import ERROR_CAP, STDOUT, SYSTEM, Frame, FrameDecoder
from backend.names import segment
from backend.stream import RawStream

MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"
GATHERED = 64 * 1024
GATHER_SECONDS = 0.004
Stalled = Callable[[], Awaitable[bool]]


class RawSource(Protocol):
    """What of an engine a log needs."""

    async def raw(self, path: str, *, query: Mapping[str, object] | None = None, deadline: float = 10) -> RawStream:
        """A stream of bytes, as Engine.raw opens it."""


class _Silence:
    """Nudges a stream in which nothing came for some seconds. One timer serves, however many pieces come."""

    def __init__(self, source: RawStream, seconds: float) -> None:
        self._source = source
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self.begin()

    def begin(self) -> None:
        """Counts from now."""
        self.broken()
        self._timer = self._loop.call_later(self._seconds, self._on_time)

    def broken(self) -> None:
        """Something came."""
        self._since = self._loop.time()

    def end(self) -> None:
        """Counts no more."""
        self._timer.cancel()

    def _on_time(self) -> None:
        left = self._since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._on_time)
        else:
            self._source.nudge()


class LogStream:
    """One log. `tty` says that the bytes have no frames.

    Iterate it for batches of (stream, payload), or take the bytes as the engine sent them from `chunks()`. Whatever
    has not been taken holds the engine back; close it in the end.
    """

    def __init__(self, source: RawStream, tty: bool) -> None:
        self.source = source
        # From API 1.42 on the engine says which it is, and knows better than an inspect of before.
        self.tty = {MULTIPLEXED: False, RAW: True}.get(source.content_type, tty)

    def __aiter__(self) -> AsyncIterator[list[Frame]]:
        return self._batches()

    async def _batches(self) -> AsyncIterator[list[Frame]]:
        decoder = FrameDecoder(self.source.what)
        while data := await self.source.read():
            if self.tty:
                yield [(STDOUT, data)]
            elif frames := decoder.feed(data):
                _check(frames, self.source.what)
                yield frames
        decoder.finish()

    async def chunks(self, *, stalled: Stalled | None = None, check_after: float = 5) -> AsyncIterator[bytes]:
        """The bytes as they came, frames and all (bare when `tty`), in pieces between which others get their turn.

        A follow may rightly be silent for ever: after each `check_after` seconds of silence `stalled` is asked whether
        the engine has more, and when it has, the iteration ends, for the stream to be opened anew.
        """
        silence = _Silence(self.source, check_after) if stalled is not None else None
        try:
            while True:
                try:
                    data = await self.source.read()
                except TimeoutError:
                    if stalled is not None and await stalled() and not self.source.waiting:
                        return
                    if silence is not None:
                        silence.begin()
                    continue
                if not data:
                    return
                if silence is not None:
                    silence.broken()
                yield data
                # Others get their turn; of a stream of many small pieces, some gather meanwhile.
                await asyncio.sleep(0 if self.source.waiting >= GATHERED else GATHER_SECONDS)
        finally:
            if silence is not None:
                silence.end()

    async def close(self) -> None:
        """Drops the connection."""
        await self.source.close()

    async def __aenter__(self) -> LogStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _check(frames: list[Frame], what: str) -> None:
    """Raises ProtocolError with what the engine says instead of going on with the log."""
    for kind, payload in frames:
        if kind == SYSTEM:
            raise ProtocolError(what, payload[:ERROR_CAP].decode("utf-8", "replace").strip())


async def logs(
    engine: RawSource,
    id: str,
    *,
    follow: bool = False,
    tail: int | None = None,
    since: str = "",
    until: str = "",
    timestamps: bool = True,
    stdout: bool = True,
    stderr: bool = True,
    tty: bool = False,
    deadline: float = 10,
) -> LogStream:
    """Opens a log. `since` and `until` are Unix seconds with a fraction; `tty` is Config.Tty of the container.

    `deadline` is until the engine begins to answer. Raises NotFound, and ApiError when the log driver cannot be read.
    """
    query = {
        "follow": follow, "stdout": stdout, "stderr": stderr, "timestamps": timestamps,
        "tail": "all" if tail is None else tail, "since": since or None, "until": until or None,
    }  # fmt: skip
    return LogStream(await engine.raw(f"/containers/{segment(id)}/logs", query=query, deadline=deadline), tty)
