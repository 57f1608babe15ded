"""What an engine is and can do: the API version to speak, its product, its features."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from backend.errors import ApiVersionUnsupported, ProtocolError
from backend.types.system import Feature, Version

OLDEST = "1.41"
NEWEST = "1.51"
DOCKER = "Docker Engine"
PODMAN = "Podman"
PING_HEADERS = ("api-version", "builder-version", "docker-experimental", "libpod-api-version", "server")


class Negotiated(Struct, frozen=True):
    """The result: `api` as in a path, `product` for people."""

    api: str
    product: str
    features: frozenset[Feature]


def number(version: str) -> tuple[int, int]:
    """`1.41` as (1, 41). Raises ValueError."""
    major, dot, minor = version.partition(".")
    if not dot or not major.isdigit() or not minor.isdigit() or len(version) > 9:
        raise ValueError(version)
    return int(major), int(minor)


def negotiate(version: Version, ping: Mapping[str, str]) -> Negotiated:
    """From GET /version and the headers of /_ping. Raises ApiVersionUnsupported, ProtocolError."""
    offered = version.api_version or ping.get("api-version", "")
    try:
        newest = number(offered)
        oldest = number(version.min_api_version) if version.min_api_version else newest
    except ValueError as error:
        raise ProtocolError("GET /version", f"{offered[:20]!r} is not an API version") from error
    if newest < number(OLDEST):
        raise ApiVersionUnsupported(offered, OLDEST)
    if oldest > number(NEWEST):
        raise ApiVersionUnsupported(version.min_api_version, OLDEST)
    major, minor = min(newest, number(NEWEST))
    podman = bool(ping.get("libpod-api-version")) or any("podman" in c.name.lower() for c in version.components or ())
    return Negotiated(f"{major}.{minor}", PODMAN if podman else DOCKER, _features(podman, ping))


def _features(podman: bool, ping: Mapping[str, str]) -> frozenset[Feature]:
    features = {Feature.PLATFORM_PULL, Feature.IMPORT, Feature.EVENTS_BY_TYPE}
    if not podman:
        features |= {Feature.ONE_SHOT_STATS, Feature.BUILDKIT, Feature.SWARM}
        if ping.get("docker-experimental", "").lower() == "true":
            features.add(Feature.CHECKPOINT)
    return frozenset(features)
