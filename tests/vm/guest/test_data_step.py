"""The guest's step for the data disk, run by busybox's shell over a file: what it marks, and what it leaves alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.machine.programs import need
from vm.guest.disk import BLANK, SECTOR, DataVersion, mark, read_mark
from vm.guest.recipe import FILES

STEP = FILES / "root/usr/lib/pilothouse/steps/40-data"
MINE = DataVersion(1, 26)
COMMON = """
run={folder}/run data={folder}/data
disk() {{ echo {folder}/disk; }}
say() {{ :; }}
refuse() {{ echo "$*" >&2; exit 1; }}
mount() {{ touch {folder}/mounted; }}
resize2fs() {{ :; }}
"""
"""In place of what the guest has: its disk is a file, and nothing is mounted."""


def _program(name: str) -> str:
    return shutil.which(name, path="/usr/sbin:/sbin:/usr/bin") or str(need(name))


class Guest:
    """The step with its disk, one of 1 GiB that takes no room."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.disk = folder, folder / "disk"
        (folder / "run").mkdir()
        (folder / "blank-disk").write_bytes(BLANK)
        (folder / "data-mark").write_bytes(mark(MINE))
        words = STEP.read_text(encoding="utf-8").replace(". /usr/lib/pilothouse/common", COMMON.format(folder=folder))
        # By their paths: this busybox has programs of that name as well.
        mke2fs, e2fsck = (f"{_program(name)} -" for name in ("mke2fs", "e2fsck"))
        named = (("/usr/sbin/mke2fs -", mke2fs), ("e2fsck -p", f"{e2fsck}p"), ("/usr/lib/pilothouse/", f"{folder}/"))
        for old, new in (*named, ("/dev/console", "/dev/null")):
            words = words.replace(old, new)
        (folder / "step").write_text(words)
        with self.disk.open("wb") as disk:
            disk.write(BLANK)
            disk.truncate(1 << 30)

    def run(self) -> str:
        """What it refuses with; empty where it mounted the disk."""
        (self.folder / "mounted").unlink(missing_ok=True)
        words = [str(need("busybox")), "ash", str(self.folder / "step")]
        known = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(words, capture_output=True, text=True, env=known, check=False)
        assert (self.folder / "mounted").exists() is (done.returncode == 0), done.stderr
        return done.stderr.strip()

    @property
    def beginning(self) -> bytes:
        with self.disk.open("rb") as disk:
            return disk.read(8192)

    def write(self, at: int, content: bytes) -> None:
        with self.disk.open("r+b") as disk:
            disk.seek(at)
            disk.write(content)


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return Guest(tmp_path)


def test_a_blank_disk_is_formatted_once_and_marked(guest: Guest) -> None:
    assert guest.run() == ""
    first = guest.beginning
    assert first[:SECTOR] == BLANK[:SECTOR]
    assert read_mark(first) == MINE
    assert not first[2048:4096].strip(b"\0")
    assert guest.run() == ""
    guest.write(SECTOR, mark(DataVersion(1, 20)))
    assert guest.run() == ""
    assert read_mark(guest.beginning) == MINE


@pytest.mark.parametrize(
    ("sector", "reason"),
    [(mark(DataVersion(2, 26)), "newer"), (mark(DataVersion(1, 27)), "newer"), (b"some words of others", "foreign")],
)
def test_newer_data_are_refused_before_anything_is_written(guest: Guest, sector: bytes, reason: str) -> None:
    assert guest.run() == ""
    guest.write(SECTOR, sector.ljust(SECTOR, b"\0"))
    before = guest.disk.stat()
    assert guest.run().endswith(reason)
    after = guest.disk.stat()
    assert (after.st_mtime_ns, after.st_blocks) == (before.st_mtime_ns, before.st_blocks)


def test_a_broken_first_block_is_mended_and_keeps_its_mark(guest: Guest) -> None:
    assert guest.run() == ""
    guest.write(1024, bytes(1024))
    assert guest.run() == ""
    assert read_mark(guest.beginning) == MINE
