"""The machine of this computer as an engine among others, while its socket is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from app import paths
from backend.discovery import MACHINE, Candidate
from backend.endpoint import Endpoint, UnixSocket
from vm.paths import MachinePaths

if TYPE_CHECKING:
    from vm.machine import Machine

LABEL = "Machine"


def machine_here() -> list[Candidate]:
    """The machine's engine; nothing where none has come up, or where our folders cannot be used."""
    socket = _socket()
    return [Candidate(LABEL, MACHINE, UnixSocket(str(socket)))] if socket is not None and socket.exists() else []


def without_stopped(found: Iterable[Candidate]) -> list[Candidate]:
    """Leaves out docker's context of our machine while that does not run, unless docker would use it."""
    socket = _socket()
    if socket is None or socket.exists():
        return list(found)
    return [each for each in found if each.current or each.endpoint != UnixSocket(str(socket))]


def machine_at(endpoint: Endpoint) -> Machine | None:
    """The machine of this computer, where that is what answers at the endpoint."""
    socket = _socket()
    if socket is None or endpoint != UnixSocket(str(socket)):
        return None
    from vm.machine import Machine  # Late: that an engine is listed needs nothing of it.

    return Machine(MachinePaths.below(paths.data_dir(), paths.runtime_dir()))


def _socket() -> Path | None:
    try:
        return MachinePaths.below(paths.data_dir(), paths.runtime_dir()).socket
    except OSError:
        return None
