"""Every noun of the API against an engine that keeps state."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import aclosing
from pathlib import Path

import pytest

from backend import containers, events, images, moving, networks, system, volumes
from backend.client import Engine
from backend.errors import (
    ArchiveRefused,
    Conflict,
    ImageInUse,
    InvalidName,
    InvalidReference,
    NameInUse,
    NotFound,
    PortInUse,
    ProtocolError,
    RateLimited,
    RegistryDenied,
)
from backend.registries import encode
from backend.saving import NotSaved
from backend.stream import HIGH_WATER
from backend.types.containers import ContainerId
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


async def test_the_life_of_a_container(fake: FakeEngine, engine: Engine) -> None:
    fake.add_image("busybox:latest")
    made = await containers.create(engine, {"Image": "busybox", "Cmd": ["x"]}, name="one")
    held = fake.containers[made.id]
    await containers.start(engine, made.id)
    await containers.pause(engine, made.id)
    assert held.state == "paused"
    await containers.unpause(engine, made.id)
    await containers.rename(engine, made.id, "two")
    await containers.restart(engine, made.id)
    assert (await containers.top(engine, made.id)).processes
    assert await containers.update(engine, made.id, {"Memory": 1}) == ()
    await containers.resize(engine, made.id, rows=1, columns=2)
    ended = asyncio.ensure_future(containers.wait(engine, made.id))
    while not fake.asked("POST", "/wait"):
        await asyncio.sleep(0.005)
    await containers.kill(engine, made.id)
    assert await ended == 137
    with pytest.raises(Conflict):
        await containers.kill(engine, made.id)
    assert (await containers.changes(engine, made.id))[0].path == "/tmp/x"
    assert (await containers.inspect(engine, "two", size=True)).value.size_rw == 4096
    assert (await containers.list_(engine, size=True, ids=[made.id]))[0].size_rw == 4096
    assert await containers.list_(engine, all=False) == ()
    assert await containers.commit(engine, made.id, repo="c", tag="1") in fake.images
    await containers.remove(engine, made.id, volumes=True)
    assert fake.asked("DELETE", made.id)[0].first("v") == "1"
    assert not fake.containers
    fake.add_container("old", "exited")
    assert (await containers.prune(engine)).space_reclaimed == 4096


async def test_names_and_ports_that_are_taken(fake: FakeEngine, engine: Engine) -> None:
    port = [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp", "IP": "0.0.0.0"}]
    first = fake.add_container("web", ports=port)
    second = fake.add_container("web2", "exited", ports=port)
    with pytest.raises(NameInUse) as name:
        await containers.rename(engine, second, "web")
    assert (name.value.name, name.value.holder) == ("web", first)
    with pytest.raises(PortInUse) as taken:
        await containers.start(engine, second)
    assert taken.value.port == 8080
    with pytest.raises(NotFound):
        await containers.create(engine, {"Image": "nix"})


@pytest.mark.parametrize(
    "name", ["a/b", "..", "%2f", "a?b", "a#b", "a b", "-x", "", "é", "a\n", "<b>", "a" * 300, "\u202eabc"]
)
async def test_names_that_are_refused_before_anything_is_sent(fake: FakeEngine, engine: Engine, name: str) -> None:
    before = len(fake.requests)
    for ask in (containers.start(engine, name), containers.logs(engine, name), volumes.remove(engine, name)):
        with pytest.raises(InvalidName):
            await ask
    if name != "a/b":
        with pytest.raises(InvalidReference):
            await images.inspect(engine, name)
    if not name.isprintable() or "/" in name or name in ("", "..", "-x") or len(name) > 255:
        with pytest.raises(InvalidName):
            await networks.remove(engine, name if name.isprintable() and name != "\u202eabc" else "a\n")
    assert len(fake.requests) == before


async def test_odd_network_names_are_one_segment(fake: FakeEngine, engine: Engine) -> None:
    fake.add_network("my net?#%2f<b>")
    assert (await networks.inspect(engine, "my net?#%2f<b>")).driver == "bridge"
    assert "/networks/my%20net%3F%23%252f%3Cb%3E" in fake.requests[-1].target


async def test_markup_in_names_and_labels_comes_through_as_it_is(fake: FakeEngine, engine: Engine) -> None:
    evil = "<img src=http://127.0.0.1:9/x>&\u202e\x1b[31m" + "x" * 65536
    fake.add_container("web", labels={"a": evil}, command=[evil])
    row = (await containers.list_(engine))[0]
    assert (row.labels, row.command) == ({"a": evil}, evil)


async def test_logs_with_frames_tail_and_follow(fake: FakeEngine, engine: Engine) -> None:
    id_ = fake.add_container("web", logs=[b"one\n", b"two\n", b"\xff\x1b[31mthree\n"])
    async with await containers.logs(engine, id_, timestamps=False, tail=2) as stream:
        assert not stream.tty
        assert [f async for batch in stream for f in batch] == [(1, b"two\n"), (1, b"\xff\x1b[31mthree\n")]
    async with await containers.logs(engine, id_, timestamps=False, tail=0, follow=True) as stream:
        batches = aiter(stream)
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0.05)
        await fake.log(id_, b"err\n", stream=2)
        assert await waiting == [(2, b"err\n")]
        await fake.set_state(id_, "exited", "die")
        with pytest.raises(StopAsyncIteration):
            await anext(batches)


@pytest.mark.parametrize("claimed", [True, False])
async def test_the_engine_knows_best_whether_a_log_has_frames(fake: FakeEngine, engine: Engine, claimed: bool) -> None:
    bare = fake.add_container("tty", tty=True, logs=[b"raw\r\n"])
    framed = fake.add_container("plain", logs=[b"raw\n"])
    for id_, text in ((bare, b"raw\r\n"), (framed, b"raw\n")):
        async with await containers.logs(engine, id_, timestamps=False, tty=claimed) as stream:
            assert [f async for batch in stream for f in batch] == [(1, text)]


async def test_a_lie_about_frames_ends_with_a_word(fake: FakeEngine, engine: Engine) -> None:
    fake.add_container("web")
    fake.fail(
        "/logs", raw=b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\nplain text of a terminal\r\n"
    )
    async with await containers.logs(engine, "web") as stream:
        with pytest.raises(ProtocolError):
            await anext(aiter(stream))


async def test_logs_that_come_in_chunks_of_http(fake: FakeEngine, engine: Engine) -> None:
    fake.add_container("web")
    chunks = b"8\r\n\x01\0\0\0\0\0\0\x02\r\n2\r\nhi\r\n0\r\n\r\n"
    fake.fail("/logs", raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    async with await containers.logs(engine, "web") as stream:
        assert [f async for batch in stream for f in batch] == [(1, b"hi")]
    async with await containers.logs(engine, "web") as stream:
        assert b"".join([data async for data in stream.chunks()]) == b"\x01\0\0\0\0\0\0\x02hi"


async def test_a_log_that_nobody_reads_holds_the_engine_back(fake: FakeEngine, engine: Engine) -> None:
    line = b"x" * 16000 + b"\n"
    fake.add_container("web", logs=[line] * 2000)
    async with await containers.logs(engine, "web", timestamps=False) as stream:
        await asyncio.sleep(0.3)
        assert stream.source._held < HIGH_WATER + 300_000
        total = 0
        async for batch in stream:
            total += sum(len(p) for _, p in batch)
    assert total == 2000 * len(line)


async def test_stats_of_many(fake: FakeEngine, engine: Engine) -> None:
    ids = [fake.add_container(f"c{i}") for i in range(20)]
    stopped = fake.add_container("off", "exited")
    before: dict[ContainerId, containers.Counters] = {}
    first = await containers.stats_once(engine, [*ids, stopped], before=before)
    assert set(first) == set(ids) == set(before)
    assert all(s.cpu is None for s in first.values())
    second = await containers.stats_once(engine, ids[:5], before=before)
    assert {s.cpu for s in second.values()} == {0.5}
    assert len(before) == 5
    assert next(iter((await containers.stats_once(engine, ids[:1])).values())).cpu == 0.5
    async with aclosing(containers.stats_stream(engine, ids[0])) as stream:
        assert (await anext(stream)).memory == 20_000_000


async def test_images(fake: FakeEngine, engine: Engine, tmp_path: Path) -> None:
    fake.add_image("nginx:latest", "nginx:1")
    dangling = fake.add_image()
    assert [i.dangling for i in await images.list_(engine)] == [False, True]
    assert (await images.inspect(engine, "nginx")).value.size == 212_000_000
    assert len(await images.history(engine, dangling)) == 2
    await images.tag(engine, dangling, "ghcr.io/a/b", "2")
    assert fake.find_image("ghcr.io/a/b:2")
    fake.add_container("web")
    with pytest.raises(ImageInUse) as used:
        await images.remove(engine, str(fake.find_image("nginx").id))  # type: ignore[union-attr]
    assert used.value.running
    assert used.value.holder
    assert (await images.remove(engine, "nginx:1"))[0].untagged == "nginx:1"
    assert (await images.prune(engine, dangling=False)).space_reclaimed
    sent: list[int] = []
    await moving.save(engine, ["nginx:latest"], tmp_path / "x.tar", sent.append)
    assert (tmp_path / "x.tar").stat().st_size == sent[-1] == 12_000
    assert [m.stream async for m in moving.load(engine, tmp_path / "x.tar")] == ["Loaded image: loaded:1\n"]
    assert await moving.import_root(engine, tmp_path / "x.tar", repo="r") in fake.images
    (tmp_path / "bad").write_bytes(b"bad")
    with pytest.raises(ArchiveRefused):
        [m async for m in moving.load(engine, tmp_path / "bad")]
    fake.fail("/images/get", cut_after=2000)
    with pytest.raises(Exception, match="images/get"):
        await moving.save(engine, ["nginx:latest"], tmp_path / "y.tar")
    assert not list(tmp_path.glob("*y.tar*"))


async def test_a_save_that_cannot_be_written_names_what_a_person_chose(
    fake: FakeEngine, engine: Engine, tmp_path: Path
) -> None:
    fake.add_image("nginx:latest")
    (tmp_path / "file").write_text("")
    for path, number, named in (
        (tmp_path / "none" / "x.tar", errno.ENOENT, tmp_path / "none"),
        (tmp_path / "file" / "x.tar", errno.ENOTDIR, tmp_path / "file"),
        (tmp_path / ("x" * 250), errno.ENAMETOOLONG, tmp_path / ("x" * 250)),
        (Path("/proc/x.tar"), 0, Path("/proc/x.tar")),
    ):
        with pytest.raises(NotSaved) as refused:
            await moving.save(engine, ["nginx:latest"], path)
        assert (refused.value.errno, refused.value.filename) == (number, str(named))
    assert not fake.asked("GET", "/images/get")


async def test_a_save_replaces_no_device_pipe_or_folder(fake: FakeEngine, engine: Engine, tmp_path: Path) -> None:
    fake.add_image("nginx:latest")
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/full")
    for path in (pipe, link, tmp_path):
        with pytest.raises(FileExistsError) as refused:
            await moving.save(engine, ["nginx:latest"], path)
        assert refused.value.filename == str(path)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert not fake.asked("GET", "/images/get")


async def test_pull_and_push(fake: FakeEngine, engine: Engine) -> None:
    got = [m async for m in moving.pull(engine, "redis:7", platform="linux/arm64")]
    assert got[2].detail is not None
    assert got[2].detail.total == 1000
    assert fake.find_image("redis:7")
    assert fake.asked("POST", "/images/create")[0].first("platform") == "linux/arm64"
    fake.pulls["busy:latest"] = [{"error": "toomanyrequests: You have reached your pull rate limit."}]
    with pytest.raises(RateLimited):
        [m async for m in moving.pull(engine, "busy")]
    secret = encode({"username": "bad", "password": "canary"})
    with pytest.raises(RegistryDenied) as denied:
        [m async for m in moving.push(engine, "redis:7", auth=secret)]
    assert secret not in str(denied.value)
    assert denied.value.pushing
    good = encode({"username": "good", "password": "p"})
    assert [m.status async for m in moving.push(engine, "redis:7", auth=good)] == ["Pushed"]
    with pytest.raises(InvalidReference):
        [m async for m in moving.pull(engine, "Bad Name")]


async def test_exec_and_attach_keep_early_bytes_and_half_close(fake: FakeEngine, engine: Engine) -> None:
    id_ = fake.add_container("web")
    exec_id = await containers.exec_create(engine, id_, ["cat"], stdin=True, tty=True)
    await containers.exec_resize(engine, exec_id, rows=2, columns=3)
    async with await containers.exec_start(engine, exec_id, tty=True) as joined:
        got = await joined.read()
        await joined.write(b"hello\n")
        await joined.write_eof()
        while data := await joined.read():
            got += data
    assert got == b"early\nHELLO\nend\n"
    assert (await containers.exec_inspect(engine, exec_id)).exit_code == 0
    async with await containers.attach(engine, id_) as joined:
        assert (await joined.read()).endswith(b"early\n")
        assert joined.content_type.endswith("multiplexed-stream")
    with pytest.raises(NotFound):
        await containers.exec_create(engine, "gone", ["x"])


async def test_archives(fake: FakeEngine, engine: Engine) -> None:
    fake.add_container("web")
    async with containers.get_archive(engine, "web", "/etc/a b") as answer:
        assert b"".join([c async for c in answer.chunks()]) == b"tar" * 1000
    await containers.put_archive(engine, "web", "/tmp", b"tar")
    assert fake.requests[-1].body == b"tar"
    with pytest.raises(NotFound):
        async with containers.get_archive(engine, "gone", "/"):
            pass


async def test_volumes_networks_and_the_engine_itself(fake: FakeEngine, engine: Engine) -> None:
    assert (await volumes.create(engine, "v", labels={"a": "b"})).labels == {"a": "b"}
    assert [v.name for v in await volumes.list_(engine)] == ["v"]
    assert (await volumes.inspect(engine, "v")).driver == "local"
    fake.add_container("web", mounts=[{"Type": "volume", "Name": "v", "Destination": "/d"}])
    with pytest.raises(Conflict):
        await volumes.remove(engine, "v")
    assert (await volumes.prune(engine)).space_reclaimed == 1000
    made = await networks.create(engine, "n")
    with pytest.raises(NameInUse):
        await networks.create(engine, "n")
    await networks.connect(engine, made, "web", aliases=("x",))
    await networks.disconnect(engine, made, "web")
    assert "n" in [n.name for n in await networks.list_(engine)]
    await networks.remove(engine, "n")
    assert await networks.prune(engine) == ()
    assert (await system.version(engine)).version == "27.0.0"
    assert (await system.info(engine)).ncpu == 2
    use = await system.disk_use(engine)
    assert use.layers_size == 212_000_000


async def test_events_of_the_past_and_10_000_at_once(fake: FakeEngine, engine: Engine) -> None:
    for i in range(10_000):
        fake.events.append({"Type": "container", "Action": "start", "Actor": {"ID": str(i)}, "timeNano": 2 * 10**9})
    count = 0
    async with aclosing(events.stream(engine, since="1")) as stream:
        async for event in stream:
            assert event.actor.id == str(count)
            count += 1
            if count == 10_000:
                break


async def test_ten_thousand_containers(fake: FakeEngine, engine: Engine) -> None:
    for i in range(10_000):
        fake.add_container(f"c{i}")
    assert len(await containers.list_(engine)) == 10_000
