"""The machine of this computer as an engine among others, while its socket is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app import paths
from backend.discovery import MACHINE, Candidate
from backend.endpoint import Endpoint
from vm.local import is_there
from vm.paths import MachinePaths

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
