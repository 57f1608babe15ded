"""A real QEMU, emulating both processors: it boots, is suspended and resumed, ends as asked, and loses nothing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.e2e.machine.conftest import BOOT_SECONDS, GIB, a_bench
from tests.e2e.machine.owner import abandoned
from tests.e2e.machine.programs import need
from tests.e2e.machine.smallguest import Arch, small_guest
from vm.qemu import starting
from vm.qemu.accelerators import emulation
from vm.qemu.commandline import Hardware, argv, free_port
from vm.qemu.disks import check, inspect
from vm.qemu.errors import (
    DiskForeign,
    DiskToolFailed,
    MachineAlreadyRuns,
    QemuCrashed,
    QmpRefused,
    QmpTimeout,
    SshPortTaken,
    WakeFailed,
)
from vm.qemu.events import DiskFailed, Panicked, PortChanged, Resumed, Shutdown, Stopped
from vm.qemu.finding import find_qemu
from vm.qemu.host import this_host
from vm.qemu.locks import end_orphan, orphan
from vm.qemu.probing import probe
from vm.qemu.suspending import discard, state_file, suspend, suspended, wake

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def test_it_boots_and_lives_and_ends(arch: Arch, tmp_path: Path) -> None:
    async with a_bench(arch, tmp_path) as bench:
        running = await bench.start()
        said = await bench.says("tick 1 ")
        assert re.search(r"disk root of 16 ro 1\b", said)
        assert re.search(rf"disk data of {GIB // 512} ro 0\b", said)
        assert "guest: handed config: handed over" in said
        assert "guest: handed key: of this boot" in said
        assert "guest: begins with the magic of a test" in said
        assert await bench.happens(PortChanged) == PortChanged("ready", open=True)
        assert await running.monitor.said_ready() == "READY 1\n"
        assert await running.monitor.said_ready() == ""
        assert "handed over" not in Path(f"/proc/{running.pid}/cmdline").read_text()

        await bench.says("guest: network 198.51.100.15 via 198.51.100.2 dns 198.51.100.3")
        assert await greeting(bench.machine.ssh_port) == b"hello from the guest\n"
        port = free_port()
        await running.monitor.forward("tcp", "127.0.0.1", port, 22)
        assert await greeting(port) == b"hello from the guest\n"

        await running.monitor.pause()
        assert await running.state() == "paused"
        await running.monitor.go_on()
        assert await running.state() == "running"
        assert [e for e in bench.told if isinstance(e, Stopped | Resumed)] == [Stopped(), Resumed()]

        await running.monitor.resize_data(2 * GIB)
        await bench.says(f"data {2 * GIB // 512}")

        assert await running.stop(60) == "asked"
        ended = await running.wait()
        assert (ended.code, ended.words) == (0, "")
        assert ended.shutdown == Shutdown(guest=True, reason="guest-shutdown")
        assert "guest: power button" in running.console()
        assert (await inspect(bench.qemu.image_tool, bench.machine.drives.data)).size == 2 * GIB


async def greeting(port: int) -> bytes:
    """What the guest says to one who calls; QEMU takes a call also while nobody in the guest listens yet."""
    async with asyncio.timeout(BOOT_SECONDS):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                if said := await reader.readline():
                    return said
            except ConnectionError:
                pass
            finally:
                writer.close()
            await asyncio.sleep(0.1)


async def test_what_the_guest_gives_back_this_computer_gets_back(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        tool, data = bench.qemu.image_tool, bench.machine.drives.data
        bench.words("test=fill")
        running = await bench.start()
        await bench.says("guest: filled")
        assert (await inspect(tool, data)).used > 32 << 20
        await running.kill()
        bench.words("test=trim")
        await bench.start()
        await bench.says("guest: trimmed")
        assert (await inspect(tool, data)).used < 4 << 20


async def test_it_is_suspended_and_goes_on_where_it_was(arch: Arch, tmp_path: Path) -> None:
    async with a_bench(arch, tmp_path) as bench:
        running = await bench.start()
        await bench.says("tick 2 ")
        tool, machine = bench.qemu.image_tool, bench.machine
        assert not suspended(machine)
        await suspend(running, tool, machine, 120)
        before = int(re.findall(r"tick (\d+)", running.console())[-1])
        assert (await running.wait()).shutdown == Shutdown(guest=False, reason="host-qmp-quit")
        assert suspended(machine)
        assert stat.S_IMODE(state_file(machine).stat().st_mode) == 0o600
        assert (await inspect(tool, machine.drives.data)).saved == ("suspended",)

        bench.change(halted=True)
        running = await bench.start()
        assert await running.state() == "prelaunch"
        await wake(running, machine, 120)
        assert await running.state() == "running"
        assert not suspended(machine)
        said = await bench.says("tick ")
        assert int(re.findall(r"tick (\d+)", said)[0]) == before + 1
        assert "Linux version" not in said
        disk = await inspect(tool, machine.drives.data)
        assert disk.saved == ()
        assert disk.used < 8 << 20
        assert await running.stop(60) == "asked"


async def test_what_was_saved_on_another_machine_is_refused_and_the_disk_stays(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        tool, machine = bench.qemu.image_tool, bench.machine
        bench.words("test=write")
        running = await bench.start()
        await bench.says("guest: wrote")
        await suspend(running, tool, machine, 120)
        bench.words()
        bench.change(halted=True, hardware=Hardware(1, 256))
        running = await bench.start()
        with pytest.raises(WakeFailed):
            await wake(running, machine, 120)
        await running.kill()
        assert suspended(machine)
        await discard(tool, machine)
        assert not suspended(machine)
        assert (await inspect(tool, machine.drives.data)).saved == ()
        await check(tool, machine.drives.data)
        bench.change(halted=False)
        await bench.start()
        assert "guest: kept written by the guest" in await bench.says("tick 1 ")


async def test_what_cannot_be_saved_is_told_and_the_guest_goes_on(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        running = await bench.start()
        await bench.says("tick 1 ")
        left = bench.machine.folder / "state.qcow2.new"
        left.mkdir()  # Nothing can be written there.
        with pytest.raises(DiskToolFailed):
            await suspend(running, bench.qemu.image_tool, bench.machine, 120)
        assert await running.state() == "running"
        left.rmdir()
        with pytest.raises(QmpTimeout):
            await suspend(running, bench.qemu.image_tool, bench.machine, 0)
        assert await running.state() == "running"
        assert not suspended(bench.machine)


async def test_killed_while_it_writes_it_keeps_what_was_written(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        bench.words("test=write")
        running = await bench.start()
        await bench.says("guest: wrote")
        os.kill(running.pid, signal.SIGKILL)
        assert (await running.wait()).code == -signal.SIGKILL
        await check(bench.qemu.image_tool, bench.machine.drives.data)
        bench.words()
        await bench.start()
        assert "guest: kept written by the guest" in await bench.says("tick 1 ")


async def test_a_guest_that_ignores_its_button_is_ended(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        bench.words("test=deaf")
        running = await bench.start()
        await bench.says("guest: deaf")
        assert await running.stop(2) == "quit"
        assert (await running.wait()).shutdown == Shutdown(guest=False, reason="host-qmp-quit")


async def test_a_panic_is_told_and_ends_it(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        bench.words("test=panic")
        running = await bench.start()
        await bench.happens(Panicked)
        ended = await running.wait()
        assert ended.shutdown is not None
        assert "Kernel panic" in running.console()


async def test_one_disk_has_one_machine(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        running = await bench.start()
        with pytest.raises(MachineAlreadyRuns) as caught:
            await bench.start()
        assert caught.value.pid == os.getpid()
        # Somebody who knows nothing of our lock meets QEMU's own.
        words = argv(bench.qemu, bench.host, emulation(bench.host.arch), bench.machine, sandbox=True)
        done = await asyncio.to_thread(
            subprocess.run, words, cwd=bench.machine.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert 'Failed to get "write" lock' in done.stderr
        await running.kill()


async def test_a_disk_that_another_program_holds_is_said_to_run(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        holder = await bench.start()
        away = bench.machine.drives.data.with_name("data.qcow2.lock")
        away.unlink()  # As if our lock did not exist.
        with pytest.raises(MachineAlreadyRuns):
            await bench.start()
        await holder.kill()


async def test_a_machine_whose_owner_died_is_found_and_ended_with_its_disk_whole(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        bench.words("test=write")
        words = argv(bench.qemu, bench.host, emulation(bench.host.arch), bench.machine, sandbox=True)
        data = bench.machine.drives.data
        await asyncio.to_thread(abandoned, bench.machine, words)
        left = orphan(data)
        assert left is not None
        try:
            with pytest.raises(MachineAlreadyRuns):
                await bench.start()
            async with asyncio.timeout(BOOT_SECONDS):
                while "guest: wrote" not in bench.machine.console.read_text(errors="replace"):
                    await asyncio.sleep(0.1)
        finally:
            assert await end_orphan(left, asked=30, forced=10)
        assert orphan(data) is None
        await check(bench.qemu.image_tool, data)
        bench.words()
        await bench.start()
        assert "guest: kept written by the guest" in await bench.says("tick 1 ")


async def test_a_taken_port_is_named_and_another_one_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            bench.change(ssh_port=port)
            with monkeypatch.context() as patch:
                patch.setattr(starting, "PORTS_TRIED", 1)
                with pytest.raises(SshPortTaken) as caught:
                    await bench.start()
            assert caught.value.port == port
            running = await bench.start()
            assert bench.machine.ssh_port != port
        port = free_port()
        await running.monitor.forward("tcp", "127.0.0.1", port, 80)
        await running.monitor.forward("udp", "127.0.0.1", port, 53)
        with pytest.raises(QmpRefused, match="host forwarding"):
            await running.monitor.forward("tcp", "127.0.0.1", port, 80)
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            pass
        await running.monitor.unforward("tcp", "127.0.0.1", port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10)
        with pytest.raises(QmpRefused):
            await running.monitor.unforward("tcp", "127.0.0.1", port)


async def test_a_disk_that_is_no_image_of_ours_is_left_alone(tmp_path: Path) -> None:
    async with a_bench("x86_64", tmp_path) as bench:
        data = bench.machine.drives.data
        data.write_bytes(b"somebody's letters")
        with pytest.raises(DiskForeign):
            await inspect(bench.qemu.image_tool, data)
        with pytest.raises(QemuCrashed, match="not in qcow2 format"):
            await bench.start()
        assert data.read_bytes() == b"somebody's letters"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a full disk")
async def test_a_full_disk_of_this_computer_stops_the_guest_until_there_is_room(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=0700", "none", str(small)], check=True)
    try:
        async with a_bench("x86_64", small) as bench:
            (small / "filler").write_bytes(bytes(24 << 20))
            bench.words("test=fill")
            running = await bench.start()
            event = await bench.happens(DiskFailed)
            assert isinstance(event, DiskFailed)
            assert (event.node, event.operation, event.full, event.stopped) == ("data", "write", True, True)
            assert await running.state() == "io-error"
            (small / "filler").unlink()
            await running.monitor.go_on()
            await bench.says("guest: filled")
            assert await running.stop(60) == "asked"
    finally:
        subprocess.run(["umount", str(small)], check=True)


async def test_the_accelerator_that_is_found_here_runs_a_guest(tmp_path: Path) -> None:
    host = this_host()
    need(host.emulator)
    qemu = await find_qemu(host)
    boot = await asyncio.to_thread(small_guest, host.arch)
    marker = b"Run /init as init process"
    trial = await probe(qemu, host, boot, marker, remembered=tmp_path / "trial")
    assert trial.accelerator.name in ("kvm", "hvf", "tcg")
    assert trial.sandbox == (host.system == "linux")
    assert all(refusal.reason for refusal in trial.refusals)
    if not os.path.exists("/dev/kvm"):
        assert {refusal.cause for refusal in trial.refusals} == {"off"}
    elif not os.access("/dev/kvm", os.R_OK | os.W_OK):
        assert {refusal.cause for refusal in trial.refusals} == {"forbidden"}
    # What was found is not tried again.
    kept = (tmp_path / "trial").stat().st_mtime_ns
    assert await probe(qemu, host, boot, marker, remembered=tmp_path / "trial") == trial
    assert (tmp_path / "trial").stat().st_mtime_ns == kept
