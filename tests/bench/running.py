"""A child process that tells when it has painted, and is stopped when it was measured."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.crowd import Crowd

SECONDS = 60


@dataclass(frozen=True)
class Running:
    """`seconds` from its start to its first full paint, `cpu` of them at work, with `rows` rows in sight."""

    pid: int
    seconds: float
    rows: int
    cpu: float


@contextmanager
def running(crowd: Crowd, kind: str, height: int, page: str = "") -> Iterator[Running]:
    """Starts `tests.bench.program` and waits until it has painted; ends it afterwards."""
    # The program comes back to its last page, so each page has a home of its own.
    environment = crowd.environment | {"PILOTHOUSE_HOME": str(crowd.home / f"pilothouse-{page}")}
    command = [sys.executable, "-m", "tests.bench.program", kind, str(height), *([page] if page else [])]
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert select.select([child.stdout], [], [], SECONDS)[0], f"{kind} painted nothing in {SECONDS} s"
            told = child.stdout.readline().split()
            assert len(told) == 3, f"{kind} ended before it painted"
            yield Running(child.pid, float(told[0]) - began, int(told[1]), float(told[2]))
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
