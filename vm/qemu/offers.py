"""How a person gets QEMU on this computer: the command of the program that installs things here."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import msgspec

from vm.qemu.host import Arch, Host

_LINUX: tuple[tuple[str, tuple[str, ...], dict[Arch, tuple[str, ...]]], ...] = (
    (
        "apt-get",
        ("sudo", "apt-get", "install", "-y"),
        {"x86_64": ("qemu-system-x86", "qemu-utils"), "aarch64": ("qemu-system-arm", "qemu-utils")},
    ),
    (
        "dnf",
        ("sudo", "dnf", "install", "-y"),
        {"x86_64": ("qemu-system-x86-core", "qemu-img"), "aarch64": ("qemu-system-aarch64-core", "qemu-img")},
    ),
    (
        "zypper",
        ("sudo", "zypper", "install", "-y"),
        {"x86_64": ("qemu-x86", "qemu-img"), "aarch64": ("qemu-arm", "qemu-img")},
    ),
    (
        "pacman",
        ("sudo", "pacman", "-S", "--needed"),
        {"x86_64": ("qemu-system-x86", "qemu-img"), "aarch64": ("qemu-system-aarch64", "qemu-img")},
    ),
)


class Offer(msgspec.Struct, frozen=True):
    """`line` installs QEMU when it is typed or run; `page` is where to read on. An empty line: nothing here can."""

    line: tuple[str, ...]
    page: str


def offer(host: Host, which: Callable[[str], str | None] = shutil.which) -> Offer:
    """What to offer where no usable QEMU was found; `which` says whether a program is there."""
    if host.system == "macos":
        brew = next(
            (found for name in ("brew", "/opt/homebrew/bin/brew", "/usr/local/bin/brew") if (found := which(name))), ""
        )
        return Offer((brew, "install", "qemu") if brew else (), "https://www.qemu.org/download/#macos")
    if host.system == "windows":
        line = ("winget", "install", "--exact", "--id", "SoftwareFreedomConservancy.QEMU")
        return Offer(line if which("winget") else (), "https://www.qemu.org/download/#windows")
    for program, start, packages in _LINUX:
        if which(program):
            return Offer((*start, *packages[host.arch]), "https://www.qemu.org/download/#linux")
    return Offer((), "https://www.qemu.org/download/#linux")
