"""Host keys and signing in at a real sshd: what is asked of the person, and what is refused."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from backend.client import Engine
from backend.endpoint import Ssh
from backend.ssh.config import Route
from backend.ssh.credentials import KeyPair, load_key
from backend.ssh.errors import (
    SshKeyChanged,
    SshKeyFileUnusable,
    SshKeyRefused,
    SshKeyUnknown,
    SshPasswordRefused,
    SshSecretWanted,
)
from backend.ssh.hostkeys import Pinned, read
from backend.ssh.hosts import Hosts
from backend.ssh.link import ChannelRefused
from backend.ssh.secrets import Secrets
from backend.ssh.session import Session
from tests.e2e.daemon import Daemon
from tests.e2e.sshd import CAPTAIN, PASSWORD, Sshd, make_key
from tests.e2e.test_ssh import host_of, know, opened
from tests.fakes.keyring import HeldKeyring

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio,
    pytest.mark.skipif(os.getuid() != 0, reason="an sshd with users of its own takes root"),
]


async def test_an_unknown_key_is_told_and_accepted_by_an_act(sshd: Sshd, person_home: Path) -> None:
    async with opened(person_home, sshd.endpoint) as (engine, hosts):
        with pytest.raises(SshKeyUnknown) as unknown:
            await engine.open()
        assert unknown.value.fingerprint == sshd.fingerprint(unknown.value.kind.lower())
        with pytest.raises(SshKeyUnknown):  # Nothing is accepted by asking again.
            await hosts.ready(sshd.endpoint)
        await hosts.accept(unknown.value)
        await hosts.ready(sshd.endpoint)
        await engine.open()
    async with opened(person_home, sshd.endpoint) as (engine, _):
        await engine.open()
    assert not (person_home / ".ssh" / "known_hosts").exists()


async def test_a_changed_key_is_refused(engine_process: Daemon, person_home: Path) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        async with opened(person_home, host.endpoint) as (engine, hosts):
            await engine.open()
            old = host.fingerprint()
            await asyncio.to_thread(host.kill)
            host.new_host_keys()
            await asyncio.to_thread(host.start)
            await engine.reset()
            with pytest.raises(SshKeyChanged) as changed:
                await hosts.ready(host.endpoint)
            assert changed.value.fingerprint == host.fingerprint()
            assert changed.value.known == f"ED25519 {old}"
            assert changed.value.place == f"{person_home}/.ssh/known_hosts:1"


async def test_the_known_key_is_asked_for_where_a_host_has_several(sshd: Sshd, person_home: Path) -> None:
    (person_home / ".ssh" / "known_hosts").write_text(sshd.known_line("ecdsa"))
    async with opened(person_home, sshd.endpoint) as (engine, _):
        await engine.open()


async def test_a_password_is_asked_for_and_kept_in_the_keyring(sshd: Sshd, person_home: Path) -> None:
    know(person_home, sshd)
    ring, where = HeldKeyring(), Ssh("127.0.0.1", sshd.port, CAPTAIN)
    async with opened(person_home, where, Secrets(ring)) as (engine, hosts):
        with pytest.raises(SshSecretWanted) as wanted:
            await hosts.ready(where)
        assert (wanted.value.user, wanted.value.key) == (CAPTAIN, "")
        await hosts.give(wanted.value, "wrong", keep=False)
        with pytest.raises(SshPasswordRefused):
            await hosts.ready(where)
        with pytest.raises(SshSecretWanted):
            await hosts.ready(where)
        assert await hosts.can_keep_secrets()
        assert await hosts.give(wanted.value, PASSWORD, keep=True)
        await hosts.ready(where)
        await engine.open()
    assert list(ring.held.values()) == [PASSWORD]
    async with opened(person_home, where, Secrets(ring)) as (engine, _):
        await engine.open()
    async with opened(person_home, where, Secrets(None)) as (engine, hosts):
        assert not await hosts.can_keep_secrets()
        with pytest.raises(SshSecretWanted):
            await engine.open()
    assert PASSWORD not in "".join(p.read_text() for p in person_home.rglob("*") if p.is_file())


async def test_a_key_behind_a_passphrase(engine_process: Daemon, person_home: Path) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        words = ["ssh-keygen", "-q", "-p", "-N", "open", "-f", str(host.key)]
        subprocess.run(words, check=True, capture_output=True)
        async with opened(person_home, host.endpoint) as (_, hosts):
            with pytest.raises(SshSecretWanted) as wanted:
                await hosts.ready(host.endpoint)
            assert wanted.value.key == str(host.key)
            await hosts.give(wanted.value, "shut", keep=False)
            with pytest.raises(SshPasswordRefused) as refused:
                await hosts.ready(host.endpoint)
            assert refused.value.key == str(host.key)
            await hosts.give(refused.value, "open", keep=False)
            await hosts.ready(host.endpoint)


async def test_keys_that_do_not_open(engine_process: Daemon, person_home: Path) -> None:
    with host_of(engine_process, "PasswordAuthentication no", "KbdInteractiveAuthentication no") as host:
        know(person_home, host)
        strange = make_key(person_home / "strange")
        where = Ssh("127.0.0.1", host.port, CAPTAIN, str(strange))
        async with opened(person_home, where) as (_, hosts):
            with pytest.raises(SshKeyRefused) as refused:
                await hosts.ready(where)
            assert refused.value.tried == (str(strange),)
            assert refused.value.ways == ("publickey",)
        for path, reason in ((person_home / "none", "is missing"), (person_home, "is a folder, not a file")):
            where = Ssh("127.0.0.1", host.port, CAPTAIN, str(path))
            async with opened(person_home, where) as (_, hosts):
                with pytest.raises(SshKeyFileUnusable, match=reason):
                    await hosts.ready(where)


@contextmanager
def agent(folder: Path, *keys: Path) -> Iterator[str]:
    """A real ssh-agent that holds some keys."""
    path = str(folder / "agent")
    running = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(path):
            assert running.poll() is None
        for key in keys:
            environment = {**os.environ, "SSH_AUTH_SOCK": path}
            subprocess.run(["ssh-add", "-q", str(key)], check=True, env=environment)
        yield path
    finally:
        running.terminate()
        running.wait(10)


async def test_the_keys_of_the_agent(sshd: Sshd, person_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(person_home, sshd)
    others = [make_key(person_home / f"other{n}") for n in range(3)]
    where = Ssh("127.0.0.1", sshd.port, CAPTAIN)
    with agent(person_home, *others, sshd.key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        async with opened(person_home, where) as (engine, _):
            await engine.open()
    async with opened(person_home, where) as (_, hosts):
        with pytest.raises(SshSecretWanted):
            await hosts.ready(where)


async def test_a_host_that_we_set_up_is_reached_with_a_pair_of_keys(sshd: Sshd, engine_process: Daemon) -> None:
    host_key = next(read([sshd.known_line()])).key
    route = Route("machine", "127.0.0.1", sshd.port, CAPTAIN)
    session = Session(route, Pinned(host_key), KeyPair(load_key(str(sshd.key))))
    stream = await session.open_unix(str(engine_process.paths.socket))
    reader, writer = await asyncio.open_connection(sock=stream)
    writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
    writer.write_eof()
    assert (await reader.read()).endswith(b"OK")
    writer.close()
    assert await session.run("echo $((6*7)); exit 3", deadline=10) == (3, b"42\n", b"")
    large = b"a secret " * 300_000
    assert await session.run("wc -c", deadline=60, given=large) == (0, f"{len(large)}\n".encode(), b"")
    assert (await session.run("exit 4", deadline=60, given=large))[0] == 4, "one that does not read"
    answering = await session.open_program("head -c 10 >/dev/null; head -c 3000000 /dev/zero; echo answer")
    reader, writer = await asyncio.open_connection(sock=answering)

    async def feed() -> None:
        with suppress(OSError):  # What nobody there reads may be refused; what has come is read all the same.
            for _ in range(64):
                writer.write(bytes(1 << 18))
                await writer.drain()

    answer, _ = await asyncio.gather(reader.read(-1), feed())
    assert (len(answer), answer[-7:]) == (3_000_007, b"answer\n")
    writer.close()
    assert session.connected
    await session.close()
    other = Session(route, Pinned(host_key), KeyPair(load_key(str(make_key(sshd.root / "stranger")))))
    with pytest.raises(SshKeyRefused):
        await other.connect()
    await other.close()


async def test_who_connects_to_us_is_led_to_a_socket_or_a_port_of_the_host(sshd: Sshd, engine_process: Daemon) -> None:
    host_key = next(read([sshd.known_line()])).key
    route = Route("machine", "127.0.0.1", sshd.port, CAPTAIN)
    session = Session(route, Pinned(host_key), KeyPair(load_key(str(sshd.key))))
    caller, door = socket.socketpair()
    await session.lead(door, str(engine_process.paths.socket))
    reader, writer = await asyncio.open_connection(sock=caller)
    writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
    writer.write_eof()
    assert (await reader.read()).endswith(b"OK")
    writer.close()
    caller, door = socket.socketpair()
    await session.lead(door, ("127.0.0.1", sshd.port))
    reader, writer = await asyncio.open_connection(sock=caller)
    assert (await reader.readline()).startswith(b"SSH-2.0-")
    writer.close()
    caller, door = socket.socketpair()
    with caller, door, pytest.raises(ChannelRefused):
        await session.lead(door, "/nowhere")
    await session.close()


async def test_hosts_that_are_closed_connect_no_more(sshd: Sshd, person_home: Path) -> None:
    know(person_home, sshd)
    hosts = Hosts(person_home, person_home / "ours", Secrets(None))
    engine = Engine(sshd.endpoint, tunnels=hosts)
    await engine.open()
    await engine.close()
    await hosts.close()
    await hosts.close()
