"""Ports of this computer: whether one is free on an address, who holds it, and the next free one."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Container, Iterable
from dataclasses import dataclass

from backend.holders import holder

_SCTP = 132
"""Its number among the protocols of IP; socket.IPPROTO_SCTP is not on every system."""
_TRIES = 200
_NO_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@dataclass(frozen=True, slots=True)
class PortAnswer:
    """`free`, or who holds it in words (`node (pid 4121)`, empty when unknown) and the next free port (0: none).

    `forbidden` when it needs root, `absent` when this computer lacks the address; `port` is which of a range.
    `known` unless nobody but the engine's own containers could be asked.
    """

    free: bool
    holder: str = ""
    next_free: int = 0
    forbidden: bool = False
    absent: bool = False
    port: int = 0
    known: bool = True

    @property
    def held(self) -> bool:
        """Whether something else has it."""
        return not (self.free or self.forbidden or self.absent)


def check(port: int, address: str = "127.0.0.1", protocol: str = "tcp", avoid: Iterable[int] = ()) -> PortAnswer:
    """Asks the system by binding for a moment; `avoid` are ports that the form uses already. Call it in a thread."""
    code = _bind(port, address, protocol)
    if code == 0:
        return PortAnswer(True)
    if code == errno.EACCES:
        return PortAnswer(False, "", next_free(max(port, 1024), address, protocol, avoid), forbidden=True)
    if code in _NO_ADDRESS:
        return PortAnswer(False, absent=True)
    return PortAnswer(False, holder(port, protocol), next_free(port + 1, address, protocol, avoid))


def can_ask(protocol: str) -> bool:
    """Whether this system can tell of a port of a protocol: many know no SCTP. Call it in a thread."""
    try:
        _socket(socket.AF_INET, protocol).close()
    except OSError:
        return False
    return True


def first(wanted: Iterable[int], address: str, protocol: str, *, free: bool, held: Container[int] = frozenset()) -> int:
    """The first of the `wanted` ports that is free, or that is not; those of `held` are not. 0 when none is so."""
    return next((p for p in wanted if (p not in held and _bind(p, address, protocol) == 0) is free), 0)


def next_free(start: int, address: str = "127.0.0.1", protocol: str = "tcp", avoid: Iterable[int] = ()) -> int:
    """The first free port from `start` on; 0 when none of the next 200 is."""
    taken = frozenset(avoid)
    for port in range(max(1, start), min(start + _TRIES, 65_536)):
        if port not in taken and _bind(port, address, protocol) == 0:
            return port
    return 0


def _bind(port: int, address: str, protocol: str) -> int:
    """0, or the errno of bind(2)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with _socket(family, protocol) as probe:
            if protocol != "udp" and os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address or "0.0.0.0", port))  # noqa: S104 - what the person asked for is tried
    except OSError as error:
        return error.errno or errno.EADDRINUSE
    return 0


def _socket(family: socket.AddressFamily, protocol: str) -> socket.socket:
    if protocol == "udp":
        return socket.socket(family, socket.SOCK_DGRAM)
    return socket.socket(family, socket.SOCK_STREAM, _SCTP if protocol == "sctp" else 0)
