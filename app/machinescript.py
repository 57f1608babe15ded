"""What `pilothouse machine …` does for scripts; the exit codes stand in app.cli."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from app import checkscript, paths, scripting
from app.machinewordings import STEPS, export_line, install_line, port_words
from app.notices import notice_for
from app.presentation.units import bytes_text
from app.qemuwordings import about_slowness
from backend import endpoint
from vm import dockercontext, making
from vm.errors import (
    ImageMissing,
    MachineError,
    MachineMissing,
    MachineStartFailed,
    MachineUnsupported,
    UpdateFailed,
)
from vm.images import kept
from vm.machine import Machine
from vm.making import GIB, Settings
from vm.paths import MachinePaths
from vm.qemu.errors import QemuError, QemuMissing
from vm.qemu.probing import last_trial
from vm.report import Report

RESTARTS = "This restarts the machine, and what runs in it ends as when it is stopped. Say --yes if that is wanted."
DELETES = "This throws away the machine with all its images, containers and volumes. Say --yes if that is wanted."
NO_PATH = "Say which folder."
RESETS = "This throws away all images, containers and volumes of the machine. Say --yes if that is wanted."
_MADE = {
    "fetch": "Fetching the image",
    "image": "Copying and checking the image",
    "keys": "Making its keys",
    "disk": "Making its disk",
    "stop": "Stopping it",
    "start": "Starting it with the other image",
}
GUEST = ("process", "guest", "ssh", "engine")
BACK = "If this began with an update: pilothouse machine rollback takes the image {} again."
_SAID = {
    "absent": "There is no machine",
    "stopped": "The machine is stopped",
    "starting": "The machine is starting",
    "stopping": "The machine is stopping",
    "unresponsive": "The machine runs, and its engine does not answer",
    "failed": "The machine ended",
    "suspended": "The machine is suspended",
    "asleep": "The machine is asleep, and wakes when its engine is asked",
}


async def run(words: argparse.Namespace) -> int:
    """Does it; returns the exit code."""
    if (words.path is not None) != (words.verb in ("share", "unshare")):
        needs = NO_PATH if words.path is None else f"machine {words.verb} takes no folder."
        return scripting.failed("NotUnderstood", [needs], as_json=words.json, code=2)
    try:
        machine = Machine(MachinePaths.below(paths.data_dir(), paths.runtime_dir()))
        if words.verb == "diagnose":
            return await checkscript.run(machine, words)
        if not words.yes and (wanted := await _unconfirmed(machine, words)):
            return scripting.failed("NotConfirmed", [wanted], as_json=words.json, code=2)
        report = await _do(machine, words)
        if words.verb == "context":
            _show_context(machine, as_json=words.json)
            return 0
    except (MachineError, QemuError) as error:
        said = _words(error)
        if isinstance(error, MachineStartFailed) and error.step in GUEST and (before := kept(machine.paths)):
            said.append(BACK.format(before))
        return scripting.failed(type(error).__name__, said, as_json=words.json, code=_code(error))
    except OSError as error:
        if error.filename is None:
            raise
        return scripting.unusable(error, as_json=words.json)
    _show(report, machine, as_json=words.json)
    if words.verb == "status":
        return 0 if report.state == "running" else scripting.NOT_RUNNING
    return 1 if words.verb in ("start", "restart", "resume") and not report.socket else 0


async def _do(machine: Machine, words: argparse.Namespace) -> Report:
    told, seconds = _Teller(quiet=words.json), words.timeout
    verbs: dict[str, Callable[[], Awaitable[Report | None]]] = {
        "create": lambda: machine.create(_settings(words), words.image, told.making, told.coming),
        "fetch": lambda: machine.fetch(told.making, told.coming),
        "update": lambda: machine.update(words.image, told.making, told.coming),
        "rollback": lambda: machine.rollback(told.making),
        "start": lambda: machine.start(told.starting),
        "resume": lambda: machine.start(told.starting),
        "restart": lambda: machine.restart(seconds, told.starting),
        "stop": lambda: machine.stop(seconds),
        "suspend": machine.suspend,
        "change": lambda: machine.change(_changed(machine, words), told.starting, seconds),
        "move": lambda: machine.move(words.to, told.moving, told.starting, seconds),
        "share": lambda: machine.share(_full(words.path), watch=words.watch, writable=not words.read_only),
        "unshare": lambda: machine.unshare(_full(words.path)),
        "reset": lambda: machine.reset(seconds),
        "delete": lambda: machine.delete(seconds),
    }
    if words.verb == "context" and words.use is not None:
        await machine.use_context(words.use == "yes")
    report = await verbs[words.verb]() if words.verb in verbs else None
    return report or await machine.inspect()


async def _unconfirmed(machine: Machine, words: argparse.Namespace) -> str:
    """What has to be said before it is done; empty where nothing has to."""
    if words.verb in ("delete", "reset"):
        return DELETES if words.verb == "delete" else RESETS
    restarts = words.verb in ("move", "update", "rollback") or (
        words.verb == "change" and machine.restarts(_changed(machine, words))
    )
    return RESTARTS if restarts and (await machine.inspect()).state in ("running", "unresponsive", "suspended") else ""


def _full(path: Path) -> str:
    return os.path.abspath(path)


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
        if report.state == "stopping":
            self._say("Stopping it")
        for step in report.steps:
            self._say(STEPS.get(step.name, step.name))

    def moving(self, share: float) -> None:
        """The disk is being moved."""
        self._say(f"Moving the disk: {int(share * 10) * 10} %")

    def _say(self, words: str) -> None:
        if words not in self._said and not self._quiet:
            self._said.add(words)
            print(words, file=sys.stderr, flush=True)


def _settings(words: argparse.Namespace) -> Settings:
    usual = making.usual()
    disk = words.disk * GIB if words.disk else usual.disk
    plain = Settings(words.cpus or usual.cpus, words.memory or usual.memory, disk)
    return msgspec.structs.replace(plain, **_besides(words))


def _changed(machine: Machine, words: argparse.Namespace) -> Settings:
    """The settings that it has, but for what the words name."""
    named = {"cpus": words.cpus, "memory": words.memory, "disk": words.disk and words.disk * GIB}
    settings = making.read(machine.paths)
    return msgspec.structs.replace(
        settings, **{name: value for name, value in named.items() if value}, **_besides(words)
    )


def _besides(words: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {} if words.idle is None else {"idle": words.idle}
    return found if words.suspend is None else {**found, "suspend": words.suspend == "yes"}


def _show(report: Report, machine: Machine, *, as_json: bool) -> None:
    host = endpoint.text(machine.paths.endpoint)
    if as_json:
        said: dict[str, Any] = msgspec.to_builtins(report)
        print(json.dumps({**said, "host": host if report.socket else ""}))
        return
    if report.state == "running":
        print(f"The machine is running: {host}")
        print(f"For programs that know no contexts: {export_line(host)}")
    else:
        print(_SAID[report.state])
    if report.accelerator == "tcg":
        print(f"It is slow. {_slowness(machine)}")
    if report.suspendable:
        print(f"It cannot be suspended: {report.suspendable}")
    for low in report.warnings:
        where = f"This computer's disk ({low.path})" if low.where == "host" else "The machine's disk"
        print(f"{where} has only {bytes_text(low.free)} free.")
        if low.stopped:
            print("The machine stands still until there is room, and then goes on.")
    for port in report.ports:
        if port.error:
            print(f"{port.address}:{port.port}/{port.protocol} does not answer here. {port_words(port)}")
    for share in report.shares:
        print(f"{share.path} is not shared: {share.reason}" if share.reason else f"Shared: {share.path}")
        if share.unwatched:
            print(f"Its changes are not told: {share.unwatched}")
    if report.failure is not None:
        print("\n".join((report.failure.reason, *report.failure.console)))


def _show_context(machine: Machine, *, as_json: bool) -> None:
    """What docker uses, and what goes before it."""
    wanted, context = making.read(machine.paths).context, dockercontext.of(machine.paths)
    before = next((name for name in ("DOCKER_HOST", "DOCKER_CONTEXT") if os.environ.get(name)), "")
    if as_json:
        said = {"context": dockercontext.NAME, "wanted": wanted, "chosen": context.chosen, "overruled": before}
        print(json.dumps(said))
        return
    uses = "uses" if wanted else "does not use"
    print(f"Docker {uses} the machine while it runs, unless it is told otherwise.")
    if before:
        print(f"{before} is set here, and goes before that.")


def _slowness(machine: Machine) -> str:
    """Why it is emulated, and what would help."""
    trial = last_trial(machine.paths.trial)
    notice = about_slowness(trial) if trial is not None else None
    return notice.detail if notice is not None else "Virtualization could not be used here."


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
