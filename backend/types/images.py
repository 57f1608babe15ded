"""Images, their layers and the progress of moving them."""

from __future__ import annotations

from typing import NewType

from msgspec import Struct, field

from backend.types.containers import ContainerConfig

ImageId = NewType("ImageId", str)


class ImageSummary(Struct, frozen=True, rename="pascal"):
    """One row of GET /images/json. `created` is Unix seconds, sizes are bytes, -1 when not counted."""

    id: ImageId = ImageId("")
    parent_id: str = ""
    repo_tags: tuple[str, ...] | None = None
    repo_digests: tuple[str, ...] | None = None
    created: int = 0
    size: int = 0
    containers: int = -1
    labels: dict[str, str] | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The references, without the engine's `<none>:<none>`."""
        return tuple(t for t in self.repo_tags or () if not t.startswith("<none>"))

    @property
    def dangling(self) -> bool:
        """Whether no reference names the image."""
        return not self.tags


class RootFs(Struct, frozen=True, rename="pascal"):
    """What an image lies on: digests of its layers' uncompressed content (diff ids), the lowest first."""

    layers: tuple[str, ...] | None = None


class ImageDetails(Struct, frozen=True, rename="pascal"):
    """GET /images/{name}/json."""

    id: ImageId = ImageId("")
    repo_tags: tuple[str, ...] | None = None
    repo_digests: tuple[str, ...] | None = None
    created: str | None = None
    size: int = 0
    architecture: str = ""
    os: str = ""
    variant: str = ""
    author: str = ""
    config: ContainerConfig | None = None
    root_fs: RootFs | None = field(name="RootFS", default=None)


class InspectedImage(Struct, frozen=True):
    """An image inspect: the typed `value` and the JSON text `raw`."""

    value: ImageDetails
    raw: bytes


class Layer(Struct, frozen=True, rename="pascal"):
    """One row of GET /images/{name}/history, newest first. `created` is Unix seconds, `size` bytes."""

    id: str = ""
    created: int = 0
    created_by: str = ""
    tags: tuple[str, ...] | None = None
    size: int = 0
    comment: str = ""


class StoredLayer(Struct, frozen=True):
    """One layer as the engine stores it, once for all images on it. `size` is bytes.

    `chain` is its ChainID (OCI image specification, config.md): the digest of it and all layers below. `buildkit` says
    who made it; the build cache may hold such a layer longer than the images do.
    """

    chain: str
    size: int = 0
    buildkit: bool = False


class ProgressDetail(Struct, frozen=True):
    """Bytes done and bytes in all; 0 when unknown."""

    current: int = 0
    total: int = 0


class Progress(Struct, frozen=True, rename={"detail": "progressDetail", "error_detail": "errorDetail"}):
    """One message of a pull, push, load or import. `id` is a layer or tag; `error` is set when it failed."""

    status: str = ""
    id: str = ""
    detail: ProgressDetail | None = None
    stream: str = ""
    error: str = ""
    aux: dict[str, str | int] | None = None


class Removed(Struct, frozen=True, rename="pascal"):
    """What a removal did to one reference or layer."""

    untagged: str = ""
    deleted: str = ""


class Pruned(Struct, frozen=True, rename="pascal"):
    """What a prune removed; `space_reclaimed` is bytes."""

    images_deleted: tuple[Removed, ...] | None = None
    containers_deleted: tuple[str, ...] | None = None
    volumes_deleted: tuple[str, ...] | None = None
    space_reclaimed: int = 0


class SearchHit(Struct, frozen=True):
    """One row of GET /images/search."""

    name: str = ""
    description: str = ""
    star_count: int = 0
    is_official: bool = False
