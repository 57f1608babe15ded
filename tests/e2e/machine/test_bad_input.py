"""What is wrong with QEMU, an image or a home, as the command line tells it: the step, the reason and the way out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.scripting import MISSING
from tests.e2e.machine.computer import PATIENCE, Computer, a_computer
from vm.guest.manifest import MANIFEST
from vm.qemu.host import this_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
OTHER = {"x86_64": b"\xb7\0", "aarch64": b"\x3e\0"}
"""The processor in the head of a program that is not for this one."""
VERSION = '#!/bin/sh\ncase "$*" in --version) echo "QEMU emulator version {version}"; exit 0 ;; esac\n'
CRASH = 'echo "qemu: could not find its firmware" >&2\nkill -SEGV $$\n'


@pytest.fixture(scope="module")
def computer() -> Iterator[Computer]:
    """With a machine that was made and never started."""
    with a_computer() as made:
        made.create()
        yield made


@pytest.fixture
def programs(computer: Computer) -> Iterator[Path]:
    """The only folder of PATH, without a QEMU in it; qemu-img is the real one."""
    folder = computer.home.parent / "programs"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "qemu-img").symlink_to(str(shutil.which("qemu-img")))
    yield folder
    shutil.rmtree(folder)


def a_qemu(folder: Path, content: str | bytes) -> Path:
    """A program that is called like QEMU."""
    made = folder / this_host().emulator
    made.write_bytes(content if isinstance(content, bytes) else content.encode())
    made.chmod(0o755)
    return made


def refused(computer: Computer, programs: Path, *words: str, code: int = 1) -> str:
    """What is said; and that is all: nothing runs, and the machine is as it was."""
    before = {each.name for each in computer.machine.iterdir()}
    done = computer.cli(*words, environment={"PATH": str(programs)})
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    left = ("failure", "supervisor", "trial")
    assert all(each.name.startswith(left) for each in computer.machine.iterdir() if each.name not in before)
    assert not computer.socket.exists()
    return done.stderr


def test_no_qemu_names_where_it_was_looked_for_and_what_installs_it(computer: Computer, programs: Path) -> None:
    said = refused(computer, programs, "start")
    assert "Looking for QEMU" in said
    assert str(programs) in said
    assert "Install" in said
    if (apt := shutil.which("apt-get")) is not None:
        (programs / "apt-get").symlink_to(apt)
        assert "apt-get install" in refused(computer, programs, "start")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (VERSION.format(version="4.2.0") + "exit 1\n", "4.2.0"),
        ("#!/bin/sh\necho 'libpixman-1.so.0: cannot open shared object file' >&2\nexit 127\n", "libpixman-1.so.0"),
        ("#!/bin/sh\necho I am something else\n", "I am something else"),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0" + OTHER[this_host().arch] + bytes(44), "built for"),
    ],
    ids=["too old", "crashing", "something else", "of another processor"],
)
def test_a_qemu_that_cannot_be_used_is_named(
    computer: Computer, programs: Path, content: str | bytes, reason: str
) -> None:
    named = a_qemu(programs, content)
    said = refused(computer, programs, "start")
    assert "Looking for QEMU" in said
    assert str(named) in said
    assert reason in said


def test_a_qemu_that_runs_no_guest_says_what_was_tried(computer: Computer, programs: Path) -> None:
    a_qemu(programs, VERSION.format(version="8.2.2") + CRASH)
    said = refused(computer, programs, "start")
    assert "virtualization" in said
    assert "could not find its firmware" in said
    assert computer.told("status", code=3)["failure"]["step"] == "accelerator"


def test_an_image_that_was_altered_is_not_started_and_not_taken(computer: Computer, programs: Path) -> None:
    root = computer.image / "root"
    with root.open("r+b") as file:
        file.seek(4096)
        kept = file.read(1)
        file.seek(4096)
        file.write(bytes((kept[0] ^ 1,)))
    try:
        said = refused(computer, programs, "start")
        assert "Checking the image" in said
        assert "Root has another checksum" in said
        assert "make guest" in said
    finally:
        with root.open("r+b") as file:
            file.seek(4096)
            file.write(kept)


def test_an_image_of_another_processor_or_version_is_not_taken(computer: Computer) -> None:
    manifest = computer.image / MANIFEST
    kept = manifest.read_bytes()
    other = {"amd64": "arm64", "arm64": "amd64"}
    for change in ({"arch": other[json.loads(kept)["arch"]]}, {"schema": 99}):
        manifest.write_bytes(json.dumps({**json.loads(kept), **change}).encode())
        try:
            done = computer.cli("start")
            assert done.returncode == 1
            assert "Checking the image" in done.stderr
            assert "make guest" in done.stderr
        finally:
            manifest.write_bytes(kept)


def test_no_image_says_what_builds_one(computer: Computer) -> None:
    home = computer.home.parent / "another"
    home.mkdir(mode=0o700)
    if os.getuid() == 0:
        shutil.chown(home, computer.home.stat().st_uid, computer.home.stat().st_gid)
    nowhere = str(computer.home.parent / "nowhere")
    words = ("create", "--image", nowhere)
    done = computer.cli(*words, environment={"PILOTHOUSE_HOME": str(home)})
    assert done.returncode == MISSING
    assert nowhere in done.stderr
    assert "make guest" in done.stderr


def test_a_home_that_cannot_be_used_is_named(computer: Computer) -> None:
    place = computer.home.parent / "a file"
    place.write_text("in the way")
    for verb in ("create", "start", "status"):
        done = computer.cli(verb, environment={"PILOTHOUSE_HOME": str(place)})
        assert done.returncode == MISSING
        assert str(place) in done.stderr
        assert "Traceback" not in done.stderr


def test_a_disk_of_somebody_else_is_left_alone(computer: Computer) -> None:
    disk = computer.machine / "data.qcow2"
    away = disk.with_name("away")
    disk.rename(away)
    disk.write_bytes(b"somebody's letters")
    try:
        done = computer.cli("start")
        assert done.returncode == 1
        assert "Looking at the disk" in done.stderr
        assert str(disk) in done.stderr
        assert "Nothing on it was changed" in done.stderr
        assert disk.read_bytes() == b"somebody's letters"
    finally:
        away.replace(disk)


def test_a_supervisor_that_dies_at_once_leaves_nothing_running(computer: Computer) -> None:
    control = computer.runtime / "control.sock"
    control.unlink(missing_ok=True)
    control.mkdir(parents=True)
    try:
        done = computer.cli("start")
        assert done.returncode == 1
        assert "Starting what runs it" in done.stderr
    finally:
        control.rmdir()
    found = subprocess.run(["pgrep", "-f", str(computer.machine)], capture_output=True, timeout=PATIENCE, check=False)
    assert found.stdout == b""
