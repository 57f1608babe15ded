"""read_log, which brings a container's log to a callback as the engine sends it, without an HTTP client between.

An HTTP/1.0 request makes the engine leave out chunked coding, so that the body is bare frames; a general HTTP client
parses one chunk per log line in Python and takes six times as long.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from backend.endpoint import Endpoint, NamedPipe, Tcp, UnixSocket, check, text
from backend.errors import (
    ApiError,
    EngineFault,
    EngineGone,
    EngineTimeout,
    EngineUnreachable,
    NotFound,
    ProtocolError,
    SocketDenied,
    SocketMissing,
    UnsupportedEndpoint,
)

HEADER_CAP: Final = 64 * 1024
ERROR_CAP: Final = 64 * 1024


class _Message(msgspec.Struct):
    message: str = ""


class LogConnection(asyncio.Protocol):
    """One answer. `received(bytes)` gets the body as it comes, on the loop; an exception in it ends the stream."""

    def __init__(self, request: bytes, received: Callable[[bytes], None]) -> None:
        self._request = request
        self._received = received
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._in_body = False
        self._paused = False
        loop = asyncio.get_running_loop()
        self.status = 0
        self.content_type = ""
        self.refusal = b""
        self.length: int | None = None
        self.came = 0
        self.started: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Reads the head once, then hands over what comes."""
        self.came += 1
        try:
            if self._in_body:
                self._take(data)
            else:
                self._read_head(data)
        except Exception as error:
            self._end(error)
            self.close()

    def eof_received(self) -> bool:
        """The engine has said everything."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Ends the wait of whoever reads."""
        if error is None and self.status < 400 and self.length:
            error = EOFError(f"{self.length} bytes are missing")
        self._end(EngineGone("reading the log", str(error)) if error else None)

    def hold(self) -> None:
        """Stops reading: the engine waits."""
        if self._transport is not None and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Reads again."""
        if self._transport is not None and self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """Lets go of the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _read_head(self, data: bytes) -> None:
        self._head += data
        head, found, body = self._head.partition(b"\r\n\r\n")
        if len(head) > HEADER_CAP:
            raise ProtocolError("reading the log", "the head of the answer does not end")
        if not found:
            return
        lines = head.split(b"\r\n")
        words = lines[0].split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            raise ProtocolError("reading the log", "the answer is not HTTP")
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in lines[1:])}
        if b"chunked" in fields.get(b"transfer-encoding", b""):
            raise ProtocolError("reading the log", "the answer is chunked")
        self.status = int(words[1])
        self.content_type = fields.get(b"content-type", b"").decode("latin-1")
        size = fields.get(b"content-length", b"")
        self.length = int(size) if size.isdigit() else None
        self._head, self._in_body = b"", True
        if not self.started.done():
            self.started.set_result(None)
        if body:
            self._take(body)

    def _take(self, data: bytes) -> None:
        if self.status >= 400:
            self.refusal = (self.refusal + data)[:ERROR_CAP]
        elif self.length is None:
            self._received(data)
        else:
            data = data[: self.length]
            self.length -= len(data)
            self._received(data)

    def _end(self, error: BaseException | None) -> None:
        for future in (self.started, self.ended):
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
                future.exception()
            elif future is self.started:
                future.set_exception(EngineGone("reading the log", "no answer came"))
                future.exception()
            else:
                future.set_result(None)


def logs_path(api: str, container: str, query: dict[str, object]) -> str:
    """The path of GET /containers/{id}/logs with its query."""
    version = f"/v{api}" if api else ""
    return f"{version}/containers/{quote(container, safe='')}/logs?{urlencode(query)}"


async def read_log(
    endpoint: Endpoint,
    path: str,
    received: Callable[[bytes], None],
    *,
    opened: Callable[[LogConnection], None] | None = None,
    answered: Callable[[], None] | None = None,
    stalled: Callable[[], Awaitable[bool]] | None = None,
    check_after: float = 5,
    deadline: float = 10,
) -> None:
    """Opens `path` and gives the body to `received` until the engine ends it; `deadline` seconds for the head alone.

    `opened(connection)` comes before the first byte, for pausing; `answered()` once the engine agreed.
    Cancelling closes the connection. A follow may
    rightly be silent for ever: after each `check_after` seconds of silence `stalled` is asked whether more is there,
    and ends the stream when it is. Raises ApiError, EngineUnreachable, EngineTimeout,
    EngineGone, ProtocolError.
    """
    request = f"GET {path} HTTP/1.0\r\nHost: docker\r\nUser-Agent: pilothouse\r\nAccept: */*\r\n\r\n".encode("ascii")
    connection: LogConnection | None = None
    try:
        async with asyncio.timeout(deadline):
            connection = await _dial(endpoint, lambda: LogConnection(request, received))
            if opened is not None:
                opened(connection)
            await connection.started
    except TimeoutError as error:
        if connection is not None:
            connection.close()
        raise EngineTimeout("reading the log", deadline) from error
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    if answered is not None and connection.status < 400:
        answered()
    try:
        await _wait(connection, stalled, check_after)
    finally:
        connection.close()
    if connection.status >= 400:
        raise _refused(connection)


async def _wait(connection: LogConnection, stalled: Callable[[], Awaitable[bool]] | None, check_after: float) -> None:
    while stalled is not None and not connection.ended.done():
        came = connection.came
        await asyncio.wait({connection.ended}, timeout=check_after)
        if came == connection.came and not connection.ended.done() and await stalled() and came == connection.came:
            return
    await connection.ended


class Payloads:
    """Takes the frame headers out of a log stream and leaves the bytes as the container wrote them."""

    def __init__(self, *, tty: bool) -> None:
        self._tty = tty
        self._head = b""
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """What of `data` the container wrote. Raises ProtocolError when a header is not one."""
        if self._tty:
            return data
        parts: list[bytes] = []
        position = 0
        if self._head:
            data, self._head = self._head + data, b""
        while position < len(data):
            if self._left:
                part = data[position : position + self._left]
                parts.append(part)
                self._left -= len(part)
                position += len(part)
                continue
            if len(data) - position < 8:
                self._head = data[position:]
                break
            if data[position] > 2 or data[position + 1 : position + 4] != b"\0\0\0":
                raise ProtocolError("log stream", "this is not a log frame")
            self._left = int.from_bytes(data[position + 4 : position + 8], "big")
            position += 8
        return b"".join(parts)


async def _dial(endpoint: Endpoint, factory: Callable[[], LogConnection]) -> LogConnection:
    check(endpoint)
    loop = asyncio.get_running_loop()
    where = text(endpoint)
    try:
        match endpoint:
            case UnixSocket(path):
                return (await loop.create_unix_connection(factory, path))[1]
            case Tcp(host, port, tls):
                context = _tls(tls.ca, tls.cert, tls.key, tls.verify) if tls else None
                return (await loop.create_connection(factory, host, port, ssl=context))[1]
            case NamedPipe(path):
                connect = getattr(loop, "create_pipe_connection", None)
                if connect is None:
                    raise UnsupportedEndpoint(where, "this event loop has no named pipes")
                connection: LogConnection = (await connect(factory, path))[1]
                return connection
            case _:
                raise UnsupportedEndpoint(where, "logs cannot be read over this kind of address")
    except FileNotFoundError as error:
        raise SocketMissing(where, str(error)) from error
    except PermissionError as error:
        raise SocketDenied(where, str(error)) from error
    except OSError as error:
        raise EngineUnreachable(where, str(error)) from error


def _tls(ca: str, cert: str, key: str, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca or None)
    if cert:
        context.load_cert_chain(cert, key or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _refused(connection: LogConnection) -> ApiError:
    try:
        message = msgspec.json.decode(connection.refusal, type=_Message).message
    except msgspec.DecodeError:
        message = connection.refusal.decode("utf-8", "replace").strip()
    kind = NotFound if connection.status == 404 else EngineFault if connection.status >= 500 else ApiError
    return kind(connection.status, message, "reading the log")
