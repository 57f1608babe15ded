"""A container's log as a stream of frames or of bare bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType

from backend.client import Engine
from backend.frames import STDOUT, Frame, FrameDecoder
from backend.names import segment
from backend.stream import RawStream

MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"


class LogStream:
    """One log. `tty` says that the bytes have no frames.

    Iterate it for batches of (stream, payload), or take the bytes as the engine sent them: `raw_chunks()`, or
    `source.listen(...)` for callbacks. Whatever has not been taken holds the engine back; close it in the end.
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
                yield frames
        decoder.finish()

    async def raw_chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they came, frames and all (bare when `tty`), in pieces of up to 1.25 MiB."""
        while data := await self.source.read():
            yield data

    async def close(self) -> None:
        """Drops the connection."""
        await self.source.close()

    async def __aenter__(self) -> LogStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def logs(
    engine: Engine,
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
