"""Starting a supervisor as a process of its own, and burying those that ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from vm import local
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
            env={**os.environ, "PYTHONPATH": os.pathsep.join(known)},
            **local.alone(),
        )
    _launched.append(process)
    return process


def reap() -> None:
    """Bury the supervisors that ended."""
    _launched[:] = [process for process in _launched if process.poll() is None]
