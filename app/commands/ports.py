"""Asks whether a host port is free, without stopping the window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from app import ports
from app.ports import PortAnswer
from backend.types.containers import ContainerSummary

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - addresses to compare with


def published_by(containers: Iterable[ContainerSummary], port: int, address: str, protocol: str) -> str:
    """The name of the running container that publishes a port where `address` would clash; empty when none does."""
    for container in containers:
        for published in container.ports or ():
            same = published.public == port and published.protocol == protocol
            if same and (address in EVERYWHERE or published.ip in EVERYWHERE or published.ip == address):
                return container.name
    return ""


async def check_port(
    port: int, address: str, protocol: str, *, local: bool, publisher: str = "", avoid: frozenset[int] = frozenset()
) -> PortAnswer:
    """What is known of a port of the engine's host. `local`: the engine publishes on this computer."""
    if not local or protocol == "sctp":
        return PortAnswer(not publisher, publisher, 0)
    answer = await asyncio.to_thread(ports.check, port, address, protocol, avoid)
    return replace(answer, free=False, holder=publisher) if publisher else answer


async def free_ports(wanted: Iterable[int]) -> dict[int, int]:
    """For each container port a free host port: the same number where it is free and needs no root, else the next."""
    return await asyncio.to_thread(_free_ports, tuple(wanted))


def _free_ports(wanted: tuple[int, ...]) -> dict[int, int]:
    found: dict[int, int] = {}
    for port in wanted:
        start = port if port >= 1024 else 8000 + port
        found[port] = ports.next_free(start, avoid=tuple(found.values())) or start
    return found
