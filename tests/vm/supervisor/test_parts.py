"""The supervisor's parts: doors, ports that follow the engine's list, the clock; the way into the guest is short."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from backend.client import Engine
from backend.ssh.link import ChannelRefused
from backend.types.containers import ContainerId, ContainerSummary, Port
from tests.fakes.engine import FakeEngine
from vm.guestlink import GuestLink
from vm.qemu.commandline import free_port
from vm.qemu.errors import QmpRefused
from vm.qemu.monitor import Monitor
from vm.supervisor import clock
from vm.supervisor import ports as supervised
from vm.supervisor.doors import local_door
from vm.supervisor.listening import free_datagram_port, listen
from vm.supervisor.ports import Key, Ports, wanted_of

pytestmark = pytest.mark.asyncio


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        yield Path(folder)


class ShortLink:
    """Where the guest would be, each caller is told where it wanted to go."""

    def __init__(self, said: bytes = b"") -> None:
        self.said, self.asked = said, []  # type: tuple[bytes, list[str]]
        self.refuses = False
        self.session = self

    async def lead(self, local: socket.socket, to: str | tuple[str, int]) -> None:
        if self.refuses:
            raise ChannelRefused("nobody listens")
        local.setblocking(True)
        local.sendall(f"{to}".encode())
        local.close()

    async def run(self, command: str, *, deadline: float, given: bytes = b"") -> tuple[int, bytes, bytes]:
        del deadline, given
        self.asked.append(command)
        return 0, self.said, b""


class Forwards:
    """What QEMU was told of UDP."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, int], tuple[str, int]] = {}
        self.refuses = False

    async def forward(self, protocol: str, address: str, port: int, guest_port: int, guest: str = "") -> None:
        assert protocol == "udp"
        if self.refuses or (address, port) in self.held:
            raise QmpRefused("hostfwd_add", "HumanMonitor", "could not set up")
        self.held[(address, port)] = (guest, guest_port)

    async def unforward(self, protocol: str, address: str, port: int) -> None:
        assert protocol == "udp"
        del self.held[(address, port)]


async def said_at(address: str, port: int) -> bytes:
    """What is said there; nothing where nobody is."""
    try:
        reader, writer = await asyncio.open_connection(address, port)
    except OSError:
        return b""
    try:
        return await reader.read()
    except OSError:
        return b""
    finally:
        writer.close()


@asynccontextmanager
async def following(fake: FakeEngine, link: ShortLink, forwards: Forwards) -> AsyncIterator[Ports]:
    async with fake.serve() as endpoint:
        engine = Engine(endpoint)
        await engine.open()
        ports = Ports(engine, cast("GuestLink", link), cast("Monitor", forwards), lambda _: None)
        work = asyncio.ensure_future(ports.follow())
        try:
            yield ports
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            ports.close()
            await engine.close()


async def eventually(sees: Any) -> None:
    async with asyncio.timeout(20):
        while not (await sees() if asyncio.iscoroutinefunction(sees) else sees()):
            await asyncio.sleep(0.02)


async def test_a_door_is_for_one_person_and_replaces_what_a_dead_one_left(short: Path) -> None:
    path = short / "docker.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    link = ShortLink()
    door = local_door(path, lambda caller: link.lead(caller, "/run/docker.sock"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    reader, writer = await asyncio.open_unix_connection(str(path))
    assert await reader.read() == b"/run/docker.sock"
    writer.close()
    link.refuses = True
    reader, writer = await asyncio.open_unix_connection(str(path))
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    door.close()
    await asyncio.sleep(0)
    with pytest.raises(OSError):
        await asyncio.open_unix_connection(str(path))


async def test_a_door_on_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        listen("tcp", "127.0.0.1", taken.getsockname()[1], "linux")


async def test_what_is_wanted_is_what_is_published() -> None:
    row = ContainerSummary(
        id=ContainerId("a"),
        ports=(
            Port(private=80, public=8080, ip="0.0.0.0"),
            Port(private=80, public=8080, ip="::"),
            Port(private=53, public=5353, ip="0.0.0.0", protocol="udp"),
            Port(private=53, public=5353, ip="::", protocol="udp"),
            Port(private=9, public=9, ip="127.0.0.1", protocol="sctp"),
            Port(private=443),
        ),
    )
    assert wanted_of([row, ContainerSummary(id=ContainerId("b"))]) == {
        Key("tcp", "0.0.0.0", 8080),
        Key("tcp", "::", 8080),
        Key("udp", "0.0.0.0", 5353),
        Key("udp", "::", 5353),
    }


def published(port: int, address: str = "127.0.0.1", protocol: str = "tcp") -> list[dict[str, Any]]:
    return [{"IP": address, "PrivatePort": 80, "PublicPort": port, "Type": protocol}]


async def test_ports_follow_the_containers() -> None:
    fake, link, forwards, port = FakeEngine(), ShortLink(), Forwards(), free_port()
    fake.add_container("web", ports=published(port))
    fake.add_container("names", ports=published(port, "0.0.0.0", "udp"))
    fake.add_container("private", ports=published(port + 1, "127.0.0.1", "udp"))
    async with following(fake, link, forwards) as ports:

        async def answers() -> bool:
            return await said_at("127.0.0.1", port) == f"('127.0.0.1', {port})".encode()

        await eventually(answers)
        both = {("0.0.0.0", port): ("", port), ("127.0.0.1", port + 1): ("127.0.0.1", port + 1)}
        await eventually(lambda: forwards.held == both)
        assert [each.error for each in ports.published] == ["", "", ""]
        # What was missed while the engine was away is made up for.
        fake.containers.clear()
        await ports.reconcile()
        assert ports.published == ()
        assert forwards.held == {}
        await asyncio.sleep(0)
        assert await said_at("127.0.0.1", port) == b""


async def test_a_container_that_starts_is_served_at_its_event_and_not_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised, "RETRY", 3600.0)
    monkeypatch.setattr(supervised, "AGAIN", 3600.0)
    fake, port = FakeEngine(), free_port()
    container = fake.add_container("web", "exited")
    async with following(fake, ShortLink(), Forwards()) as ports:
        await eventually(lambda: fake.asked("GET", "/events") and len(fake.asked("GET", "/containers/json")) >= 2)
        fake.containers[container].ports = published(port)
        await fake.set_state(container, "running", "start")
        await eventually(lambda: [(each.port, each.error) for each in ports.published] == [(port, "")])


async def test_what_was_missed_while_the_events_were_broken_is_made_up_for_from_the_list() -> None:
    fake, port = FakeEngine(), free_port()
    container = fake.add_container("web", ports=published(port))
    async with following(fake, ShortLink(), Forwards()) as ports:
        await eventually(lambda: [each.port for each in ports.published] == [port])
        fake.containers[container].ports = published(port, "0.0.0.0", "udp")  # Without a word.
        fake.drop_all()
        await eventually(lambda: [each.protocol for each in ports.published] == ["udp"])


async def test_a_taken_port_is_told_with_who_has_it_and_answers_as_soon_as_that_one_ends() -> None:
    fake, link, forwards = FakeEngine(), ShortLink(), Forwards()
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(type=socket.SOCK_DGRAM) as spoken:
        port = taken.getsockname()[1]
        spoken.bind(("127.0.0.1", port))
        fake.add_container("web", ports=published(port) + published(port, protocol="udp"))
        async with following(fake, link, forwards) as ports:
            await eventually(lambda: [each.error for each in ports.published] == ["taken", "taken"])
            if sys.platform == "linux":
                assert all(each.holder.endswith(f"(pid {os.getpid()})") for each in ports.published)
            taken.close()
            spoken.close()
            await eventually(lambda: [each.error for each in ports.published] == ["", ""])
            assert await said_at("127.0.0.1", port) != b""
            assert forwards.held == {("127.0.0.1", port): ("127.0.0.1", port)}


async def test_udp_on_ipv6_is_led_to_the_same_port_on_ipv4() -> None:
    fake, forwards, port = FakeEngine(), Forwards(), free_datagram_port()
    fake.add_container("both", ports=published(port, "0.0.0.0", "udp") + published(port, "::1", "udp"))
    fake.add_container("alone", ports=published(port + 1, "::1", "udp"))
    async with following(fake, ShortLink(), forwards) as ports:
        await eventually(lambda: len(ports.published) == 3)
        assert [(each.address, each.error) for each in ports.published] == [
            ("0.0.0.0", ""),
            ("::1", ""),
            ("::1", "unreachable"),
        ]
        assert list(forwards.held) == [("0.0.0.0", port)]


async def test_what_qemu_refuses_is_told_in_its_words() -> None:
    fake, forwards = FakeEngine(), Forwards()
    forwards.refuses = True
    fake.add_container("names", ports=published(free_datagram_port(), protocol="udp"))
    async with following(fake, ShortLink(), forwards) as ports:
        await eventually(lambda: [each.error for each in ports.published] == ["failed"])
        assert "could not set up" in ports.published[0].words


@pytest.mark.parametrize(("off", "is_set"), [(0.0, False), (-3600.0, True), (3600.0, True), (1.0, True)])
async def test_a_clock_is_set_only_where_it_is_off(off: float, is_set: bool) -> None:
    link = ShortLink(f"{time.time() + off:.6f}\n".encode())
    found = await clock.put_right(cast("GuestLink", link), lambda _: None)
    assert abs(found - off) < 0.3
    assert [each.split()[0] for each in link.asked] == ["echo", *(["usleep"] if is_set else [])]
    for command in link.asked[1:]:
        wait, then = int(command.split()[1].rstrip(";")) / 1e6, int(command.split()[-1])
        assert abs(time.time() + wait - then) < 1
        assert wait >= 0


async def test_a_sleep_is_seen_by_either_clock() -> None:
    assert not clock.woke(1.0, 0.1)
    assert clock.woke(1.0, 3600)
    assert clock.woke(1.0, -3600)
    assert clock.woke(3600, 0.0), "where the steady clock goes on during sleep"


async def test_a_clock_that_could_not_be_asked_is_asked_again_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(clock, "ASK_EVERY", 0.1)
    link, said = ShortLink(b"nonsense"), []  # type: tuple[ShortLink, list[str]]
    following = asyncio.ensure_future(clock.follow(cast("GuestLink", link), said.append))
    await eventually(lambda: len(said) > 2)
    link.said = f"{time.time():.6f}".encode()
    asked = len(link.asked)
    await eventually(lambda: len(link.asked) > asked)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert all(each.startswith("clock: ") for each in said)
