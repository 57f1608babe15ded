"""The engine itself: version, features, events, disk use."""

from __future__ import annotations

import enum

from msgspec import Struct, field

from backend.types.containers import ContainerSummary
from backend.types.images import ImageSummary
from backend.types.volumes import Volume


class Version(Struct, frozen=True, rename="pascal"):
    """GET /version. `platform` names the product where the engine says it."""

    version: str = ""
    api_version: str = ""
    min_api_version: str = field(default="", name="MinAPIVersion")
    os: str = ""
    arch: str = ""
    kernel_version: str = ""
    components: tuple[Component, ...] | None = None


class Component(Struct, frozen=True, rename="pascal"):
    """One part of the engine and its version; Podman names itself here."""

    name: str = ""
    version: str = ""


class Feature(enum.Enum):
    """What an engine may lack. The UI asks `feature in engine.features`, never which engine it is."""

    ONE_SHOT_STATS = "one-shot stats"
    BUILDKIT = "BuildKit"
    CHECKPOINT = "checkpoints"
    SWARM = "swarm"
    PLATFORM_PULL = "pull for a platform"
    EVENTS_BY_TYPE = "events by type"
    IMPORT = "image import"


class SystemState(Struct, frozen=True, rename="pascal"):
    """GET /info, in part. `mem_total` is bytes."""

    id: str = field(default="", name="ID")
    name: str = ""
    server_version: str = ""
    operating_system: str = ""
    architecture: str = ""
    ncpu: int = field(default=0, name="NCPU")
    mem_total: int = 0
    driver: str = ""
    docker_root_dir: str = ""
    cgroup_version: str = ""
    security_options: tuple[str, ...] | None = None
    containers: int = 0
    images: int = 0


class Actor(Struct, frozen=True, rename="pascal"):
    """What an event is about; attributes hold `name`, `image`, `exitCode`, `signal` and the labels."""

    id: str = field(default="", name="ID")
    attributes: dict[str, str] | None = None


class Event(
    Struct, frozen=True, rename={"type": "Type", "action": "Action", "actor": "Actor", "time_nano": "timeNano"}
):
    """One fact of GET /events. `time_nano` is Unix nanoseconds; `action` may carry words after a colon."""

    type: str = ""
    action: str = ""
    actor: Actor = Actor()
    time_nano: int = 0
    scope: str = ""


class BuildCache(Struct, frozen=True, rename="pascal"):
    """One record of the builder's cache; `size` is bytes."""

    id: str = field(default="", name="ID")
    type: str = ""
    description: str = ""
    size: int = 0
    in_use: bool = False


class DiskUse(Struct, frozen=True, rename="pascal"):
    """GET /system/df. `layers_size` is bytes."""

    layers_size: int = 0
    images: tuple[ImageSummary, ...] | None = None
    containers: tuple[ContainerSummary, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    build_cache: tuple[BuildCache, ...] | None = None
