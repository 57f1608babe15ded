"""The fake engine's answers about images, volumes, networks, execs and itself."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.fakes.nouns import new_id
from tests.fakes.wire import Request, Wire

if TYPE_CHECKING:
    from tests.fakes.engine import FakeEngine

Answerer = Callable[["FakeEngine", Request, Wire, str], Awaitable[None]]


async def ping(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    headers = {"Api-Version": fake.api, "Builder-Version": "2", "Docker-Experimental": "false", "Content-Length": "2"}
    if fake.product == "podman":
        headers["Libpod-Api-Version"] = "4.3.1"
    await wire.head(200, headers)
    await wire.write(b"OK")


async def version(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    name = "Podman Engine" if fake.product == "podman" else "Engine"
    await wire.answer(
        200,
        {
            "Version": "27.0.0", "ApiVersion": fake.api, "MinAPIVersion": fake.oldest, "Os": "linux", "Arch": "amd64",
            "KernelVersion": "6.1.0", "Components": [{"Name": name, "Version": "27.0.0"}],
        },
    )  # fmt: skip


async def info(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    await wire.answer(
        200,
        {
            "ID": "fake", "Name": "fake", "ServerVersion": "27.0.0", "OperatingSystem": "Debian 12", "NCPU": 2,
            "Architecture": "x86_64", "MemTotal": 8_000_000_000, "Driver": "overlay2", "CgroupVersion": "2",
            "DockerRootDir": "/var/lib/docker", "Containers": len(fake.containers), "Images": len(fake.images),
        },
    )  # fmt: skip


async def df(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    used = {c.image_id for c in fake.containers.values()}
    images = [{**i.row(), "Containers": int(i.id in used), "SharedSize": 0} for i in fake.images.values()]
    containers = [{**c.row(), "SizeRw": c.size_rw, "SizeRootFs": c.size_rw} for c in fake.containers.values()]
    volumes = [{**v, "UsageData": {"Size": 1000, "RefCount": 0}} for v in fake.volumes.values()]
    total = sum(i.size for i in fake.images.values())
    body = {"LayersSize": total, "Images": images, "Containers": containers, "Volumes": volumes, "BuildCache": []}
    await wire.answer(200, body)


async def events(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    since = request.first("since")
    seen = len(fake.events)
    await wire.begin()
    if since:
        for event in fake.events:
            if event["timeNano"] >= float(since) * 1e9:
                await wire.send_json(event)
    while True:
        async with fake.changed:
            while len(fake.events) <= seen:
                await fake.changed.wait()
        fresh, seen = fake.events[seen:], len(fake.events)
        for event in fresh:
            await wire.send_json(event)


async def images(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    await wire.answer(200, [i.row() for i in fake.images.values()])


async def image(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    found = fake.find_image(ref)
    if found is None:
        await wire.answer(404, {"message": f"No such image: {ref}"})
    else:
        await wire.answer(200, found.history() if request.path.endswith("/history") else found.details())


async def tag(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    found = fake.find_image(ref)
    if found is None:
        await wire.answer(404, {"message": f"No such image: {ref}"})
        return
    name = f"{request.first('repo')}:{request.first('tag', 'latest')}"
    for other in fake.images.values():
        if name in other.tags:
            other.tags.remove(name)
    found.tags.append(name)
    await fake.emit("image", "tag", found.id, name=name)
    await wire.answer(201)


async def remove_image(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    found = fake.find_image(ref)
    if found is None:
        await wire.answer(404, {"message": f"No such image: {ref}"})
        return
    user = next((c for c in fake.containers.values() if c.image_id == found.id), None)
    by_id = not any(ref in (t, t.removesuffix(":latest")) for t in found.tags)
    last = by_id or len(found.tags) <= 1
    if user is not None and last and (user.running or not request.flag("force")):
        running = "running" if user.running else "stopped"
        words = f"unable to delete {found.id[7:19]} (cannot be forced)"
        words = f"conflict: {words} - image is being used by {running} container {user.id[:12]}"
        await wire.answer(409, {"message": words})
        return
    gone = list(found.tags) if by_id else [t for t in found.tags if ref in (t, t.removesuffix(":latest"))]
    found.tags = [t for t in found.tags if t not in gone]
    done = [{"Untagged": t} for t in gone]
    for name in gone:
        await fake.emit("image", "untag", found.id, name=name)
    if last:
        del fake.images[found.id]
        done.append({"Deleted": found.id})
        await fake.emit("image", "delete", found.id, name=found.id)
    await wire.answer(200, done)


async def prune_images(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    used = {c.image_id for c in fake.containers.values()}
    dangling = request.filters().get("dangling", ["true"]) == ["true"]
    gone = [i for i in fake.images.values() if i.id not in used and (not dangling or not i.tags)]
    for found in gone:
        del fake.images[found.id]
        await fake.emit("image", "delete", found.id, name=found.id)
    deleted = [{"Deleted": i.id} for i in gone]
    await wire.answer(200, {"ImagesDeleted": deleted, "SpaceReclaimed": sum(i.size for i in gone)})


def pull_messages(name: str) -> list[dict[str, Any]]:
    """A pull of two layers."""
    steps: list[dict[str, Any]] = [{"status": f"Pulling from {name}", "id": "latest"}]
    for layer, size in (("aaaaaaaaaaaa", 1000), ("bbbbbbbbbbbb", 3000)):
        steps.append({"status": "Pulling fs layer", "progressDetail": {}, "id": layer})
        for done in (size // 2, size):
            steps.append({"status": "Downloading", "progressDetail": {"current": done, "total": size}, "id": layer})
        steps.append({"status": "Pull complete", "progressDetail": {}, "id": layer})
    return [*steps, {"status": f"Status: Downloaded newer image for {name}"}]


async def create_image(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    if request.first("fromSrc"):
        made = fake.add_image(request.first("repo"), size=len(request.body))
        await wire.begin()
        await wire.send_json({"status": made})
        await wire.end()
        await fake.emit("image", "import", made, name=made)
        return
    name = request.first("fromImage").removeprefix("docker.io/").removeprefix("library/")
    name += f":{request.first('tag', 'latest')}"
    messages = fake.pulls.get(name, pull_messages(name))
    await wire.begin()
    for message in messages:
        await wire.send_json(message)
        await asyncio.sleep(fake.pull_step)
    if not any("error" in m for m in messages) and fake.find_image(name) is None:
        fake.add_image(name)
    await fake.emit("image", "pull", name, name=name)
    await wire.end()


async def push_image(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    await wire.begin()
    auth = json.loads(base64.urlsafe_b64decode(request.headers.get("x-registry-auth", "e30=")))
    if auth.get("username") == "good":
        await wire.send_json({"status": "Pushed", "progressDetail": {}, "id": "aaaaaaaaaaaa"})
    else:
        await wire.send_json(
            {"errorDetail": {"message": "denied: access"}, "error": "denied: requested access is denied"}
        )
    await wire.end()


async def save_images(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    await wire.begin("application/x-tar")
    for name in request.query.get("names", []):
        await wire.send(name.encode() * 1000)
    await wire.end()


async def load_images(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    await wire.begin()
    if request.body.startswith(b"bad"):
        await wire.send_json({"errorDetail": {"message": "invalid tar header"}, "error": "invalid tar header"})
    else:
        made = fake.add_image("loaded:1", size=len(request.body))
        await wire.send_json({"stream": "Loaded image: loaded:1\n"})
        await fake.emit("image", "load", made, name="loaded:1")
    await wire.end()


async def build(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    await wire.begin()
    for message in fake.build_messages:
        await wire.send_json(message)
    if not any("error" in m for m in fake.build_messages) and (name := request.first("t")):
        made = fake.add_image(name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest")
        await wire.send_json({"aux": {"ID": made}})
        await fake.emit("image", "tag", made, name=name)
    await wire.end()


async def volumes(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    await wire.answer(200, {"Volumes": list(fake.volumes.values()), "Warnings": None})


async def create_volume(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    body: dict[str, Any] = request.json()
    name = fake.add_volume(body.get("Name") or new_id(), Labels=body.get("Labels") or {})
    await fake.emit("volume", "create", name)
    await wire.answer(201, fake.volumes[name])


async def one_of(kind: str, found: dict[str, Any] | None, wire: Wire, name: str) -> None:
    await (wire.answer(200, found) if found else wire.answer(404, {"message": f"no such {kind}: {name}"}))


async def volume(fake: FakeEngine, request: Request, wire: Wire, name: str) -> None:
    if request.method == "GET" or name not in fake.volumes:
        await one_of("volume", fake.volumes.get(name), wire, name)
    elif any(m.get("Name") == name for c in fake.containers.values() for m in c.mounts):
        await wire.answer(409, {"message": f"remove {name}: volume is in use - [x]"})
    else:
        del fake.volumes[name]
        await fake.emit("volume", "destroy", name)
        await wire.answer(204)


async def networks(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    await wire.answer(200, list(fake.networks.values()))


async def create_network(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    name = str(request.json()["Name"])
    if any(n["Name"] == name for n in fake.networks.values()):
        await wire.answer(409, {"message": f"network with name {name} already exists"})
        return
    made = fake.add_network(name)
    await fake.emit("network", "create", made, name=name)
    await wire.answer(201, {"Id": made, "Warning": ""})


async def network(fake: FakeEngine, request: Request, wire: Wire, name: str) -> None:
    found = next((n for n in fake.networks.values() if name in (n["Id"], n["Name"])), None)
    if request.method == "GET" or found is None:
        await one_of("network", found, wire, name)
        return
    del fake.networks[found["Id"]]
    await fake.emit("network", "destroy", found["Id"], name=found["Name"])
    await wire.answer(204)


async def join(fake: FakeEngine, _: Request, wire: Wire, __: str) -> None:
    await wire.answer(200)


async def prune_others(fake: FakeEngine, request: Request, wire: Wire, kind: str) -> None:
    key = {"volumes": "VolumesDeleted", "networks": "NetworksDeleted"}[kind]
    gone = list(fake.volumes) if kind == "volumes" else []
    fake.volumes = {} if kind == "volumes" else fake.volumes
    await wire.answer(200, {key: gone, "SpaceReclaimed": 1000 * len(gone)})


async def create_exec(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    made = fake.find(ref)
    if made is None:
        await wire.answer(404, {"message": f"No such container: {ref}"})
        return
    id_ = new_id()
    fake.execs[id_] = {"ID": id_, "Running": False, "ExitCode": 0, "Pid": 7, "Tty": bool(request.json().get("Tty"))}
    await wire.answer(201, {"Id": id_})


async def hijacked(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    """An echo in capitals, in frames unless a TTY was asked for; the first bytes come with the head."""
    tty = bool(request.json().get("Tty")) if request.body else False
    kind = "raw-stream" if tty else "multiplexed-stream"
    wire.closing = True

    def framed(data: bytes) -> bytes:
        return data if tty else b"\x01\0\0\0" + len(data).to_bytes(4, "big") + data

    head = f"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.{kind}\r\n"
    head += "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    await wire.write(head.encode() + framed(b"early\n"))
    while data := await wire.reader.read(65536):
        await wire.write(framed(data.upper()))
    await wire.write(framed(b"end\n"))


async def inspect_exec(fake: FakeEngine, _: Request, wire: Wire, ref: str) -> None:
    await one_of("exec", fake.execs.get(ref), wire, ref)


async def archive(fake: FakeEngine, request: Request, wire: Wire, ref: str) -> None:
    if fake.find(ref) is None:
        await wire.answer(404, {"message": f"No such container: {ref}"})
    elif request.method == "PUT":
        await wire.answer(200)
    else:
        await wire.answer(200, b"tar" * 1000, "application/x-tar")


async def commit(fake: FakeEngine, request: Request, wire: Wire, _: str) -> None:
    made = fake.add_image(f"{request.first('repo')}:{request.first('tag', 'latest')}")
    await fake.emit("image", "tag", made, name=request.first("repo"))
    await wire.answer(201, {"Id": made})


ROUTES: list[tuple[str, str, Answerer]] = [
    ("GET", "/_ping", ping),
    ("GET", "/version", version),
    ("GET", "/info", info),
    ("GET", "/system/df", df),
    ("GET", "/events", events),
    ("GET", "/images/json", images),
    ("POST", "/images/create", create_image),
    ("POST", "/images/prune", prune_images),
    ("GET", "/images/get", save_images),
    ("POST", "/images/load", load_images),
    ("POST", "/build", build),
    ("POST", "/commit", commit),
    ("GET", "/images/(.+)/(?:json|history)", image),
    ("POST", "/images/(.+)/tag", tag),
    ("POST", "/images/(.+)/push", push_image),
    ("DELETE", "/images/(.+)", remove_image),
    ("GET", "/volumes", volumes),
    ("POST", "/volumes/create", create_volume),
    ("POST", "/(volumes|networks)/prune", prune_others),
    ("GET", "/volumes/([^/]+)", volume),
    ("DELETE", "/volumes/([^/]+)", volume),
    ("GET", "/networks", networks),
    ("POST", "/networks/create", create_network),
    ("POST", "/networks/([^/]+)/(?:connect|disconnect)", join),
    ("GET", "/networks/([^/]+)", network),
    ("DELETE", "/networks/([^/]+)", network),
    ("POST", "/containers/([^/]+)/exec", create_exec),
    ("POST", "/containers/([^/]+)/attach", hijacked),
    ("POST", "/exec/([^/]+)/start", hijacked),
    ("POST", "/exec/([^/]+)/resize", join),
    ("GET", "/exec/([^/]+)/json", inspect_exec),
    ("GET", "/containers/([^/]+)/archive", archive),
    ("PUT", "/containers/([^/]+)/archive", archive),
]
