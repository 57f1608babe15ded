"""Asks whether a host port is free, without stopping the window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from app import ports
from app.commands.run.form import PortRow
from app.commands.run.values import port_range
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
    """What is known of a port of the engine's host. `local`: it publishes on this computer, which can be asked.

    A published port need not be bound here: the engine may publish by firewall rules alone, or in a namespace of its
    own. So a port with a `publisher` is taken whatever the system says, and `avoid` are those not to be offered.
    """
    if not local:
        following = next((n for n in range(port + 1, 65_536) if n not in avoid), 0)
        return PortAnswer(False, publisher, following) if publisher else PortAnswer(True, known=False)
    answer = await asyncio.to_thread(ports.check, port, address, protocol, avoid)
    if publisher and answer.free:
        following = await asyncio.to_thread(ports.next_free, port + 1, address, protocol, avoid)
        return PortAnswer(False, publisher, following)
    return replace(answer, holder=publisher) if publisher else answer


async def check_row(
    row: PortRow, *, local: bool, published: Mapping[int, str], avoid: frozenset[int] = frozenset()
) -> PortAnswer:
    """What is known of the host ports of a row: of one, of each of a range, or of a range of which the engine picks.

    `published` are the ports of running containers with their names. Raises BadValue when the row names no port.
    """
    low, high = port_range(row.host, "host")
    address, protocol = row.host_ip, row.protocol
    local = local and await asyncio.to_thread(ports.can_ask, protocol)
    if low == high:
        publisher = published.get(low, "")
        return await check_port(low, address, protocol, local=local, publisher=publisher, avoid=avoid)
    picks = "-" not in row.container
    wanted = range(low, high + 1)
    if local:
        found = await asyncio.to_thread(ports.first, wanted, address, protocol, free=picks, held=published.keys())
    else:
        found = next((p for p in wanted if (p not in published) is picks), 0)
    if bool(found) is picks:
        return PortAnswer(True, known=local)
    asked = found or low
    answer = await check_port(asked, address, protocol, local=local, publisher=published.get(asked, ""))
    return replace(answer, next_free=0, port=found)


async def free_ports(wanted: Iterable[int], avoid: frozenset[int] = frozenset()) -> dict[int, int]:
    """For each container port a free host port: the same number where it is free and needs no root, else the next."""
    return await asyncio.to_thread(_free_ports, tuple(wanted), avoid)


def _free_ports(wanted: tuple[int, ...], avoid: frozenset[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for port in wanted:
        start = port if port >= 1024 else 8000 + port
        found[port] = ports.next_free(start, avoid={*avoid, *found.values()}) or start
    return found
