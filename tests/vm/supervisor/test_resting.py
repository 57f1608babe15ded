"""The idle saver, trimming, room and what a saved state belongs to; the engine is the fake, the guest is short."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import pytest

from backend.client import Engine
from tests.fakes.engine import FakeEngine
from tests.vm.supervisor.test_parts import ShortLink, eventually
from vm import room as rooms
from vm.guestlink import GuestLink
from vm.paths import MachinePaths
from vm.qemu.commandline import Boot, Drives, Hardware, Machine
from vm.qemu.errors import DiskNoRoom
from vm.qemu.events import DiskFailed, Resumed
from vm.qemu.finding import Qemu
from vm.qemu.monitor import Monitor
from vm.qemu.process import QemuProcess
from vm.qemu.suspending import Moment
from vm.supervisor import idling, room, saving, trimming
from vm.supervisor.room import Room

pytestmark = pytest.mark.asyncio
BELONGS = Moment("/usr/bin/qemu 7.2", ("qemu", "-m", "512"), "digest", "10 20", ("authorized_key",))


class Usage(NamedTuple):
    """What shutil.disk_usage says."""

    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come soon."""
    monkeypatch.setattr(idling, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(room, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(trimming, "QUIET", 0.05)
    monkeypatch.setattr(trimming, "AGAIN", 0.05)


@pytest.mark.parametrize("busy", ["a connection", "a container", "never"])
async def test_it_is_idle_only_without_connection_and_container(busy: str) -> None:
    fake, minutes = FakeEngine(), 0 if busy == "never" else 1 / 1200
    callers = idling.Callers()
    ended = callers.come() if busy == "a connection" else lambda: None
    if busy == "a container":
        fake.add_container("web", state="running")
    async with fake.serve() as endpoint:
        engine = Engine(endpoint)
        await engine.open()
        waiting = asyncio.ensure_future(idling.idle(engine, callers, lambda: cast("int", minutes), lambda _: None))
        await asyncio.sleep(0.4)
        assert not waiting.done()
        assert (callers.quiet == 0) == (busy == "a connection")
        ended()
        fake.containers.clear()
        minutes = 1 / 1200
        async with asyncio.timeout(20):
            await waiting
        await engine.close()


async def test_connections_are_counted_until_the_last_has_ended() -> None:
    callers = idling.Callers()
    one, two = callers.come(), callers.come()
    await asyncio.to_thread(one)
    await asyncio.sleep(0)
    assert callers.quiet == 0
    await asyncio.to_thread(two)
    await eventually(lambda: callers.quiet > 0)


async def test_what_goes_is_given_back_to_this_computer_once() -> None:
    fake, link = FakeEngine(), ShortLink(b"trimmed")
    fake.add_container("old", state="exited")
    async with fake.serve() as endpoint:
        engine = Engine(endpoint)
        await engine.open()
        work = asyncio.ensure_future(trimming.follow(engine, cast("GuestLink", link), lambda _: None))
        await asyncio.sleep(0.2)
        assert link.asked == []
        await fake.emit("image", "untag", "sha256:1")
        await fake.emit("image", "delete", "sha256:1")
        await eventually(lambda: link.asked == ["sync; pilothouse trim"])
        await asyncio.sleep(0.2)
        assert link.asked == ["sync; pilothouse trim"]
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await engine.close()


class Standing:
    """A monitor whose guest stands still."""

    def __init__(self) -> None:
        self.went_on = 0

    async def go_on(self) -> None:
        self.went_on += 1


async def test_a_guest_that_stands_still_for_want_of_room_goes_on_with_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, monitor, link = [0], Standing(), ShortLink(b"90 1000 4096\n")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, free[0]))
    watched = Room(tmp_path / "data", cast("GuestLink", link), cast("Monitor", monitor), lambda _: None)
    work = asyncio.ensure_future(watched.follow())
    await eventually(lambda: len(watched.warnings) == 2)
    host, guest = watched.warnings
    assert (host.where, host.free, host.stopped) == ("host", 0, False)
    assert (guest.where, guest.free, guest.size) == ("guest", 368640, 4096000)
    watched.heard(DiskFailed("data", "write", full=False, stopped=True, reason="I/O error"))
    assert [each.stopped for each in watched.warnings] == [False, False]
    watched.heard(DiskFailed("data", "write", full=True, stopped=True, reason="No space left on device"))
    assert [each.stopped for each in watched.warnings] == [True, False]
    await asyncio.sleep(0.2)
    assert monitor.went_on == 0
    free[0] = rooms.ENOUGH
    await eventually(lambda: monitor.went_on)
    watched.heard(Resumed())
    assert not any(each.stopped for each in watched.warnings)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize(
    ("free", "size", "low"), [(3 << 30, 1 << 40, False), (1 << 30, 1 << 40, True), (1 << 30, 4 << 30, False)]
)
async def test_a_small_disk_is_low_later(free: int, size: int, low: bool) -> None:
    assert rooms.is_low(free, size, rooms.HOST_LOW) == low


@pytest.mark.parametrize("field", ["qemu", "argv", "image", "disk"])
async def test_a_saved_state_belongs_to_one_qemu_arguments_image_and_disk(field: str) -> None:
    other: Any = ("qemu", "-m", "1024") if field == "argv" else "another"
    assert BELONGS.differs(BELONGS) == ""
    assert BELONGS.differs(msgspec.structs.replace(BELONGS, **{field: other})) == field


async def test_a_saved_state_of_which_nobody_knows_what_it_belongs_to_is_none(tmp_path: Path) -> None:
    paths = MachinePaths.below(tmp_path, tmp_path)
    paths.home.mkdir()
    paths.moment.write_bytes(msgspec.json.encode(BELONGS))
    assert saving.recall(paths) is None
    paths.state.touch()
    assert saving.recall(paths) == BELONGS
    paths.moment.write_text('{"qemu": 1}')
    assert saving.recall(paths) is None
    saving.forget(paths)
    assert saving.recall(paths) is None


async def test_without_room_nothing_is_saved_and_nothing_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, 1 << 20))
    paths = MachinePaths.below(tmp_path, tmp_path)
    drives = Drives(paths.image / "root", paths.disk)
    machine = Machine(paths.home, Boot(tmp_path, tmp_path), drives, Hardware(1, 512), 22)
    qemu = Qemu(tmp_path, tmp_path, (7, 2, 0), "path")
    with pytest.raises(DiskNoRoom) as caught:
        await saving.save(paths, cast("QemuProcess", None), qemu, machine, BELONGS)
    assert (caught.value.needed, caught.value.free) == ((512 << 20) + saving.SPARE, 1 << 20)
