"""Link: one live SSH connection, made and used by blocking calls, for threads."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import paramiko

from backend.ssh.config import Route
from backend.ssh.errors import SshNameUnknown, SshUnreachable
from backend.ssh.hostkeys import HostKey
from backend.ssh.pump import Pump

R = TypeVar("R")
CONNECT_SECONDS = 10.0
GREETING_SECONDS = 15.0
LOGIN_SECONDS = 60.0
"""An agent may ask the person first."""
ANSWER_SECONDS = 10.0
"""A host that does not answer the wish for a channel for so long is taken for gone."""
KEEPALIVE_SECONDS = 15
SILENCE_MS = 30_000
"""With the keepalive, a link that died without a word is known for dead within 45 s."""
FAST_CIPHER = "aes128-gcm@openssh.com"
STREAMLOCAL = "direct-streamlocal@openssh.com"
FORWARD_STREAMLOCAL, FORWARDED_STREAMLOCAL = "streamlocal-forward@openssh.com", "forwarded-streamlocal@openssh.com"
RSA_TYPES = ("rsa-sha2-512", "rsa-sha2-256")
logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # All that it logs as an error comes as a typed one too.


class LinkLost(Exception):
    """The connection ended, or the host does not answer on it any more."""


class ChannelRefused(Exception):
    """The host does not open what was asked for; it does not say why."""


class Trust(Protocol):
    """Who knows whether a host's key may be trusted."""

    def types(self, route: Route) -> tuple[str, ...]:
        """The types of keys to ask for first."""

    def check(self, where: str, route: Route, key: HostKey) -> None:
        """Returns for a key that is trusted, and raises an SshError for any other."""


class Login(Protocol):
    """Who signs in."""

    def log_in(self, where: str, route: Route, transport: paramiko.Transport) -> None:
        """Returns when the host has let us in, and raises an SshError when it did not."""


class _Transport(paramiko.Transport):  # type: ignore[misc]
    """Can open channels to unix sockets, for which paramiko has no call (its issue 544)."""

    _active_check_timeout = 5.0  # Ten looks a second would cost an idle program its rest; `Link.close` wakes it.

    def __init__(self, sock: Any) -> None:
        self._wanted = threading.local()
        super().__init__(sock)

    def open_unix(self, path: str) -> paramiko.Channel:
        """A channel to a socket on the host. Raises SSHException."""
        self._wanted.path = path
        try:
            return self.open_channel(STREAMLOCAL, timeout=ANSWER_SECONDS)
        finally:
            self._wanted.path = None

    def listen_unix(self, path: str, taken: Callable[[paramiko.Channel], None]) -> None:
        """Callers of a socket on the host come to `taken`, in a thread of ours. Raises SSHException."""
        self._tcp_handler = lambda channel, _origin, _where: taken(channel)
        if self.global_request(FORWARD_STREAMLOCAL, (path,)) is None:
            raise paramiko.ChannelException(1, "it lets nobody listen there")

    def _parse_channel_open(self, message: paramiko.Message) -> None:
        """Reads the caller of a unix socket (the same PROTOCOL, section 2.4) as one of a port, which paramiko knows."""
        if message.get_text() == FORWARDED_STREAMLOCAL:
            channel, window, packet, path = (*(message.get_int() for _ in range(3)), message.get_text())
            message = paramiko.Message()
            message.add("forwarded-tcpip", channel, window, packet, path, 0, "", 0)
        message.rewind()
        super()._parse_channel_open(message)

    def _send_user_message(self, data: paramiko.Message) -> None:
        """Adds what OpenSSH's PROTOCOL, section 2.4, has after the window: the path and two reserved fields."""
        if path := getattr(self._wanted, "path", None):
            self._wanted.path = None
            data.add_string(path)
            data.add_string("")
            data.add_int(0)
        super()._send_user_message(data)


class Link:
    """One connection, signed in. Everything on it ends with it."""

    def __init__(self, transport: _Transport, connection: Any) -> None:
        self._transport, self._connection = transport, connection
        self._pump = Pump()

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return bool(self._transport.is_active())

    def unix(self, path: str) -> socket.socket:
        """Our end of a stream to a socket on the host. Raises ChannelRefused and LinkLost."""
        return self._pump.join(self._opened(lambda: self._transport.open_unix(path)))

    def program(self, command: str, over: Callable[[], object]) -> socket.socket:
        """Our end of a stream to a program's input and output, and `over()` at its end. Raises as `unix`."""
        channel = self._opened(lambda: self._transport.open_session(timeout=ANSWER_SECONDS))
        self._started(channel, command)
        return self._pump.join(channel, over)

    def tcp(self, address: str, port: int) -> paramiko.Channel:
        """A channel to a port that the host can reach. Raises ChannelRefused and LinkLost."""
        where, here = (address, port), ("127.0.0.1", 0)
        return self._opened(lambda: self._transport.open_channel("direct-tcpip", where, here, timeout=ANSWER_SECONDS))

    def listen(self, path: str, taken: Callable[[paramiko.Channel], None]) -> None:
        """Callers of a socket's path there come to `taken`, until the connection ends. Raises as `unix`."""
        self._opened(lambda: self._transport.listen_unix(path, taken))

    def lead(self, local: socket.socket, to: str | tuple[str, int], over: Callable[[], object] | None = None) -> None:
        """Join a connection that was made to us with a socket's path or a port there. Raises as `unix`.

        `over()` is called once it has ended, on another thread.
        """
        if isinstance(to, str):
            channel = self._opened(lambda: self._transport.open_unix(to))
        else:
            channel = self.tcp(*to)
        self._pump.carry(channel, local, over)

    def run(self, command: str, seconds: float, given: bytes = b"") -> tuple[int, bytes, bytes]:
        """Runs a command with this to read; exit code (or -1), output, errors (at most a MB). Raises as `program`."""
        channel = self._opened(lambda: self._transport.open_session(timeout=ANSWER_SECONDS))
        try:
            channel.settimeout(seconds)
            self._started(channel, command)
            _give(channel, given)
            out, err = channel.makefile("rb").read(1 << 20), channel.makefile_stderr("rb").read(1 << 20)
            return channel.recv_exit_status(), out, err
        except (TimeoutError, paramiko.SSHException, EOFError) as error:
            raise LinkLost(str(error)) from error
        finally:
            channel.close()

    def close(self) -> None:
        """Ends it; harmless when it has ended."""
        _hang_up(self._connection)
        self._transport.close()
        self._pump.close()
        if threading.current_thread() is not self._transport:
            self._transport.join(ANSWER_SECONDS)

    def _opened(self, opening: Callable[[], R]) -> R:
        try:
            return opening()
        except paramiko.ChannelException as error:
            raise ChannelRefused(error.text) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            if self.alive and "Unable to open" in str(error):  # Another refusal has taken the reason with it.
                raise ChannelRefused(str(error)) from error
            self.close()
            raise LinkLost(str(error) or type(error).__name__) from error

    def _started(self, channel: paramiko.Channel, command: str) -> None:
        try:
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError) as error:
            channel.close()
            if self.alive:
                raise ChannelRefused(str(error)) from error
            raise LinkLost(str(error)) from error


def connect(
    where: str, route: Route, trust: Trust, login: Login, base: Link | None, held: Callable[[Callable[[], None]], None]
) -> Link:
    """Connects to the host of a route, through `base` where there is one, and signs in.

    `held` is given what ends the attempt from another thread. Raises SshError and its kinds.
    """
    connection = _reached(where, route, base)
    held(lambda: _hang_up(connection))
    transport = _Transport(connection)
    try:
        _greet(where, route, transport, trust)
        shown = transport.get_remote_server_key()
        trust.check(where, route, HostKey(shown.get_name(), shown.asbytes()))
        login.log_in(where, route, transport)
        if not transport.is_authenticated():
            raise SshUnreachable(where, route.name, "it ended the connection")
    except (paramiko.SSHException, EOFError, OSError) as error:
        _drop(transport, connection)
        raise SshUnreachable(where, route.name, _words(error)) from error
    except BaseException:
        _drop(transport, connection)
        raise
    transport.set_keepalive(KEEPALIVE_SECONDS)
    return Link(transport, connection)


def _reached(where: str, route: Route, base: Link | None) -> Any:
    """A connected socket, or a channel of the host before."""
    try:
        if base is not None:
            return base.tcp(route.address, route.port)
        connection = socket.create_connection((route.address, route.port), CONNECT_SECONDS)
    except ChannelRefused as error:
        raise SshUnreachable(where, route.name, "the host on the way cannot reach it") from error
    except LinkLost as error:
        raise SshUnreachable(where, route.name, "the connection to the host on the way broke") from error
    except socket.gaierror as error:
        raise SshNameUnknown(where, route.name, error.strerror or str(error)) from error
    except TimeoutError as error:
        raise SshUnreachable(where, route.name, f"no answer within {CONNECT_SECONDS:g} s") from error
    except (OSError, UnicodeError) as error:
        raise SshUnreachable(where, route.name, getattr(error, "strerror", None) or str(error)) from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MS)
    return connection


def _greet(where: str, route: Route, transport: _Transport, trust: Trust) -> None:
    options = transport.get_security_options()
    options.ciphers = (FAST_CIPHER, *(c for c in options.ciphers if c != FAST_CIPHER))
    known = [name for t in trust.types(route) for name in (RSA_TYPES if t == "ssh-rsa" else (t,))]
    first = tuple(t for t in known if t in options.key_types)
    options.key_types = (*first, *(t for t in options.key_types if t not in first))
    transport.banner_timeout = transport.handshake_timeout = GREETING_SECONDS
    transport.auth_timeout = LOGIN_SECONDS
    transport.start_client(timeout=GREETING_SECONDS)
    if not transport.initial_kex_done:
        raise SshUnreachable(where, route.name, f"no greeting within {GREETING_SECONDS:g} s")


def _give(channel: paramiko.Channel, given: bytes) -> None:
    """All of it, then the end. A program that does not read says by its exit code whether that is bad."""
    try:
        channel.sendall(given)
        channel.shutdown_write()
    except TimeoutError:
        raise
    except OSError:
        return


def _words(error: Exception) -> str:
    """Why no connection came about, in words that can follow a host's name."""
    text = str(error)
    if isinstance(error, EOFError):
        return "it ended the connection"
    if "banner" in text.lower() or "protocol version" in text.lower():
        return "what answers there does not speak SSH"
    return getattr(error, "strerror", None) or text or type(error).__name__


def _drop(transport: _Transport, connection: Any) -> None:
    _hang_up(connection)
    transport.close()
    connection.close()


def _hang_up(connection: Any) -> None:
    """Wakes whoever reads or writes; closing alone does not."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except (OSError, EOFError):
        pass
