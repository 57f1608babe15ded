"""The machine of this computer as an engine among others, while its socket is there."""

from __future__ import annotations

from app import paths
from backend.discovery import Candidate
from backend.endpoint import UnixSocket
from vm.paths import MachinePaths

LABEL = "Machine"


def machine_here() -> list[Candidate]:
    """The machine's engine; nothing where none has come up, or where our folders cannot be used."""
    try:
        socket = MachinePaths.below(paths.data_dir(), paths.runtime_dir()).socket
    except OSError:
        return []
    return [Candidate(LABEL, "machine", UnixSocket(str(socket)))] if socket.exists() else []
