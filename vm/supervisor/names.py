"""The guest's names: a nameserver on loopback that asks this computer's own resolver, each time anew.

So a name is in the guest what it is here, whatever a VPN or a hosts file makes of it. Addresses come from getaddrinfo;
everything else is passed to the nameservers that this computer asks at that moment.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

from dnslib import CLASS, QTYPE, RCODE, RR, A, DNSError, DNSRecord

from vm.surroundings.nameservers import nameservers

DNS_PORT = 53
HERE = "127.0.0.1"
LIFETIME = 5
"""Seconds for which an answer may be used again; the computer's own resolver keeps it longer where that is right."""
ANSWER_SECONDS = 10.0
SERVER_SECONDS = 4.0
LOOKUPS = 48
"""At once, each in a thread; a name server that does not answer holds one for half a minute."""
PENDING = 400
STREAMS = 64
DATAGRAM = 512
LONGEST = 65535
PORT_TRIES = 20
_NONE = frozenset(getattr(socket, name) for name in ("EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name))
Found = tuple[int, tuple[str, ...]]


class NameServer:
    """Answers over UDP and TCP at one port. `gateway` is what this computer is called in the guest's network."""

    def __init__(self, gateway: str, servers: Callable[[], Sequence[str]] = nameservers) -> None:
        self._gateway, self._servers = gateway, servers
        self._lookups: dict[str, asyncio.Future[Found]] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._streams = 0
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        for left in reversed(range(PORT_TRIES)):
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._take), (HERE, 0))
            self.port = self._udp.get_extra_info("sockname")[1]
            try:
                self._tcp = await asyncio.start_server(self._stream, HERE, self.port)
                return
            except OSError:  # Somebody has this port for TCP.
                self._udp.close()
                if not left:
                    raise

    async def close(self) -> None:
        """Answer no more."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def answer(self, asked: bytes, *, stream: bool = False) -> bytes:
        """A packet for a packet; nothing for what is none."""
        try:
            question = DNSRecord.parse(asked)
        except DNSError:
            return b""
        if question.header.qr:
            return b""
        try:
            if question.header.opcode or len(question.questions) != 1:
                return _failed(question, RCODE.NOTIMP)
            async with asyncio.timeout(ANSWER_SECONDS):
                name = _name_of(question)
                if name is None or question.q.qclass != CLASS.IN or question.q.qtype not in (QTYPE.A, QTYPE.AAAA):
                    return await self._passed_on(asked, stream=stream) or _failed(question, RCODE.SERVFAIL)
                return await self._addresses(question, name, stream=stream)
        except TimeoutError:
            return _failed(question, RCODE.SERVFAIL)

    def _take(self, asked: bytes, reply: Callable[[bytes], None]) -> None:
        if len(self._work) >= PENDING:
            return  # Who asks will ask again.

        async def serve() -> None:
            if answer := await self.answer(asked):
                reply(answer)

        task = asyncio.get_running_loop().create_task(serve())
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                while self._streams <= STREAMS:
                    async with asyncio.timeout(3 * ANSWER_SECONDS):
                        length = int.from_bytes(await reader.readexactly(2))
                        answer = await self.answer(await reader.readexactly(length), stream=True)
                        if not answer:
                            return
                        writer.write(len(answer).to_bytes(2) + answer)
                        await writer.drain()
        finally:
            self._streams -= 1
            writer.close()

    async def _addresses(self, question: DNSRecord, name: str, *, stream: bool) -> bytes:
        """The machine's network has no IPv6, so there are no addresses of that kind."""
        code, found = (RCODE.NOERROR, ()) if question.q.qtype == QTYPE.AAAA else await self._looked_up(name)
        reply = question.reply(aa=0)
        reply.header.rcode = code
        for address in found:
            reply.add_answer(RR(question.q.qname, QTYPE.A, rdata=A(self._seen_from_guest(address)), ttl=LIFETIME))
        packet = bytes(reply.pack())
        return packet if stream or len(packet) <= DATAGRAM else bytes(reply.truncate().pack())

    def _seen_from_guest(self, address: str) -> str:
        """A name of this computer itself leads to it; other addresses of 127/8 are answers of lists, not places."""
        return self._gateway if address == HERE else address

    async def _looked_up(self, name: str) -> Found:
        if name == "localhost" or name.endswith(".localhost"):
            return RCODE.NXDOMAIN, ()  # Whoever asks knows better which host that is.
        looking = self._lookups.get(name)
        if looking is None:
            if len(self._lookups) >= LOOKUPS:
                return RCODE.SERVFAIL, ()
            looking = self._lookups[name] = _in_thread(lambda: look_up(name))
            looking.add_done_callback(lambda _: self._lookups.pop(name, None))
        return await asyncio.shield(looking)

    async def _passed_on(self, asked: bytes, *, stream: bool) -> bytes:
        """What the first nameserver that answers says, under the number that was asked with."""
        number = secrets.token_bytes(2)
        for server in await asyncio.to_thread(self._servers):
            exchange = _over_tcp if stream else _over_udp
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(SERVER_SECONDS):
                    answer = await exchange(server, number + asked[2:])
                    return asked[:2] + answer[2:]
        return b""


def look_up(name: str) -> Found:
    """What this computer takes the name for: a code and addresses of IPv4. It may take as long as it likes."""
    try:
        every = socket.getaddrinfo(name.encode("ascii"), None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _NONE:
            return RCODE.NOERROR, ()
        return (RCODE.NXDOMAIN if error.errno == socket.EAI_NONAME else RCODE.SERVFAIL), ()
    except OSError:
        return RCODE.SERVFAIL, ()
    return RCODE.NOERROR, tuple(dict.fromkeys(str(address[0]) for *_, address in every))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, Callable[[bytes], None]], None]) -> None:
        self._take = take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        transport = cast("asyncio.DatagramTransport", self._transport)  # On 3.11 it is one without saying so.
        self._take(data, lambda answer: transport.sendto(answer, addr))


def _name_of(question: DNSRecord) -> str | None:
    """The name as getaddrinfo gets it; None where it is none that a host has."""
    labels = question.q.qname.label
    text = b".".join(labels).decode("latin-1")
    plain = all(each.isascii() and (each.isalnum() or each in "-_.") for each in text)
    if not text or not plain or any(b"." in label for label in labels) or labels[-1].isdigit():
        return None
    return text.lower()


def _failed(question: DNSRecord, code: int) -> bytes:
    reply = question.reply(aa=0)
    reply.header.rcode = code
    return bytes(reply.pack())


def _in_thread(work: Callable[[], Found]) -> asyncio.Future[Found]:
    """In a thread that the end of this process does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Found] = loop.create_future()

    def finish(found: Found) -> None:
        if not done.done():
            done.set_result(found)

    def run() -> None:
        found = work()
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            loop.call_soon_threadsafe(finish, found)

    threading.Thread(target=run, daemon=True, name="look-up").start()
    return done


async def _over_udp(server: str, asked: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, address = socket.getaddrinfo(
        server, DNS_PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    with socket.socket(family, kind, protocol) as asking:
        asking.setblocking(False)
        asking.connect(address)
        await loop.sock_sendall(asking, asked)
        while True:
            answer = await loop.sock_recv(asking, LONGEST)
            if _answers(answer, asked):
                return answer


async def _over_tcp(server: str, asked: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server, DNS_PORT)
    try:
        writer.write(len(asked).to_bytes(2) + asked)
        answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        if not _answers(answer, asked):
            raise ConnectionError("an answer to something else")
        return answer
    finally:
        writer.close()


def _answers(answer: bytes, asked: bytes) -> bool:
    """The same number, an answer, and the same question."""
    try:
        question, said = DNSRecord.parse(asked).q, DNSRecord.parse(answer)
    except DNSError:
        return False
    same = bool(said.header.qr) and answer[:2] == asked[:2]
    return same and (not said.questions or said.q == question)
