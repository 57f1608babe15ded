"""A program that starts a machine's QEMU and then dies of SIGKILL: `python -m tests.e2e.machine.owner MACHINE ARGV`."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from vm.qemu.commandline import Machine
from vm.qemu.process import QemuProcess

ROOT = Path(__file__).parents[3]


def abandoned(machine: Machine, argv: list[str]) -> None:
    """Start it by an owner that dies."""
    told = [msgspec.json.encode(each, enc_hook=str).decode() for each in (machine, argv)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.machine.owner", *told], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def _path(kind: type, text: Any) -> Any:
    return kind(text)


async def main(machine: str, argv: str) -> None:
    """Start it, and die."""
    made = msgspec.json.decode(machine, type=Machine, dec_hook=_path)
    await QemuProcess.start(msgspec.json.decode(argv, type=list[str]), made, "acpi", lambda _: None)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
