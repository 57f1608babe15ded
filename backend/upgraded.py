"""An upgraded connection: bytes both ways, with an end for each way."""

from __future__ import annotations

import socket
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from backend.asking import translated

if TYPE_CHECKING:
    import httpx


class Upgraded:
    """One reader and one writer at a time. Bytes that came with the head are read first."""

    def __init__(self, response: httpx.Response, what: str) -> None:
        self._response = response
        self._what = what
        self._stream: Any = response.extensions["network_stream"]
        self._closed = False

    @property
    def content_type(self) -> str:
        """The media type: `application/vnd.docker.multiplexed-stream` from API 1.42 on when frames come."""
        value: str = self._response.headers.get("content-type", "")
        return value.partition(";")[0].strip()

    async def read(self, limit: int = 65536) -> bytes:
        """What has come, at least one byte; b"" at the end. Raises EngineGone."""
        with translated(self._what):
            data: bytes = await self._stream.read(limit)
            return data

    async def write(self, data: bytes) -> None:
        """Sends all of `data`. Raises EngineGone."""
        with translated(self._what):
            await self._stream.write(data)

    async def write_eof(self) -> None:
        """Ends our side (stdin sees its end); the other side goes on."""
        if (ender := self._stream.get_extra_info("write_eof")) is not None:
            ender()
        elif (connection := self._stream.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """Drops the connection; harmless when it is closed."""
        if not self._closed:
            self._closed = True
            await self._response.aclose()

    async def __aenter__(self) -> Upgraded:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
