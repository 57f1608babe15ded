"""Starting the supervisor in a session of its own, detached from the window's life."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backend.embedded.paths import EmbeddedPaths

_launched: list[subprocess.Popen[bytes]] = []
"""Supervisors that this process started: it is their parent, and has to bury them."""


def launch(paths: EmbeddedPaths) -> subprocess.Popen[bytes]:
    """Start the supervisor on the plan in `paths.plan`. It outlives this process."""
    script = Path(__file__).absolute().with_name("supervisor.py")
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(script), str(paths.plan)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    _launched.append(process)
    return process


def reap() -> None:
    """Bury the supervisors that ended."""
    _launched[:] = [process for process in _launched if process.poll() is None]
