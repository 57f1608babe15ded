"""Unix sockets as connections of httpcore.

httpcore's own go through anyio, which hands `future.set_result` to the loop as its reader: a read that is cancelled
after its bytes have come, and before the loop calls that reader, raises InvalidStateError past everybody
(anyio 4.16, `_RawSocketMixin`; the same place as anyio #1267).
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

BUSY_SECONDS = 0.02
"""Between two tries while the engine's queue of new connections is full."""


class SocketStream(httpcore.AsyncNetworkStream):
    """One open socket; one reader and one writer at a time. It is not read ahead, so the engine waits for us."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting: set[asyncio.Future[None]] = set()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Bytes, or b"" at the end."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        return self._connection.recv(max_bytes)
                    except BlockingIOError:
                        await self._ready(loop.add_reader, loop.remove_reader)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes all of it."""
        loop = asyncio.get_running_loop()
        left = memoryview(buffer)
        try:
            async with asyncio.timeout(timeout):
                while left:
                    try:
                        left = left[self._connection.send(left) :]
                    except BlockingIOError:
                        await self._ready(loop.add_writer, loop.remove_writer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def _ready(self, add: Callable[..., None], remove: Callable[[int], object]) -> None:
        """Until the socket can be used, or was closed by somebody else."""
        future = asyncio.get_running_loop().create_future()
        handle = self._connection.fileno()
        self._waiting.add(future)
        add(handle, _wake, future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            if self._connection.fileno() == handle:
                remove(handle)

    async def aclose(self) -> None:
        """Closes it at once; whoever waits for it is told."""
        loop, handle = asyncio.get_running_loop(), self._connection.fileno()
        if handle < 0:
            return
        loop.remove_reader(handle)
        loop.remove_writer(handle)
        self._connection.close()
        for future in self._waiting:
            _wake(future)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Not for unix sockets."""
        raise httpcore.UnsupportedProtocol("a unix socket has no TLS")

    def get_extra_info(self, info: str) -> Any:
        """`socket`; `is_readable`: whether an idle connection has something to say, which is its end."""
        if info == "socket":
            return self._connection
        if info == "is_readable":
            return self._readable()
        return None

    def _readable(self) -> bool:
        if self._connection.fileno() < 0:
            return True
        asked = select.poll()
        asked.register(self._connection, select.POLLIN)
        return bool(asked.poll(0))


class SocketBackend(httpcore.AsyncNetworkBackend):
    """Opens the socket for whatever host is asked for."""

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
        """Opens the socket."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            async with asyncio.timeout(timeout):
                while not _connected(connection, self._path):
                    await asyncio.sleep(BUSY_SECONDS)
        except TimeoutError as error:
            connection.close()
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            connection.close()
            raise httpcore.ConnectError(str(error)) from error
        except BaseException:
            connection.close()
            raise
        return SocketStream(connection)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


def _connected(connection: socket.socket, path: str) -> bool:
    """Connects; False while the engine has too many others waiting."""
    try:
        connection.connect(path)
    except BlockingIOError:
        return False
    return True


def _wake(future: asyncio.Future[None]) -> None:
    """A loop may call this for bytes that came before the wait was given up."""
    if not future.done():
        future.set_result(None)


def transport_over(backend: httpcore.AsyncNetworkBackend, limits: httpx.Limits) -> httpx.AsyncBaseTransport:
    """A transport of httpx that opens its connections with `backend`."""
    transport = httpx.AsyncHTTPTransport(verify=False, limits=limits, trust_env=False)
    # httpx has no public way to give its transport a network backend.
    transport._pool = httpcore.AsyncConnectionPool(
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
        network_backend=backend,
    )
    return transport
