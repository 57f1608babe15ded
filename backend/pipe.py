"""Named pipes of Windows as connections of httpcore."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from backend.dial import connect_pipe, say_end


class PipeStream(httpcore.AsyncNetworkStream):
    """One open pipe."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Bytes, or b"" at the end."""
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes all of it."""
        try:
            self._writer.write(buffer)
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Closes it at once."""
        self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Not for pipes."""
        raise httpcore.UnsupportedProtocol("a pipe has no TLS")

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`: whether an idle connection has ended; `write_eof`: how to end our side."""
        if info == "is_readable":
            return self._reader.at_eof()
        if info == "write_eof":
            return lambda: say_end(self._writer)
        return None


class PipeBackend(httpcore.AsyncNetworkBackend):
    """Opens the pipe for whatever host is asked for."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Opens the pipe."""
        reader = asyncio.StreamReader(limit=256 * 1024)
        try:
            async with asyncio.timeout(timeout):
                protocol = await connect_pipe(self._path, lambda: asyncio.StreamReaderProtocol(reader))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        transport = protocol._transport  # type: ignore[attr-defined]
        return PipeStream(reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop()))

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)
