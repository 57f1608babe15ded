"""Images on the move: from and to registries, files and root file systems, with progress."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from backend.client import Engine
from backend.errors import ArchiveRefused, EngineFault, NotFound, ProtocolError, PullFailed, Unauthorized
from backend.failures import pull_failed
from backend.names import image_segment
from backend.references import check_image, parse_reference
from backend.saving import check_target, saving
from backend.types.images import Progress

NO_AUTH = "e30="
"""`{}`: a push needs the header even when nobody is logged in."""
PIECE = 1024 * 1024
_TAR = {"Content-Type": "application/x-tar"}
Told = Callable[[int], None]


async def pull(engine: Engine, ref: str, *, platform: str = "", auth: str = "") -> AsyncGenerator[Progress, None]:
    """Fetches an image; messages as they come. Raises PullFailed and its kinds, InvalidReference."""
    reference = parse_reference(ref).with_default_tag()
    name = f"{reference.domain}/{reference.path}"
    query = {"fromImage": name, "tag": reference.digest or reference.tag, "platform": platform or None}
    headers = {"X-Registry-Auth": auth} if auth else None
    messages = engine.ndjson("POST", "/images/create", Progress, query=query, headers=headers, deadline=None)
    async for message in _checked(messages, reference.short):
        yield message


async def push(engine: Engine, ref: str, *, auth: str = "") -> AsyncGenerator[Progress, None]:
    """Sends an image to its registry. Raises PullFailed and its kinds, NotFound, InvalidReference."""
    reference = parse_reference(ref).with_default_tag()
    path = f"/images/{image_segment(reference.repository)}/push"
    headers = {"X-Registry-Auth": auth or NO_AUTH}
    messages = engine.ndjson("POST", path, Progress, query={"tag": reference.tag}, headers=headers, deadline=None)
    try:
        async for message in _checked(messages, reference.short):
            yield message
    except PullFailed as error:
        error.pushing = True
        raise


async def _checked(messages: AsyncGenerator[Progress, None], name: str) -> AsyncGenerator[Progress, None]:
    """The messages, up to the one that says that it failed; refusals with a status are worded alike."""
    try:
        async for message in messages:
            if message.error:
                raise pull_failed(name, message.error)
            yield message
    except (NotFound, Unauthorized, EngineFault) as error:
        raise pull_failed(name, error.message) from error
    finally:
        await messages.aclose()


async def save(engine: Engine, refs: Sequence[str], path: Path, progress: Told = lambda done: None) -> None:
    """Writes images to a tar at `path`, which appears only once it is whole. `progress(bytes)`. Raises NotSaved too."""
    with saving(path):
        await _save(engine, refs, path, progress)


async def _save(engine: Engine, refs: Sequence[str], path: Path, progress: Told) -> None:
    await asyncio.to_thread(check_target, path)
    query = {"names": [check_image(r) for r in refs]}
    handle, name = await asyncio.to_thread(tempfile.mkstemp, ".part", f".{path.name}.", path.parent)
    done = 0
    try:
        with os.fdopen(handle, "wb") as file:
            async with engine.stream("GET", "/images/get", query=query, deadline=600) as answer:
                async for piece in _gathered(answer.chunks()):
                    await asyncio.to_thread(file.write, piece)
                    done += len(piece)
                    progress(done)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        if len(held) >= PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


async def load(engine: Engine, path: Path, progress: Told = lambda done: None) -> AsyncGenerator[Progress, None]:
    """Loads the images of a tar; `progress(bytes sent)`. Raises ArchiveRefused, OSError."""
    query = {"quiet": True}
    messages = engine.ndjson(
        "POST", "/images/load", Progress, query=query, content=_file(path, progress), headers=_TAR, deadline=None
    )
    try:
        async for message in messages:
            if message.error:
                raise ArchiveRefused(str(path), message.error)
            yield message
    except EngineFault as error:
        raise ArchiveRefused(str(path), error.message) from error
    finally:
        await messages.aclose()


async def import_root(
    engine: Engine,
    path: Path,
    *,
    repo: str,
    tag: str = "latest",
    changes: Sequence[str] = (),
    message: str = "",
    progress: Told = lambda done: None,
) -> str:
    """Makes an image of one layer from a tar of a root file system; the image's id. Raises ArchiveRefused, OSError."""
    parse_reference(f"{repo}:{tag}")
    # Podman ignores a tag beside the repo; both take it inside.
    query = {"fromSrc": "-", "repo": f"{repo}:{tag}", "message": message or None, "changes": list(changes)}
    messages = engine.ndjson(
        "POST", "/images/create", Progress, query=query, content=_file(path, progress), headers=_TAR, deadline=None
    )
    found = ""
    try:
        async for message_ in messages:
            if message_.error:
                raise ArchiveRefused(str(path), message_.error)
            found = message_.status if message_.status.startswith("sha256:") else found
    except EngineFault as error:
        raise ArchiveRefused(str(path), error.message) from error
    finally:
        await messages.aclose()
    if not found:
        raise ProtocolError("POST /images/create", "it did not say the image's id")
    return found


async def _file(path: Path, progress: Told) -> AsyncIterator[bytes]:
    """The file in pieces, read off the loop."""
    file = await asyncio.to_thread(path.open, "rb")
    done = 0
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
            done += len(piece)
            progress(done)
    finally:
        file.close()
