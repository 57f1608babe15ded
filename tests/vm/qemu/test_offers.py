"""What is offered where QEMU is missing."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from vm.qemu.host import Arch, Host, System
from vm.qemu.offers import offer


@pytest.mark.parametrize(
    ("system", "arch", "there", "line"),
    [
        ("macos", "aarch64", "/opt/homebrew/bin/brew", "/opt/homebrew/bin/brew install qemu"),
        ("macos", "x86_64", "", ""),
        ("windows", "x86_64", "winget", "winget install --exact --id SoftwareFreedomConservancy.QEMU"),
        ("windows", "x86_64", "", ""),
        ("linux", "x86_64", "apt-get", "sudo apt-get install -y qemu-system-x86 qemu-utils"),
        ("linux", "aarch64", "dnf", "sudo dnf install -y qemu-system-aarch64-core qemu-img"),
        ("linux", "x86_64", "zypper", "sudo zypper install -y qemu-x86 qemu-img"),
        ("linux", "aarch64", "pacman", "sudo pacman -S --needed qemu-system-aarch64 qemu-img"),
        ("linux", "x86_64", "", ""),
    ],
)
def test_the_line_of_a_computer(system: System, arch: Arch, there: str, line: str) -> None:
    made = offer(Host(system, arch), lambda name: name if name == there else None)
    assert " ".join(made.line) == line
    assert made.page.startswith("https://www.qemu.org/")


@pytest.mark.skipif(shutil.which("apt-cache") is None, reason="only Debian knows its packages")
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_the_packages_of_debian_are_there(arch: Arch) -> None:
    packages = offer(Host("linux", arch), lambda name: name if name == "apt-get" else None).line[4:]
    shown = subprocess.run(["apt-cache", "show", "--no-all-versions", *packages], capture_output=True, text=True)
    assert all(f"Package: {package}\n" in shown.stdout for package in packages), shown.stderr
