"""Every noun of the API against a real engine, over its socket and over SSH."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from backend import containers, events, images, moving, networks, system, volumes
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.errors import Conflict, ImageInUse, NameInUse, NotFound, PortInUse, PullFailed
from backend.frames import FrameDecoder
from backend.ssh.hosts import Hosts
from backend.ssh.secrets import Secrets
from backend.types.containers import ContainerId
from tests.e2e.sshd import Sshd

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


@pytest_asyncio.fixture(params=["socket", "ssh"])
async def engine(engine_host: UnixSocket, request: pytest.FixtureRequest, person_home: Path) -> AsyncIterator[Engine]:
    if request.param == "socket":
        made, hosts = Engine(engine_host), None
    else:
        sshd: Sshd = request.getfixturevalue("sshd")
        (person_home / ".ssh" / "known_hosts").write_text(sshd.known_line())
        hosts = Hosts(person_home, person_home / "ours", Secrets(None))
        made = Engine(sshd.endpoint, tunnels=hosts)
    await made.open()
    yield made
    await made.close()
    if hosts is not None:
        await hosts.close()


@pytest.fixture
def name() -> str:
    return f"client-{uuid.uuid4().hex[:8]}"


async def run(engine: Engine, image: str, name: str, script: str, **more: object) -> ContainerId:
    body: dict[str, object] = {"Image": image, "Cmd": ["sh", "-c", script], "StopSignal": "SIGKILL", **more}
    made = await containers.create(engine, body, name=name)
    await containers.start(engine, made.id)
    return made.id


async def test_the_life_of_a_container(engine: Engine, busybox_image: str, name: str) -> None:
    id_ = await run(engine, busybox_image, name, "echo out; echo err >&2; touch /tmp/x; sleep 1000")
    await containers.start(engine, id_)
    assert [c.state for c in await containers.list_(engine, ids=[id_])] == ["running"]
    with pytest.raises(NameInUse) as taken:
        await containers.create(engine, {"Image": busybox_image}, name=name)
    assert (taken.value.name, taken.value.holder) == (name, id_)
    await containers.pause(engine, id_)
    assert (await containers.inspect(engine, id_)).value.state.paused
    await containers.unpause(engine, id_)
    await containers.rename(engine, id_, f"{name}-b")
    assert (await containers.top(engine, f"{name}-b")).processes
    await containers.update(engine, id_, {"RestartPolicy": {"Name": "no"}})
    assert "/tmp/x" in [c.path for c in await containers.changes(engine, id_)]
    with pytest.raises(Conflict):
        await containers.remove(engine, id_)
    await containers.restart(engine, id_, timeout=0)
    ended = asyncio.ensure_future(containers.wait(engine, id_))
    await asyncio.sleep(0.2)
    await containers.kill(engine, id_)
    assert await ended == 137
    await containers.remove(engine, id_, volumes=True)
    with pytest.raises(NotFound):
        await containers.inspect(engine, id_)


async def test_logs_of_both_streams_tail_follow_and_tty(engine: Engine, busybox_image: str, name: str) -> None:
    id_ = await run(engine, busybox_image, name, "echo one; sleep .2; echo two >&2; sleep 1; echo three; sleep 1000")
    async with await containers.logs(engine, id_, follow=True, timestamps=False) as stream:
        got = []
        async for batch in stream:
            got += batch
            if len(got) == 3:
                break
    assert got == [(1, b"one\n"), (2, b"two\n"), (1, b"three\n")]
    async with await containers.logs(engine, id_, tail=1, timestamps=True) as stream:
        (line,) = [f async for b in stream for f in b]
        assert line[1].endswith(b"Z three\n")
    await containers.remove(engine, id_, force=True)
    tty = await run(engine, busybox_image, name, "echo bare; sleep 1000", Tty=True)
    await containers.resize(engine, tty, rows=20, columns=80)
    async with await containers.logs(engine, tty, follow=True, timestamps=False, tty=True) as stream:
        assert await anext(aiter(stream)) == [(1, b"bare\r\n")]
    await containers.remove(engine, tty, force=True)


async def test_stats_of_a_busy_container(engine: Engine, busybox_image: str, name: str) -> None:
    id_ = await run(engine, busybox_image, name, "while :; do :; done")
    before: dict[ContainerId, containers.Counters] = {}
    await containers.stats_once(engine, [id_], before=before)
    await asyncio.sleep(1)
    (found,) = (await containers.stats_once(engine, [id_], before=before)).values()
    assert found.cpu is not None
    assert 0 < found.cpu <= found.cores
    assert found.memory is not None
    assert 0 < found.memory < found.memory_limit
    async with aclosing(containers.stats_stream(engine, id_)) as stream:
        assert (await anext(stream)).cpu is None
        assert ((await anext(stream)).cpu or 0) > 0
    await containers.remove(engine, id_, force=True)


async def test_exec_attach_and_archives(engine: Engine, busybox_image: str, name: str) -> None:
    id_ = await run(engine, busybox_image, name, "cat", OpenStdin=True, StdinOnce=True)
    exec_id = await containers.exec_create(engine, id_, ["sh", "-c", "cat; exit 3"], stdin=True)
    decoder, got = FrameDecoder(), b""
    async with await containers.exec_start(engine, exec_id) as joined:
        await joined.write(b"through and back\n")
        await joined.write_eof()
        while data := await joined.read():
            got += b"".join(p for _, p in decoder.feed(data))
    assert got == b"through and back\n"
    assert (await containers.exec_inspect(engine, exec_id)).exit_code == 3
    async with containers.get_archive(engine, id_, "/bin/busybox") as answer:
        tar = b"".join([c async for c in answer.chunks()])
    await containers.put_archive(engine, id_, "/tmp", tar)
    async with containers.get_archive(engine, id_, "/tmp/busybox") as answer:
        assert len(await answer.body()) == len(tar)
    async with await containers.attach(engine, id_) as joined:
        await joined.write(b"bye\n")
        await joined.write_eof()
        assert b"bye\n" in await joined.read()
    assert await containers.wait(engine, id_) == 0
    await containers.remove(engine, id_)


async def test_images(engine: Engine, busybox_image: str, name: str, tmp_path: Path) -> None:
    repo = f"pilothouse-test/{name}"
    assert busybox_image in [t for i in await images.list_(engine) for t in i.tags]
    assert (await images.inspect(engine, busybox_image)).value.os == "linux"
    assert len(await images.history(engine, busybox_image)) == 1
    await images.tag(engine, busybox_image, repo, "1")
    await moving.save(engine, [f"{repo}:1"], tmp_path / "x.tar")
    assert [r.untagged for r in await images.remove(engine, f"{repo}:1")] == [f"{repo}:1"]
    said = [m.stream async for m in moving.load(engine, tmp_path / "x.tar")]
    assert f"{repo}:1" in said[-1]
    id_ = await run(engine, busybox_image, name, "sleep 1000")
    made = await containers.commit(engine, id_, repo=repo, tag="2", changes=["ENV A=b"])
    assert "A=b" in ((await images.inspect(engine, made)).value.config or pytest.fail("no config")).env  # type: ignore[operator]
    user = await run(engine, f"{repo}:2", f"{name}-user", "sleep 1000")
    with pytest.raises(ImageInUse) as used:
        await images.remove(engine, f"{repo}:2")
    assert user.startswith(used.value.holder)
    for container in (id_, user):
        await containers.remove(engine, container, force=True)
    root = tmp_path / "root.tar"
    async with engine.stream("GET", f"/containers/{await made_of(engine, busybox_image)}/export") as answer:
        root.write_bytes(await answer.body())
    assert await moving.import_root(engine, root, repo=repo, tag="3", changes=['CMD ["sh"]']) != made
    for tag in "123":
        await images.remove(engine, f"{repo}:{tag}")
    with pytest.raises(NotFound):
        await images.inspect(engine, f"{repo}:1")
    with pytest.raises(PullFailed):
        [m async for m in moving.pull(engine, "registry.invalid/x:1")]


async def made_of(engine: Engine, image: str) -> str:
    return (await containers.create(engine, {"Image": image})).id


async def test_ports_that_are_taken(engine: Engine, busybox_image: str, name: str) -> None:
    host = {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "48123"}]}}
    ports: dict[str, object] = {"HostConfig": host, "ExposedPorts": {"80/tcp": {}}}
    first = await run(engine, busybox_image, name, "sleep 1000", **ports)
    second = (await containers.create(engine, {"Image": busybox_image, **ports})).id
    with pytest.raises(PortInUse) as taken:
        await containers.start(engine, second)
    assert taken.value.port == 48123
    for id_ in (first, second):
        await containers.remove(engine, id_, force=True)


async def test_volumes_networks_events_and_the_engine(engine: Engine, busybox_image: str, name: str) -> None:
    heard: list[str] = []
    opened = asyncio.Event()

    async def listen() -> None:
        async for event in events.stream(engine, opened=opened.set):
            heard.append(f"{event.type} {event.action}")

    listener = asyncio.ensure_future(listen())
    await opened.wait()
    await asyncio.sleep(0.3)  # The engine answers a moment before it listens to itself.
    await volumes.create(engine, name, labels={"a": "b"})
    assert (await volumes.inspect(engine, name)).labels == {"a": "b"}
    network = await networks.create(engine, name)
    with pytest.raises(NameInUse):
        await networks.create(engine, name)
    binds = {"Binds": [f"{name}:/data"]}
    id_ = await run(engine, busybox_image, name, "sleep 1000", HostConfig=binds)
    with pytest.raises(Conflict):
        await volumes.remove(engine, name)
    await networks.connect(engine, network, id_, aliases=("x",))
    await networks.disconnect(engine, network, id_)
    use = await system.disk_use(engine)
    assert name in [v.name for v in use.volumes or ()]
    await containers.remove(engine, id_, force=True)
    await volumes.remove(engine, name)
    await networks.remove(engine, name)
    assert (await networks.inspect(engine, "bridge")).driver == "bridge"
    assert name not in [v.name for v in await volumes.list_(engine)]
    assert name not in [n.name for n in await networks.list_(engine)]
    assert (await system.info(engine)).server_version == (await system.version(engine)).version
    await asyncio.sleep(0.3)
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    expected = [
        "volume create",
        "network create",
        "container start",
        "container die",
        "container destroy",
        "network destroy",
    ]
    # The engine tells of a volume anew when a container takes it.
    assert [h for h in dict.fromkeys(heard) if h in expected] == expected


async def test_prunes(engine: Engine, busybox_image: str) -> None:
    unused = {"filters": {"label": ["nobody-has-this"]}}
    for path in ("/containers/prune", "/volumes/prune", "/networks/prune", "/images/prune"):
        await engine.call("POST", path, query=unused)
    assert busybox_image in [t for i in await images.list_(engine) for t in i.tags]
