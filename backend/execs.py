"""Running a command in a container, and joining the one that it runs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.client import Engine
from backend.names import segment
from backend.types.containers import ExecState
from backend.upgraded import Upgraded


class _Made(msgspec.Struct, rename="pascal"):
    id: str = ""


async def exec_create(
    engine: Engine,
    id: str,
    command: Sequence[str],
    *,
    tty: bool = False,
    stdin: bool = False,
    user: str = "",
    folder: str = "",
    env: Sequence[str] = (),
    deadline: float = 30,
) -> str:
    """Prepares a command in a running container; the exec's id. Raises NotFound, Conflict."""
    body = {
        "AttachStdin": stdin, "AttachStdout": True, "AttachStderr": True, "Tty": tty, "Cmd": list(command),
        "User": user, "WorkingDir": folder, "Env": list(env),
    }  # fmt: skip
    return (await engine.post(f"/containers/{segment(id)}/exec", type=_Made, body=body, deadline=deadline)).id


async def exec_start(engine: Engine, exec_id: str, *, tty: bool = False, deadline: float = 30) -> Upgraded:
    """Starts it and joins its streams: frames of backend.frames, or bare bytes with `tty`."""
    return await engine.hijack(f"/exec/{segment(exec_id)}/start", {"Detach": False, "Tty": tty}, deadline=deadline)


async def exec_resize(engine: Engine, exec_id: str, *, rows: int, columns: int, deadline: float = 10) -> None:
    """Tells its terminal a new size."""
    await engine.call("POST", f"/exec/{segment(exec_id)}/resize", query={"h": rows, "w": columns}, deadline=deadline)


async def exec_inspect(engine: Engine, exec_id: str, *, deadline: float = 10) -> ExecState:
    """Whether it runs, and its exit code."""
    return await engine.get(f"/exec/{segment(exec_id)}/json", type=ExecState, deadline=deadline)


async def attach(engine: Engine, id: str, *, stdin: bool = True, logs: bool = False, deadline: float = 10) -> Upgraded:
    """Joins a container's own streams; with `logs` what it wrote so far comes first."""
    query = {"stream": True, "stdin": stdin, "stdout": True, "stderr": True, "logs": logs}
    return await engine.hijack(f"/containers/{segment(id)}/attach", query=query, deadline=deadline)
