"""What can be done with images: tag, remove, save, load, import, clean up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.commandline import CommandLine
from app.commands.command import Command
from app.operation import Operation, Part
from app.presentation import bytes_text, joined, plural, short_id
from backend import containers, images, moving
from backend.client import Engine
from backend.errors import ArchiveRefused, BackendError, ImageInUse, NotAllRemoved
from backend.references import parse_reference
from backend.types.containers import ContainerId, ContainerSummary
from backend.types.images import ImageSummary, Progress, Pruned

IMAGE_ARCHIVES = "Image archives (*.tar *.tar.gz *.tgz *.tar.xz *.tar.bz2);;All files (*)"


@dataclass(frozen=True, slots=True)
class Tagging:
    """An image and the reference that it is to have as well."""

    image: ImageSummary
    reference: str


@dataclass(frozen=True, slots=True)
class ImageRemoval:
    """An image to remove: these `references` of it, or itself when there are none; `force` past stopped users."""

    image: ImageSummary
    references: tuple[str, ...] = ()
    force: bool = False


@dataclass(frozen=True, slots=True)
class Saving:
    """Images to write into one tar at `path`."""

    references: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Importing:
    """A root file system to make an image of, named `reference`."""

    path: Path
    reference: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class CleanUp:
    """What to prune: only what no reference names (`dangling`), or all that no container uses."""

    dangling: bool = True


def title_of(image: ImageSummary) -> str:
    """The first reference, or the short id of an image without one."""
    return image.tags[0] if image.tags else short_id(image.id)


def names_of(image: ImageSummary) -> str:
    """All of its references, or the short id of an image without one."""
    return ", ".join(image.tags) or short_id(image.id)


async def now(engine: Engine) -> tuple[tuple[ImageSummary, ...], tuple[ContainerSummary, ...]]:
    """The images and containers that the engine has at this moment."""
    return await images.list_(engine), await containers.list_(engine)


def reference_problem(text: str) -> str:
    """Why a text cannot name an image; empty when it can."""
    if not text:
        return "Type a name, such as shop-api:dev"
    try:
        reference = parse_reference(text)
    except Exception as error:
        return str(getattr(error, "reason", error))
    return "Leave out the digest: it comes from the content" if reference.digest else ""


def split_reference(text: str) -> tuple[str, str]:
    """Repository as typed, and tag (`latest` where none is given)."""
    head, _, last = text.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}/{name}" if head else name, tag or "latest"


def _remove_words(target: ImageRemoval) -> list[str]:
    return list(target.references) or [short_id(target.image.id)]


async def _tag(engine: Engine, target: Tagging, _operation: Operation) -> None:
    repository, tag = split_reference(target.reference)
    await images.tag(engine, target.image.id, repository, tag)


async def _remove(engine: Engine, target: ImageRemoval, operation: Operation) -> None:
    """All of them, as docker rmi does; raises the error of a single one, else NotAllRemoved."""
    names = target.references or (target.image.id,)
    failures: list[tuple[str, BackendError]] = []
    for name in names:
        try:
            for gone in await images.remove(engine, name, force=target.force):
                operation.write(f"Untagged {gone.untagged}" if gone.untagged else f"Deleted {gone.deleted}")
        except BackendError as error:
            if isinstance(error, ImageInUse) and error.holder:
                await _look_at_holder(engine, error)
            operation.write(f"Could not remove {name}: {error}")
            failures.append((name, error))
    if not failures:
        return
    kept, cause = tuple(name for name, _error in failures), failures[0][1]
    if len(names) == 1:
        raise cause
    raise NotAllRemoved(kept, tuple(name for name in names if name not in kept), cause) from cause


async def _look_at_holder(engine: Engine, error: ImageInUse) -> None:
    """Learns the name of the container that uses the image, and whether it runs: the engine says neither for sure."""
    with suppress(BackendError):
        holder = (await containers.inspect(engine, ContainerId(error.holder))).value
        error.name, error.running = holder.name.removeprefix("/"), holder.state.running


async def _save(engine: Engine, target: Saving, operation: Operation) -> None:
    await moving.save(engine, target.references, target.path, lambda done: operation.report(done, 0, bytes_text(done)))


def _check_archive(path: Path) -> int:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise ArchiveRefused(str(path), error.strerror or str(error)) from error
    if not path.is_file() or not size:
        raise ArchiveRefused(str(path), "it is empty" if path.is_file() else "it is not a file")
    return size


async def _load(engine: Engine, path: Path, operation: Operation) -> None:
    size = _check_archive(path)
    async for message in moving.load(engine, path, lambda done: operation.report(done, size)):
        _note(operation, message)


async def _import(engine: Engine, target: Importing, operation: Operation) -> str:
    size = _check_archive(target.path)
    repository, tag = split_reference(target.reference)
    return await moving.import_root(
        engine, target.path, repo=repository, tag=tag, message=target.message,
        progress=lambda done: operation.report(done, size),
    )  # fmt: skip


def _note(operation: Operation, message: Progress) -> None:
    if message.detail is not None and message.id:
        operation.report_part(Part(message.id, message.status, message.detail.current, message.detail.total))
    elif words := (message.stream or message.status).strip():
        operation.write(words)


async def _prune(engine: Engine, target: CleanUp, operation: Operation) -> Pruned:
    result = await images.prune(engine, dangling=target.dangling)
    for gone in result.images_deleted or ():
        operation.write(f"Untagged {gone.untagged}" if gone.untagged else f"Deleted {gone.deleted}")
    operation.write(f"Freed {bytes_text(result.space_reclaimed)}")
    return result


TAG: Command[Tagging] = Command(
    "image-tag", "Tag", "tag", _tag, lambda t: t.reference,
    line=lambda t: CommandLine.docker("tag", t.image.tags[0] if t.image.tags else short_id(t.image.id), t.reference),
    done=lambda t: f"Tagged {t.reference}",
)  # fmt: skip
REMOVE: Command[ImageRemoval] = Command(
    "image-remove", "Remove", "trash-2", _remove,
    lambda t: joined(t.references or (title_of(t.image),)),
    line=lambda t: CommandLine.docker("rmi", *(["--force"] if t.force else []), *_remove_words(t)),
    done=lambda t: f"Removed {joined(t.references or (title_of(t.image),))}",
    destructive=True,
)  # fmt: skip
SAVE: Command[Saving] = Command(
    "image-save", "Save", "download", _save,
    lambda t: t.references[0] if len(t.references) == 1 else plural(len(t.references), "image"),
    line=lambda t: CommandLine.docker("save", "--output", str(t.path), *t.references),
    done=lambda t: f"Saved {t.path.name}",
)  # fmt: skip
LOAD: Command[Path] = Command(
    "image-load", "Load", "upload", _load, lambda path: path.name,
    line=lambda path: CommandLine.docker("load", "--input", str(path)),
    done=lambda path: f"Loaded {path.name}",
)  # fmt: skip
IMPORT: Command[Importing] = Command(
    "image-import", "Import", "package", _import, lambda t: t.reference,
    line=lambda t: CommandLine.docker(
        "import", *(["--message", t.message] if t.message else []), str(t.path), t.reference
    ),
    done=lambda t: f"Imported {t.reference}",
)  # fmt: skip
CLEAN_UP: Command[CleanUp] = Command(
    "image-prune", "Clean up", "trash-2", _prune, lambda t: "untagged images" if t.dangling else "unused images",
    line=lambda t: CommandLine.docker("image", "prune", "--force", *([] if t.dangling else ["--all"])),
    done=lambda _t: "Cleaned up images",
    destructive=True,
)  # fmt: skip
