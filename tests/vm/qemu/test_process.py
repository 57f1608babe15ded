"""The life of QEMU's process, with a fake that obeys, one that does not, and one that breaks."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.e2e.machine.owner import abandoned
from tests.vm.qemu.conftest import FakeArgv
from vm.qemu import locks
from vm.qemu import process as life
from vm.qemu.commandline import Machine
from vm.qemu.errors import (
    MachineAlreadyRuns,
    QemuCrashed,
    QemuForbidden,
    QemuMissing,
    QemuWrongArchitecture,
    QmpGarbage,
    QmpGone,
    QmpTimeout,
    SshPortTaken,
)
from vm.qemu.events import Event, PowerdownAsked, Shutdown, Stopped
from vm.qemu.identity import Identity, end, identity_of, started_by_ps
from vm.qemu.locks import DiskLock, Owners, end_orphan, orphan, recorded
from vm.qemu.logs import fresh, shorten, tail
from vm.qemu.process import QemuProcess

pytestmark = pytest.mark.asyncio


def owners(machine: Machine) -> Path:
    return machine.drives.data.with_name("data.qcow2.owners")


async def start(argv: list[str], machine: Machine, told: Callable[[Event], None] = lambda _: None) -> QemuProcess:
    return await QemuProcess.start(argv, machine, "acpi", told)


async def test_it_is_started_asked_and_buried(machine: Machine, fake_argv: FakeArgv) -> None:
    told: list[Event] = []
    running = await start(fake_argv(), machine, told.append)
    assert running.runs
    assert await running.state() == "running"
    found = recorded(machine.drives.data)
    assert found is not None
    assert (found.owner.pid, found.qemu.pid) == (os.getpid(), running.pid)
    assert orphan(machine.drives.data) is None, "its owner lives"
    for path in (machine.console, machine.words, owners(machine)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await running.stop(10) == "asked"
    ended = await running.wait()
    assert (ended.code, ended.shutdown) == (0, Shutdown(guest=True, reason="guest-shutdown"))
    assert told == [PowerdownAsked(), Shutdown(guest=True, reason="guest-shutdown")]
    assert await running.state() == "ended"
    assert not owners(machine).exists()
    DiskLock.take(machine.drives.data).release()


@pytest.mark.parametrize(
    ("faults", "ending", "code"),
    [((), "asked", 0), (("stubborn",), "quit", 0), (("stubborn", "stuck"), "killed", -signal.SIGKILL)],
)
async def test_stopping_takes_what_it_takes(
    machine: Machine,
    fake_argv: FakeArgv,
    monkeypatch: pytest.MonkeyPatch,
    faults: tuple[str, ...],
    ending: str,
    code: int,
) -> None:
    monkeypatch.setattr(life, "QUIT_SECONDS", 0.5)
    running = await start(fake_argv(*faults), machine)
    assert await running.stop(0.2) == ending
    assert (await running.wait()).code == code


async def test_a_guest_that_stands_still_is_not_waited_for(machine: Machine, fake_argv: FakeArgv) -> None:
    told: list[Event] = []
    running = await start(fake_argv(), machine, told.append)
    await running.monitor.pause()
    assert await running.state() == "paused"
    assert await running.stop(1000) == "quit"
    assert told == [Stopped(), Shutdown(guest=False, reason="host-qmp-quit")]


async def test_garbage_ends_the_conversation_and_stopping_kills(machine: Machine, fake_argv: FakeArgv) -> None:
    try:
        running = await start(fake_argv("garbage"), machine)
    except QmpGarbage:  # It came before the start was over.
        assert not owners(machine).exists()
        return
    while running.monitor.qmp.over is None:
        await asyncio.sleep(0.01)
    with pytest.raises(QmpGarbage):
        await running.state()
    assert await running.stop(10) == "killed"
    assert not owners(machine).exists()


async def test_a_flood_without_an_end_does_not_hold_up_the_burial(machine: Machine, fake_argv: FakeArgv) -> None:
    try:
        running = await start(fake_argv("long"), machine)
    except QmpGarbage:
        return
    assert await running.stop(10) in ("quit", "killed")


async def test_a_sudden_death_is_an_end(machine: Machine, fake_argv: FakeArgv) -> None:
    running = await start(fake_argv(), machine)
    os.kill(running.pid, signal.SIGKILL)
    assert (await running.wait()).code == -signal.SIGKILL
    with pytest.raises(QmpGone):
        await running.monitor.status()
    assert await running.stop(1) == "asked", "nothing is left to do"
    again = await start(fake_argv(), machine)
    assert await again.stop(10) == "asked"


async def test_a_start_that_says_nothing_leaves_nothing(
    machine: Machine, fake_argv: FakeArgv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "OPEN_SECONDS", 0.3)
    with pytest.raises(QmpTimeout):
        await start(fake_argv("mute"), machine)
    assert not owners(machine).exists()
    DiskLock.take(machine.drives.data).release()


async def test_a_start_that_is_given_up_leaves_nothing(machine: Machine, fake_argv: FakeArgv) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await start(fake_argv("mute"), machine)
    assert not owners(machine).exists()
    DiskLock.take(machine.drives.data).release()


async def test_a_taken_port_is_named(machine: Machine, fake_argv: FakeArgv) -> None:
    with pytest.raises(SshPortTaken) as caught:
        await start(fake_argv("crash"), machine)
    assert caught.value.port == 2222


async def test_a_crash_at_the_start_is_told_with_its_words(machine: Machine) -> None:
    words = ["/bin/sh", "-c", "echo 'could not load bios' >&2; exit 3"]
    with pytest.raises(QemuCrashed) as caught:
        await start(words, machine)
    assert (caught.value.program, caught.value.code, caught.value.words) == ("/bin/sh", 3, "could not load bios")


@pytest.mark.parametrize(
    ("content", "mode", "kind"),
    [
        (None, 0, QemuMissing),
        (b"#!/no/loader\n", 0o755, QemuForbidden),
        (b"\x01\x02", 0o755, QemuWrongArchitecture),
        (b"#!/bin/sh\n", 0o600, QemuForbidden),
    ],
)
async def test_what_cannot_be_started_is_told(
    machine: Machine, content: bytes | None, mode: int, kind: type[Exception]
) -> None:
    program = machine.folder / "qemu"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(kind):
        await start([str(program)], machine)
    DiskLock.take(machine.drives.data).release()


async def test_two_machines_never_get_one_disk(machine: Machine, fake_argv: FakeArgv) -> None:
    running = await start(fake_argv(), machine)
    with pytest.raises(MachineAlreadyRuns) as caught:
        await start(fake_argv(), machine)
    assert (caught.value.path, caught.value.pid) == (str(machine.drives.data), os.getpid())
    other = machine.folder.with_name("other name")
    other.symlink_to(machine.folder)
    with pytest.raises(MachineAlreadyRuns):
        DiskLock.take(other / "data.qcow2")
    assert await running.state() == "running"
    await running.stop(10)


async def test_a_qemu_whose_owner_died_keeps_its_disk_and_can_be_ended(machine: Machine, fake_argv: FakeArgv) -> None:
    await asyncio.to_thread(abandoned, machine, fake_argv())
    with pytest.raises(MachineAlreadyRuns):
        await start(fake_argv(), machine)
    left = orphan(machine.drives.data)
    assert left is not None
    assert await end_orphan(left, asked=5, forced=5)
    assert not left.alive
    assert orphan(machine.drives.data) is None
    running = await start(fake_argv(), machine)
    assert await running.stop(10) == "asked"


async def test_a_stale_file_never_costs_a_stranger_its_life(machine: Machine, fake_argv: FakeArgv) -> None:
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        gone = Identity(stranger.pid, "boot 1")
        for owner in (Identity(1 << 22, "boot 1"), Identity(os.getpid(), "boot 1")):
            owners(machine).write_bytes(msgspec.json.encode(Owners(owner, gone)))
            assert orphan(machine.drives.data) is None
            end(gone, force=True)
            # Even with the right start time: the disk is free, so it is not ours.
            real = Owners(owner, identity_of(stranger.pid))
            owners(machine).write_bytes(msgspec.json.encode(real))
            assert orphan(machine.drives.data) is None
        running = await start(fake_argv(), machine)
        assert await running.stop(10) == "asked"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_where_no_lock_is_handed_down_the_start_time_tells_whether_it_runs(
    machine: Machine, fake_argv: FakeArgv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "HANDED_DOWN", False)
    left = subprocess.Popen(["sleep", "1000"])
    try:
        gone = Identity(1 << 22, "boot 1")
        owners(machine).write_bytes(msgspec.json.encode(Owners(gone, identity_of(left.pid))))
        with pytest.raises(MachineAlreadyRuns) as caught:
            await start(fake_argv(), machine)
        assert caught.value.pid == left.pid
        found = orphan(machine.drives.data)
        assert found is not None
        ending = asyncio.ensure_future(end_orphan(found, asked=5, forced=5))
        await asyncio.to_thread(left.wait)
        assert await ending
    finally:
        left.kill()
        left.wait()
    running = await start(fake_argv(), machine)
    assert await running.stop(10) == "asked"


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"owner": 1}', b"\xff" * 40, b"[" * 5000])
async def test_a_broken_file_of_owners_is_none(machine: Machine, fake_argv: FakeArgv, content: bytes) -> None:
    owners(machine).write_bytes(content)
    assert recorded(machine.drives.data) is None
    running = await start(fake_argv(), machine)
    assert await running.stop(10) == "asked"


async def test_what_qemu_writes_is_kept_short(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    log = machine.console
    fresh(log)
    with open(log, "ab", buffering=0) as writer:  # As QEMU has it.
        writer.write(b"a" * 900 + b"first\n")
        assert not shorten(log, limit=1000)
        writer.write(b"b" * 500 + b"second\n")
        assert shorten(log, limit=1000)
        writer.write(b"third\n")
    assert log.read_bytes() == b"third\n"
    assert tail(log).endswith("second\nthird\n")
    assert stat.S_IMODE(log.with_name("serial.log.1").stat().st_mode) == 0o600
    fresh(log)
    assert tail(log) == "", "the last run's words are not this run's"
    assert log.with_name("serial.log.last").read_bytes() == b"third\n"


async def test_the_start_time_tells_processes_apart() -> None:
    mine = identity_of(os.getpid())
    assert mine.alive
    assert not Identity(os.getpid(), mine.started + "0").alive
    assert not Identity(0, "").alive
    began = started_by_ps(os.getpid())
    assert began.count(":") == 2
    assert started_by_ps(1 << 22) == ""
