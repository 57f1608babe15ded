"""FakeEngine: an engine that keeps state, on a unix socket, with the faults that a test scripts."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from backend.endpoint import UnixSocket
from tests.fakes.nouns import FakeContainer, FakeImage, LogLine
from tests.fakes.routes import route
from tests.fakes.wire import Fault, Request, Wire, read_request


class FakeEngine:
    """An engine without processes. Change it with the `add_*` methods or over its socket; read its dicts afterwards.

    `requests` are all requests so far, `hangups` counts connections that the client dropped in mid-answer.
    """

    def __init__(self, *, api: str = "1.45", oldest: str = "1.24", product: str = "docker") -> None:
        self.api = api
        self.oldest = oldest
        self.product = product
        self.containers: dict[str, FakeContainer] = {}
        self.images: dict[str, FakeImage] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.execs: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.pull_step = 0.0
        self.build_messages: list[dict[str, Any]] = []
        self.stats_every = 0.05
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.hangups = 0
        self.connections = 0
        self.changed = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        for name in ("bridge", "host", "none"):
            self.add_network(name)

    def add_container(
        self,
        name: str = "web",
        state: str = "running",
        image: str = "nginx:latest",
        *,
        project: str = "",
        service: str = "",
        logs: list[bytes] | None = None,
        ports: list[dict[str, Any]] | None = None,
        **more: Any,
    ) -> str:
        """A container; its image is made when it is not there. Returns the id. `more` are fields of FakeContainer."""
        found = self.find_image(image) or self.images[self.add_image(image)]
        labels = dict(more.pop("labels", {}))
        if project:
            labels |= {"com.docker.compose.project": project, "com.docker.compose.service": service or name}
        made = FakeContainer(name, image, found.id, state, labels=labels, ports=ports or [], **more)
        now = time.time()
        made.logs = [LogLine(now + i / 1000, 1, text) for i, text in enumerate(logs or [])]
        self.containers[made.id] = made
        return made.id

    def add_image(self, *tags: str, **more: Any) -> str:
        """An image with full tags (`nginx:latest`), none for a dangling one; its id."""
        made = FakeImage(list(tags), **more)
        self.images[made.id] = made
        return made.id

    def add_volume(self, name: str, **more: Any) -> str:
        self.volumes[name] = {
            "Name": name, "Driver": "local", "Mountpoint": f"/var/lib/docker/volumes/{name}/_data",
            "CreatedAt": "2026-01-01T00:00:00Z", "Labels": {}, "Scope": "local", **more,
        }  # fmt: skip
        return name

    def add_network(self, name: str, **more: Any) -> str:
        made = FakeContainer(name, "", "").id
        driver = name if name in ("host", "bridge") else "null" if name == "none" else "bridge"
        self.networks[made] = {"Id": made, "Name": name, "Driver": driver, "Scope": "local", "Internal": False, **more}
        return made

    def find(self, ref: str) -> FakeContainer | None:
        """A container by name, id or beginning of an id."""
        for made in self.containers.values():
            if ref in (made.id, made.name) or (len(ref) >= 4 and made.id.startswith(ref)):
                return made
        return None

    def find_image(self, ref: str) -> FakeImage | None:
        """An image by id, beginning of an id, or tag (`latest` when left out)."""
        short = ref.removeprefix("docker.io/").removeprefix("library/")
        tag = short if ":" in short.rsplit("/", 1)[-1] else f"{short}:latest"
        for made in self.images.values():
            if ref == made.id or tag in made.tags or (len(ref) >= 12 and made.id[7:].startswith(ref)):
                return made
        return None

    async def log(self, ref: str, text: bytes, stream: int = 1) -> None:
        """A container writes."""
        made = self.find(ref)
        assert made is not None
        made.logs.append(LogLine(time.time(), stream, text))
        await self.notify()

    async def emit(self, type_: str, action: str, id_: str, **attributes: str) -> None:
        """An event, told to everybody who listens."""
        now = time.time_ns()
        self.events.append(
            {
                "Type": type_, "Action": action, "Actor": {"ID": id_, "Attributes": attributes}, "scope": "local",
                "time": now // 10**9, "timeNano": now,
            }
        )  # fmt: skip
        await self.notify()

    async def set_state(self, ref: str, state: str, action: str, **attributes: str) -> None:
        """A container changes, and an event says so."""
        made = self.find(ref)
        assert made is not None
        made.state = state
        await self.emit("container", action, made.id, name=made.name, image=made.image, **attributes)

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def fail(self, path: str, **fault: Any) -> Fault:
        """Scripts a fault for paths that contain `path`; see Fault."""
        made = Fault(path, **fault)
        self.faults.append(made)
        return made

    def asked(self, method: str, part: str) -> list[Request]:
        """The requests so far whose path contains `part`."""
        return [r for r in self.requests if r.method == method and part in r.path]

    def drop_all(self) -> None:
        """Breaks every connection, as a kill would."""
        for writer in list(self._writers):
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def serve(self, path: str = "") -> AsyncIterator[UnixSocket]:
        """Listens on `path`, or on a socket in a folder of its own, until the block ends."""
        with contextlib.ExitStack() as stack:
            where = path or str(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fe-"))) / "s")
            server = await asyncio.start_unix_server(self._on_client, where, limit=1 << 20)
            try:
                yield UnixSocket(where)
            finally:
                server.close()
                self.drop_all()
                for task in list(self._tasks):
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await server.wait_closed()
                Path(where).unlink(missing_ok=True)

    def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                wire = Wire(reader, writer, request.http10, self._fault_for(request))
                await self._serve_one(request, wire)
                if wire.closing or request.http10:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _fault_for(self, request: Request) -> Fault | None:
        for fault in self.faults:
            due = fault.times is None or fault.seen < fault.times
            if due and fault.path in request.path and fault.method in ("", request.method):
                fault.seen += 1
                return fault
        return None

    async def _serve_one(self, request: Request, wire: Wire) -> None:
        """Answers; a client that hangs up meanwhile ends the answer at once."""
        work = asyncio.ensure_future(self._answer(request, wire))
        if request.headers.get("upgrade"):
            await work
            return
        gone = asyncio.ensure_future(_hangup(wire.reader))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.hangups += 1
                raise ConnectionResetError
            try:
                await work
            except (ConnectionResetError, BrokenPipeError):
                self.hangups += 1
                raise
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _answer(self, request: Request, wire: Wire) -> None:
        fault = wire.fault
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.hang:
            await asyncio.sleep(3600)
        if fault is not None and fault.raw is not None:
            wire.closing = True
            await wire.write(fault.raw)
            return
        await route(self, request, wire)


async def _hangup(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():
        await asyncio.sleep(0.005)
