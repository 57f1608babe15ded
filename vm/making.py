"""Making a machine: an image that is whole, keys of its own, an empty disk that the guest may format, its settings."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from vm import images
from vm.errors import MachineExists, MachineFolderUnusable, MachineMissing
from vm.guest.disk import BLANK
from vm.guest.fetching import Progress
from vm.paths import MachinePaths, write_private
from vm.qemu.disks import inspect, make_disk
from vm.qemu.finding import find_qemu
from vm.qemu.host import this_host

GIB = 1 << 30
ARCHES = images.ARCHES


class Settings(msgspec.Struct, frozen=True):
    """What a machine has: processors, memory in MiB, the disk's size in bytes."""

    cpus: int
    memory: int
    disk: int


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
        write_private(paths.settings, msgspec.json.format(msgspec.json.encode(settings)))
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
