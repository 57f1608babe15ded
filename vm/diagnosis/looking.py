"""Looking at everything: each check has its time, and one that fails or hangs keeps no other from its result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

from backend.errors import BackendError
from vm.diagnosis import here, inside
from vm.diagnosis.check import Check, Name
from vm.diagnosis.seen import NotRunning, Seen
from vm.errors import MachineError
from vm.qemu.errors import QemuError

if TYPE_CHECKING:
    from vm.machine import Machine

Look = Callable[[Seen], Awaitable[Check]]
STATE_SECONDS = 25.0
CHECKS: dict[Name, tuple[float, Look]] = {
    "qemu": (40, here.qemu),
    "accelerator": (120, here.accelerator),
    "image": (60, here.image),
    "disk": (300, here.disk),
    "space": (10, here.space),
    "folders": (10, here.folders),
    "process": (10, here.process),
    "socket": (10, here.socket),
    "ssh": (60, inside.ssh),
    "engine": (20, here.engine),
    "room": (90, inside.room),
    "names": (150, inside.names),
    "proxy": (120, inside.proxy),
    "time": (90, inside.time),
    "ports": (30, here.ports),
    "shares": (10, here.shares),
}
"""Each check with its deadline; those inside wait for the way in."""


async def diagnose(machine: Machine) -> AsyncGenerator[Check, None]:
    """Every check as it is done. Raises nothing of ours."""
    seen = await Seen.of(machine, STATE_SECONDS)
    running = [asyncio.ensure_future(_bounded(name, *check, seen)) for name, check in CHECKS.items()]
    try:
        for done in asyncio.as_completed(running):
            yield await done
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await seen.close()


async def _bounded(name: Name, seconds: float, look: Look, seen: Seen) -> Check:
    limit = seen.patience(seconds)
    try:
        async with asyncio.timeout(limit):
            return await look(seen)
    except NotRunning:
        return Check(name, "unknown", "", "not-running")
    except (QemuError, MachineError, BackendError, OSError, ValueError) as error:
        if type(error) is TimeoutError:
            return Check(name, "unknown", f"nothing within {limit:g} s", "late")
        return Check(name, "bad", str(error) or type(error).__name__, type(error).__name__)
