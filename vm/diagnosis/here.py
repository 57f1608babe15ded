"""Checks of what is on this computer: QEMU, the files and sockets of the machine, its process, its engine and ports."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path

from vm import local
from vm.diagnosis.check import Check
from vm.diagnosis.seen import Seen
from vm.errors import DataNewer, ImageError, MachineFolderUnusable
from vm.guest.disk import SECTOR, read_mark
from vm.images import require_fit, trusted_image
from vm.qemu.commandline import Boot
from vm.qemu.disks import beginning, inspect, probe_tables
from vm.qemu.errors import DiskCorrupt
from vm.qemu.finding import find_qemu
from vm.qemu.probing import Trial, probe, recall
from vm.supervisor.boot import MARKER

LOW, EMPTY = 5 << 30, 1 << 30
"""Bytes free on this computer's disk below which it is said, and below which the machine soon stands still."""
CONNECT_SECONDS = 5.0


async def qemu(seen: Seen) -> Check:
    """Whether there is a QEMU that can be used, and its version."""
    found = await find_qemu(seen.host)
    return Check("qemu", "good", f"{found.program}, version {'.'.join(map(str, found.version))}")


async def accelerator(seen: Seen) -> Check:
    """What runs a guest here: tried with a kernel, except while a machine runs, which proves it."""
    found = await find_qemu(seen.host)
    if seen.runs:
        trial = recall(seen.paths.trial, found, seen.host)
        if trial is None:
            assert seen.report is not None
            return Check("accelerator", "good", seen.report.accelerator)
        return _of_trial(trial)
    boot = Boot(seen.paths.image / "kernel", seen.paths.image / "initrd")
    if not boot.kernel.exists():
        return Check("accelerator", "unknown", "", "no-machine" if not seen.machine.created else "no-kernel")
    return _of_trial(await probe(found, seen.host, boot, MARKER))


def _of_trial(trial: Trial) -> Check:
    name = trial.accelerator.name
    if not trial.accelerator.slow:
        return Check("accelerator", "good", name)
    reasons = dict.fromkeys(f"{each.accelerator.name}: {each.reason}" for each in trial.refusals)
    return Check("accelerator", "warning", "; ".join((name, *reasons)), "slow")


async def image(seen: Seen) -> Check:
    """Whether the image is whole, signed or built here, and made for this processor."""
    if not seen.machine.created:
        return Check("image", "unknown", "", "no-machine")
    try:
        manifest = await asyncio.to_thread(trusted_image, seen.paths.image)
    except ImageError as error:
        return Check("image", "bad", str(error), type(error).__name__, "image")
    return Check("image", "good", f"{manifest.version} ({manifest.arch})")


async def disk(seen: Seen) -> Check:
    """Whether the disk is ours and whole; its tables are read while nobody writes them."""
    if not seen.machine.created:
        return Check("disk", "unknown", "", "no-machine")
    tool = (await find_qemu(seen.host)).image_tool
    found = await inspect(tool, seen.paths.disk)
    told = f"{found.used / 1e9:.1f} GB on this computer, of {found.size / 1e9:.0f} GB"
    mark = read_mark(await beginning(tool, seen.paths.disk, 2 * SECTOR))
    if mark is not None:
        try:
            require_fit(seen.paths, mark)
        except DataNewer as error:
            return Check("disk", "bad", str(error), "DataNewer")
        except ImageError:
            pass  # It has a check of its own.
    if seen.state in ("stopped", "failed"):
        try:
            leaks = await probe_tables(tool, seen.paths.disk)
        except DiskCorrupt as error:
            return Check("disk", "bad", error.reason, "DiskCorrupt", "disk")
        if leaks:
            return Check("disk", "warning", told, "leaks", "disk")
    return Check("disk", "good", told)


async def space(seen: Seen) -> Check:
    """What is free on this computer where the machine's disk grows."""
    folder = seen.paths.disk.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
    told = f"{free / 1e9:.1f} GB free in {folder}"
    if free < LOW:
        return Check("space", "bad" if free < EMPTY else "warning", told, "host-full")
    return Check("space", "good", told)


async def folders(seen: Seen) -> Check:
    """Whether folders and keys of the machine are this person's alone, and its sockets' paths short enough."""
    if not seen.machine.created:
        return Check("folders", "unknown", "", "no-machine")
    try:
        seen.paths.check_length()
    except MachineFolderUnusable as error:
        return Check("folders", "bad", str(error), "too-long")
    wrong = await asyncio.to_thread(wrong_modes, seen)
    if foreign := [path for path, _ in wrong if not _ours(path)]:
        return Check("folders", "bad", ", ".join(map(str, foreign)), "foreign-owner")
    if wrong:
        return Check("folders", "bad", ", ".join(str(path) for path, _ in wrong), "open-folders", "folders")
    return Check("folders", "good", str(seen.paths.home))


def _ours(path: Path) -> bool:
    if sys.platform == "win32":
        return True
    return path.stat().st_uid == os.getuid()


def wrong_modes(seen: Seen) -> list[tuple[Path, int]]:
    """What others could read or write, or belongs to others, with the mode that it should have."""
    paths = seen.paths
    if sys.platform == "win32":
        return []
    wanted = [(folder, 0o700) for folder in (paths.home, paths.runtime, paths.handed, paths.user_key.parent)]
    wanted += [(file, 0o600) for file in (paths.user_key, paths.host_key, paths.settings, paths.socket, paths.control)]
    found = []
    for path, mode in wanted:
        with suppress(OSError):
            if stat.S_IMODE(path.stat().st_mode) & ~mode or not _ours(path):
                found.append((path, mode))
    return found


async def process(seen: Seen) -> Check:
    """What the machine is doing."""
    report = seen.report
    if report is None:
        return Check("process", "bad", seen.silent, "silent", "restart")
    if report.state == "absent":
        return Check("process", "unknown", "", "no-machine")
    if report.state == "failed" and report.failure is not None:
        return Check("process", "bad", f"{report.failure.step}: {report.failure.reason}", "ended", "start")
    if report.state == "unresponsive":
        return Check("process", "bad", report.qemu, "unresponsive", "restart")
    if not report.pid and report.state != "asleep":  # That one wakes when it is needed.
        return Check("process", "warning", report.state, "not-running", "start")
    return Check("process", "good", f"{report.state}, process {report.pid}" if report.pid else report.state)


async def socket(seen: Seen) -> Check:
    """Whether the local socket is there, private, and taken by somebody."""
    if seen.report is None or not seen.runs or not seen.report.socket:
        return Check("socket", "unknown", "", "not-running")
    path = Path(seen.report.socket)
    try:
        _, writer = await asyncio.wait_for(local.connect(path), CONNECT_SECONDS)
        writer.close()
    except OSError as error:
        told = f"{path}: {error.strerror or 'no answer'}"
        return Check("socket", "bad", told, "no-socket", "socket")
    return Check("socket", "good", str(path))


async def engine(seen: Seen) -> Check:
    """Whether the engine answers through the local socket."""
    if seen.report is None or not seen.runs or not seen.report.socket:
        return Check("engine", "unknown", "", "not-running")
    try:
        reader, writer = await local.connect(Path(seen.report.socket))
        writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
        said = await reader.read(4096)
        writer.close()
    except OSError as error:
        return Check("engine", "bad", error.strerror or str(error), "no-engine", "engine")
    if not said.endswith(b"OK"):
        first = said.partition(b"\r\n")[0].decode(errors="replace")
        return Check("engine", "bad", first, "no-engine", "engine")
    return Check("engine", "good", seen.report.engine)


async def ports(seen: Seen) -> Check:
    """Whether what containers publish answers on this computer."""
    if seen.report is None or not seen.runs:
        return Check("ports", "unknown", "", "not-running")
    wrong = [
        f"{each.address}:{each.port}/{each.protocol}: {' '.join(filter(None, (each.error, each.holder, each.words)))}"
        for each in seen.report.ports
        if each.error
    ]
    for each in seen.report.ports:
        if each.error or each.protocol != "tcp":
            continue
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(each.address, each.address)  # noqa: S104
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, each.port), CONNECT_SECONDS)
            writer.close()
        except OSError as error:
            wrong.append(f"{each.address}:{each.port}/tcp: {error.strerror or 'no answer'}")
    if wrong:
        return Check("ports", "bad", "; ".join(wrong), "ports")
    return Check("ports", "good", str(len(seen.report.ports)))


async def shares(seen: Seen) -> Check:
    """Whether every shared folder is mounted."""
    if seen.report is None or not seen.runs:
        return Check("shares", "unknown", "", "not-running")
    found = seen.report.shares
    wrong = [f"{each.path}: {each.reason}" for each in found if each.reason]
    if wrong:
        return Check("shares", "bad", "; ".join(wrong), "shares", "restart")
    return Check("shares", "good", str(len(found)))
