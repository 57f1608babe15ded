"""Checks inside of the guest, over SSH: the way in, room on its disk, names, the proxy, the time."""

from __future__ import annotations

import asyncio
import shlex
import socket
from contextlib import suppress
from time import time as now
from urllib.parse import urlsplit

from vm.diagnosis.check import Check
from vm.diagnosis.seen import Seen

FULL, LOW = 95, 85
"""Percent of the guest's disk in use."""
OFF = 2.0
"""Seconds that the guest's clock may be off."""
ELSEWHERE = "registry-1.docker.io"
HERE = "host.docker.internal"
RESOLVE_SECONDS = 10
HANDED = "/run/pilothouse/handed"


async def ssh(seen: Seen) -> Check:
    """Whether the guest lets us in."""
    try:
        said = await seen.ask("uptime")
    except (OSError, ValueError) as error:
        return Check("ssh", "bad", str(error), "no-way-in", "restart")
    assert seen.report is not None
    return Check("ssh", "good", f"127.0.0.1:{seen.report.ssh_port}, {' '.join(said.split())}")


async def room(seen: Seen) -> Check:
    """What is free on the disk of the guest."""
    said = (await seen.ask("df -Pk /var/lib/pilothouse | tail -n 1")).split()
    size, free, percent = int(said[1]), int(said[3]), int(said[4].rstrip("%"))
    told = f"{free / 1e6:.1f} of {size / 1e6:.1f} GB free"
    if percent >= LOW:
        return Check("room", "bad" if percent >= FULL else "warning", told, "guest-full")
    return Check("room", "good", told)


async def names(seen: Seen) -> Check:
    """Whether the guest resolves this computer's own name and one of the world."""
    found = []
    for name in (HERE, ELSEWHERE):
        asked = f"timeout {RESOLVE_SECONDS} nslookup -type=a {name} 127.0.0.1 2>/dev/null"
        said = await seen.ask(f"nslookup -type=a {name} 2>/dev/null || {asked}", 2 * RESOLVE_SECONDS + 10)
        found.append(_address(said, name))
    told = ", ".join(
        f"{name}: {address or 'no answer'}" for name, address in zip((HERE, ELSEWHERE), found, strict=True)
    )
    here, elsewhere = found
    if not here:
        return Check("names", "bad", told, "no-name-of-host", "names")
    if not elsewhere:
        if not await _resolves_here():
            return Check("names", "warning", told, "nothing-resolves")
        return Check("names", "bad", told, "no-names", "names")
    return Check("names", "good", told)


def _address(said: str, name: str) -> str:
    """The address that nslookup gives to a name, and not that of the server which it asked."""
    _, named, rest = said.partition(f"Name:\t{name}")
    for line in rest.splitlines() if named else ():
        key, _, value = line.partition(":")
        if key.startswith("Address"):
            return value.strip().partition(" ")[0]
    return ""


async def _resolves_here() -> bool:
    with suppress(OSError):
        async with asyncio.timeout(RESOLVE_SECONDS):
            return bool(await asyncio.get_running_loop().getaddrinfo(ELSEWHERE, 443, type=socket.SOCK_STREAM))
    return False


async def proxy(seen: Seen) -> Check:
    """Whether the proxy that the engine was told answers from inside."""
    said = await seen.ask(f"cat {HANDED}/proxy 2>/dev/null")
    lines = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    addresses = {lines[key] for key in ("http", "https") if lines.get(key)}
    if not addresses:
        return Check("proxy", "good", "", "no-proxy")
    told, wrong = [], []
    for address in sorted(addresses):
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname or "", parts.port or 80
        told.append(f"{host}:{port}")  # Never the name and the password that an address may hold.
        tried = await seen.ask(f"nc -z -w 5 {shlex.quote(host)} {port} && echo answers", 20)
        if "answers" not in tried:
            wrong.append(f"{host}:{port}")
    if wrong:
        return Check("proxy", "bad", ", ".join(wrong), "proxy-silent")
    return Check("proxy", "good", ", ".join(told))


async def time(seen: Seen) -> Check:
    """How far the guest's clock is from this computer's."""
    await seen.way()
    before = now()
    said = int(await seen.ask("date +%s"))
    after = now()
    off = said - after if said > after else min(0.0, said + 1 - before)
    told = f"{abs(off):.0f} s"
    return Check("time", "bad", told, "clock", "clock") if abs(off) > OFF else Check("time", "good", told)
