"""What the API can do with containers."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from backend import decoding
from backend.answers import Answer
from backend.client import Engine
from backend.execs import attach, exec_create, exec_inspect, exec_resize, exec_start
from backend.logs import LogStream, logs
from backend.names import segment
from backend.stats import Counters, stats_once, stats_stream
from backend.types.containers import (
    Change,
    ContainerDetails,
    ContainerId,
    ContainerSummary,
    Created,
    Inspected,
    Top,
)
from backend.types.images import Pruned

__all__ = [
    "Counters",
    "LogStream",
    "attach",
    "changes",
    "commit",
    "create",
    "exec_create",
    "exec_inspect",
    "exec_resize",
    "exec_start",
    "get_archive",
    "inspect",
    "kill",
    "list_",
    "logs",
    "pause",
    "prune",
    "put_archive",
    "remove",
    "rename",
    "resize",
    "restart",
    "start",
    "stats_once",
    "stats_stream",
    "stop",
    "top",
    "unpause",
    "update",
    "wait",
]
ContainerRef = ContainerId | str
STOP_DEADLINE = 120.0


class _Id(msgspec.Struct, rename="pascal"):
    id: str = ""


class _Waited(msgspec.Struct, rename="pascal"):
    status_code: int = 0


class _Warnings(msgspec.Struct, rename="pascal"):
    warnings: tuple[str, ...] | None = None


async def list_(
    engine: Engine,
    *,
    all: bool = True,
    size: bool = False,
    ids: Sequence[str] = (),
    filters: dict[str, list[str]] | None = None,
    deadline: float = 30,
) -> tuple[ContainerSummary, ...]:
    """GET /containers/json. A row that does not decode keeps its id and good fields, and has state "unknown"."""
    wanted = dict(filters or {})
    if ids:
        wanted["id"] = list(ids)
    query = {"all": all, "size": True if size else None, "filters": wanted or None}
    data = await engine.fetch("GET", "/containers/json", query=query, deadline=deadline)
    return decoding.decode_rows(data, ContainerSummary, "GET /containers/json", lambda row: row.id)


async def inspect(engine: Engine, id: ContainerRef, *, size: bool = False, deadline: float = 30) -> Inspected:
    """Everything about one container. Raises NotFound."""
    path = f"/containers/{segment(id)}/json"
    raw = await engine.fetch("GET", path, query={"size": True if size else None}, deadline=deadline)
    return Inspected(decoding.decode_loosely(raw, ContainerDetails, f"GET {path}"), raw)


async def start(engine: Engine, id: ContainerRef, *, deadline: float = 60) -> None:
    """Starts it; nothing happens when it runs. Raises NotFound, PortInUse, BadRequest, EngineFault."""
    await _act(engine, id, "start", deadline)


async def stop(engine: Engine, id: ContainerRef, *, timeout: int | None = None, deadline: float | None = None) -> None:
    """Asks it to stop, kills it after `timeout` seconds (the container's own grace time when None)."""
    await _act(engine, id, "stop", deadline or STOP_DEADLINE + (timeout or 0), t=timeout)


async def restart(
    engine: Engine, id: ContainerRef, *, timeout: int | None = None, deadline: float | None = None
) -> None:
    """Stops and starts it."""
    await _act(engine, id, "restart", deadline or STOP_DEADLINE + (timeout or 0), t=timeout)


async def kill(engine: Engine, id: ContainerRef, signal: str = "SIGKILL", *, deadline: float = 30) -> None:
    """Sends a signal. Raises Conflict when it does not run."""
    await _act(engine, id, "kill", deadline, signal=signal)


async def pause(engine: Engine, id: ContainerRef, *, deadline: float = 30) -> None:
    """Freezes its processes."""
    await _act(engine, id, "pause", deadline)


async def unpause(engine: Engine, id: ContainerRef, *, deadline: float = 30) -> None:
    """Lets them go on."""
    await _act(engine, id, "unpause", deadline)


async def rename(engine: Engine, id: ContainerRef, name: str, *, deadline: float = 30) -> None:
    """Gives it another name. Raises NameInUse, InvalidName."""
    await _act(engine, id, "rename", deadline, name=segment(name))


async def resize(engine: Engine, id: ContainerRef, *, rows: int, columns: int, deadline: float = 10) -> None:
    """Tells its terminal a new size."""
    await _act(engine, id, "resize", deadline, h=rows, w=columns)


async def remove(
    engine: Engine, id: ContainerRef, *, volumes: bool = False, force: bool = False, deadline: float = 120
) -> None:
    """Removes it; with `volumes` its anonymous volumes too, with `force` also while it runs. Raises Conflict."""
    await engine.delete(f"/containers/{segment(id)}", query={"v": volumes, "force": force}, deadline=deadline)


async def top(engine: Engine, id: ContainerRef, *, args: str = "", deadline: float = 10) -> Top:
    """Its processes as `ps` with `args` (`-ef`) shows them. Raises Conflict or EngineFault when it does not run."""
    query = {"ps_args": args or None}
    return await engine.get(f"/containers/{segment(id)}/top", type=Top, query=query, deadline=deadline)


async def create(
    engine: Engine, body: dict[str, object], *, name: str = "", platform: str = "", deadline: float = 120
) -> Created:
    """POST /containers/create. Raises NameInUse, NotFound (the image), BadRequest, InvalidName."""
    query = {"name": segment(name) if name else None, "platform": platform or None}
    return await engine.post("/containers/create", type=Created, query=query, body=body, deadline=deadline)


async def wait(engine: Engine, id: ContainerRef, *, deadline: float | None = None) -> int:
    """Waits for its end, however long that takes, and gives its exit code."""
    answer = await engine.post(f"/containers/{segment(id)}/wait", type=_Waited, deadline=deadline)
    return answer.status_code


async def prune(engine: Engine, *, deadline: float = 300) -> Pruned:
    """Removes every stopped container."""
    return await engine.post("/containers/prune", type=Pruned, deadline=deadline)


async def changes(engine: Engine, id: ContainerRef, *, deadline: float = 60) -> tuple[Change, ...]:
    """What its file system has that its image has not."""
    path = f"/containers/{segment(id)}/changes"
    data = await engine.fetch("GET", path, deadline=deadline)
    return decoding.decode_rows(data, Change, f"GET {path}", lambda row: row.path)


async def update(engine: Engine, id: ContainerRef, body: dict[str, object], *, deadline: float = 30) -> tuple[str, ...]:
    """Changes limits or the restart policy; returns the engine's warnings."""
    answer = await engine.post(f"/containers/{segment(id)}/update", type=_Warnings, body=body, deadline=deadline)
    return answer.warnings or ()


async def commit(
    engine: Engine,
    id: ContainerRef,
    *,
    repo: str = "",
    tag: str = "",
    message: str = "",
    author: str = "",
    changes: Sequence[str] = (),
    pause: bool = True,
    deadline: float = 600,
) -> str:
    """Makes an image of it; the image's id. `changes` are Dockerfile instructions."""
    query: dict[str, Any] = {
        "container": segment(id), "repo": repo or None, "tag": tag or None, "comment": message or None,
        "author": author or None, "changes": list(changes), "pause": pause,
    }  # fmt: skip
    return (await engine.post("/commit", type=_Id, query=query, body={}, deadline=deadline)).id


@asynccontextmanager
async def get_archive(engine: Engine, id: ContainerRef, path: str) -> AsyncIterator[Answer]:
    """A file or folder of it as tar: read the answer's `chunks()`. Raises NotFound. The tar is not to be trusted."""
    async with engine.stream("GET", f"/containers/{segment(id)}/archive", query={"path": path}) as answer:
        yield answer


async def put_archive(
    engine: Engine, id: ContainerRef, path: str, tar: bytes | AsyncIterable[bytes], *, deadline: float | None = None
) -> None:
    """Unpacks a tar into its folder `path`. Raises NotFound, BadRequest."""
    async with engine.stream(
        "PUT",
        f"/containers/{segment(id)}/archive",
        query={"path": path, "noOverwriteDirNonDir": True},
        content=tar,
        headers={"Content-Type": "application/x-tar"},
        deadline=deadline,
    ) as answer:
        await answer.body()


async def _act(engine: Engine, id: ContainerRef, verb: str, deadline: float, **query: object) -> None:
    await engine.call("POST", f"/containers/{segment(id)}/{verb}", query=query, deadline=deadline)
