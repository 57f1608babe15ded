"""Where an engine answers: the kinds of address, how their text is read and what is refused before a byte is sent."""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import sys
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from backend.errors import EngineUnreachable, InvalidEndpoint, SocketUntrusted, UnsupportedEndpoint

PLAIN_PORT = 2375
TLS_PORT = 2376
SSH_PORT = 22
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_PIPE = re.compile(r"//\./pipe/([A-Za-z0-9_.-]+)\Z")


class TlsFiles(Struct, frozen=True):
    """PEM files for TLS; an empty path is not used. Without `ca` the system's own store decides."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


class UnixSocket(Struct, frozen=True):
    """A socket in the file system, by absolute path."""

    path: str


class NamedPipe(Struct, frozen=True):
    r"""A pipe of this Windows computer, as `\\.\pipe\name`."""

    path: str


class Tcp(Struct, frozen=True):
    """A TCP port. Without TLS only this computer is accepted, unless the person said `allow_plain`."""

    host: str
    port: int
    tls: TlsFiles | None = None
    allow_plain: bool = False


class Ssh(Struct, frozen=True):
    """A host that is reached over SSH; what is empty is found: the user, the key file, the socket of its engine."""

    host: str
    port: int = SSH_PORT
    user: str = ""
    key: str = ""
    socket: str = ""


Endpoint = UnixSocket | NamedPipe | Tcp | Ssh


def parse(text: str, *, tls: TlsFiles | None = None) -> Endpoint:
    """Reads an address as DOCKER_HOST has it: unix:///path, npipe:////./pipe/name, tcp://host:port, ssh://user@host.

    Stricter than the docker command line: nothing is guessed, and nothing that could become an option of another
    program gets through. Raises InvalidEndpoint.
    """
    if not text or text != text.strip() or any(ord(c) < 33 or ord(c) == 127 for c in text):
        raise InvalidEndpoint(text, "an address has no spaces or control characters and is not empty")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise InvalidEndpoint(text, str(error)) from error
    if "://" not in text:
        raise InvalidEndpoint(text, "an address begins with unix://, npipe://, tcp:// or ssh://")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise InvalidEndpoint(text, "an address has no ? or #")
    readers: dict[str, Callable[[str, SplitResult], Endpoint]] = {"unix": _unix, "npipe": _pipe, "ssh": _ssh}
    if parts.scheme in readers:
        return readers[parts.scheme](text, parts)
    if parts.scheme in ("tcp", "http", "https"):
        return _tcp(text, parts, tls)
    raise InvalidEndpoint(text, f"{parts.scheme}:// is not a kind of address that an engine answers at")


def _unix(text: str, parts: SplitResult) -> UnixSocket:
    if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
        raise InvalidEndpoint(text, "unix:// is followed by an absolute path, as in unix:///var/run/docker.sock")
    if len(os.fsencode(parts.path)) > 107:
        raise InvalidEndpoint(text, "the path of a socket has at most 107 bytes")
    return UnixSocket(parts.path)


def _pipe(text: str, parts: SplitResult) -> NamedPipe:
    match = _PIPE.match(parts.path) if not parts.netloc else None
    if match is None:
        raise InvalidEndpoint(text, "a pipe of this computer is written npipe:////./pipe/docker_engine")
    return NamedPipe(rf"\\.\pipe\{match[1]}")


def _tcp(text: str, parts: SplitResult, tls: TlsFiles | None) -> Tcp:
    if parts.path not in ("", "/"):
        raise InvalidEndpoint(text, "tcp:// is followed by a host and a port, without a path")
    if "@" in parts.netloc:
        raise InvalidEndpoint(text, "tcp:// takes no user name")
    if parts.scheme == "https" and tls is None:
        tls = TlsFiles()
    host = _host(text, parts)
    return Tcp(host, _port(text, parts) or (TLS_PORT if tls else PLAIN_PORT), tls)


def _ssh(text: str, parts: SplitResult) -> Ssh:
    if parts.path not in ("", "/"):
        raise InvalidEndpoint(text, "ssh:// is followed by user@host:port, without a path")
    if parts.password is not None:
        raise InvalidEndpoint(text, "a password does not belong into an address")
    user = parts.username or ""
    if "@" in parts.netloc and not _USER.match(user):
        raise InvalidEndpoint(text, "this cannot be a user name")
    return Ssh(_host(text, parts), _port(text, parts) or SSH_PORT, user)


def _host(text: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _HOST.match(host) or len(host) > 253:
        raise InvalidEndpoint(text, "the host is missing or not a name or number of a host")
    return host


def _port(text: str, parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise InvalidEndpoint(text, "a port is a number from 1 to 65535") from error
    if port is None and not parts.netloc.endswith(":"):
        return 0
    if not port:
        raise InvalidEndpoint(text, "a port is a number from 1 to 65535")
    return port


def text(endpoint: Endpoint) -> str:
    """The address as DOCKER_HOST takes it and as people read it."""
    match endpoint:
        case UnixSocket(path):
            return f"unix://{path}"
        case NamedPipe(path):
            return "npipe://" + path.replace("\\", "/")
        case Tcp(host, port):
            return f"tcp://{_bracketed(host)}:{port}"
        case Ssh(host, port, user, _, _):
            return f"ssh://{user + '@' if user else ''}{_bracketed(host)}{'' if port == SSH_PORT else f':{port}'}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def check(endpoint: Endpoint) -> None:
    """Refuses what may not be opened: plain TCP to another computer, a stranger's socket, pipes without Windows.

    Raises UnsupportedEndpoint or SocketUntrusted. A missing socket is left to whoever dials.
    """
    if isinstance(endpoint, NamedPipe) and sys.platform != "win32":
        raise UnsupportedEndpoint(text(endpoint), "named pipes are a thing of Windows")
    if (
        isinstance(endpoint, Tcp)
        and endpoint.tls is None
        and not endpoint.allow_plain
        and not is_loopback(endpoint.host)
    ):
        raise UnsupportedEndpoint(
            text(endpoint), "without TLS anybody on the network could command the engine; set up TLS for it"
        )
    if isinstance(endpoint, UnixSocket) and sys.platform != "win32":
        _check_owner(endpoint)


def is_loopback(host: str) -> bool:
    """Whether a host is this computer by its name or number."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_owner(endpoint: UnixSocket) -> None:
    """A socket, and the symbolic link to it where there is one, must belong to this person or to root."""
    try:
        found = (os.lstat(endpoint.path), os.stat(endpoint.path))
    except OSError:
        return
    if not stat.S_ISSOCK(found[1].st_mode):
        raise EngineUnreachable(text(endpoint), "there is something else than a socket")
    for status in found:
        if status.st_uid not in (0, os.geteuid()):
            owner = owner_name(status.st_uid)
            what = "the link to the socket" if stat.S_ISLNK(status.st_mode) else "the socket"
            raise SocketUntrusted(text(endpoint), f"{what} belongs to {owner}", owner)


def why_unread(error: OSError) -> str:
    """Why a file of the configuration could not be read, as what follows its name in a sentence."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "is missing"
        case PermissionError():
            return "may not be read by you"
        case IsADirectoryError():
            return "is a folder, not a file"
    return f"cannot be read ({error.strerror or error})"


def owner_name(uid: int) -> str:
    """The account's name, or its number where it has none."""
    if sys.platform == "win32":
        return str(uid)
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(path: str) -> str:
    """The group that may open the file at `path`, or an empty string when its group may not or is not known."""
    if sys.platform == "win32":
        return ""
    import grp

    try:
        status = os.stat(path)
        return grp.getgrgid(status.st_gid).gr_name if status.st_mode & stat.S_IWGRP else ""
    except (OSError, KeyError):
        return ""
