"""Starting a supervisor as a process of its own, burying those that ended, and asking whether one lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from vm.paths import MachinePaths

_launched: list[subprocess.Popen[bytes]] = []
"""Supervisors that this process started: it is their parent, and has to bury them."""


def launch(paths: MachinePaths) -> subprocess.Popen[bytes]:
    """Start the supervisor in a session of its own; it outlives this process."""
    root = str(Path(__file__).absolute().parents[1])
    known = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    with open(paths.words, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as words:
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", "vm.supervisor", str(paths.home), str(paths.runtime)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            start_new_session=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(known)},
        )
    _launched.append(process)
    return process


def reap() -> None:
    """Bury the supervisors that ended."""
    _launched[:] = [process for process in _launched if process.poll() is None]


def held(path: Path) -> bool:
    """Whether a supervisor holds this lock."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
