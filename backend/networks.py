"""What the API can do with networks."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from backend import decoding
from backend.client import Engine
from backend.names import loose_segment, segment
from backend.types.volumes import Network, NetworkId


class _Made(msgspec.Struct, rename="pascal"):
    id: str = ""


class _Pruned(msgspec.Struct, rename="pascal"):
    networks_deleted: tuple[str, ...] | None = None


async def list_(engine: Engine, *, deadline: float = 30) -> tuple[Network, ...]:
    """GET /networks."""
    data = await engine.fetch("GET", "/networks", deadline=deadline)
    return decoding.decode_rows(data, Network, "GET /networks", lambda row: row.id)


async def create(
    engine: Engine,
    name: str,
    *,
    driver: str = "bridge",
    internal: bool = False,
    labels: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    deadline: float = 30,
) -> NetworkId:
    """Makes a network; its id. Raises NameInUse, InvalidName."""
    loose_segment(name)
    body = {
        "Name": name, "Driver": driver, "Internal": internal, "Labels": labels or {}, "Options": options or {},
        "CheckDuplicate": True,
    }  # fmt: skip
    return NetworkId((await engine.post("/networks/create", type=_Made, body=body, deadline=deadline)).id)


async def inspect(engine: Engine, id: str, *, deadline: float = 30) -> Network:
    """One network. Raises NotFound."""
    return await engine.get(f"/networks/{loose_segment(id)}", type=Network, deadline=deadline)


async def remove(engine: Engine, id: str, *, deadline: float = 30) -> None:
    """Removes it. Raises Conflict or Unauthorized while containers are in it."""
    await engine.delete(f"/networks/{loose_segment(id)}", deadline=deadline)


async def connect(
    engine: Engine, id: str, container: str, *, aliases: tuple[str, ...] = (), deadline: float = 30
) -> None:
    """Puts a container into it."""
    body = {"Container": segment(container), "EndpointConfig": {"Aliases": aliases}}
    await engine.call("POST", f"/networks/{loose_segment(id)}/connect", body=body, deadline=deadline)


async def disconnect(engine: Engine, id: str, container: str, *, force: bool = False, deadline: float = 30) -> None:
    """Takes a container out of it."""
    body = {"Container": segment(container), "Force": force}
    await engine.call("POST", f"/networks/{loose_segment(id)}/disconnect", body=body, deadline=deadline)


async def prune(engine: Engine, *, deadline: float = 120) -> tuple[str, ...]:
    """Removes the networks that no container is in; their names."""
    answer = await engine.post("/networks/prune", type=_Pruned, deadline=deadline)
    return answer.networks_deleted or ()
