"""Images as rows of a table: one row per reference, in-use marks, sizes and ages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from app.presentation import age_text, bytes_text, joined, short_id
from app.widgets.cells import Cell, Column, Group, Row, faded
from backend.types.containers import ContainerSummary
from backend.types.images import ImageId, ImageSummary, StoredLayer

COLUMNS = (
    Column("image", "Image", 180, 120, stretch=1, lead=14, optional=False),
    Column("size", "Size", 76, 64, align_right=True),
    Column("age", "Age", 58, 56, align_right=True),
)
_FOREVER = 60 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One reference of an image (empty for an untagged image) and the containers made from it."""

    image: ImageSummary
    reference: str
    users: tuple[ContainerSummary, ...] = ()

    @property
    def key(self) -> str:
        """Unique in the table."""
        return f"{self.image.id} {self.reference}"

    @property
    def title(self) -> str:
        """The reference, or the short id."""
        return self.reference or short_id(self.image.id)


def users_by_image(containers: Iterable[ContainerSummary]) -> dict[str, tuple[ContainerSummary, ...]]:
    """The containers of each image, by the image's id."""
    found: dict[str, list[ContainerSummary]] = {}
    for container in containers:
        found.setdefault(container.image_id, []).append(container)
    return {key: tuple(sorted(users, key=lambda c: c.name)) for key, users in found.items()}


def rows_of(images: Iterable[ImageSummary], users: Mapping[str, tuple[ContainerSummary, ...]]) -> list[ImageRow]:
    """Every reference of every image."""
    return [
        ImageRow(image, reference, users.get(image.id, ())) for image in images for reference in image.tags or ("",)
    ]


def chosen(rows: Sequence[ImageRow], text: str, segment: str) -> list[ImageRow]:
    """Those whose reference or id holds `text`, and that are in use, unused, or untagged as `segment` says."""
    wanted = text.casefold()

    def fits(row: ImageRow) -> bool:
        if segment == "used" and not row.users:
            return False
        if segment == "unused" and row.users:
            return False
        return not wanted or wanted in row.title.casefold() or wanted in row.image.id

    return [row for row in rows if fits(row)]


def ordered(rows: Iterable[ImageRow], column: str, descending: bool) -> list[ImageRow]:
    """Sorted by a column; untagged images stand last when sorted by name."""
    by_name = sorted(rows, key=lambda r: (not r.reference, *_parts(r.title.casefold())))
    if column == "size":
        return sorted(by_name, key=lambda r: r.image.size, reverse=descending)
    if column == "age":
        return sorted(by_name, key=lambda r: -r.image.created, reverse=descending)
    return by_name[::-1] if descending else by_name


def _parts(reference: str) -> tuple[str, str]:
    """Repository and tag; a colon before a slash belongs to the port of a registry."""
    head, _, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}/{name}" if head else name, tag


def created_age(created: int, now: float) -> str:
    """The age of an image; a dash where the builder left no date (the year 1 or 1970)."""
    age = now - created
    return age_text(age) if created > 0 and age < _FOREVER else "–"


def name_cell(row: ImageRow) -> Cell:
    """Repository and tag with the dot of an image in use."""
    names = ", ".join(c.name for c in row.users)
    dot = "success-fill" if any(c.state == "running" for c in row.users) else "text-disabled" if row.users else ""
    tip = f"Used by {names}" if names else "No container uses it"
    if not row.reference:
        return Cell(
            "Untagged", "text-secondary", 400, secondary=short_id(row.image.id), dot=dot, tooltip=tip,
            spoken=f"Untagged {short_id(row.image.id)}, {tip}",
        )  # fmt: skip
    repository, tag = _parts(row.reference)
    return Cell(
        repository, weight=500, secondary=tag, dot=dot, elide="middle", tooltip=f"{row.reference}\n{tip}",
        spoken=f"{row.reference}, {tip}",
    )  # fmt: skip


def table_rows(rows: Iterable[ImageRow], now: float | None = None, *, stale: bool = False) -> list[Group]:
    """One group without a heading; `stale` rows are of an engine that does not answer."""
    at = time.time() if now is None else now
    return [Group("images", tuple(Row(row.key, _cells(row, at, stale)) for row in rows))]


def _cells(row: ImageRow, now: float, stale: bool) -> tuple[Cell, ...]:
    found = (
        name_cell(row),
        Cell(bytes_text(row.image.size), align_right=True),
        Cell(created_age(row.image.created, now), "text-secondary", align_right=True),
    )
    return tuple(faded(cell) for cell in found) if stale else found


Stacks = Mapping[ImageId, Sequence[StoredLayer]]
"""The layers of each image, by its id."""


class Freed(Struct, frozen=True):
    """What a removal frees: bytes of layers that no other image holds. `most`: a build cache may keep some of them."""

    size: int
    most: bool = False


def size_of(images: Iterable[ImageSummary], stacks: Stacks) -> int | None:
    """Bytes of all images together, each layer once; None while the layers of one are not known."""
    found: dict[str, int] = {}
    for image in images:
        if (stack := stacks.get(image.id)) is None:
            return None
        found.update((layer.chain, layer.size) for layer in stack)
    return sum(found.values())


def freed(goes: Iterable[ImageSummary], images: Iterable[ImageSummary], stacks: Stacks) -> Freed | None:
    """What it frees that those go and the others stay; None while the layers of one are not known."""
    gone = {image.id for image in goes}
    every = [(image.id in gone, stacks.get(image.id)) for image in images]
    if any(stack is None for _goes, stack in every):
        return None
    kept = {layer.chain for going, stack in every if not going for layer in stack or ()}
    free = {layer.chain: layer for going, stack in every if going for layer in stack or () if layer.chain not in kept}
    return Freed(sum(layer.size for layer in free.values()), any(layer.buildkit for layer in free.values()))


def unused(images: Iterable[ImageSummary], users: Mapping[str, object], *, dangling: bool) -> list[ImageSummary]:
    """What a clean-up would remove: images without a container, and without a reference when `dangling`.

    An untagged image that another image was built on is kept by the engine as long as that one is there; one with a
    name loses it all the same.
    """
    every = list(images)
    parents = {image.parent_id for image in every if image.parent_id}
    return [
        image
        for image in every
        if image.id not in users and (image.id not in parents if image.dangling else not dangling)
    ]


def used_words(users: Sequence[ContainerSummary]) -> str:
    """`api, migrate` or `api, migrate and 3 more`."""
    return joined([c.name for c in users])
