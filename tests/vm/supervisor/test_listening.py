"""Sockets for what is published: which addresses are ours alone, what each system allows, a flow for each caller."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import cast

import pytest

from tests.vm.supervisor.test_parts import ShortLink, eventually
from vm.qemu.host import System
from vm.supervisor import datagrams, listening
from vm.supervisor.datagrams import DatagramDoor
from vm.supervisor.doors import tcp_door
from vm.supervisor.listening import Listener, free_datagram_port, is_here, listen, reason_of


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_what_only_this_computer_has(address: str) -> None:
    assert is_here(address)


@pytest.mark.parametrize("address", ["192.0.2.1", "0.0.0.0", "::", "fe80::1%eth0", "::ffff:192.0.2.1", "", "name"])
def test_what_others_reach_too(address: str) -> None:
    assert not is_here(address)


@pytest.mark.parametrize(
    ("number", "system", "holder", "reason"),
    [
        (errno.EADDRINUSE, "linux", "", "taken"),
        (errno.EACCES, "linux", "", "forbidden"),
        (errno.EACCES, "macos", "", "forbidden"),
        (errno.EACCES, "windows", "", "reserved"),
        (errno.EACCES, "windows", "svchost.exe (pid 4)", "taken"),
        (errno.EADDRNOTAVAIL, "linux", "", "absent"),
        (errno.EMFILE, "linux", "", "failed"),
    ],
)
def test_why_a_port_could_not_be_had(number: int, system: System, holder: str, reason: str) -> None:
    assert reason_of(OSError(number, "words"), system, holder) == reason


class Strict(socket.socket):
    """As macOS has it: a port below 1024 only on all addresses; here it becomes another one, which we may have."""

    def bind(self, address: tuple[str, int]) -> None:  # type: ignore[override]
        host, port = address
        if port < listening.LOW and host not in ("0.0.0.0", "::"):
            raise PermissionError(errno.EACCES, "Permission denied")
        super().bind((host, 0 if port < listening.LOW else port))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_macos_has_low_ports_on_all_addresses_and_callers_are_looked_at(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", Strict)
    found = listen("tcp", address, 80, "macos")
    with found.socket:
        assert found.whole
        assert found.admits("127.0.0.1")
        assert not found.admits("192.0.2.1")
    with pytest.raises(PermissionError):
        listen("tcp", address, 80, "linux")
    with pytest.raises(PermissionError):
        listen("tcp", "192.0.2.1", 80, "macos")
    with listen("tcp", address, 0x8000, "macos").socket as plain:
        assert plain.getsockname()[0] == address


@pytest.mark.asyncio
@pytest.mark.parametrize("admitted", [True, False])
async def test_a_caller_from_elsewhere_is_hung_up_on(admitted: bool) -> None:
    bound, link = listen("tcp", "127.0.0.1", 0, "linux").socket, ShortLink()
    door = tcp_door(Listener(bound, lambda _: admitted), lambda caller: link.lead(caller, "in"))
    reader, writer = await asyncio.open_connection(*bound.getsockname())
    try:
        assert await reader.read() == (b"in" if admitted else b"")
    except ConnectionError:
        assert not admitted
    writer.close()
    door.close()
    await asyncio.sleep(0)


class Echo(asyncio.DatagramProtocol):
    """Answers with who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(addr)
        self.transport.sendto(data.upper(), addr)


async def asked(asking: socket.socket, words: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(asking, words)
    async with asyncio.timeout(20):
        return await loop.sock_recv(asking, 512)


@pytest.mark.asyncio
async def test_each_caller_of_udp_has_a_flow_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "IDLE", 0.3)
    loop = asyncio.get_running_loop()
    behind, echo = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    listener = listen("udp", "127.0.0.1", free_datagram_port(), "linux")
    where = listener.socket.getsockname()
    door = DatagramDoor(listener, behind.get_extra_info("sockname"))
    callers = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(2)]
    try:
        for each in callers:
            each.setblocking(False)
            each.connect(where)
        said = await asyncio.gather(*(asked(each, f"caller {n}".encode()) for n, each in enumerate(callers)))
        assert said == [b"CALLER 0", b"CALLER 1"]
        assert await asked(callers[0], b"again") == b"AGAIN"
        assert len(set(echo.asked)) == 2
        await eventually(lambda: not door._flows)
        assert await asked(callers[0], b"later") == b"LATER"
        assert len(set(echo.asked)) == 3
    finally:
        door.close()
        behind.close()
        for each in callers:
            each.close()
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_udp_from_elsewhere_is_not_heard_and_flows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "FLOWS", 1)
    loop = asyncio.get_running_loop()
    behind, echo = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    bound = listen("udp", "127.0.0.1", free_datagram_port(), "linux").socket
    where, welcome = bound.getsockname(), iter((True, True, False, True))
    door = DatagramDoor(Listener(bound, lambda _: next(welcome)), behind.get_extra_info("sockname"))
    callers = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(2)]
    try:
        for each in callers:
            each.setblocking(False)
            each.connect(where)
            assert await asked(each, b"in") == b"IN"
            assert len(door._flows) == 1
        callers[0].send(b"out")
        assert await asked(callers[0], b"in") == b"IN"
        assert len(echo.asked) == 3
    finally:
        door.close()
        behind.close()
        for each in callers:
            each.close()
        await asyncio.sleep(0)
