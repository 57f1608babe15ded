"""The data disk, made and looked at with the real qemu-img."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from tests.e2e.machine.programs import need
from vm.qemu.disks import check, drop_saved, grow, inspect, make_disk
from vm.qemu.errors import (
    DiskCorrupt,
    DiskExists,
    DiskForeign,
    DiskMissing,
    DiskShrinks,
    DiskToolFailed,
    HostDiskFull,
)

pytestmark = pytest.mark.asyncio
GIB = 1 << 30


@pytest.fixture
def tool() -> Path:
    return need("qemu-img")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / 'it\'s, a: "folder" $HOME é'
    folder.mkdir()
    return folder / "data.qcow2"


def seen_by_a_guest(tool: Path, disk: Path, size: int) -> bytes:
    raw = disk.with_name("raw")
    subprocess.run([tool, "convert", "-f", "qcow2", "-O", "raw", disk, raw], check=True)
    with open(raw, "rb") as file:
        return file.read(size)


async def test_a_new_disk_has_its_size_its_magic_and_nothing_else(tool: Path, disk: Path) -> None:
    await make_disk(tool, disk, GIB, b"our magic")
    found = await inspect(tool, disk)
    assert (found.size, found.saved) == (GIB, ())
    assert found.used < 1 << 20
    assert seen_by_a_guest(tool, disk, 8192) == b"our magic".ljust(8192, b"\0")
    assert stat.S_IMODE(disk.stat().st_mode) == 0o600
    assert sorted(path.name for path in disk.parent.iterdir()) == ["data.qcow2", "raw"]
    await check(tool, disk)


async def test_a_file_that_is_there_is_never_replaced(tool: Path, disk: Path) -> None:
    disk.write_text("precious")
    with pytest.raises(DiskExists):
        await make_disk(tool, disk, GIB, b"m")
    disk.unlink()
    disk.symlink_to("/nowhere")
    with pytest.raises(DiskExists):
        await make_disk(tool, disk, GIB, b"m")
    assert [path.name for path in disk.parent.iterdir()] == ["data.qcow2"]


async def test_what_an_attempt_left_behind_does_not_stand_in_the_way(tool: Path, disk: Path) -> None:
    for name in ("data.qcow2.seed", "data.qcow2.new"):
        disk.with_name(name).write_text("half")
    await make_disk(tool, disk, GIB, b"m")
    assert [path.name for path in disk.parent.iterdir()] == ["data.qcow2"]


async def test_it_grows_keeps_what_is_in_it_and_never_shrinks(tool: Path, disk: Path) -> None:
    await make_disk(tool, disk, GIB, b"our magic")
    await grow(tool, disk, 2 * GIB)
    await grow(tool, disk, 2 * GIB)
    assert (await inspect(tool, disk)).size == 2 * GIB
    with pytest.raises(DiskShrinks):
        await grow(tool, disk, GIB)
    assert (await inspect(tool, disk)).size == 2 * GIB
    assert seen_by_a_guest(tool, disk, 9) == b"our magic"


async def test_a_saved_state_is_seen_and_dropped(tool: Path, disk: Path) -> None:
    await make_disk(tool, disk, GIB, b"m")
    subprocess.run([tool, "snapshot", "-c", "suspended", disk], check=True)
    assert (await inspect(tool, disk)).saved == ("suspended",)
    await drop_saved(tool, disk, "suspended")
    assert (await inspect(tool, disk)).saved == ()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\xeb\x3c" + bytes(4096)])
async def test_a_foreign_file_is_refused_and_stays(tool: Path, disk: Path, content: bytes) -> None:
    disk.write_bytes(content)
    with pytest.raises(DiskForeign):
        await inspect(tool, disk)
    with pytest.raises(DiskForeign):
        await grow(tool, disk, GIB)
    assert disk.read_bytes() == content


async def test_an_image_that_leads_elsewhere_is_refused(tool: Path, disk: Path) -> None:
    secret = disk.with_name("secret")
    secret.write_bytes(bytes(1 << 20))
    subprocess.run([tool, "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", disk], check=True)
    with pytest.raises(DiskForeign, match="leans on another file"):
        await inspect(tool, disk)
    disk.unlink()
    options = f"data_file={disk.with_name('other')}".replace(",", ",,")
    subprocess.run([tool, "create", "-q", "-f", "qcow2", "-o", options, disk, "1G"], check=True)
    with pytest.raises(DiskForeign, match="content in another file"):
        await inspect(tool, disk)


async def test_contradicting_tables_are_told(tool: Path, disk: Path) -> None:
    await make_disk(tool, disk, GIB, b"m")
    with open(disk, "r+b") as file:
        file.seek(40)  # The offset of the first table (docs/interop/qcow2.txt).
        (table,) = struct.unpack(">Q", file.read(8))
        file.seek(table)
        file.write(struct.pack(">Q", (1 << 63) | 0x1200))
    with pytest.raises(DiskCorrupt):
        await check(tool, disk)


async def test_a_file_that_is_gone_or_forbidden_is_told_in_qemus_words(tool: Path, disk: Path) -> None:
    with pytest.raises(DiskMissing, match="is not there"):
        await inspect(tool, disk)
    with pytest.raises(DiskToolFailed, match="No such file"):
        await make_disk(tool, disk.parent / "none" / "data.qcow2", GIB, b"m")


async def test_no_room_on_this_computer(tmp_path: Path, disk: Path) -> None:
    tool = tmp_path / "qemu-img"
    tool.write_text('#!/bin/sh\necho "qemu-img: error while writing: No space left on device" >&2\nexit 1\n')
    tool.chmod(0o755)
    with pytest.raises(HostDiskFull):
        await make_disk(tool, disk, GIB, b"m")
    assert os.listdir(disk.parent) == []


async def test_a_place_that_is_no_folder(tool: Path, disk: Path) -> None:
    disk.write_bytes(b"")
    with pytest.raises(DiskToolFailed, match="Not a directory"):
        await make_disk(tool, disk / "data.qcow2", GIB, b"m")
