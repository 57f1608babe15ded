"""The machine's settings, the place of its disk, and all that is in it, changed while it is stopped; real qemu-img."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import pytest_asyncio

from tests.e2e.machine.programs import need
from tests.vm.guest.images import CONTENT, manifest
from vm import making, moving, room
from vm.errors import MachineFolderUnusable, MachineMissing, MachineStartFailed, SettingsUnusable
from vm.guest.manifest import MANIFEST, encode
from vm.guest.trust import mark_built
from vm.machine import Machine
from vm.making import ARCHES, GIB, Settings
from vm.paths import MachinePaths
from vm.qemu.disks import grow, inspect
from vm.qemu.errors import DiskExists, DiskForeign, DiskNoRoom, DiskShrinks, MachineAlreadyRuns
from vm.qemu.host import this_host
from vm.qemu.locks import DiskLock
from vm.report import Failure, write_failure

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(sys.platform == "win32", reason="there the machine has no supervisor yet"),
]
SMALL = Settings(cpus=1, memory=512, disk=GIB)


class Usage(NamedTuple):
    """What shutil.disk_usage says."""

    total: int
    used: int
    free: int


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        monkeypatch.setenv("DOCKER_CONFIG", f"{folder}/docker")
        yield Path(folder)


@pytest_asyncio.fixture
async def machine(home: Path) -> Machine:
    """Made, and stopped."""
    need(this_host().emulator)
    need("qemu-img")
    image = home / "built"
    image.mkdir()
    for name, content in CONTENT.items():
        (image / name).write_bytes(content)
    (image / MANIFEST).write_bytes(encode(manifest(arch=ARCHES[this_host().arch])))
    mark_built(image)
    made = Machine(MachinePaths.below(home / 'it\'s a "home" é', home / "run"))
    await made.create(SMALL, image)
    return made


def elsewhere(kind: str, home: Path) -> Iterator[Path]:
    """A folder, on this file system or on another one."""
    with tempfile.TemporaryDirectory(prefix="ph, 'x' é-", dir=home if kind == "same" else "/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(
    params=["same", pytest.param("other", marks=pytest.mark.skipif(sys.platform != "linux", reason="tmpfs"))]
)
def place(request: pytest.FixtureRequest, home: Path) -> Iterator[Path]:
    yield from elsewhere(request.param, home)


def names(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith((".lock", ".owners")))


@pytest.mark.parametrize(
    ("name", "value"), [("cpus", 0), ("cpus", 256), ("memory", 100), ("memory", 1 << 30), ("disk", 1000), ("idle", -1)]
)
async def test_a_machine_that_cannot_be_is_refused_by_the_setting(machine: Machine, name: str, value: int) -> None:
    with pytest.raises(SettingsUnusable) as caught:
        await machine.change(msgspec.structs.replace(SMALL, **{name: value}))
    assert caught.value.name == name
    assert making.read(machine.paths) == SMALL


async def test_settings_are_kept_and_only_what_a_guest_sees_needs_a_restart(machine: Machine) -> None:
    wanted = msgspec.structs.replace(SMALL, idle=5, suspend=True)
    assert not making.restarts(SMALL, wanted)
    assert (await machine.change(wanted)).state == "stopped"
    assert making.read(machine.paths) == wanted
    for name in ("cpus", "memory", "disk"):
        assert making.restarts(SMALL, msgspec.structs.replace(SMALL, **{name: getattr(SMALL, name) * 2}))
    larger = msgspec.structs.replace(wanted, disk=2 * GIB)
    await machine.change(larger)
    with pytest.raises(DiskShrinks):
        await machine.change(wanted)
    assert making.read(machine.paths) == larger
    assert stat.S_IMODE(machine.paths.settings.stat().st_mode) == 0o600


async def test_settings_of_a_version_before_are_read(machine: Machine) -> None:
    machine.paths.settings.write_text('{"cpus": 1, "memory": 512, "disk": 1073741824}')
    assert making.read(machine.paths) == SMALL


async def test_a_disk_is_moved_whole_and_the_old_file_goes_last(machine: Machine, place: Path) -> None:
    tool, own, said = need("qemu-img"), machine.paths.disk, list[float]()
    before = await inspect(tool, own)
    assert (await machine.move(place, said.append)).state == "stopped"
    moved = machine.paths.disk
    assert moved == place / moving.NAME
    assert names(place) == [moving.NAME]
    assert not own.exists()
    assert (await inspect(tool, moved)).size == before.size
    assert stat.S_IMODE(moved.stat().st_mode) == 0o600
    assert said[-1] == 1.0
    assert said == sorted(said)

    with pytest.raises(DiskExists):
        await machine.move(place)
    await machine.move(machine.paths.home)  # Back again.
    assert machine.paths.disk == own
    assert own.exists()
    assert list(place.iterdir()) == []
    assert not machine.paths.moved.exists()


async def test_a_disk_that_was_moved_is_deleted_with_the_machine(machine: Machine, place: Path) -> None:
    await machine.move(place)
    (place / "a letter").touch()
    await machine.delete()
    assert [path.name for path in place.iterdir()] == ["a letter"]
    assert not machine.paths.home.exists()


async def test_a_drive_that_is_away_is_told_and_nothing_is_made_anew(machine: Machine, place: Path) -> None:
    await machine.move(place)
    away = machine.paths.disk.rename(place / "away")
    with pytest.raises(MachineStartFailed) as caught:
        await machine.start()
    assert (caught.value.step, caught.value.kind) == ("disk", "DiskMissing")
    assert names(place) == ["away"]
    away.rename(machine.paths.disk)


async def test_no_room_there_is_told_before_anything_is_begun(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("tmpfs")
    for folder in elsewhere("other", machine.paths.home):
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda _: Usage(GIB, GIB, 1 << 20))
            with pytest.raises(DiskNoRoom) as caught:
                await machine.move(folder)
        assert caught.value.free == 1 << 20
        assert list(folder.iterdir()) == []
    assert machine.paths.disk == machine.paths.own_disk


async def test_a_place_that_cannot_be_is_told_and_the_disk_stays(machine: Machine, home: Path) -> None:
    (home / "file").touch()
    for wrong in (home / "none", home / "file"):
        with pytest.raises(MachineFolderUnusable, match="is not a folder"):
            await machine.move(wrong)
    (home / moving.NAME).write_text("precious")
    with pytest.raises(DiskExists):
        await machine.move(home)
    assert (home / moving.NAME).read_text() == "precious"
    assert machine.paths.disk == machine.paths.own_disk
    assert machine.paths.disk.exists()


async def test_a_disk_that_is_in_use_is_neither_moved_nor_thrown_away(machine: Machine, place: Path) -> None:
    lock = DiskLock.take(machine.paths.disk)
    try:
        for refused in (machine.move(place), machine.reset()):
            with pytest.raises(MachineAlreadyRuns):
                await refused
    finally:
        lock.release()
    assert names(place) == []
    assert machine.paths.disk.exists()


async def test_a_reset_makes_disk_and_keys_anew_and_keeps_the_rest(machine: Machine) -> None:
    tool, paths = need("qemu-img"), machine.paths
    await grow(tool, paths.disk, 2 * GIB)
    paths.state.write_bytes(b"what was in the guest")
    paths.moment.write_text("{}")
    keys = paths.user_key.read_bytes(), paths.host_key.read_bytes()
    assert (await machine.inspect()).state == "suspended"
    assert (await machine.reset()).state == "stopped"
    assert not paths.state.exists()
    assert (await inspect(tool, paths.disk)).size == SMALL.disk
    assert keys[0] != paths.user_key.read_bytes()
    assert keys[1] != paths.host_key.read_bytes()
    assert making.read(paths) == SMALL
    assert (paths.image / "root").read_bytes() == CONTENT["root"]


async def test_a_reset_leaves_a_file_that_is_none_of_ours(machine: Machine) -> None:
    machine.paths.disk.write_bytes(b"somebody's letters")
    with pytest.raises(DiskForeign):
        await machine.reset()
    assert machine.paths.disk.read_bytes() == b"somebody's letters"
    machine.paths.disk.unlink()
    assert (await machine.reset()).state == "stopped"
    assert machine.paths.disk.exists()


async def test_what_there_is_no_machine_for(home: Path) -> None:
    machine = Machine(MachinePaths.below(home / "data", home / "run"))
    for refused in (machine.change(SMALL), machine.move(home), machine.reset()):
        with pytest.raises(MachineMissing):
            await refused
    assert (await machine.suspend()).state == "absent"
    assert (await machine.rest()).state == "absent"


async def test_little_room_here_is_told_before_it_hurts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GIB, 99 * GIB, GIB))
    (low,) = (await machine.inspect()).warnings
    assert (low.where, low.free, low.size, low.stopped) == ("host", GIB, 100 * GIB, False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GIB, 50 * GIB, 50 * GIB))
    assert (await machine.inspect()).warnings == ()
    monkeypatch.undo()
    assert room.host(Path("/nowhere/at/all/data")) == ()
    assert os.path.isdir(machine.paths.home)


async def test_a_full_disk_of_this_computer_is_told_before_the_guest_starts(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.require(machine.paths.disk)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(GIB, GIB, 1 << 20))
    with pytest.raises(DiskNoRoom) as caught:
        room.require(machine.paths.disk)
    assert (caught.value.needed, caught.value.free) == (room.ENOUGH, 1 << 20)


async def test_a_damaged_disk_is_told_where_its_last_end_was_none_in_order(machine: Machine) -> None:
    with open(machine.paths.disk, "r+b") as file:
        file.seek(40)  # The offset of the first table (docs/interop/qcow2.txt).
        (table,) = struct.unpack(">Q", file.read(8))
        file.seek(table)
        file.write(struct.pack(">Q", (1 << 63) | 0x1200))
    before = machine.paths.disk.read_bytes()
    write_failure(machine.paths.failure, Failure("process", "MachineEnded", "signal 9"))
    with pytest.raises(MachineStartFailed) as caught:
        await machine.start()
    assert (caught.value.step, caught.value.kind) == ("disk", "DiskCorrupt")
    assert machine.paths.disk.read_bytes() == before
