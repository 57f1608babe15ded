"""Refuses to run what binds a folder that the machine does not see, before anything is made."""

from __future__ import annotations

import asyncio

from app.commands.run.form import RunForm
from backend.client import Engine
from backend.endpoint import Endpoint


async def refuse_unshared(engine: Engine, form: RunForm) -> None:
    """Raises PathNotShared for the first such folder, where the engine is that of the machine."""
    sources = [row.source for row in form.mounts if row.kind == "bind"]
    if sources:
        await asyncio.to_thread(_refuse, engine.endpoint, sources)


def _refuse(endpoint: Endpoint, sources: list[str]) -> None:
    from app.machinehere import machine_at  # Late, as most who run something have no machine.

    machine = machine_at(endpoint)
    if machine is None:
        return
    from vm.errors import MachineError, PathNotShared
    from vm.making import read
    from vm.shares.places import reached

    try:
        shares = read(machine.paths).shares
    except MachineError:
        return  # The engine will say what it makes of it.
    for source in sources:
        if not reached(source, shares):
            raise PathNotShared(source)
