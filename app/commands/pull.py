"""Pulling an image, with the progress of each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.commandline import CommandLine
from app.commands.command import Command
from app.operation import Operation, Part
from backend import moving
from backend.client import Engine
from backend.references import parse_reference
from backend.registries import authorization
from backend.types.images import Progress

_QUIET: Final = frozenset({"Pulling fs layer", "Waiting"})
_WORDS: Final = {"Pulling fs layer": "Waiting", "Pull complete": "Done", "Download complete": "Downloaded"}
_ENDED: Final = frozenset({"Pull complete", "Already exists", "Download complete", "Layer already exists"})


@dataclass(frozen=True, slots=True)
class Pulling:
    """What to pull; `platform` such as linux/arm64, empty for the engine's own."""

    reference: str
    platform: str = ""


def note_progress(operation: Operation, message: Progress) -> None:
    """One message of a pull or push, as progress of a layer or a line of output."""
    detail = message.detail
    if message.id and (detail is not None or message.status in _QUIET or message.id in operation.parts):
        old = operation.parts.get(message.id)
        total = detail.total if detail is not None and detail.total else old.total if old else 0
        done = detail.current if detail is not None and detail.current else 0
        ended = message.status in _ENDED
        words = _WORDS.get(message.status, message.status)
        operation.report_part(Part(message.id, words, total if ended else done, total, ended))
    elif words := (message.stream or message.status).strip():
        operation.write(f"{message.id}: {words}" if message.id else words)


async def pull_image(engine: Engine, target: Pulling, operation: Operation) -> None:
    """Pulls; the login, where docker's own configuration has one, is read for this call alone."""
    auth = await authorization(target.reference)
    async for message in moving.pull(engine, target.reference, platform=target.platform, auth=auth):
        note_progress(operation, message)


def reference_problem(text: str) -> str:
    """Why a text does not name an image; empty when it does."""
    if not text:
        return "Type the name of an image, such as nginx:1.27"
    try:
        parse_reference(text)
    except Exception as error:
        return str(getattr(error, "reason", error))
    return ""


PULL: Command[Pulling] = Command(
    "image-pull", "Pull", "download", pull_image, lambda t: t.reference,
    line=lambda t: CommandLine.docker("pull", *(["--platform", t.platform] if t.platform else []), t.reference),
    done=lambda t: f"Pulled {t.reference}",
)  # fmt: skip
