"""What can run a guest on a host, best first: an accelerator with the processor that goes with it."""

from __future__ import annotations

from typing import Literal

import msgspec

from vm.qemu.finding import Version
from vm.qemu.host import Arch, Host

Name = Literal["kvm", "hvf", "whpx", "tcg"]


class Accelerator(msgspec.Struct, frozen=True):
    """`name` runs the guest, `cpu` is the processor that the guest sees, as -cpu takes it."""

    name: Name
    cpu: str

    @property
    def slow(self) -> bool:
        """Whether every instruction of the guest is translated."""
        return self.name == "tcg"


Cause = Literal["off", "forbidden", "unsigned", "not-built-in", "broken"]
"""Why an accelerator runs nothing: off (in the firmware or the system, or not lent to this virtual computer), forbidden
to this person, a QEMU that macOS does not let have it, a QEMU built without it, or there and not working."""

_SIGNS: tuple[tuple[str, Cause], ...] = (
    ("invalid accelerator", "not-built-in"),
    ("KVM kernel module: No such file", "off"),
    ("KVM kernel module: Permission denied", "forbidden"),
    ("WHPX: No accelerator found", "off"),
    ("HV_UNSUPPORTED", "off"),
    ("HV_DENIED", "unsigned"),
    ("Could not access HVF", "unsigned"),
)


def cause_of(words: str) -> Cause:
    """What QEMU's last words say of its accelerator (accel/{kvm,hvf}, target/i386/whpx of its source)."""
    return next((cause for sign, cause in _SIGNS if sign in words), "broken")


def emulation(arch: Arch) -> Accelerator:
    """TCG; on aarch64 without pointer authentication, the algorithm of which takes half of a boot's time."""
    return Accelerator("tcg", "max,pauth=off" if arch == "aarch64" else "max")


def choices(host: Host, version: Version) -> tuple[Accelerator, ...]:
    """All that is worth a try on this host with this QEMU; the last one is always emulation."""
    return (*_accelerated(host, version), emulation(host.arch))


def _accelerated(host: Host, version: Version) -> tuple[Accelerator, ...]:
    if host.system == "linux":
        # Nested in some hypervisors the register of arch-capabilities cannot be set, and QEMU aborts.
        cpus = ("host", "host,-arch-capabilities") if host.arch == "x86_64" else ("host",)
        return tuple(Accelerator("kvm", cpu) for cpu in cpus)
    if host.system == "macos":
        # The M4's matrix unit crashed `host` for some versions (lima#3032).
        cpus = ("host", "max") if host.arch == "aarch64" else ("host,-avx512vl,-pdpe1gb",)
        return tuple(Accelerator("hvf", cpu) for cpu in cpus)
    # Before 11.1.1 `host` dies on Windows with some processors (lima#5456).
    named = host.arch == "aarch64" or version >= (11, 1, 1)
    return (Accelerator("whpx", "host" if named else "qemu64"),)
