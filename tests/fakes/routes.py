"""The fake engine's answers to what is asked about containers, and the way to all other answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.fakes import rest
from tests.fakes.nouns import FakeContainer, LogLine, stamp
from tests.fakes.wire import Request, Wire

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine

Answerer = Callable[["FakeEngine", Request, Wire, str], Awaitable[None]]


async def missing(wire: Wire, what: str) -> None:
    await wire.answer(404, {"message": f"No such {what}"})


async def route(fake: FakeEngine, request: Request, wire: Wire) -> None:
    """Answers one request."""
    for method, pattern, answerer in _ROUTES + rest.ROUTES:
        if method == request.method and (match := re.fullmatch(pattern, request.path)):
            await answerer(fake, request, wire, match[1] if match.groups() else "")
            return
    await wire.answer(404, {"message": "page not found"})


async def list_(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    wanted = request.filters()
    rows = []
    for made in fake.containers.values():
        if not request.flag("all") and not made.running:
            continue
        if "id" in wanted and not any(made.id.startswith(i) for i in wanted["id"]):
            continue
        if "label" in wanted and not all(lb.partition("=")[0] in made.labels for lb in wanted["label"]):
            continue
        row = made.row()
        if request.flag("size"):
            row |= {"SizeRw": made.size_rw, "SizeRootFs": made.size_rw + 1_000_000}
        rows.append(row)
    await wire.answer(200, rows)


def _port_holder(fake: FakeEngine, made: FakeContainer) -> int:
    taken = {p["PublicPort"] for c in fake.containers.values() if c.running for p in c.ports if p.get("PublicPort")}
    return next((p["PublicPort"] for p in made.ports if p.get("PublicPort") in taken), 0)


async def act(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    verb = request.path.rsplit("/", 1)[1]
    if made is None:
        await missing(wire, f"container: {ref}")
    elif (verb == "start" and made.running) or (verb == "stop" and not made.running):
        await wire.answer(304)
    elif verb in ("kill", "pause") and not made.running:
        await wire.answer(409, {"message": f"Cannot {verb} container: {made.id}: Container {made.id} is not running"})
    elif verb == "unpause" and made.state != "paused":
        await wire.answer(409, {"message": f"Container {made.id} is not paused"})
    elif verb == "start" and (port := _port_holder(fake, made)):
        words = f"driver failed programming external connectivity on endpoint {made.name}: "
        words += f"Bind for 0.0.0.0:{port} failed: port is already allocated"
        await wire.answer(500, {"message": words})
    else:
        await _do(fake, made, verb)
        await wire.answer(204)


async def _do(fake: FakeEngine, made: FakeContainer, verb: str) -> None:
    if verb in ("stop", "kill", "restart") and made.running:
        made.exit_code = 137 if verb == "kill" else 0
        await fake.set_state(made.id, "exited", "kill", signal="9" if verb == "kill" else "15")
        await fake.set_state(made.id, "exited", "die", exitCode=str(made.exit_code))
        if made.auto_remove and verb != "restart":
            await _drop(fake, made)
            return
    if verb in ("start", "restart"):
        await fake.set_state(made.id, "running", verb)
    elif verb == "stop":
        await fake.set_state(made.id, "exited", verb)
    elif verb in ("pause", "unpause"):
        await fake.set_state(made.id, "paused" if verb == "pause" else "running", verb)


async def _drop(fake: FakeEngine, made: FakeContainer) -> None:
    fake.containers.pop(made.id, None)
    await fake.emit("container", "destroy", made.id, name=made.name, image=made.image)


async def rename(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    made, name = fake.find(ref), request.first("name").lstrip("/")
    if made is None:
        await missing(wire, f"container: {ref}")
    elif await _name_free(fake, wire, name):
        old, made.name = made.name, name
        await fake.emit("container", "rename", made.id, name=name, oldName=f"/{old}", image=made.image)
        await wire.answer(204)


async def _name_free(fake: FakeEngine, wire: Wire, name: str) -> bool:
    holder = next((c for c in fake.containers.values() if c.name == name), None)
    if holder is None:
        return True
    words = f'Conflict. The container name "/{name}" is already in use by container "{holder.id}".'
    await wire.answer(
        409, {"message": f"{words} You have to remove (or rename) that container to be able to reuse that name."}
    )
    return False


async def remove(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    if made is None:
        await missing(wire, f"container: {ref}")
    elif made.running and not request.flag("force"):
        words = f"You cannot remove a {made.state} container {made.id}. "
        words += "Stop the container before attempting removal or force remove"
        await wire.answer(409, {"message": words})
    else:
        if made.running:
            await fake.set_state(made.id, "exited", "die", exitCode="137")
        await _drop(fake, made)
        await wire.answer(204)


async def create(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    body: dict[str, Any] = request.json()
    image = fake.find_image(str(body.get("Image", "")))
    name = request.first("name") or f"quiet_{len(fake.containers)}"
    if image is None:
        await wire.answer(404, {"message": f"No such image: {body.get('Image')}"})
        return
    if not await _name_free(fake, wire, name):
        return
    host: dict[str, Any] = body.get("HostConfig") or {}
    ports = [
        {"PrivatePort": int(key.split("/")[0]), "Type": key.split("/")[1], "IP": b.get("HostIp") or "0.0.0.0",
         "PublicPort": int(b.get("HostPort") or 32768)}
        for key, bound in (host.get("PortBindings") or {}).items() for b in bound or []
    ]  # fmt: skip
    made = FakeContainer(
        name, str(body["Image"]), image.id, "created", labels=body.get("Labels") or {}, ports=ports,
        env=body.get("Env") or [], command=[*(body.get("Entrypoint") or []), *(body.get("Cmd") or image.command)],
        tty=bool(body.get("Tty")), host={k: v for k, v in host.items() if k != "PortBindings"},
        auto_remove=bool(host.get("AutoRemove")),
    )  # fmt: skip
    fake.containers[made.id] = made
    await fake.emit("container", "create", made.id, name=name, image=made.image)
    await wire.answer(201, {"Id": made.id, "Warnings": []})


async def inspect(fake: FakeEngine, _: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    await (wire.answer(200, made.details()) if made else missing(wire, f"container: {ref}"))


async def top(fake: FakeEngine, _: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    if made is None:
        await missing(wire, f"container: {ref}")
    elif not made.running:
        await wire.answer(409, {"message": f"Container {made.id} is not running"})
    else:
        titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
        await wire.answer(
            200, {"Titles": titles, "Processes": [["root", "1", "0", "0", "10:00", "?", "00:00:00", "sleep 1d"]]}
        )


async def wait(fake: FakeEngine, _: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    if made is None:
        await missing(wire, f"container: {ref}")
        return
    async with fake.changed:
        await fake.changed.wait_for(lambda: not made.running)
    await wire.answer(200, {"StatusCode": made.exit_code})


async def logs(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    if made is None:
        await missing(wire, f"container: {ref}")
        return
    since, until = float(request.first("since") or 0), float(request.first("until") or "inf")
    tail = request.first("tail", "all")
    streams = {n for n, key in ((1, "stdout"), (2, "stderr")) if request.flag(key)}
    known = len(made.logs)
    lines = [ln for ln in made.logs if ln.stream in streams]
    # The engine applies tail before until.
    lines = lines[max(0, len(lines) - int(tail)) :] if tail not in ("all", "") else lines
    lines = [ln for ln in lines if since <= ln.at <= until]
    await wire.begin("application/vnd.docker." + ("raw-stream" if made.tty else "multiplexed-stream"))
    stamped = request.flag("timestamps")
    if lines:
        await wire.send(b"".join(_framed(ln, made.tty, stamped) for ln in lines))
    while request.flag("follow") and made.running and made.id in fake.containers:
        async with fake.changed:
            while len(made.logs) <= known and made.running:
                await fake.changed.wait()
        fresh, known = made.logs[known:], len(made.logs)
        for line in fresh:
            if line.stream in streams:
                await wire.send(_framed(line, made.tty, stamped))
    await wire.end()


def _framed(line: LogLine, tty: bool, stamped: bool) -> bytes:
    text = (stamp(line.at).encode() + b" " if stamped else b"") + line.text
    return text if tty else bytes([line.stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


async def stats(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    if made is None:
        await missing(wire, f"container: {ref}")
    elif not request.flag("stream"):
        if not request.flag("one-shot"):
            made.sample(True)
        await wire.answer(200, made.sample(request.flag("one-shot")))
    else:
        await wire.begin()
        while made.id in fake.containers:
            await wire.send_json(made.sample(False))
            await asyncio.sleep(fake.stats_every)
        await wire.end()


async def changes(fake: FakeEngine, _: Request, wire: Wire, ref: str) -> None:
    await (wire.answer(200, [{"Path": "/tmp/x", "Kind": 1}]) if fake.find(ref) else missing(wire, f"container: {ref}"))


async def prune(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    gone = [c for c in fake.containers.values() if not c.running]
    for made in gone:
        await _drop(fake, made)
    await wire.answer(200, {"ContainersDeleted": [c.id for c in gone], "SpaceReclaimed": sum(c.size_rw for c in gone)})


async def nothing(fake: FakeEngine, _: Request, wire: Wire, ref: str) -> None:
    await (wire.answer(200, {"Warnings": []}) if fake.find(ref) else missing(wire, f"container: {ref}"))


_C = r"/containers/([^/]+)"
_ROUTES: list[tuple[str, str, Answerer]] = [
    ("GET", "/containers/json", list_),
    ("POST", "/containers/create", create),
    ("POST", "/containers/prune", prune),
    ("GET", f"{_C}/json", inspect),
    ("GET", f"{_C}/logs", logs),
    ("GET", f"{_C}/stats", stats),
    ("GET", f"{_C}/top", top),
    ("GET", f"{_C}/changes", changes),
    ("POST", f"{_C}/(?:start|stop|restart|kill|pause|unpause)", act),
    ("POST", f"{_C}/rename", rename),
    ("POST", f"{_C}/wait", wait),
    ("POST", f"{_C}/(?:update|resize)", nothing),
    ("DELETE", _C, remove),
]
