"""What a person does with the log of a container: save it whole."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.commandline import CommandLine
from app.commands.command import Command
from app.operation import Operation
from backend.client import Engine
from backend.logs import logs
from backend.saving import check_target, saving


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log to be saved: the container's id and name, whether it has a TTY, the file, and whether with times."""

    container: str
    name: str
    tty: bool
    path: Path
    timestamps: bool = False


async def save(engine: Engine, target: LogFile, operation: Operation) -> None:
    """Streams the complete log, byte for byte as the container wrote it, to a file beside and renames it.

    The file is readable by this person alone. Raises what reading the log raises, and NotSaved.
    """
    with saving(target.path):
        await _save(engine, target, operation)


async def _save(engine: Engine, target: LogFile, operation: Operation) -> None:
    check_target(target.path)
    part = target.path.with_name(target.path.name + ".part")
    file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    try:
        with file:
            os.chmod(part, 0o600)
            await _write(engine, target, file, operation)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target.path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


async def _write(engine: Engine, target: LogFile, file: BinaryIO, operation: Operation) -> None:
    done = 0
    async with await logs(engine, target.container, timestamps=target.timestamps, tty=target.tty) as stream:
        async for frames in stream:
            for _, payload in frames:
                file.write(payload)
                done += len(payload)
            operation.report(done, 0, f"{done / 1e6:.1f}\N{NO-BREAK SPACE}MB")


def line(target: LogFile) -> CommandLine:
    """The `docker logs` that writes the same file: what the container said on both of its streams."""
    words = ("docker", "logs", *(["--timestamps"] if target.timestamps else []), target.name)
    return CommandLine(words, into=str(target.path))


SAVE_LOG: Command[LogFile] = Command(
    key="save-log",
    title="Save log",
    icon="download",
    run=save,
    subject=lambda target: target.name,
    line=line,
    done=lambda target: f"Saved the log of {target.name}",
)
