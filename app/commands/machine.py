"""What can be done with the machine: its life, what it has, its image, its folders, its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from app.commandline import CommandLine
from app.presentation.units import bytes_text, percent_text
from app.stores.machine import Amount, MachineState
from app.version import VERSION
from vm.diagnosis.check import Repair
from vm.machine import Machine
from vm.making import Settings
from vm.report import Report
from vm.shares.places import Share

T = TypeVar("T")
Told = Callable[[Report | Amount | str], None]
"""Takes each change: a report of a start, the name of what is being made, or how much of that is done."""
SUBJECT = "machine"
_UP = frozenset(("running", "unresponsive"))
_DOWN = frozenset(("absent", "stopped", "failed", "suspended"))


class MachineCommand(Struct, Generic[T], frozen=True):
    """One verb. `why_not(state)` is empty when it applies, else the sentence that a tool tip shows.

    `line(target)` is the command line that does the same, `done` the words once it was done; empty: none are needed.
    `run` may be cancelled; what was begun outside of this program then goes on.
    """

    key: str
    title: str
    icon: str
    run: Callable[[Machine, T, Told], Awaitable[object]]
    why_not: Callable[[MachineState], str]
    line: Callable[[T], CommandLine]
    done: str = ""
    destructive: bool = False


def words(*words: str) -> CommandLine:
    """A line that begins with `pilothouse machine`."""
    return CommandLine(("pilothouse", "machine", *words))


def busy(state: MachineState) -> str:
    """Why nothing else can be done just now."""
    if state.doing:
        return "Something is being done with it"
    return "Its state is not known yet" if state.report is None else ""


def _why_not_start(state: MachineState) -> str:
    if state.doing:
        return busy(state)
    return "It is running" if state.word in _UP else ""


def _why_not_stop(state: MachineState) -> str:
    return busy(state) or ("It is not running" if state.word in _DOWN else "")


def _why_not_restart(state: MachineState) -> str:
    return busy(state) or ("" if state.word in _UP else "It is not running")


def _why_not_suspend(state: MachineState) -> str:
    if state.word != "running":
        return busy(state) or "It is not running"
    return busy(state) or (state.report.suspendable if state.report is not None else "")


def _why_not_rollback(state: MachineState) -> str:
    return _why_not_there(state) or ("" if state.report and state.report.rollback else "No image from before is kept")


def _why_not_there(state: MachineState) -> str:
    return busy(state) or ("There is none" if state.word == "absent" else "")


async def _start(machine: Machine, settings: Settings | None, told: Told) -> Report:
    if not machine.created:
        await machine.create(settings, say=told, progress=_bytes(told))
    return await machine.start(told)


async def _stop(machine: Machine, _nothing: None, _told: Told) -> Report:
    return await machine.stop()


async def _restart(machine: Machine, _nothing: None, told: Told) -> Report:
    return await machine.restart(told=told)


async def _suspend(machine: Machine, _nothing: None, _told: Told) -> Report:
    return await machine.suspend()


async def _change(machine: Machine, settings: Settings, told: Told) -> Report:
    return await machine.change(settings, told)


async def _use_context(machine: Machine, wanted: bool, _told: Told) -> None:
    await machine.use_context(wanted)


async def _share(machine: Machine, share: Share, _told: Told) -> Report:
    return await machine.share(share.path, watch=share.watch, writable=share.writable)


async def _unshare(machine: Machine, path: str, _told: Told) -> Report:
    return await machine.unshare(path)


async def _move(machine: Machine, folder: Path, told: Told) -> Report:
    def say(share: float) -> None:
        told(Amount(round(share * 1000), 1000, percent_text(share)))

    return await machine.move(folder, say, told)


async def _update(machine: Machine, _nothing: None, told: Told) -> Report:
    return await machine.update(say=told, progress=_bytes(told))


async def _rollback(machine: Machine, _nothing: None, told: Told) -> Report:
    return await machine.rollback(told)


async def _reset(machine: Machine, _nothing: None, _told: Told) -> Report:
    return await machine.reset()


async def _delete(machine: Machine, _nothing: None, _told: Told) -> None:
    await machine.delete()


async def _repair(machine: Machine, what: Repair, _told: Told) -> None:
    await machine.repair(what)


async def _bundle(machine: Machine, path: Path, _told: Told) -> None:
    await machine.bundle(path, VERSION)


def _bytes(told: Told) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        told(Amount(done, total, f"{bytes_text(done)} of {bytes_text(total)}"))

    return progress


def _line(*said: str) -> Callable[[object], CommandLine]:
    return lambda _target: words(*said)


def _never(state: MachineState) -> str:
    return "Something is being done with it" if state.doing else ""


START = MachineCommand[Settings | None]("start", "Start", "play", _start, _why_not_start, _line("start"))
STOP = MachineCommand[None]("stop", "Stop", "square", _stop, _why_not_stop, _line("stop"), "Stopped the machine")
RESTART = MachineCommand[None](
    "restart", "Restart", "rotate-cw", _restart, _why_not_restart, _line("restart"), "Restarted the machine"
)
SUSPEND = MachineCommand[None](
    "suspend", "Suspend", "pause", _suspend, _why_not_suspend, _line("suspend"), "Suspended the machine"
)
CHANGE = MachineCommand[Settings](
    "change", "Change", "settings", _change, _why_not_there, lambda _settings: CommandLine(), "Changed the machine"
)
USE_CONTEXT = MachineCommand[bool](
    "context", "Switch docker over", "plug", _use_context, _why_not_there, lambda _wanted: CommandLine()
)
SHARE = MachineCommand[Share](
    "share", "Share a folder", "folder", _share, _why_not_there, lambda share: words("share", share.path)
)
UNSHARE = MachineCommand[str](
    "unshare", "Share a folder no more", "x", _unshare, _why_not_there, lambda path: words("unshare", path)
)
MOVE = MachineCommand[Path](
    "move", "Move the disk…", "folder-open", _move, _why_not_there, lambda folder: words("move", str(folder)),
    "Moved the machine's disk",
)  # fmt: skip
UPDATE = MachineCommand[None](
    "update", "Update", "cloud-download", _update, _why_not_there, _line("update"), "Updated the machine"
)
ROLLBACK = MachineCommand[None](
    "rollback", "Go back to the image before", "undo-2", _rollback, _why_not_rollback, _line("rollback"),
    "The machine has its image from before",
)  # fmt: skip
RESET = MachineCommand[None](
    "reset", "Factory reset…", "rotate-ccw", _reset, _why_not_there, _line("reset", "--yes"), "Reset the machine", True
)
DELETE = MachineCommand[None](
    "delete", "Delete…", "trash-2", _delete, _why_not_there, _line("delete", "--yes"), "Deleted the machine", True
)
REPAIR = MachineCommand[Repair]("repair", "Repair", "hammer", _repair, _never, _line("diagnose"))
BUNDLE = MachineCommand[Path](
    "bundle", "Save a report…", "file-text", _bundle, lambda _state: "",
    lambda path: words("diagnose", "--bundle", str(path)), "Saved the report",
)  # fmt: skip
