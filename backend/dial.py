"""Opening one connection to an endpoint, for whoever reads bytes himself."""

from __future__ import annotations

import asyncio
import errno
import ssl
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from backend import endpoint as ep
from backend.endpoint import Endpoint, NamedPipe, Ssh, Tcp, UnixSocket
from backend.errors import (
    EngineTimeout,
    EngineUnreachable,
    SocketDenied,
    SocketMissing,
    TlsFault,
    TlsRefused,
    UnsupportedEndpoint,
)

P = TypeVar("P", bound=asyncio.BaseProtocol)
CONNECT_DEADLINE = 5.0
PIPE_BUSY = 231
"""ERROR_PIPE_BUSY of Windows."""


class Tunnels(Protocol):
    """What opens connections to the engines of other hosts; backend.ssh.hosts does."""

    async def dial(self, endpoint: Ssh, protocol: Callable[[], P]) -> P:
        """A connection. Raises EngineUnreachable and its kinds. The caller has the deadline."""

    def address(self, endpoint: Ssh) -> str:
        """The name or number of the host itself, which the person may call something else."""

    def hurry(self) -> None:
        """The next connection is tried at once, also after a failure."""

    async def leave(self, kept: Ssh | None) -> None:
        """Ends the connections to all hosts but one."""


async def dial(
    endpoint: Endpoint,
    protocol: Callable[[], P],
    *,
    deadline: float = CONNECT_DEADLINE,
    tunnels: Tunnels | None = None,
) -> P:
    """Connects and returns the protocol. Raises EngineUnreachable and its kinds, EngineTimeout, UnsupportedEndpoint."""
    ep.check(endpoint)
    try:
        async with asyncio.timeout(deadline):
            return await _connect(endpoint, protocol, tunnels)
    except TimeoutError as error:
        raise EngineTimeout(f"connecting to {ep.text(endpoint)}", deadline) from error
    except OSError as error:
        raise unreachable(endpoint, error) from error


async def _connect(endpoint: Endpoint, protocol: Callable[[], P], tunnels: Tunnels | None) -> P:
    loop = asyncio.get_running_loop()
    match endpoint:
        case UnixSocket(path):
            return (await loop.create_unix_connection(protocol, path))[1]
        case Tcp(host, port, files):
            from backend import tls  # Late: local engines need no certificates.

            context = tls.context(files) if files is not None else None
            return (await loop.create_connection(protocol, host, port, ssl=context))[1]
        case NamedPipe(path):
            return await connect_pipe(path, protocol)
        case Ssh():
            if tunnels is None:
                raise UnsupportedEndpoint(ep.text(endpoint), "nothing here opens connections over SSH")
            return await tunnels.dial(endpoint, protocol)


async def connect_pipe(path: str, protocol: Callable[[], P]) -> P:
    """Opens a named pipe of Windows. While all its instances are busy, tries again as the pipe's makers advise."""
    opener = getattr(asyncio.get_running_loop(), "create_pipe_connection", None)
    if opener is None:
        raise UnsupportedEndpoint(path, "named pipes are a thing of Windows")
    while True:
        try:
            return cast("P", (await opener(protocol, path))[1])
        except OSError as error:
            if getattr(error, "winerror", 0) != PIPE_BUSY:
                raise
        await asyncio.sleep(0.05)


def say_end(writer: asyncio.StreamWriter) -> None:
    """Ends our direction of a pipe: a message of no bytes, as docker takes it (go-winio: pipe.go, CloseWrite)."""
    if sys.platform == "win32":
        import _winapi

        pipe = writer.transport.get_extra_info("pipe")
        overlapped, _ = _winapi.WriteFile(pipe.handle, b"", overlapped=True)
        overlapped.GetOverlappedResult(True)
    elif writer.can_write_eof():
        writer.write_eof()


def unreachable(endpoint: Endpoint, error: OSError) -> EngineUnreachable:
    """The typed error for what the system said when a connection was tried."""
    where, reason = ep.text(endpoint), error.strerror or str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):  # Its numbers are not the system's: 1 would read as EPERM.
        return tls_refused(where, error)
    if error.errno == errno.ENOENT:
        return SocketMissing(where, "there is no socket at this path")
    if error.errno in (errno.EACCES, errno.EPERM):
        path = endpoint.path if isinstance(endpoint, UnixSocket) else ""
        return SocketDenied(where, reason, ep.group_name(path) if path else "")
    if error.errno == errno.ECONNREFUSED:
        return EngineUnreachable(where, "nothing listens there")
    return EngineUnreachable(where, reason)


def tls_refused(where: str, error: ssl.SSLError) -> TlsRefused:
    """The typed error for what OpenSSL said. In TLS 1.3 a refused client certificate is told at the first read."""
    sign = getattr(error, "reason", None) or ""
    words = getattr(error, "verify_message", "") or sign.replace("_", " ").lower() or str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsRefused(where, words, TlsFault.THEIR_CERTIFICATE)
    if "_ALERT_" in sign:
        words = sign.partition("_ALERT_")[2].replace("_", " ").lower()
        ours = any(part in words for part in ("certificate", "unknown ca", "access denied"))
        return TlsRefused(where, words, TlsFault.OUR_CERTIFICATE if ours else TlsFault.OTHER)
    plain = sign in ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")
    return TlsRefused(where, words, TlsFault.NO_TLS if plain else TlsFault.OTHER)
