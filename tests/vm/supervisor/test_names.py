"""The guest's nameserver over real sockets: this computer's own names, other kinds passed on, nonsense, silence."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from dnslib import MX, QTYPE, RCODE, RR, A, DNSRecord

from vm.supervisor import names
from vm.supervisor.names import Found, NameServer, look_up

pytestmark = pytest.mark.asyncio
GATEWAY = "198.51.100.2"


@asynccontextmanager
async def serving(*servers: str) -> AsyncIterator[NameServer]:
    server = NameServer(GATEWAY, lambda: servers)
    await server.open()
    try:
        yield server
    finally:
        await server.close()


async def asked(server: NameServer, name: str, kind: str = "A") -> DNSRecord:
    """Over UDP, as the guest does."""
    question = DNSRecord.question(name, kind)
    return DNSRecord.parse(await datagram(server.port, question.pack()))


async def datagram(port: int, content: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(("127.0.0.1", port))
        await loop.sock_sendall(asking, content)
        async with asyncio.timeout(20):
            return await loop.sock_recv(asking, 65535)


def looks_up(monkeypatch: pytest.MonkeyPatch, found: Callable[[str], Found]) -> None:
    monkeypatch.setattr(names, "look_up", found)


@asynccontextmanager
async def nameserver(monkeypatch: pytest.MonkeyPatch, answers: int = 2) -> AsyncIterator[str]:
    """One of this computer, with a mail server for every name."""

    def reply(question: bytes) -> bytes:
        made = DNSRecord.parse(question).reply()
        for number in range(answers):
            made.add_answer(RR(made.q.qname, QTYPE.MX, rdata=MX(f"mail{number}.example", number), ttl=60))
        return bytes(made.pack() if len(made.pack()) < 512 else made.truncate().pack())

    class Udp(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(b"\0\0" + reply(data)[2:], addr)  # Of another question: it is not taken.
            self.transport.sendto(reply(data), addr)

    async def tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        made = DNSRecord.parse(question).reply()
        for number in range(answers):
            made.add_answer(RR(made.q.qname, QTYPE.MX, rdata=MX(f"mail{number}.example", number), ttl=60))
        writer.write(len(made.pack()).to_bytes(2) + made.pack())
        await writer.drain()
        writer.close()

    loop = asyncio.get_running_loop()
    over_udp, _ = await loop.create_datagram_endpoint(Udp, ("127.0.0.1", 0))
    port = over_udp.get_extra_info("sockname")[1]
    over_tcp = await asyncio.start_server(tcp, "127.0.0.1", port)
    monkeypatch.setattr(names, "DNS_PORT", port)
    try:
        yield "127.0.0.1"
    finally:
        over_udp.close()
        over_tcp.close()


async def test_a_name_is_what_it_is_on_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"wiki.corp.example": ("10.1.2.3", "10.1.2.4"), "only-v6.example": ()}
    looks_up(monkeypatch, lambda name: (RCODE.NOERROR, addresses[name]) if name in addresses else (RCODE.NXDOMAIN, ()))
    async with serving() as server:
        said = await asked(server, "Wiki.corp.example.")
        assert [str(each.rdata) for each in said.rr] == ["10.1.2.3", "10.1.2.4"]
        assert [each.rtype for each in said.rr] == [QTYPE.A] * 2
        assert said.header.ra
        assert (await asked(server, "only-v6.example")).header.rcode == RCODE.NOERROR
        assert (await asked(server, "nosuch.example")).header.rcode == RCODE.NXDOMAIN


async def test_there_are_no_addresses_of_ipv6_and_nobody_is_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looks_up(monkeypatch, lambda name: pytest.fail(name))
    async with serving() as server:
        said = await asked(server, "wiki.corp.example", "AAAA")
        assert (said.header.rcode, said.rr) == (RCODE.NOERROR, [])


async def test_a_name_of_this_computer_leads_to_it_and_answers_of_lists_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    looks_up(monkeypatch, lambda name: (RCODE.NOERROR, ("127.0.0.1",) if name == "app.test" else ("127.0.0.2",)))
    async with serving() as server:
        assert str((await asked(server, "app.test")).rr[0].rdata) == GATEWAY
        assert str((await asked(server, "7.2.0.192.zen.example")).rr[0].rdata) == "127.0.0.2"
        assert (await asked(server, "localhost")).header.rcode == RCODE.NXDOMAIN
        assert (await asked(server, "a.localhost")).header.rcode == RCODE.NXDOMAIN


async def test_other_kinds_go_to_the_nameservers_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with nameserver(monkeypatch) as here, serving("192.0.2.1%", here) as server:
        said = await asked(server, "corp.example", "MX")
        assert [each.rdata.preference for each in said.rr] == [0, 1]
    async with serving() as server:
        assert (await asked(server, "corp.example", "SRV")).header.rcode == RCODE.SERVFAIL


async def test_what_is_too_long_for_a_datagram_is_asked_again_over_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    many = tuple(f"10.0.0.{number}" for number in range(60))
    looks_up(monkeypatch, lambda _: (RCODE.NOERROR, many))
    async with nameserver(monkeypatch, answers=60) as here, serving(here) as server:
        for kind in ("A", "MX"):
            short = await asked(server, "corp.example", kind)
            assert short.header.tc
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for kind in ("A", "MX"):
            question = DNSRecord.question("corp.example", kind).pack()
            writer.write(len(question).to_bytes(2) + question)
            said = DNSRecord.parse(await reader.readexactly(int.from_bytes(await reader.readexactly(2))))
            assert len(said.rr) == 60
        writer.close()


async def test_streams_have_an_end_to_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "STREAMS", 1)
    question = DNSRecord.question("corp.example", "AAAA").pack()
    async with serving() as server:
        kept = await asyncio.open_connection("127.0.0.1", server.port)
        kept[1].write(len(question).to_bytes(2) + question)
        await kept[0].readexactly(2)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == b""
        for each in (kept[1], writer):
            each.close()


@pytest.mark.parametrize("name", ["1.2.3.4", "127.1", "0x7f.1", "a..b", "wiki corp.example", "\0.example", "é.example"])
async def test_what_is_no_name_of_a_host_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    looks_up(monkeypatch, lambda name: pytest.fail(name))
    question = DNSRecord.question("x.example", "A")
    question.q.qname.label = tuple(label.encode() for label in (name.split(".") if ".." not in name else [name]))
    async with serving() as server:
        said = DNSRecord.parse(await datagram(server.port, question.pack()))
        assert said.header.rcode == RCODE.SERVFAIL


async def test_nonsense_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    looks_up(monkeypatch, lambda _: (RCODE.NOERROR, ("10.0.0.1",)))
    dice = random.Random(7)
    whole = DNSRecord.question("corp.example", "A").pack()
    async with serving() as server:
        for _ in range(500):
            broken = bytearray(whole[: dice.randrange(1, len(whole) + 1)])
            broken[dice.randrange(len(broken))] = dice.randrange(256)
            await server.answer(bytes(broken))
        assert await server.answer(b"") == b""
        assert await server.answer(DNSRecord.parse(whole).reply().pack()) == b""
        assert (await asked(server, "corp.example")).rr


async def test_a_resolver_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    free, looked = threading.Event(), []

    def hanging(name: str) -> Found:
        looked.append(name)
        if name.startswith("slow"):
            free.wait(60)
        return RCODE.NOERROR, ("10.0.0.1",)

    looks_up(monkeypatch, hanging)
    monkeypatch.setattr(names, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(names, "LOOKUPS", 3)
    async with serving() as server:
        slow = [asyncio.ensure_future(asked(server, f"slow{each % 2}.example")) for each in range(6)]
        assert (await asked(server, "quick.example")).header.rcode == RCODE.NOERROR
        assert {each.header.rcode for each in await asyncio.gather(*slow)} == {RCODE.SERVFAIL}
        assert sorted(looked) == ["quick.example", "slow0.example", "slow1.example"]
        more = [await asked(server, f"{name}.example") for name in ("slow2", "quick")]
        assert {each.header.rcode for each in more} == {RCODE.SERVFAIL}, "no more than three at once"
        free.set()
        async with asyncio.timeout(20):
            while (await asked(server, "quick.example")).header.rcode:
                await asyncio.sleep(0.02)
    for thread in [each for each in threading.enumerate() if each.name == "look-up"]:
        thread.join(20)


async def test_this_computers_own_resolver_is_what_is_asked() -> None:
    code, found = await asyncio.to_thread(look_up, "localhost")
    assert (code, found) == (RCODE.NOERROR, ("127.0.0.1",))
    assert str(A("127.0.0.1")) in found


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no"), RCODE.NXDOMAIN),
        (socket.gaierror(socket.EAI_AGAIN, "away"), RCODE.SERVFAIL),
        (OSError("no descriptor left"), RCODE.SERVFAIL),
    ],
)
async def test_why_there_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch, error: OSError, code: int) -> None:
    def fails(*words: object) -> object:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert look_up("corp.example") == (code, ())
