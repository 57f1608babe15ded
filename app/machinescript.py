"""What `pilothouse machine …` does for scripts; the exit codes stand in app.cli."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import msgspec

from app import checkscript, paths, scripting
from app.machinewordings import STEPS, install_line
from app.notices import notice_for
from vm import making
from vm.errors import (
    ImageMissing,
    MachineError,
    MachineMissing,
    MachineStartFailed,
    MachineUnsupported,
    UpdateFailed,
)
from vm.machine import Machine
from vm.making import GIB, Settings
from vm.paths import MachinePaths
from vm.qemu.errors import QemuError, QemuMissing
from vm.report import Report

DELETES = "This throws away the machine with all its images, containers and volumes. Say --yes if that is wanted."
_MADE = {
    "fetch": "Fetching the image",
    "image": "Copying and checking the image",
    "keys": "Making its keys",
    "disk": "Making its disk",
    "stop": "Stopping it",
    "start": "Starting it with the other image",
}
_SAID = {
    "absent": "There is no machine",
    "stopped": "The machine is stopped",
    "starting": "The machine is starting",
    "stopping": "The machine is stopping",
    "unresponsive": "The machine runs, and its engine does not answer",
    "failed": "The machine ended",
}


async def run(words: argparse.Namespace) -> int:
    """Does it; returns the exit code."""
    if words.verb == "delete" and not words.yes:
        return scripting.failed("NotConfirmed", [DELETES], as_json=words.json, code=2)
    try:
        machine = Machine(MachinePaths.below(paths.data_dir(), paths.runtime_dir()))
        if words.verb == "diagnose":
            return await checkscript.run(machine, words)
        report = await _do(machine, words)
    except (MachineError, QemuError) as error:
        return scripting.failed(type(error).__name__, _words(error), as_json=words.json, code=_code(error))
    except OSError as error:
        if error.filename is None:
            raise
        return scripting.unusable(error, as_json=words.json)
    _show(report, machine, as_json=words.json)
    if words.verb == "status":
        return 0 if report.state == "running" else scripting.NOT_RUNNING
    return 1 if words.verb in ("start", "restart") and not report.socket else 0


async def _do(machine: Machine, words: argparse.Namespace) -> Report:
    told = _Teller(quiet=words.json)
    if words.verb == "create":
        await machine.create(_settings(words), words.image, told.making, told.coming)
    elif words.verb == "fetch":
        await machine.fetch(told.making, told.coming)
    elif words.verb == "update":
        return await machine.update(words.image, told.making, told.coming)
    elif words.verb == "rollback":
        return await machine.rollback(told.making)
    elif words.verb == "start":
        return await machine.start(told.starting)
    elif words.verb == "restart":
        return await machine.restart(words.timeout, told.starting)
    elif words.verb == "stop":
        return await machine.stop(words.timeout)
    elif words.verb == "delete":
        await machine.delete(words.timeout)
    return await machine.inspect()


class _Teller:
    """Says on standard error what is going on, each thing once."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said: set[str] = set()
        self._tenths = -1

    def making(self, part: str) -> None:
        """A part of a machine is being made."""
        self._say(_MADE[part])

    def coming(self, here: int, whole: int) -> None:
        """A download goes on."""
        tenths = here * 10 // whole if whole else 10
        if tenths != self._tenths:
            self._tenths = tenths
            self._say(f"Fetched {here / 1e6:.0f} of {whole / 1e6:.0f} MB")

    def starting(self, report: Report) -> None:
        """A start goes on."""
        for step in report.steps:
            self._say(STEPS.get(step.name, step.name))

    def _say(self, words: str) -> None:
        if words not in self._said and not self._quiet:
            self._said.add(words)
            print(words, file=sys.stderr, flush=True)


def _settings(words: argparse.Namespace) -> Settings:
    usual = making.usual()
    disk = words.disk * GIB if words.disk else usual.disk
    return Settings(words.cpus or usual.cpus, words.memory or usual.memory, disk)


def _show(report: Report, machine: Machine, *, as_json: bool) -> None:
    host = f"unix://{machine.paths.socket}"
    if as_json:
        said: dict[str, Any] = msgspec.to_builtins(report)
        print(json.dumps({**said, "host": host if report.socket else ""}))
        return
    if report.state == "running":
        print(f"The machine is running: {host}")
    else:
        print(_SAID[report.state])
    if report.accelerator == "tcg":
        print("It is slow: every instruction is translated, since virtualization could not be used here.")
    for port in report.ports:
        if port.error:
            print(f"{port.address}:{port.port}/{port.protocol} does not answer here: {port.error}")
    if report.failure is not None:
        print("\n".join((report.failure.reason, *report.failure.console)))


def _words(error: MachineError | QemuError) -> list[str]:
    notice = notice_for(error)
    said = [f"{notice.title}. {notice.detail}".rstrip()]
    if isinstance(error, QemuMissing) and (line := install_line()):
        said.append(f"  {line}")
    if isinstance(error, MachineStartFailed | UpdateFailed):
        said += [f"  {line}" for line in error.console]
    return said


def _code(error: MachineError | QemuError) -> int:
    missing = (MachineMissing, MachineUnsupported, ImageMissing, QemuMissing)
    return scripting.MISSING if isinstance(error, missing) else 1
