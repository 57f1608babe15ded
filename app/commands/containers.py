"""What can be done with containers: start, stop, restart, pause, resume, kill, rename, remove."""

from __future__ import annotations

import re

from msgspec import Struct

from app.commandline import CommandLine
from app.commands.command import Command
from app.operation import Operation
from backend import containers
from backend.client import Engine
from backend.types.containers import ContainerSummary

# The engine's own rule: daemon/names/names.go, RestrictedNameChars.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_ALIVE = frozenset(("running", "paused", "restarting", "stopping"))


class Renaming(Struct, frozen=True):
    """A container and the name that it is to have."""

    container: ContainerSummary
    name: str = ""


class Removal(Struct, frozen=True):
    """A container to remove; `volumes` takes its anonymous volumes along, `force` kills it first."""

    container: ContainerSummary
    volumes: bool = False
    force: bool = False


def name_problem(name: str) -> str:
    """Why a name cannot be given to a container; empty when it can."""
    if not name:
        return "Type a name"
    if len(name) < 2:
        return "Use at least two characters"
    if not name[0].isascii() or not name[0].isalnum():
        return "Begin with a letter or a digit"
    if not _NAME.fullmatch(name):
        return "Use letters, digits, and the signs _ . -"
    return "" if len(name) <= 255 else "Use at most 255 characters"


def word_for(container: ContainerSummary) -> str:
    """How a command line names the container: its name, or its id when the name could be taken for something else."""
    return container.name if _NAME.fullmatch(container.name) else container.id


def _alive(container: ContainerSummary) -> bool:
    return container.state in _ALIVE


def _settled(container: ContainerSummary) -> str:
    if container.state == "removing":
        return "It is being removed"
    return "Its state is not known" if container.state == "unknown" else ""


def _why_not_start(container: ContainerSummary) -> str:
    if container.state == "paused":
        return "It is paused; resume it instead"
    if container.state == "dead":
        return "It is dead; it can only be removed"
    return "It is already running" if _alive(container) else _settled(container)


def _why_not_stop(container: ContainerSummary) -> str:
    return _settled(container) or ("" if _alive(container) else "It is not running")


def _why_not_restart(container: ContainerSummary) -> str:
    return "It is dead; it can only be removed" if container.state == "dead" else _settled(container)


def _why_not_pause(container: ContainerSummary) -> str:
    if container.state == "paused":
        return "It is already paused"
    if container.state == "restarting":
        return "It is restarting"
    return _why_not_stop(container)


def _why_not_resume(container: ContainerSummary) -> str:
    return "" if container.state == "paused" else "It is not paused"


def _removing(container: ContainerSummary) -> str:
    return "It is being removed" if container.state == "removing" else ""


def _subject(container: ContainerSummary) -> str:
    return container.name


async def _start(engine: Engine, container: ContainerSummary, _operation: Operation) -> None:
    await containers.start(engine, container.id)


async def _stop(engine: Engine, container: ContainerSummary, _operation: Operation) -> None:
    await containers.stop(engine, container.id)


async def _restart(engine: Engine, container: ContainerSummary, _operation: Operation) -> None:
    await containers.restart(engine, container.id)


async def _pause(engine: Engine, container: ContainerSummary, _operation: Operation) -> None:
    await containers.pause(engine, container.id)


async def _resume(engine: Engine, container: ContainerSummary, _operation: Operation) -> None:
    await containers.unpause(engine, container.id)


async def _kill(engine: Engine, container: ContainerSummary, _operation: Operation) -> None:
    await containers.kill(engine, container.id)


async def _rename(engine: Engine, target: Renaming, _operation: Operation) -> None:
    await containers.rename(engine, target.container.id, target.name)


async def _remove(engine: Engine, target: Removal, _operation: Operation) -> None:
    await containers.remove(engine, target.container.id, volumes=target.volumes, force=target.force)


def _remove_line(target: Removal) -> CommandLine:
    flags = [flag for flag, on in (("--force", target.force), ("--volumes", target.volumes)) if on]
    return CommandLine.docker("rm", *flags, word_for(target.container))


START: Command[ContainerSummary] = Command(
    "start", "Start", "play", _start, _subject, "S", _why_not_start,
    lambda c: CommandLine.docker("start", word_for(c)), lambda c: f"Started {c.name}",
)  # fmt: skip
STOP: Command[ContainerSummary] = Command(
    "stop", "Stop", "square", _stop, _subject, "S", _why_not_stop,
    lambda c: CommandLine.docker("stop", word_for(c)), lambda c: f"Stopped {c.name}",
)  # fmt: skip
RESTART: Command[ContainerSummary] = Command(
    "restart", "Restart", "rotate-cw", _restart, _subject, "R", _why_not_restart,
    lambda c: CommandLine.docker("restart", word_for(c)), lambda c: f"Restarted {c.name}",
)  # fmt: skip
PAUSE: Command[ContainerSummary] = Command(
    "pause", "Pause", "pause", _pause, _subject, "P", _why_not_pause,
    lambda c: CommandLine.docker("pause", word_for(c)), lambda c: f"Paused {c.name}",
)  # fmt: skip
RESUME: Command[ContainerSummary] = Command(
    "resume", "Resume", "play", _resume, _subject, "P", _why_not_resume,
    lambda c: CommandLine.docker("unpause", word_for(c)), lambda c: f"Resumed {c.name}",
)  # fmt: skip
KILL: Command[ContainerSummary] = Command(
    "kill", "Kill", "zap", _kill, _subject, "", _why_not_stop,
    lambda c: CommandLine.docker("kill", word_for(c)), lambda c: f"Killed {c.name}", destructive=True,
)  # fmt: skip
RENAME: Command[Renaming] = Command(
    "rename", "Rename", "pencil", _rename, lambda t: t.container.name, "", lambda t: _removing(t.container),
    lambda t: CommandLine.docker("rename", word_for(t.container), t.name),
    lambda t: f"Renamed {t.container.name} to {t.name}",
)  # fmt: skip
REMOVE: Command[Removal] = Command(
    "remove", "Remove", "trash-2", _remove, lambda t: t.container.name, "Del", lambda t: _removing(t.container),
    _remove_line, lambda t: f"Removed {t.container.name}", destructive=True,
)  # fmt: skip

SIMPLE: dict[str, Command[ContainerSummary]] = {c.key: c for c in (START, STOP, RESTART, PAUSE, RESUME, KILL)}
