"""The raw reader for log and stats streams: HTTP/1.0 over a connection of its own, bytes in big pieces.

An engine sends every log line as a chunk of its own; asked in HTTP/1.0 it leaves the chunks out, so Python sees the
bytes of hundreds of lines at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Literal

from backend.chunks import ChunkDecoder
from backend.dial import CONNECT_DEADLINE, Tunnels, dial
from backend.endpoint import Endpoint
from backend.errors import BackendError, EngineGone, EngineTimeout, ProtocolError
from backend.failures import api_error, message_of
from backend.heads import Head, HeadReader

HIGH_WATER = 1024 * 1024
PIECE = 128 * 1024
ERROR_CAP = 64 * 1024


class RawStream(asyncio.Protocol):
    """One answer, taken with `read`; while HIGH_WATER bytes are not taken, the engine waits."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.head: Head | None = None
        self._reader: HeadReader | None = HeadReader(what)
        self._chunks: ChunkDecoder | None = None
        self._left: int | None = None
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._done = False
        self._error: BackendError | None = None
        self._wake: asyncio.Event = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()
        self._nudged = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.head.status if self.head else 0

    @property
    def content_type(self) -> str:
        """The media type, without parameters."""
        return self.head.headers.get("content-type", "").partition(";")[0].strip() if self.head else ""

    @property
    def waiting(self) -> int:
        """Bytes that have come and were not taken yet."""
        return self._held

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self._done:
            return
        try:
            self._take(data)
        except BackendError as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        if not self._done:
            self._end(self._cut(exc))
        self._closed.set()

    def _cut(self, exc: Exception | None) -> BackendError | None:
        """What it means that the connection ended now."""
        if exc is not None:
            return EngineGone(self.what, str(exc))
        if self.head is None:
            return EngineGone(self.what, "the engine closed the connection")
        if self._left or (self._chunks is not None and not self._chunks.ended):
            return EngineGone(self.what, "the answer was cut")
        return None

    def _take(self, data: bytes) -> None:
        if self._reader is not None:
            found = self._reader.feed(data)
            if found is None:
                return
            self.head, data = found
            self._reader = None
            self._left = self.head.length
            self._chunks = ChunkDecoder(self.what) if self.head.chunked else None
            self._wake.set()
        if self._chunks is not None:
            data = self._chunks.feed(data)
        elif self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if data:
            self._give(data)
        if self._left == 0 or (self._chunks is not None and self._chunks.ended):
            self._end(None)

    def _give(self, data: bytes) -> None:
        self._parts.append(data)
        self._held += len(data)
        if self._held == len(data):
            self._wake.set()
        if self._held >= HIGH_WATER:
            self.pause()

    def _end(self, error: BackendError | None) -> None:
        self._done, self._error = True, error
        if self._transport is not None:
            self._transport.abort()
        self._wake.set()

    def pause(self) -> None:
        """Stops taking bytes from the connection; the engine waits."""
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Goes on after `pause`."""
        if self._paused and self._transport is not None:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def nudge(self) -> None:
        """Lets a `read` that waits go without an answer."""
        self._nudged = True
        self._wake.set()

    async def read(self) -> bytes:
        """What has come, up to some PIECE; b"" at the end. Raises EngineGone, ProtocolError, TimeoutError at a `nudge`.

        There is no deadline: a stream is silent as long as its container is. Cancel it, or close it.
        """
        while not self._parts:
            if self._done:
                if self._error is not None:
                    raise self._error
                return b""
            if self._nudged:
                self._nudged = False
                raise TimeoutError
            self._wake.clear()
            await self._wake.wait()
        size, taken = 0, []
        while self._parts and size < PIECE:
            taken.append(self._parts.popleft())
            size += len(taken[-1])
        self._held -= size
        if self._held < HIGH_WATER:
            self.resume()
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def begin(self, request: bytes, deadline: float | None) -> None:
        """Sends the request and waits for a good head. Raises ApiError, EngineTimeout, EngineGone, ProtocolError."""
        assert self._transport is not None
        self._transport.write(request)
        try:
            async with asyncio.timeout(deadline):
                while self.head is None and not self._done:
                    self._wake.clear()
                    await self._wake.wait()
                if self.head is not None and self.head.status != 200:
                    raise await self._refusal(self.head)
        except TimeoutError as error:
            raise EngineTimeout(self.what, deadline or 0) from error
        if self.head is None:
            raise self._error or ProtocolError(self.what, "no answer")

    async def _refusal(self, head: Head) -> BackendError:
        if head.status < 400:
            return ProtocolError(self.what, f"an answer of status {head.status}")
        body = b""
        while len(body) < ERROR_CAP and (data := await self.read()):
            body += data
        return api_error(head.status, message_of(body, self.content_type), self.what)

    async def close(self) -> None:
        """Drops the connection at once; harmless when it is closed."""
        if not self._done:
            self._end(None)
        self._held = 0
        self._parts.clear()
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()

    async def __aenter__(self) -> RawStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open_raw(
    endpoint: Endpoint,
    path_and_query: str,
    *,
    deadline: float | None = CONNECT_DEADLINE,
    method: str = "GET",
    http: Literal["1.0", "1.1"] = "1.0",
    tunnels: Tunnels | None = None,
) -> RawStream:
    """Asks for `path_and_query` (encoded, with the version) and returns once the engine said 200.

    `deadline` is seconds for connecting, and again for the head of the answer; None waits for the head as long as it
    takes. In HTTP/1.1 the body comes in chunks, so that an answer that was cut is known from one that ended.
    """
    what = f"{method} {path_and_query.partition('?')[0]}"
    stream = await dial(endpoint, lambda: RawStream(what), deadline=deadline or CONNECT_DEADLINE, tunnels=tunnels)
    close = "Connection: close\r\n" if http == "1.1" else ""
    request = f"{method} {path_and_query} HTTP/{http}\r\nHost: docker\r\nUser-Agent: pilothouse\r\n{close}\r\n"
    try:
        await stream.begin(request.encode("ascii"), deadline)
    except BaseException:
        await stream.close()
        raise
    return stream
