"""Asks whether a host port is free, without stopping the window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from app import ports
from app.ports import PortAnswer
from backend.types.containers import ContainerSummary

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - addresses to compare with


def publishers(containers: Iterable[ContainerSummary], address: str, protocol: str) -> dict[int, str]:
    """The host ports that running containers publish where `address` would clash, each with its container's name."""
    found: dict[int, str] = {}
    for container in containers:
        for published in container.ports or ():
            meets = address in EVERYWHERE or published.ip in EVERYWHERE or published.ip == address
            if meets and published.public and published.protocol == protocol:
                found.setdefault(published.public, container.name)
    return found


async def check_port(
    port: int, address: str, protocol: str, *, local: bool, publisher: str = "", avoid: frozenset[int] = frozenset()
) -> PortAnswer:
    """What is known of a port of the engine's host. `local`: the engine publishes on this computer.

    A published port need not be bound here: the engine may publish by firewall rules alone, or in a namespace of its
    own. So a port with a `publisher` is taken whatever the system says, and `avoid` are those not to be offered.
    """
    if not local or protocol == "sctp":
        following = next((n for n in range(port + 1, 65_536) if n not in avoid), 0)
        return PortAnswer(False, publisher, following) if publisher else PortAnswer(True)
    answer = await asyncio.to_thread(ports.check, port, address, protocol, avoid)
    if publisher and answer.free:
        following = await asyncio.to_thread(ports.next_free, port + 1, address, protocol, avoid)
        return PortAnswer(False, publisher, following)
    return replace(answer, holder=publisher) if publisher else answer


async def free_ports(wanted: Iterable[int], avoid: frozenset[int] = frozenset()) -> dict[int, int]:
    """For each container port a free host port: the same number where it is free and needs no root, else the next."""
    return await asyncio.to_thread(_free_ports, tuple(wanted), avoid)


def _free_ports(wanted: tuple[int, ...], avoid: frozenset[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for port in wanted:
        start = port if port >= 1024 else 8000 + port
        found[port] = ports.next_free(start, avoid={*avoid, *found.values()}) or start
    return found
