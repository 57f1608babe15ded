"""Sockets of this computer for what is published: bound as each system allows it, and why it does not."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from vm.qemu.host import System
from vm.report import Reason

BACKLOG = 256
LOW = 1024
EVERYWHERE = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - only on macOS, and with a check of peers
_REASONS: dict[int, Reason] = {
    errno.EADDRINUSE: "taken",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EADDRNOTAVAIL: "absent",
    errno.EAFNOSUPPORT: "absent",
}
Admits = Callable[[str], bool]


class Listener(NamedTuple):
    """A bound socket, and whose calls it takes, by their address."""

    socket: socket.socket
    admits: Admits
    whole: bool = False
    """Whether it is bound to more than was asked for, so that only the check of callers keeps it private."""


def listen(protocol: str, address: str, port: int, system: System) -> Listener:
    """Bind it. Raises OSError.

    macOS lets everybody have a port below 1024 on all addresses, and nobody on one alone: there it is bound on all of
    them, and callers from elsewhere are sent away.
    """
    try:
        return Listener(_bound(protocol, address, port, system), _anybody)
    except PermissionError:
        if system != "macos" or port >= LOW or not is_here(address):
            raise
    return Listener(_bound(protocol, EVERYWHERE[_family(address)], port, system), is_here, whole=True)


def reason_of(error: OSError, system: System, holder: str) -> Reason:
    """Why a port could not be had. Windows calls its reserved ranges forbidden, and ports of others sometimes too."""
    found = _REASONS.get(error.errno or 0, "failed")
    if found == "forbidden" and system == "windows":
        return "taken" if holder else "reserved"
    return found


def is_here(address: str) -> bool:
    """Whether it is one that only this computer has: 127.0.0.0/8, ::1, and the former written as IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def free_datagram_port() -> int:
    """A port of 127.0.0.1 that nobody has for UDP at this moment."""
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
    return port


def _anybody(_address: str) -> bool:
    return True


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _bound(protocol: str, address: str, port: int, system: System) -> socket.socket:
    family = _family(address)
    made = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        for level, option in _options(protocol, family, system):
            made.setsockopt(level, option, 1)
        made.bind((address, port))
        if protocol == "tcp":
            made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _options(protocol: str, family: socket.AddressFamily, system: System) -> list[tuple[int, Any]]:
    """To be reused on Windows means that another program may take the port as well; elsewhere that it need not rest."""
    found: list[tuple[int, Any]] = []
    if system == "windows":
        found.append((socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", ~socket.SO_REUSEADDR)))
    elif protocol == "tcp":
        found.append((socket.SOL_SOCKET, socket.SO_REUSEADDR))
    if family == socket.AF_INET6:
        found.append((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
    return found
