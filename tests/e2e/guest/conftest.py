"""One booted guest for a module; QEMU missing is a skip with its reason, except where the gate runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.guest.machine import PROGRAMS, Guest, blank_disk
from tests.e2e.machine.programs import need


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A guest whose engine answers; leave it so."""
    for name in (PROGRAMS["amd64"], "mksquashfs", "ssh"):
        need(name)
    folder = tmp_path_factory.mktemp("guest")
    started = Guest(folder, blank_disk(folder / "data"))
    try:
        started.start()
        started.wait_for("READY")
        yield started
    finally:
        started.kill()


@pytest.fixture
def other_guest(tmp_path: Path) -> Iterator[Guest]:
    """A guest of the test's own, not started; its disk is not there yet."""
    for name in (PROGRAMS["amd64"], "mksquashfs", "ssh"):
        need(name)
    made = Guest(tmp_path, tmp_path / "data")
    try:
        yield made
    finally:
        made.kill()
