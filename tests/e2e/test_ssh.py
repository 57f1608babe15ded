"""An engine on another host, over a real sshd: connections, how they end and return, and what a host may forbid."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from backend import builds, containers, events
from backend.client import Engine
from backend.endpoint import Ssh
from backend.errors import BackendError, EngineGone, EngineTimeout
from backend.frames import FrameDecoder
from backend.ssh.errors import (
    SshConfigUnusable,
    SshEngineDenied,
    SshEngineMissing,
    SshForwardingForbidden,
    SshNameUnknown,
    SshUnreachable,
)
from backend.ssh.hosts import Hosts
from backend.ssh.secrets import Secrets
from backend.types.builds import Builder, BuildEvent, BuildRequest, ImageBuilt
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.sshd import DECKHAND, Sshd

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio,
    pytest.mark.skipif(os.getuid() != 0, reason="an sshd with users of its own takes root"),
]


def know(home: Path, *hosts: Sshd) -> None:
    """The person has seen the keys of some hosts."""
    (home / ".ssh" / "known_hosts").write_text("".join(host.known_line() for host in hosts))


@asynccontextmanager
async def opened(home: Path, where: Ssh, secrets: Secrets | None = None) -> AsyncIterator[tuple[Engine, Hosts]]:
    """An engine at an address and the connections to it; nothing of them is left at the end."""
    hosts = Hosts(home, home / "ours", secrets or Secrets(None))
    engine = Engine(where, tunnels=hosts)
    before = set(threading.enumerate())
    try:
        yield engine, hosts
    finally:
        await engine.close()
        await hosts.close()
    left = [t for t in set(threading.enumerate()) - before if "asyncio" not in t.name]
    for thread in left:
        thread.join(5)
    assert not [t for t in left if t.is_alive()]


@contextmanager
def host_of(engine: Daemon, *lines: str) -> Iterator[Sshd]:
    """A host with other lines in its sshd_config."""
    made = Sshd(engine.paths.socket, *lines)
    try:
        made.start()
        yield made
    finally:
        made.close()


async def through(engine: Engine, image: str, script: str, data: bytes) -> bytes:
    """What a script in a container makes of `data`, which ends before the answer does."""
    id_ = (await containers.create(engine, {"Image": image, "Cmd": ["sleep", "1000"], "StopSignal": "SIGKILL"})).id
    await containers.start(engine, id_)
    decoder, got = FrameDecoder(), bytearray()
    async with await containers.exec_start(
        engine, await containers.exec_create(engine, id_, ["sh", "-c", script], stdin=True)
    ) as joined:

        async def feed() -> None:
            await joined.write(data)
            await joined.write_eof()

        feeding = asyncio.ensure_future(feed())
        while piece := await joined.read():
            for _, part in decoder.feed(piece):
                got += part
        await feeding
    await containers.remove(engine, id_, force=True)
    return bytes(got)


async def test_many_bytes_both_ways_and_the_end_of_one_way(sshd: Sshd, busybox_image: str, person_home: Path) -> None:
    know(person_home, sshd)
    data = os.urandom(1 << 20) * 24
    async with opened(person_home, sshd.endpoint) as (engine, _):
        await engine.open()
        assert (await through(engine, busybox_image, "cat; echo end", data)) == data + b"end\n"
        digest = hashlib.sha256(data).hexdigest()
        assert (await through(engine, busybox_image, "sleep 1; sha256sum", data)).split()[0].decode() == digest


async def test_a_hundred_connections_at_once(sshd: Sshd, person_home: Path) -> None:
    know(person_home, sshd)
    async with opened(person_home, sshd.endpoint) as (engine, hosts):
        await engine.open()
        streams = await asyncio.gather(*(engine.raw("/events") for _ in range(100)))
        threads = [t for t in threading.enumerate() if "asyncio" not in t.name]
        assert len(threads) < 20
        await asyncio.gather(*(engine.ping(deadline=20) for _ in range(100)))
        await asyncio.gather(*(stream.close() for stream in streams))
        others = [Engine(sshd.endpoint, tunnels=hosts) for _ in range(100)]
        await asyncio.gather(*(one.open(deadline=30) for one in others))
        await asyncio.gather(*(one.close() for one in others))


async def test_a_host_that_dies_and_comes_back(engine_process: Daemon, person_home: Path) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        async with opened(person_home, host.endpoint) as (engine, _):
            await engine.open()
            stream = await engine.raw("/events")
            reading = asyncio.ensure_future(stream.read())
            await asyncio.to_thread(host.kill)
            try:
                assert await reading == b""
            except EngineGone:
                pass
            await stream.close()
            with pytest.raises(BackendError):
                await engine.ping()
            await engine.reset()
            with pytest.raises(SshUnreachable):
                await engine.open()
            await asyncio.to_thread(host.start)
            async with asyncio.timeout(20):
                while not engine.is_open:
                    await asyncio.sleep(0.1)
                    try:
                        await engine.open()
                    except SshUnreachable:
                        continue
            await engine.ping()


async def test_a_link_that_is_silent_is_given_up_and_made_anew(engine_process: Daemon, person_home: Path) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        async with opened(person_home, host.endpoint) as (engine, _):
            await engine.open()
            host.freeze(True)
            with pytest.raises(EngineTimeout):
                await engine.ping(deadline=1)
            await engine.reset()
            with pytest.raises(SshUnreachable, match="the connection broke"):
                await engine.open(deadline=30)
            host.freeze(False)
            await engine.open(deadline=30)


@pytest.mark.parametrize("builder", [Builder.BUILDKIT, Builder.CLASSIC])
async def test_a_build_over_ssh(
    sshd: Sshd, person_home: Path, busybox_image: str, tmp_path: Path, buildx: Path, builder: Builder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    know(person_home, sshd)
    plugins = tmp_path / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(plugins.parent))
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"FROM {busybox_image}\nCOPY word /word\nRUN cat /word\n")
    (context / "word").write_text("from afar\n")
    told: list[BuildEvent] = []
    async with opened(person_home, sshd.endpoint) as (engine, _):
        await engine.open()
        assert builder in builds.builders(engine)
        tag = f"pilothouse-test/afar-{builder.name.lower()}:1"
        image = await builds.build(engine, BuildRequest(context, tag=tag, builder=builder), told.append)
        assert image.startswith("sha256:")
        assert any(isinstance(event, ImageBuilt) for event in told)
        assert await through(engine, tag, "cat /word", b"") == b"from afar\n"


async def test_events_and_logs_come_as_they_happen(
    sshd: Sshd, person_home: Path, busybox_image: str, docker_cli: DockerCli
) -> None:
    know(person_home, sshd)
    ready = asyncio.Event()
    async with opened(person_home, sshd.endpoint) as (engine, _):
        await engine.open()
        async with aclosing(events.stream(engine, opened=ready.set)) as heard:
            first = asyncio.ensure_future(anext(heard))
            await ready.wait()
            await asyncio.sleep(0.3)
            id_ = (await asyncio.to_thread(docker_cli, "create", busybox_image, "echo", "ahoy")).strip()
            assert (await first).actor.id == id_
        await containers.start(engine, id_)
        async with await containers.logs(engine, id_, follow=True, timestamps=False) as stream:
            assert [f async for b in stream for f in b] == [(1, b"ahoy\n")]
        await containers.remove(engine, id_, force=True)


async def test_a_host_that_forwards_no_sockets_is_asked_through_its_docker_program(
    engine_process: Daemon, person_home: Path, busybox_image: str
) -> None:
    with host_of(engine_process, "AllowStreamLocalForwarding no") as host:
        know(person_home, host)
        async with opened(person_home, host.endpoint) as (engine, _):
            await engine.open(deadline=30)
            assert await through(engine, busybox_image, "cat; echo end", b"x" * 100_000) == b"x" * 100_000 + b"end\n"
            await asyncio.gather(*(engine.ping(deadline=60) for _ in range(30)))


async def test_a_host_that_forwards_nothing_and_runs_nothing(engine_process: Daemon, person_home: Path) -> None:
    with host_of(engine_process, "AllowStreamLocalForwarding no", "MaxSessions 0") as host:
        know(person_home, host)
        async with opened(person_home, host.endpoint) as (engine, _):
            with pytest.raises(SshForwardingForbidden):
                await engine.open(deadline=30)


async def test_the_engine_is_found_where_a_rootless_one_is(engine_process: Daemon, person_home: Path) -> None:
    nowhere = person_home / "nowhere.sock"
    run = person_home / "run"
    run.mkdir()
    (run / "docker.sock").symlink_to(engine_process.paths.socket)
    made = Sshd(nowhere, f"SetEnv XDG_RUNTIME_DIR={run}")
    try:
        made.start()
        know(person_home, made)
        async with opened(person_home, made.endpoint) as (engine, _):
            await engine.open(deadline=30)
            await engine.reset()
            await engine.open()
        (run / "docker.sock").unlink()
        async with opened(person_home, made.endpoint) as (engine, _):
            with pytest.raises(SshEngineMissing) as missing:
                await engine.open(deadline=30)
            assert missing.value.looked[:2] == ("/var/run/docker.sock", f"{run}/docker.sock")
    finally:
        made.close()


async def test_who_may_not_open_the_socket_is_told(person_home: Path, short: Path) -> None:
    with socket.socket(socket.AF_UNIX) as shut:
        shut.bind(str(short))
        os.chmod(short, 0o660)
        made = Sshd(short)
        try:
            made.start()
            know(person_home, made)
            where = Ssh("127.0.0.1", made.port, DECKHAND, str(made.key))
            async with opened(person_home, where) as (engine, _):
                with pytest.raises(SshEngineDenied) as denied:
                    await engine.open(deadline=30)
            assert (denied.value.user, denied.value.group) == (DECKHAND, "root")
        finally:
            made.close()


@pytest.fixture
def short() -> Iterator[Path]:
    """A path that is short enough for a socket, in a folder that all may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "s"


async def test_a_host_behind_another_one(engine_process: Daemon, sshd: Sshd, person_home: Path) -> None:
    with host_of(engine_process) as gate:
        know(person_home, sshd, gate)
        (person_home / ".ssh" / "config").write_text(
            f"Host gate\n  HostName 127.0.0.1\n  Port {gate.port}\n  User captain\n  IdentityFile {gate.key}\n"
            f"Include more/*\n"
        )
        more = person_home / ".ssh" / "more"
        more.mkdir()
        (more / "far").write_text(
            f"Host far\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User captain\n  IdentityFile {sshd.key}\n"
            "  ProxyJump gate\n"
        )
        async with opened(person_home, Ssh("far")) as (engine, _):
            await engine.open(deadline=30)
            assert "Accepted publickey" in gate.log()
            await asyncio.to_thread(gate.kill)
            with pytest.raises(BackendError):
                await engine.ping()
            await engine.reset()
            with pytest.raises(SshUnreachable) as gone:
                await engine.open(deadline=30)
            assert gone.value.host == "gate"
            await asyncio.to_thread(gate.start)
            async with asyncio.timeout(20):
                while not engine.is_open:
                    await asyncio.sleep(0.1)
                    try:
                        await engine.open()
                    except SshUnreachable:
                        continue


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        (Ssh("127.0.0.1", 1), SshUnreachable),
        (Ssh("no-such-host.invalid"), SshNameUnknown),
    ],
)
async def test_hosts_that_are_not_there(person_home: Path, where: Ssh, kind: type[BackendError]) -> None:
    async with opened(person_home, where) as (engine, _):
        with pytest.raises(kind):
            await engine.open(deadline=30)


async def test_a_program_for_the_way_is_never_run(person_home: Path) -> None:
    (person_home / ".ssh" / "config").write_text(
        f'Match exec "touch {person_home}/ran"\n  User nobody\nHost far\n  ProxyCommand touch {person_home}/ran\n'
    )
    async with opened(person_home, Ssh("far")) as (engine, _):
        with pytest.raises(SshConfigUnusable, match="ProxyCommand"):
            await engine.open()
    assert not (person_home / "ran").exists()


async def test_something_that_speaks_no_ssh(person_home: Path) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x\r\n" * 400)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        where = Ssh("127.0.0.1", server.sockets[0].getsockname()[1])
        async with opened(person_home, where) as (engine, _):
            with pytest.raises(SshUnreachable, match="does not speak SSH"):
                await engine.open(deadline=30)


async def test_a_wait_that_is_given_up_leaves_nothing(person_home: Path) -> None:
    ended = asyncio.Event()

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    async with server:
        where = Ssh("127.0.0.1", server.sockets[0].getsockname()[1])
        async with opened(person_home, where) as (engine, _):
            with pytest.raises(EngineTimeout):
                await engine.open(deadline=0.5)
        await ended.wait()
        ended.clear()
        async with opened(person_home, where) as (_, hosts):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(hosts.ready(where), 0.5)
            await ended.wait()


async def test_a_greeting_without_end_is_given_up(person_home: Path) -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    async with server:
        where = Ssh("127.0.0.1", server.sockets[0].getsockname()[1])
        async with opened(person_home, where) as (_, hosts):
            with pytest.raises(SshUnreachable):
                await asyncio.wait_for(hosts.ready(where), 40)
