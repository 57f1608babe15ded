"""Finds out whether a container ended because it could not own a folder of this computer, as databases want to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from app.commands.run.form import MountRow, RunForm
from app.notices import Notice, Step
from app.places import RUN, Place
from backend import logs
from backend.client import Engine
from backend.types.containers import ContainerDetails, Mount

TAIL = 60
_REFUSED = re.compile(
    r"(?:chown|could not change (?:permissions|ownership) of)\b[^\n]*?['\"`‘]?(/[^\s:'\"`’]*)['\"`’]?"
    r"[^\n]*?: *(?:Operation not permitted|Permission denied)",
    re.IGNORECASE,
)


async def refused_mount(engine: Engine, details: ContainerDetails) -> Mount | None:
    """The mount of this computer whose owner the container could not change. Raises BackendError."""
    from app.machinehere import machine_at  # Late, as most have no machine.

    binds = [mount for mount in details.mounts or () if mount.type == "bind"]
    if not binds or details.state.running or not details.state.exit_code or machine_at(engine.endpoint) is None:
        return None
    said = b""
    async with await logs.logs(engine, details.id, tail=TAIL, timestamps=False, tty=details.config.tty) as stream:
        async for batch in stream:
            said += b"".join(payload for _, payload in batch)
    return mount_in(said.decode("utf-8", "replace"), binds)


def mount_in(log: str, binds: Iterable[Mount]) -> Mount | None:
    """The mount that a log complains of in this way; of several that hold the path, the innermost."""
    inner_first = sorted(binds, key=lambda mount: len(mount.destination), reverse=True)
    for found in _REFUSED.finditer(log):
        for mount in inner_first:
            place = mount.destination.rstrip("/")
            if found[1].rstrip("/") == place or found[1].startswith(place + "/"):
                return mount
    return None


def ownership_notice(name: str, mount: Mount, form: RunForm | None = None) -> Notice:
    """What is told of it; with the form that made the container, its dialog with a volume in the folder's place."""
    words = (
        f"It wants {mount.destination} for a user of its own, and files of this computer keep their owner in the "
        "machine. Databases do so: give them a named volume."
    )
    step = Step("Use a volume…", "go", Place(RUN, extra=_with_volume(form, mount))) if form is not None else None
    return Notice(f"{name} cannot own its folder", words, step, "warning")


def _with_volume(form: RunForm, mount: Mount) -> RunForm:
    kept = f"{form.name or form.image.rpartition('/')[2].partition(':')[0]}-data"
    rows = tuple(
        MountRow("volume", kept, row.target, row.read_only)
        if row.kind == "bind" and row.target.rstrip("/") == mount.destination.rstrip("/")
        else row
        for row in form.mounts
    )
    # The one that ended still has the name.
    return replace(form, name=f"{form.name}-2" if form.name else "", mounts=rows)
