"""The build context: walks a folder as .dockerignore says and makes a tar of it, piece by piece."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import tarfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from e2b_dockerfile_utils import PatternMatcher

from backend.errors import ContextUnusable, DockerfileMissing
from backend.types.builds import ContextSent

PIECE = 1024 * 1024
IGNORE = ".dockerignore"
MAX_IGNORE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of the context: where it is, its slash-separated name in the tar, and what lstat said."""

    path: str
    name: str
    status: os.stat_result


@dataclass(slots=True)
class Context:
    """A folder to send: which things are left out, and what is put in besides.

    `dockerfile` is the Dockerfile's name inside the tar. `extra` holds files that are made up, by name; they replace
    what the folder has there.
    """

    root: Path
    dockerfile: str
    matcher: PatternMatcher | None = None
    extra: dict[str, bytes] = field(default_factory=dict)
    sent: int = 0
    files: int = 0


def prepare(folder: Path, dockerfile: Path) -> Context:
    """Reads the ignore file and decides how the Dockerfile travels; raises ContextUnusable or DockerfileMissing.

    A Dockerfile outside the folder is sent under a name of its own, which .dockerignore keeps out of the image, as
    the docker command line does. `<Dockerfile>.dockerignore` goes before `.dockerignore`.
    """
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ContextUnusable(str(folder), _reason(error)) from error
    if not root.is_dir():
        raise ContextUnusable(str(folder), "it is not a folder")
    file = Path(os.path.abspath(dockerfile))
    if not os.path.isfile(file):  # Path.is_file raises for a name that is too long.
        raise DockerfileMissing(str(dockerfile))
    inside = _name_inside(root, folder, file)
    lines = ignore_lines(root, file)
    context = Context(root, inside or f".dockerfile.{secrets.token_hex(10)}")
    if inside:
        keep = [f"!{_literal(n)}" for n in (IGNORE, inside)] if lines else []
        context.matcher = _matcher(root, [*lines, *keep])
        return context
    context.matcher = _matcher(root, [*lines, f"!{IGNORE}"] if lines else [])
    try:
        context.extra[context.dockerfile] = file.read_bytes()
    except OSError as error:
        raise ContextUnusable(str(file), _reason(error)) from error
    context.extra[IGNORE] = "\n".join([*lines, context.dockerfile, ""]).encode("utf-8", "surrogateescape")
    return context


def _name_inside(root: Path, folder: Path, file: Path) -> str:
    for base in (root, Path(os.path.abspath(folder))):
        if file.is_relative_to(base):
            return file.relative_to(base).as_posix()
    resolved = file.parent.resolve() / file.name
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else ""


def _literal(name: str) -> str:
    return "".join("\\" + c if c in "*?[]\\" else c for c in name)


def ignore_lines(root: Path, dockerfile: Path) -> list[str]:
    """The lines of the ignore file that holds for this Dockerfile; empty when there is none."""
    for path in (dockerfile.with_name(dockerfile.name + IGNORE), root / IGNORE):
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_IGNORE + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ContextUnusable(str(path), _reason(error)) from error
        if len(raw) > MAX_IGNORE:
            raise ContextUnusable(str(path), "it is larger than 1 MB")
        return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    return []


def _matcher(root: Path, lines: list[str]) -> PatternMatcher | None:
    try:
        return PatternMatcher(lines, backslash_is_separator=os.sep == "\\") if lines else None
    except ValueError as error:
        raise ContextUnusable(str(root / IGNORE), str(error)) from error


def walk(context: Context) -> Iterator[Entry]:
    """Everything that goes into the tar, folders before what is in them, in the order of names.

    Links are never followed, so loops cannot be. An ignored folder is entered only where a `!` pattern begins with its
    name, and sockets are left out, both as the docker command line does for the classic builder (moby/go-archive,
    archive.go; BuildKit's own client looks further). What cannot be read raises ContextUnusable with its path.
    """
    matcher = context.matcher
    kept = [p.removeprefix("!") for p in matcher.patterns if p.startswith("!")] if matcher is not None else []
    todo: list[Iterator[tuple[str, str]]] = [_children(str(context.root), "")]
    while todo:
        pair = next(todo[-1], None)
        if pair is None:
            todo.pop()
            continue
        path, name = pair
        ignored = matcher is not None and matcher.matches(name)
        if ignored and not any(f"{pattern}/".startswith(f"{name}/") for pattern in kept):
            continue
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ContextUnusable(path, _reason(error)) from error
        if not ignored and name not in context.extra and not stat.S_ISSOCK(status.st_mode):
            yield Entry(path, name, status)
        if stat.S_ISDIR(status.st_mode):
            todo.append(_children(path, name + "/"))


def _children(folder: str, prefix: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder), key=os.fsencode)
    except FileNotFoundError:
        return iter(())
    except OSError as error:
        raise ContextUnusable(folder, _reason(error)) from error
    return ((f"{folder}{os.sep}{n}", prefix + n) for n in names)


def measure(context: Context) -> tuple[int, int]:
    """Bytes of file contents and number of files; raises ContextUnusable for the first file that cannot be read."""
    size, files = sum(map(len, context.extra.values())), len(context.extra)
    for entry in walk(context):
        if stat.S_ISREG(entry.status.st_mode):
            if not os.access(entry.path, os.R_OK):
                raise ContextUnusable(entry.path, "it cannot be read (permission denied)")
            size += entry.status.st_size
            files += 1
    return size, files


def pieces(context: Context) -> Generator[bytes, None, None]:
    """The tar in pieces of about 1 MB; counts what went out in `context.sent` and `context.files`."""
    buffer = bytearray()
    for chunk in _tar(context):
        buffer += chunk
        if len(buffer) >= PIECE:
            yield bytes(buffer)
            buffer.clear()
    buffer += bytes(2 * tarfile.BLOCKSIZE)
    yield bytes(buffer)


def _tar(context: Context) -> Iterator[bytes]:
    linked: dict[tuple[int, int], str] = {}
    for entry in walk(context):
        if stat.S_ISREG(entry.status.st_mode):
            key = (entry.status.st_dev, entry.status.st_ino)
            if entry.status.st_nlink > 1 and key in linked:
                yield _header(entry.name, entry.status, tarfile.LNKTYPE, linked[key])
                continue
            yield from _file(context, entry)
            if entry.status.st_nlink > 1:
                linked[key] = entry.name
        else:
            yield from _special(entry)
    for name, content in context.extra.items():
        made = tarfile.TarInfo(name)
        made.size, made.mode, made.mtime = len(content), 0o600, int(time.time())
        yield _buffer(made)
        yield content + bytes(-len(content) % tarfile.BLOCKSIZE)
        context.sent += len(content)
        context.files += 1


def _special(entry: Entry) -> Iterator[bytes]:
    mode = entry.status.st_mode
    if stat.S_ISDIR(mode):
        yield _header(entry.name, entry.status, tarfile.DIRTYPE)
    elif stat.S_ISLNK(mode):
        with suppress(FileNotFoundError):
            yield _header(entry.name, entry.status, tarfile.SYMTYPE, os.readlink(entry.path))
    elif stat.S_ISFIFO(mode):
        yield _header(entry.name, entry.status, tarfile.FIFOTYPE)
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        kind = tarfile.CHRTYPE if stat.S_ISCHR(mode) else tarfile.BLKTYPE
        yield _header(entry.name, entry.status, kind, device=entry.status.st_rdev)


def _file(context: Context, entry: Entry) -> Iterator[bytes]:
    """One regular file, with the size that it had when it was opened: what is appended meanwhile stays out."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(entry.path, flags)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ContextUnusable(entry.path, _reason(error)) from error
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ContextUnusable(entry.path, "it was replaced while it was read")
        yield _header(entry.name, status, tarfile.REGTYPE)
        left = status.st_size
        while left:
            try:
                data = file.read(min(left, PIECE))
            except OSError as error:
                raise ContextUnusable(entry.path, _reason(error)) from error
            if not data:
                raise ContextUnusable(entry.path, "it became shorter while it was read")
            left -= len(data)
            context.sent += len(data)
            yield data
        yield bytes(-status.st_size % tarfile.BLOCKSIZE)
    context.files += 1


def _header(name: str, status: os.stat_result, kind: bytes, target: str = "", device: int = 0) -> bytes:
    """A header with owner 0:0, so that the same files make the same image whoever builds it."""
    member = tarfile.TarInfo(name + "/" if kind == tarfile.DIRTYPE else name)
    member.type, member.linkname = kind, target
    member.mode = stat.S_IMODE(status.st_mode) if os.sep == "/" else stat.S_IMODE(status.st_mode) | 0o111
    member.mtime = int(status.st_mtime)
    member.size = status.st_size if kind == tarfile.REGTYPE else 0
    if device:
        member.devmajor, member.devminor = os.major(device), os.minor(device)
    return _buffer(member)


def _buffer(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _reason(error: BaseException) -> str:
    if isinstance(error, PermissionError):
        return "it cannot be read (permission denied)"
    return (getattr(error, "strerror", None) or str(error)).lower()


async def stream(context: Context, sent: Callable[[ContextSent], None]) -> AsyncGenerator[bytes, None]:
    """The tar for a request body. Reads in a thread of its own, one piece ahead, so that memory stays at a few MB.

    `sent` is called after each piece. Raises ContextUnusable. When it is closed early the thread ends with its piece.
    """
    worker = ThreadPoolExecutor(1, thread_name_prefix="build context")
    source = pieces(context)
    try:
        size, files = await asyncio.wrap_future(worker.submit(measure, context))
        sent(ContextSent(0, 0, size, files))
        ahead = worker.submit(next, source, None)
        while (piece := await asyncio.wrap_future(ahead)) is not None:
            ahead = worker.submit(next, source, None)
            yield piece
            sent(ContextSent(context.sent, context.files, size, files))
    finally:
        worker.submit(source.close)
        worker.shutdown(wait=False)
