"""The command that runs a form: fetch what is missing, create, start."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from app.commands.command import Command
from app.commands.pull import Pulling, pull_image
from app.commands.run.body import create_body
from app.commands.run.form import RunForm
from app.commands.run.unshared import refuse_unshared
from app.commands.run.write import run_line
from app.notices import sentence
from app.operation import Operation
from backend import containers, images
from backend.client import Engine
from backend.errors import BackendError, NotFound
from backend.types.containers import ContainerId

_WARNED = "The engine warns: "
_REMOVED = "Removed the container that did not start"


@dataclass(frozen=True, slots=True)
class Running:
    """A form, and whether to stop after the create."""

    form: RunForm
    create_only: bool = False


async def run_form(engine: Engine, target: Running, operation: Operation) -> ContainerId:
    """Returns the id. A container that was made and did not start is removed again, so that its name is free.

    Raises FormInvalid and PathNotShared before anything is touched, PullFailed and its kinds, NameInUse, PortInUse and
    what else the engine says.
    """
    form = target.form
    body = create_body(form)
    await refuse_unshared(engine, form)
    if form.pull == "always" or (form.pull != "never" and not await _is_here(engine, form.image)):
        operation.report(0, 0, f"Pulling {form.image}")
        await pull_image(engine, Pulling(form.image, form.platform), operation)
    operation.report(0, 0, "Creating")
    made = await containers.create(engine, body, name=form.name, platform=form.platform)
    for warning in made.warnings or ():
        operation.write(f"{_WARNED}{sentence(warning)}")
    if target.create_only:
        return made.id
    operation.report(0, 0, "Starting")
    try:
        await containers.start(engine, made.id)
    except BaseException:
        with suppress(BackendError):
            await containers.remove(engine, made.id, volumes=True, force=True)
            operation.write(f"{_REMOVED}. The form is as it was.")
        raise
    operation.report(0, 0, "Started")
    return made.id


def was_removed(operation: Operation) -> list[str]:
    """What a run said of the container that it removed again; nothing when it made none, or left it."""
    return [line for line in operation.output if line.startswith(_REMOVED)]


def warnings_of(operation: Operation) -> list[str]:
    """What the engine said against a container that it made all the same."""
    return [line.removeprefix(_WARNED) for line in operation.output if line.startswith(_WARNED)]


async def _is_here(engine: Engine, image: str) -> bool:
    try:
        await images.inspect(engine, image)
    except NotFound:
        return False
    return True


RUN: Command[Running] = Command(
    "container-run", "Run", "play", run_form, lambda t: t.form.name or t.form.image,
    line=lambda t: run_line(t.form, create_only=t.create_only),
)  # fmt: skip
