"""What a person does with the log of a container: save it whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from app.commandline import CommandLine
from app.commands.command import Command
from app.operation import Operation
from backend.client import Engine
from backend.logreader import Payloads, logs_path, read_log


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log to be saved: the container's id and name, whether it has a TTY, and the file."""

    container: str
    name: str
    tty: bool
    path: Path


async def save(engine: Engine, target: LogFile, operation: Operation) -> None:
    """Streams the complete log, byte for byte as the container wrote it, to a file beside and renames it.

    The file is readable by this person alone. Raises what reading the log raises, and OSError.
    """
    part = target.path.with_name(target.path.name + ".part")
    payloads = Payloads(tty=target.tty)
    done = 0
    file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    try:
        with file:

            def received(data: bytes) -> None:
                nonlocal done
                file.write(payloads.feed(data))
                done += len(data)
                operation.report(done, 0, f"{done / 1e6:.1f} MB")

            query: dict[str, object] = {"stdout": 1, "stderr": 1, "timestamps": 0, "tail": "all"}
            await read_log(engine.endpoint, logs_path(engine.api, target.container, query), received)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target.path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


SAVE_LOG: Command[LogFile] = Command(
    key="save-log",
    title="Save log",
    icon="download",
    run=save,
    subject=lambda target: target.name,
    line=lambda target: CommandLine.docker("logs", target.name),
    done=lambda target: f"Saved the log of {target.name}",
)
