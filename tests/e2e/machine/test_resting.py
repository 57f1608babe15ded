"""The machine at rest and with other means: moved, suspended, asleep, grown, trimmed, out of room, thrown away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine.computer import NOBODY, Computer, a_computer, eventually, fetched, is_gone
from vm.moving import NAME
from vm.qemu.commandline import free_port
from vm.qemu.identity import identity_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
ROOT = os.getuid() == 0
LONG = 600.0
COUNTING = "i=0; while :; do i=$((i+1)); echo $i; sleep 1; done"
MIB = 1 << 20


@pytest.fixture(scope="module")
def drive() -> Iterator[Path]:
    """Another drive, with little room where root can say how much."""
    place = Path(tempfile.mkdtemp(prefix="ph-", dir="/dev/shm"))
    if ROOT:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500m,mode=0755", "none", str(place)], check=True)
        os.chown(place, NOBODY, NOBODY)
    yield place
    if ROOT:
        subprocess.run(["umount", str(place)], check=True)
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def computer(drive: Path) -> Iterator[Computer]:
    """A machine that runs, its disk on another drive; the tests below use it up in their order."""
    with a_computer() as made:
        made.create()
        assert made.told("change", "--idle", "0")["state"] == "stopped"
        assert made.told("move", "--to", str(drive))["state"] == "stopped"
        assert not (made.machine / "data.qcow2").exists()
        made.told("start")
        made.busybox()
        yield made


def counted(computer: Computer) -> int:
    """How far the container has counted."""
    return int(computer.docker("logs", "--tail", "1", "counter") or 0)


def written(folder: Path) -> int:
    """How far a container has counted into a folder of this computer."""
    said = folder / "said"
    return len(said.read_text().splitlines()) if said.exists() else 0


def used(drive: Path) -> int:
    """Bytes that the disk's file takes, as du says."""
    return int(subprocess.check_output(["du", "-B1", str(drive / NAME)]).split()[0])


def stands_still(computer: Computer) -> bool:
    """Whether QEMU says so."""
    said: dict[str, object] = json.loads(computer.cli("status", "--json").stdout)
    return said["qemu"] == "io-error"


def log(computer: Computer) -> str:
    """What its supervisor says."""
    return (computer.machine / "supervisor.log").read_text()


def test_suspended_it_goes_on_where_it_was(computer: Computer) -> None:
    port = free_port()
    serve = "mkdir -p /www && echo hello > /www/said && exec httpd -f -p 80 -h /www"
    computer.docker("run", "-d", "--name", "counter", computer.busybox(), "sh", "-c", COUNTING)
    computer.docker("run", "-d", "--name", "web", "-p", f"{port}:80", computer.busybox(), "sh", "-c", serve)
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    eventually(lambda: counted(computer) > 2)
    folder = computer.home.parent / 'shared, "é"'
    folder.mkdir()
    os.chown(folder, computer.home.stat().st_uid, -1)
    computer.told("share", str(folder))
    bound = ("-v", f"{folder}:/work", computer.busybox())
    computer.docker("run", "-d", "--name", "writer", *bound, "sh", "-c", f"exec >/work/said; {COUNTING}")
    eventually(lambda: written(folder) > 2)
    before = computer.told("status")
    assert (before["suspendable"], before["warnings"]) == ("", [])
    began = computer.docker("inspect", "-f", "{{.State.StartedAt}} {{.State.Pid}}", "counter", "web")
    count = counted(computer)

    assert computer.told("suspend")["state"] == "suspended"
    assert is_gone(before["pid"])
    assert is_gone(before["supervisor"])
    assert not computer.socket.exists()
    state = computer.machine / "state.qcow2"
    assert state.stat().st_mode & 0o777 == 0o600
    assert computer.told("stop")["state"] == "suspended"
    time.sleep(10)

    after = computer.told("resume")
    assert after["state"] == "running"
    assert [each["name"] for each in after["steps"] if each["progress"] == "met"][-3:] == ["wake", "ssh", "engine"]
    assert not state.exists()
    assert computer.docker("inspect", "-f", "{{.State.StartedAt}} {{.State.Pid}}", "counter", "web") == began
    lines = [int(line) for line in computer.docker("logs", "counter").split()]
    assert lines == list(range(1, len(lines) + 1))
    eventually(lambda: counted(computer) > count + 2)
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    wrote = written(folder)
    eventually(lambda: written(folder) > wrote + 2, LONG)
    assert computer.docker("exec", "writer", "head", "-n", "2", "/work/said") == b"1\n2\n"
    off = float(computer.docker("run", "--rm", computer.busybox(), "date", "+%s")) - time.time()
    assert abs(off) < 30  # A container takes a while to start here.
    computer.docker("rm", "-f", "web", "writer")


def test_what_is_freed_this_computer_gets_back(computer: Computer, drive: Path) -> None:
    write = "dd if=/dev/urandom of=/kept/big bs=1M count=60 && sync"
    before = used(drive)
    computer.docker("run", "--rm", "-v", "big:/kept", computer.busybox(), "sh", "-c", write)
    assert used(drive) > before + 50 * MIB
    computer.docker("volume", "rm", "big")
    eventually(lambda: used(drive) < before + 10 * MIB)


@pytest.mark.skipif(not ROOT, reason="only root can make a full disk")
def test_a_full_disk_of_this_computer_is_told_and_it_goes_on_with_room(computer: Computer, drive: Path) -> None:
    filler = drive / "filler"
    left = shutil.disk_usage(drive).free - 20 * MIB
    with open(filler, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, left)
    try:
        write = "dd if=/dev/urandom of=/kept/big bs=1M count=60 && sync && echo whole"
        computer.docker("run", "-d", "--name", "full", "-v", "full:/kept", computer.busybox(), "sh", "-c", write)
        eventually(lambda: stands_still(computer), LONG)
        said = computer.told("status", code=3)
        assert said["state"] == "unresponsive"
        assert [(each["where"], each["stopped"]) for each in said["warnings"]] == [("host", True)]
        assert "stands still until there is room" in computer.cli("status").stdout
    finally:
        filler.unlink(missing_ok=True)
    eventually(lambda: computer.cli("status").returncode == 0, LONG)
    assert computer.docker("wait", "full") == b"0\n"
    assert computer.docker("logs", "full").endswith(b"whole\n")
    count = counted(computer)
    eventually(lambda: counted(computer) > count)
    computer.docker("rm", "-v", "full")
    computer.docker("volume", "rm", "full")


def test_unneeded_it_falls_asleep_and_the_first_connection_wakes_it(computer: Computer) -> None:
    before = computer.told("change", "--idle", "1")
    computer.docker("rm", "-f", "counter")
    eventually(lambda: computer.cli("status").returncode == 3, LONG)
    eventually(lambda: computer.told("status", code=3)["state"] == "asleep", LONG)
    asleep = computer.told("status", code=3)
    assert (asleep["pid"], asleep["supervisor"]) == (0, before["supervisor"])
    assert is_gone(before["pid"])
    assert computer.socket.exists()

    assert computer.busybox().encode() in computer.docker("images", "--format", "{{.Repository}}:{{.Tag}}")
    awake = computer.told("change", "--idle", "0")
    assert (awake["state"], awake["supervisor"]) == ("running", before["supervisor"])
    assert awake["pid"] != before["pid"]


def test_it_is_given_more_after_one_restart_that_is_announced(computer: Computer) -> None:
    write = "echo precious > /kept/said"
    computer.docker("run", "--rm", "-v", "kept:/kept", computer.busybox(), "sh", "-c", write)
    before = computer.told("status")
    assert computer.told("change", "--disk", "12", "--cpus", "1", code=2)["error"] == "NotConfirmed"
    assert computer.told("change", "--disk", "4", "--yes", code=1)["error"] == "DiskShrinks"
    assert computer.told("status")["pid"] == before["pid"]
    after = computer.told("change", "--disk", "12", "--cpus", "1", "--memory", "1536", "--yes")
    assert after["pid"] != before["pid"]
    look = "cat /kept/said; nproc; df -m /kept | tail -n 1; free -m"
    said = computer.docker("run", "--rm", "-v", "kept:/kept", computer.busybox(), "sh", "-c", look).decode().split()
    assert said[:2] == ["precious", "1"]
    assert int(said[3]) > 11000
    assert 1200 < int(said[said.index("Mem:") + 1]) < 1536


def test_what_was_saved_of_another_machine_is_thrown_away_and_the_disk_stays(computer: Computer, drive: Path) -> None:
    assert computer.told("suspend")["state"] == "suspended"
    with open(drive / NAME, "r+b") as disk:  # Whoever writes to it, even the same, makes it another one.
        first = disk.read(1)
        disk.seek(0)
        disk.write(first)
    started = computer.told("start")
    assert "wake" not in [each["name"] for each in started["steps"]]
    assert "thrown away, since it is of another: disk" in log(computer)
    assert not (computer.machine / "state.qcow2").exists()
    read = ("run", "--rm", "-v", "kept:/kept", computer.busybox(), "cat", "/kept/said")
    assert computer.docker(*read) == b"precious\n"


def test_a_reset_throws_all_away_and_it_starts_anew(computer: Computer, drive: Path) -> None:
    assert computer.told("reset", code=2)["error"] == "NotConfirmed"
    running = computer.told("status")
    assert computer.told("reset", "--yes")["state"] == "stopped"
    assert identity_of(running["pid"]).started == ""
    assert used(drive) < 2 * MIB
    assert computer.told("start")["state"] == "running"
    assert computer.docker("volume", "ls", "-q") == b""
    assert computer.told("delete", "--yes")["state"] == "absent"
    assert list(drive.iterdir()) == []
