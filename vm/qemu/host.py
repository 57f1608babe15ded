"""This computer as far as QEMU cares: its system, its processor, its kernel."""

from __future__ import annotations

import platform
import sys
from typing import Literal

import msgspec

System = Literal["linux", "macos", "windows"]
Arch = Literal["x86_64", "aarch64"]

_ARCHES: dict[str, Arch] = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


class Host(msgspec.Struct, frozen=True):
    """`kernel` is the running kernel's release: accelerators live there, so what was found holds for it alone."""

    system: System
    arch: Arch
    kernel: str = ""

    def program(self, name: str) -> str:
        """A program's file name here."""
        return f"{name}.exe" if self.system == "windows" else name

    @property
    def emulator(self) -> str:
        """The file name of the QEMU that runs guests of this processor."""
        return self.program(f"qemu-system-{self.arch}")


def this_host() -> Host:
    """This computer. Raises OSError on a processor for which there is no guest."""
    system: System = "windows" if sys.platform == "win32" else "macos" if sys.platform == "darwin" else "linux"
    named = _machine().lower()
    if named not in _ARCHES:
        raise OSError(f"no guest for the processor {named}")
    return Host(system, _ARCHES[named], platform.release())


def _machine() -> str:
    """The computer's processor, also where this very Python is translated for another (Rosetta, Windows on ARM)."""
    if sys.platform == "darwin" and "ARM64" in platform.uname().version:
        return "arm64"
    if sys.platform == "win32":
        import winreg

        place = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return str(winreg.QueryValueEx(key, "PROCESSOR_ARCHITECTURE")[0])
    return platform.machine()
