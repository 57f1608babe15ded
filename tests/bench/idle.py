"""What the program costs when nobody touches it, beside Lazydocker on the same engine in the same run."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench import machine
from tests.bench.crowd import Crowd
from tests.bench.rows import Row, allowed
from tests.bench.running import running
from tests.bench.start import TALL

WARM, WINDOW = 10.0, 20.0
OFF_SCREEN, ON_SCREEN = 0.5, 3.0
"""The most, in per cent of one core."""


def measure(crowd: Crowd) -> list[Row]:
    """(d) idle. The ratio is to Lazydocker; the limit is the allowed share of a core, told as such a ratio."""
    _, rest = _watched(crowd, [])
    with _lazydocker(crowd) as peer:
        lazy, lazy_engine = _watched(crowd, [peer])
    found = [Row("idle: Lazydocker, engine's share / at rest", lazy_engine, "%", rest)]
    for name, height, page, most in (
        ("stats off screen", 800, "images", OFF_SCREEN),
        ("stats on screen, 1280 x 800", 800, "", ON_SCREEN),
        ("stats of 50 on screen", TALL, "", ON_SCREEN),
    ):
        with running(crowd, "pilothouse", height, page) as program:
            ours, engine = _watched(crowd, [program.pid])
        found.append(allowed(f"idle, {name} / Lazydocker", ours, "%", most, lazy))
        found.append(Row(f"idle, {name}: engine's share / Lazydocker's", engine, "%", lazy_engine))
    return found


def _watched(crowd: Crowd, pids: list[int]) -> tuple[float, float]:
    """Per cent of a core, of `pids` and of the engine, after a warm-up."""
    time.sleep(WARM if pids else 1)
    engine = crowd.engine_pids()
    before = {pid: machine.cpu_seconds(pid) for pid in (*pids, *engine)}
    began = time.monotonic()
    time.sleep(WINDOW)
    seconds = time.monotonic() - began
    return machine.cpu_share(pids, before, seconds), machine.cpu_share(engine, before, seconds)


@contextmanager
def _lazydocker(crowd: Crowd) -> Iterator[int]:
    """Lazydocker on a terminal of its own that somebody reads; its process id."""
    program = Path(sys.executable).parent / "lazydocker"
    child, ours = pty.fork()  # It wants a controlling terminal, which only this gives.
    if child == 0:
        os.execve(program, [str(program)], crowd.environment | {"TERM": "xterm-256color"})
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    drawn = [0]

    def read() -> None:
        with suppress(OSError):
            while part := os.read(ours, 65536):
                drawn[0] += len(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield child
        assert os.waitpid(child, os.WNOHANG)[0] == 0, "Lazydocker ended by itself"
        assert drawn[0] > 1000, "Lazydocker drew nothing"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        reader.join(5)
        os.close(ours)
