"""A machine whose QEMU is the fake: its folder, its command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import qemu as fake
from vm.qemu.commandline import Boot, Drives, Hardware, Machine

FakeArgv = Callable[..., list[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine in a folder of its own, with a disk that is only a file."""
    folder = tmp_path / 'it\'s, a "folder" é'
    folder.mkdir()
    (folder / "data.qcow2").write_bytes(b"")
    boot = Boot(folder / "kernel", folder / "initrd")
    return Machine(folder, boot, Drives(folder / "root", folder / "data.qcow2"), Hardware(1, 512), 2222)


@pytest.fixture
def fake_argv() -> FakeArgv:
    """`fake_argv("stubborn")`: the fake with these faults."""

    def words(*faults: str) -> list[str]:
        return [sys.executable, str(Path(fake.__file__)), json.dumps({"faults": faults})]

    return words
