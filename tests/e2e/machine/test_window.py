"""The window and the real machine: where no engine is, one click gives one; the engine has the last word."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.guest.machine import built
from tests.e2e.machine.computer import Computer, is_gone
from tests.e2e.machine.programs import need
from vm.images import ARCHES
from vm.qemu.commandline import free_port
from vm.qemu.host import this_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@pytest.fixture
def computer() -> Iterator[Computer]:
    """A home without a machine."""
    for name in (this_host().emulator, "qemu-img", "mksquashfs", "docker"):
        need(name)
    home = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    made = Computer(home)
    try:
        yield made
    finally:
        made.cli("delete", "--yes", "--timeout", "5")
        shutil.rmtree(home, ignore_errors=True)


def test_one_click_gives_an_engine_that_outlives_the_window(computer: Computer) -> None:
    arch = ARCHES[this_host().arch]
    shutil.copytree(built(arch), computer.home / "built" / arch)
    tar = computer.home / "busybox.tar"
    tar.write_bytes(images.busybox_tar())
    port = free_port()
    words = ["-m", "tests.e2e.machine.windowstory", str(computer.home / "built"), str(port), str(tar)]
    done = subprocess.run(
        [*computer.python, *words],
        cwd=computer.root,
        env=computer.environment,
        capture_output=True,
        text=True,
        timeout=2700,
    )
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-6000:], computer.cli("status").stdout)
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"Checking the image", "Looking for QEMU", "Booting", "Waiting for its engine"} >= set(told["seen"])
    assert "Booting" in told["seen"]
    assert told["label"] == told["found again"] == "Machine"
    assert told["page"] == "ahoy\n"
    assert told["names"] == ["web"]
    assert told["engine"] == f"web 127.0.0.1:{port}->80/tcp"
    said = computer.told("status")
    assert said["state"] == "running"
    assert computer.told("stop")["state"] == "stopped"
    assert is_gone(said["pid"])
