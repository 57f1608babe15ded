"""Making a machine: an image that is whole, keys of its own, an empty disk that the guest may format, its settings."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from vm import images
from vm.errors import MachineExists, MachineFolderUnusable, MachineMissing, SettingsUnusable
from vm.guest.disk import BLANK
from vm.guest.fetching import Progress
from vm.paths import MachinePaths, write_private
from vm.qemu.disks import inspect, make_disk
from vm.qemu.errors import DiskCorrupt, DiskMissing
from vm.qemu.finding import find_qemu
from vm.qemu.host import this_host
from vm.qemu.locks import DiskLock
from vm.shares.places import Share

GIB = 1 << 30
MOST_CPUS = 255
LEAST_MEMORY, LEAST_DISK = 512, GIB
"""MiB, and bytes: with less the engine does not come up, or has no room for an image."""
ARCHES = images.ARCHES


class Settings(msgspec.Struct, frozen=True):
    """What a machine has: processors, memory in MiB, the disk's size in bytes.

    It sleeps after `idle` minutes without a running container and without a connection (0: never). `suspend`: leaving
    the program saves it to disk. `context`: docker's own programs use it while it runs, unless they are told otherwise.
    `shares` are folders of this computer.
    """

    cpus: int
    memory: int
    disk: int
    idle: int = 30
    suspend: bool = False
    context: bool = False
    shares: tuple[Share, ...] = ()


def check(settings: Settings) -> None:
    """Raises SettingsUnusable for what no machine of this computer can have."""
    limits = {"cpus": (1, MOST_CPUS), "memory": (LEAST_MEMORY, host_memory()), "disk": (LEAST_DISK, 0), "idle": (0, 0)}
    for name, (least, most) in limits.items():
        if getattr(settings, name) < least or 0 < most < getattr(settings, name):
            raise SettingsUnusable(name, least, most)


def restarts(before: Settings, after: Settings) -> bool:
    """Whether a machine that runs has to start anew to get these settings."""
    return any(getattr(before, name) != getattr(after, name) for name in ("cpus", "memory", "disk"))


def host_memory() -> int:
    """This computer's memory in MiB; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) >> 20
    except (ValueError, OSError):
        return 0


def write(paths: MachinePaths, settings: Settings) -> None:
    """Keep the settings. Raises MachineFolderUnusable."""
    try:
        write_private(paths.settings, msgspec.json.format(msgspec.json.encode(settings)))
    except OSError as error:
        raise MachineFolderUnusable(str(paths.settings), error.strerror or str(error)) from error


async def reset(paths: MachinePaths, settings: Settings) -> None:
    """Throw away the disk, what was saved and the keys of one that is stopped, and make them anew.

    A file in the disk's place that is none of ours is left alone. Raises DiskForeign, MachineAlreadyRuns, another
    QemuError, MachineFolderUnusable; what is half made is made whole the next time.
    """
    qemu = await find_qemu(this_host())
    with suppress(DiskCorrupt, DiskMissing):
        await inspect(qemu.image_tool, paths.disk)
    try:
        lock = DiskLock.take(paths.disk)
        try:
            for path in (paths.state, paths.moment, paths.failure, paths.disk):
                path.unlink(missing_ok=True)
            await make_disk(qemu.image_tool, paths.disk, settings.disk, BLANK)
            for key in (paths.user_key, paths.host_key):
                write_private(key, new_key())
        finally:
            lock.release()
    except OSError as error:
        raise MachineFolderUnusable(error.filename or str(paths.home), error.strerror or str(error)) from error


def usual() -> Settings:
    """What a machine gets when nobody says more; the disk's file grows as it is used."""
    return Settings(cpus=min(4, os.cpu_count() or 1), memory=2048, disk=64 * GIB)


def read(paths: MachinePaths) -> Settings:
    """The settings of the machine. Raises MachineMissing, MachineFolderUnusable."""
    try:
        return msgspec.json.decode(paths.settings.read_bytes(), type=Settings)
    except FileNotFoundError as error:
        raise MachineMissing() from error
    except OSError as error:
        raise MachineFolderUnusable(str(paths.settings), error.strerror or str(error)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MachineFolderUnusable(str(paths.settings), f"cannot be read: {error}") from error


async def make(
    paths: MachinePaths,
    settings: Settings,
    image: Path | None,
    say: Callable[[str], None],
    progress: Progress = lambda _, __: None,
) -> None:
    """Make a machine, and leave what was there of another one. `image` is a folder that holds one.

    Raises MachineExists, MachineFolderUnusable, ImageError or QemuError; what is half made is made whole the next time.
    """
    check(settings)
    if paths.settings.exists():
        raise MachineExists(str(paths.home))
    host = this_host()
    qemu = await find_qemu(host)
    try:
        source = await images.find(paths, image, say, progress)
        paths.make()
        say("image")
        images.choose(paths, await images.install(paths, source), "")
        images.tidy(paths)
        say("keys")
        for key in (paths.user_key, paths.host_key):
            if not key.exists():
                write_private(key, new_key())
        say("disk")
        if paths.disk.exists():  # An attempt before this made it; another file is refused.
            await inspect(qemu.image_tool, paths.disk)
        else:
            await make_disk(qemu.image_tool, paths.disk, settings.disk, BLANK)
        write(paths, settings)
    except OSError as error:
        raise MachineFolderUnusable(error.filename or str(paths.home), error.strerror or str(error)) from error


def new_key() -> bytes:
    """A private key as OpenSSH writes it."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def public_half(private: bytes) -> tuple[str, bytes]:
    """A line as of authorized_keys, and the key as SSH sends it."""
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    key = load_ssh_private_key(private, None)
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    return line, base64.b64decode(line.split()[1])
