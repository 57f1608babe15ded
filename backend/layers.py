"""The layers that an image lies on, with their sizes: what images share, and what a removal frees."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterable, Sequence

from backend import images
from backend.client import Engine
from backend.errors import ApiError
from backend.types.images import ImageId, ImageSummary, Layer, StoredLayer

_AT_ONCE = 4
_METADATA = re.compile(
    r"\s*(?:/bin/sh -c #\(nop\)\s*)?"
    r"(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)


async def of_image(engine: Engine, ref: str) -> tuple[StoredLayer, ...]:
    """The layers of one image, the lowest first. Raises NotFound, InvalidReference."""
    details = (await images.inspect(engine, ref)).value
    diffs = details.root_fs.layers if details.root_fs is not None else None
    return stacked(diffs or (), await images.history(engine, ref))


async def of_images(engine: Engine, wanted: Iterable[ImageSummary]) -> dict[ImageId, tuple[StoredLayer, ...]]:
    """The layers of several, by id; an image that the engine does not tell of counts as one layer of its own."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(image: ImageSummary) -> tuple[ImageId, tuple[StoredLayer, ...]]:
        async with gate:
            try:
                return image.id, await of_image(engine, image.id)
            except ApiError:
                return image.id, (StoredLayer(image.id, image.size),)

    return dict(await asyncio.gather(*(one(image) for image in wanted)))


def stacked(diffs: Sequence[str], history: Sequence[Layer]) -> tuple[StoredLayer, ...]:
    """Diff ids (the lowest first) and a history (the newest first) as layers.

    The API does not say which rows of a history made a layer. All with a size did; among those without, what only
    sets a value did not.
    """
    if not diffs:
        return ()
    rows = list(reversed(history))
    made = [at for at, row in enumerate(rows) if row.size > 0]
    if len(made) > len(diffs):  # A history that does not belong to these layers, as of a squashed image.
        rows = [Layer(size=sum(row.size for row in rows))]
        made = [0]
    empty = [at for at, row in enumerate(rows) if row.size <= 0]
    empty.sort(key=lambda at: _METADATA.match(rows[at].created_by) is not None)
    places = sorted(made + empty[: len(diffs) - len(made)])
    sources = [Layer()] * (len(diffs) - len(places)) + [rows[at] for at in places]
    found, chain = [], ""
    for diff, row in zip(diffs, sources, strict=True):
        chain = f"sha256:{hashlib.sha256(f'{chain} {diff}'.encode()).hexdigest()}" if chain else diff
        found.append(StoredLayer(chain, max(row.size, 0), row.comment.startswith("buildkit")))
    return tuple(found)
