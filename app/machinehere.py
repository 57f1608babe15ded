"""The machine of this computer as an engine among others, while its socket is there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app import paths
from app.notices import Notice, sentence
from backend.discovery import MACHINE, Candidate
from backend.endpoint import Endpoint
from vm.local import is_there
from vm.paths import MachinePaths
from vm.report import Report

if TYPE_CHECKING:
    from vm.machine import Machine

LABEL = "Machine"


def machine_here() -> list[Candidate]:
    """The machine's engine; nothing where none has come up, or where our folders cannot be used."""
    where = _paths()
    return [Candidate(LABEL, MACHINE, where.endpoint)] if where is not None and is_there(where.socket) else []


def without_stopped(found: Iterable[Candidate]) -> list[Candidate]:
    """Leaves out docker's context of our machine while that does not run, unless docker would use it."""
    where = _paths()
    if where is None or is_there(where.socket):
        return list(found)
    return [each for each in found if each.current or each.endpoint != where.endpoint]


def machine_at(endpoint: Endpoint) -> Machine | None:
    """The machine of this computer, where that is what answers at the endpoint."""
    where = _paths()
    if where is None or endpoint != where.endpoint:
        return None
    from vm.machine import Machine  # Late: that an engine is listed needs nothing of it.

    return Machine(where)


def _paths() -> MachinePaths | None:
    try:
        return MachinePaths.below(paths.data_dir(), paths.runtime_dir())
    except OSError:
        return None


def _reason(report: Report, path: str) -> str:
    return next((each.reason for each in report.shares if each.path == os.path.normpath(path)), "")


async def shared_with_machine(path: str) -> Notice:
    """Shares a folder with the machine; what came of it. Raises MachineError."""
    from vm.machine import Machine  # Late: it brings cryptography with it.

    report = await Machine(MachinePaths.below(paths.data_dir(), paths.runtime_dir())).share(path)
    why = _reason(report, path)
    if why:
        return Notice("The folder is not shared", f"{path}: {sentence(why)}")
    return Notice(
        "The machine sees the folder now",
        f"{path} is shared. Containers can have it and what is in it.",
        kind="success",
    )
