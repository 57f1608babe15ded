"""What a person can do with builds, and the docker command lines that do the same."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from app.commandline import CommandLine, Secret, Word
from app.commands.command import Command
from app.notices import notice_for
from app.operation import Operation
from app.stores.builds import CANCELLED, FAILED, SUCCEEDED
from app.stores.livebuild import ENDED, LiveBuild
from backend import builds
from backend.client import Engine
from backend.errors import BuildFailed, DockerfileInvalid
from backend.saving import check_target, saving
from backend.types.builds import Builder, BuildEvent, BuildRequest, ContextSent, StepOutput


class OutputFile(Struct, frozen=True):
    """What a build wrote, to be saved: its name, the text and the file."""

    name: str
    text: str
    path: Path


async def _save_output(_engine: Engine, target: OutputFile, _operation: Operation) -> None:
    with saving(target.path):
        await asyncio.to_thread(_write, target)


def _write(target: OutputFile) -> None:
    """The file is readable by this person alone, and is whole or not there."""
    check_target(target.path)
    part = target.path.with_name(target.path.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(target.text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target.path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


# --load: a builder that was chosen with `docker buildx use` would else keep the image to itself.
_BUILDERS: dict[Builder | None, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Builder.CLASSIC: (("build",), ("DOCKER_BUILDKIT=0",)),
    Builder.BUILDKIT: (("buildx", "build", "--load"), ()),
}


def line(request: BuildRequest) -> CommandLine:
    """The build that does the same with the same builder; values of build arguments are hidden."""
    begin, settings = _BUILDERS.get(request.builder, (("build",), ()))
    words: list[Word] = ["docker", *begin]
    for flag, value in (
        ("--file", str(request.dockerfile_path) if request.dockerfile else ""),
        ("--tag", request.tag),
        ("--target", request.target),
        ("--platform", request.platform),
    ):
        words += [flag, value] if value else []
    for name, value in request.build_args:
        words += ["--build-arg", Secret(f"{name}=", value)]
    words += [w for w, on in (("--no-cache", request.no_cache), ("--pull", request.pull)) if on]
    return CommandLine((*words, str(request.context)), settings)


async def _build(engine: Engine, live: LiveBuild, operation: Operation) -> object:
    def take(event: BuildEvent) -> None:
        live.take(event)
        _report(live, event, operation)

    lines_seen = live.wrote.connect(lambda fresh: operation.write("\n".join(fresh)))
    try:
        image = await builds.build(engine, live.request, take)
    except asyncio.CancelledError:
        live.end(CANCELLED)
        raise
    except BuildFailed as error:
        live.end(FAILED, error.message, error.line)
        raise BuildFailed(live.masked(error.message), error.line, error.code) from None
    except DockerfileInvalid as error:
        live.end(FAILED, error.message, error.line)
        raise
    except Exception as error:
        notice = notice_for(error)
        live.end(FAILED, f"{notice.title}. {notice.detail}".strip())
        raise
    finally:
        live.wrote.disconnect(lines_seen)
    live.end(SUCCEEDED)
    return image


def _report(live: LiveBuild, event: BuildEvent, operation: Operation) -> None:
    if isinstance(event, ContextSent) and event.total:
        operation.report(event.sent, event.total, "Sending the context")
    elif not isinstance(event, StepOutput):
        planned = [s for s in live.steps if s.number]
        done = sum(1 for s in planned if s.state in ENDED)
        words = f"Step {min(done + 1, len(planned))} of {len(planned)}"
        operation.report(done, len(planned), words, counted=True)


BUILD: Command[LiveBuild] = Command(
    key="build",
    title="Build",
    icon="hammer",
    run=_build,
    subject=lambda live: live.request.tag or live.request.context.name,
    shortcut="Ctrl+B",
    line=lambda live: line(live.request),
    done=lambda live: f"Built {live.request.tag or live.request.context.name}",
)
SAVE_OUTPUT: Command[OutputFile] = Command(
    key="save-output",
    title="Save output",
    icon="download",
    run=_save_output,
    subject=lambda target: target.name,
    done=lambda target: f"Saved the output of {target.name}",
)
