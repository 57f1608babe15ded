"""Who owns a machine's disk: a lock that lives as long as its QEMU, and a file that says who they are.

The lock's descriptor is handed down to QEMU, so the disk stays locked while QEMU lives, even after its owner died. The
file is never trusted by itself: with the lock free it is stale whatever it says, and a process that it names is only
touched when its start time is right as well. Windows hands down no locks; there the file and the start time, which is
exact, have to do.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from vm.qemu.errors import MachineAlreadyRuns
from vm.qemu.identity import Identity, end, identity_of

POLL = 0.05
HANDED_DOWN = sys.platform != "win32"


class Owners(msgspec.Struct, frozen=True):
    """The process that started QEMU, and QEMU."""

    owner: Identity
    qemu: Identity


class DiskLock:
    """The right to run a machine on one disk. `descriptor` keeps it in whichever process has it open."""

    def __init__(self, disk: Path, descriptor: int) -> None:
        self.disk = disk
        self.descriptor = descriptor

    @classmethod
    def take(cls, disk: Path) -> DiskLock:
        """Take it, or raise MachineAlreadyRuns with the process that has it. Raises OSError where no file can be."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(_lock_path(disk), flags, 0o600)
        try:
            lock_now(descriptor)
        except OSError as error:
            os.close(descriptor)
            found = recorded(disk)
            raise MachineAlreadyRuns(str(disk), found.owner.pid if found and found.owner.alive else 0) from error
        if not HANDED_DOWN and (left := orphan(disk)) is not None:
            os.close(descriptor)
            raise MachineAlreadyRuns(str(disk), left.pid)
        return cls(disk, descriptor)

    def record(self, qemu_pid: int) -> None:
        """Say who they are, for one who comes later."""
        owners = Owners(identity_of(os.getpid()), identity_of(qemu_pid))
        path = _owners_path(self.disk)
        written = path.with_name(path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with open(written, "wb", opener=lambda name, _: os.open(name, flags, 0o600)) as file:
            file.write(msgspec.json.encode(owners))
        os.replace(written, path)

    def release(self) -> None:
        """QEMU has ended: the next may have it."""
        _owners_path(self.disk).unlink(missing_ok=True)
        os.close(self.descriptor)


def recorded(disk: Path) -> Owners | None:
    """What the last owner wrote; None where nothing can be read from it."""
    try:
        return msgspec.json.decode(_owners_path(disk).read_bytes(), type=Owners)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def orphan(disk: Path) -> Identity | None:
    """A QEMU on this disk whose owner died; None where the disk is free, its owner lives, or nobody can say."""
    found = recorded(disk)
    if found is None or found.owner.alive or not found.qemu.alive:
        return None
    return found.qemu if not HANDED_DOWN or is_locked(_lock_path(disk)) else None


async def end_orphan(who: Identity, *, asked: float, forced: float) -> bool:
    """End it, so that what the guest wrote gets to the disk; by force after `asked` seconds. False where it stays."""
    for force, seconds in ((False, asked), (True, forced)):
        end(who, force=force)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while who.alive:
                    await asyncio.sleep(POLL)
        if not who.alive:
            return True
    return False


def is_locked(path: Path) -> bool:
    """Whether a process has the lock of this file."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        lock_now(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock_path(disk: Path) -> Path:
    found = disk.resolve()  # One disk, one lock, whatever name it is called by.
    return found.with_name(found.name + ".lock")


def _owners_path(disk: Path) -> Path:
    found = disk.resolve()
    return found.with_name(found.name + ".owners")


def lock_now(descriptor: int) -> None:
    """Without waiting; OSError where another has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
