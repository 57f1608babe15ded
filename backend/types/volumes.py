"""Volumes and networks as the engine lists them."""

from __future__ import annotations

from typing import NewType

from msgspec import Struct

VolumeName = NewType("VolumeName", str)
NetworkId = NewType("NetworkId", str)


class VolumeUsage(Struct, frozen=True, rename="pascal"):
    """Bytes and number of containers; -1 when not counted (only GET /system/df counts)."""

    size: int = -1
    ref_count: int = -1


class Volume(Struct, frozen=True, rename="pascal"):
    """One volume. `created_at` is RFC 3339."""

    name: VolumeName = VolumeName("")
    driver: str = ""
    mountpoint: str = ""
    created_at: str = ""
    labels: dict[str, str] | None = None
    scope: str = ""
    usage_data: VolumeUsage | None = None

    @property
    def anonymous(self) -> bool:
        """Whether the engine made up the name (64 hexadecimal digits)."""
        return len(self.name) == 64 and all(c in "0123456789abcdef" for c in self.name)


class Network(Struct, frozen=True, rename="pascal"):
    """One network."""

    id: NetworkId = NetworkId("")
    name: str = ""
    driver: str = ""
    scope: str = ""
    internal: bool = False
    labels: dict[str, str] | None = None
