"""What the API can do with images that are there."""

from __future__ import annotations

from backend import decoding
from backend.client import Engine
from backend.names import image_segment
from backend.types.images import ImageDetails, ImageSummary, InspectedImage, Layer, Pruned, Removed, SearchHit


async def list_(
    engine: Engine, *, filters: dict[str, list[str]] | None = None, deadline: float = 30
) -> tuple[ImageSummary, ...]:
    """GET /images/json: the images without the layers between. A row that does not decode keeps its good fields."""
    data = await engine.fetch("GET", "/images/json", query={"filters": filters or None}, deadline=deadline)
    return decoding.decode_rows(data, ImageSummary, "GET /images/json", lambda row: row.id)


async def inspect(engine: Engine, ref: str, *, deadline: float = 30) -> InspectedImage:
    """Everything about one image. Raises NotFound, InvalidReference."""
    path = f"/images/{image_segment(ref)}/json"
    raw = await engine.fetch("GET", path, deadline=deadline)
    return InspectedImage(decoding.decode_loosely(raw, ImageDetails, f"GET {path}"), raw)


async def history(engine: Engine, ref: str, *, deadline: float = 30) -> tuple[Layer, ...]:
    """Its layers, newest first."""
    path = f"/images/{image_segment(ref)}/history"
    data = await engine.fetch("GET", path, deadline=deadline)
    return decoding.decode_rows(data, Layer, f"GET {path}", lambda _: True)


async def tag(engine: Engine, ref: str, repo: str, tag: str = "latest", *, deadline: float = 30) -> None:
    """Gives it one more reference. Raises NotFound, InvalidReference."""
    from backend.references import parse_reference  # Late: a list needs none of it.

    parse_reference(f"{repo}:{tag}" if tag else repo)
    path = f"/images/{image_segment(ref)}/tag"
    await engine.call("POST", path, query={"repo": repo, "tag": tag or None}, deadline=deadline)


async def remove(
    engine: Engine, ref: str, *, force: bool = False, noprune: bool = False, deadline: float = 120
) -> tuple[Removed, ...]:
    """Removes a reference, and the image with its last one. Raises ImageInUse, Conflict, NotFound."""
    path = f"/images/{image_segment(ref)}"
    data = await engine.fetch("DELETE", path, query={"force": force, "noprune": noprune}, deadline=deadline)
    return decoding.decode_rows(data, Removed, f"DELETE {path}", lambda _: True)


async def prune(engine: Engine, *, dangling: bool = True, deadline: float = 600) -> Pruned:
    """Removes the images without a name, or (not `dangling`) every image that no container uses."""
    query = {"filters": {"dangling": ["true" if dangling else "false"]}}
    return await engine.post("/images/prune", type=Pruned, query=query, deadline=deadline)


async def search(engine: Engine, term: str, *, limit: int = 25, deadline: float = 20) -> tuple[SearchHit, ...]:
    """Looks in the registry's public list. Raises EngineFault when it cannot be reached."""
    data = await engine.fetch("GET", "/images/search", query={"term": term, "limit": limit}, deadline=deadline)
    return decoding.decode_rows(data, SearchHit, "GET /images/search", lambda row: row.name)


async def distribution(engine: Engine, ref: str, *, auth: str = "", deadline: float = 30) -> dict[str, object]:
    """What the registry says about a reference, without pulling it: its descriptor and platforms."""
    headers = {"X-Registry-Auth": auth} if auth else None
    path = f"/distribution/{image_segment(ref)}/json"
    return await engine.call("GET", path, type=dict[str, object], headers=headers, deadline=deadline)
