"""What the API can do with volumes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from backend import decoding
from backend.client import Engine
from backend.names import segment
from backend.types.images import Pruned
from backend.types.volumes import Volume


class _Listed(msgspec.Struct, rename="pascal"):
    volumes: Raw = Raw(b"[]")


async def list_(engine: Engine, *, deadline: float = 30) -> tuple[Volume, ...]:
    """GET /volumes."""
    listed = await engine.get("/volumes", type=_Listed, deadline=deadline)
    return decoding.decode_rows(bytes(listed.volumes), Volume, "GET /volumes", lambda row: row.name)


async def create(
    engine: Engine,
    name: str = "",
    *,
    driver: str = "local",
    options: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    deadline: float = 30,
) -> Volume:
    """Makes a volume, with a made-up name when `name` is empty. Raises InvalidName, Conflict."""
    body = {
        "Name": segment(name) if name else "",
        "Driver": driver,
        "DriverOpts": options or {},
        "Labels": labels or {},
    }
    return await engine.post("/volumes/create", type=Volume, body=body, deadline=deadline)


async def inspect(engine: Engine, name: str, *, deadline: float = 30) -> Volume:
    """One volume. Raises NotFound."""
    return await engine.get(f"/volumes/{segment(name)}", type=Volume, deadline=deadline)


async def remove(engine: Engine, name: str, *, force: bool = False, deadline: float = 120) -> None:
    """Removes it with what it holds. Raises Conflict while a container has it."""
    await engine.delete(f"/volumes/{segment(name)}", query={"force": force}, deadline=deadline)


async def prune(engine: Engine, *, all: bool = False, deadline: float = 600) -> Pruned:
    """Removes the volumes that no container has: the anonymous ones, or with `all` the named ones too."""
    # Engines before API 1.42 know no filter and always take all.
    query = {"filters": {"all": ["true"]} if all and engine.api >= "1.42" else None}
    return await engine.post("/volumes/prune", type=Pruned, query=query, deadline=deadline)
