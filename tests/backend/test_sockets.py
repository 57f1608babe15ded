"""Unix sockets as connections of the client: cancelling, ending and closing while something waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpcore
import pytest
from PySide6.QtWidgets import QApplication

from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.errors import ApiError
from backend.sockets import SocketBackend, SocketStream

pytestmark = pytest.mark.asyncio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


class Teller:
    """An engine of one answer: tells a line each time it is asked to."""

    def __init__(self) -> None:
        self.writer: asyncio.StreamWriter | None = None
        self.told = 0

    async def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.writer = writer
        writer.write(HEAD)
        self.tell()

    def tell(self) -> None:
        """Written at once: the bytes are there for the other side when this returns."""
        assert self.writer is not None
        self.told += 1
        self.writer.write(b'{"status": "more"}\n')


@pytest.mark.parametrize("ticks", range(6))
async def test_a_read_is_cancelled_in_the_moment_its_bytes_come(qapp: QApplication, tmp_path: Path, ticks: int) -> None:
    """Bytes make a loop call the reader later; whoever waited may be cancelled in between."""
    loop = asyncio.get_running_loop()
    uncaught: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: uncaught.append(context))
    teller = Teller()
    server = await asyncio.start_unix_server(teller.on_client, tmp_path / "s")
    engine = Engine(UnixSocket(str(tmp_path / "s")))
    came = asyncio.Event()

    async def follow() -> None:
        async for _line in engine.ndjson("POST", "/images/create", dict[str, Any]):
            came.set()

    for _turn in range(20):
        came.clear()
        task = asyncio.ensure_future(follow())
        await came.wait()
        await asyncio.sleep(0.01)
        teller.tell()
        _after(loop, ticks, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert teller.writer is not None
        teller.writer.close()
        with suppress(ConnectionError):
            await teller.writer.wait_closed()
    assert teller.told == 40
    await engine.close()
    server.close()
    await server.wait_closed()
    assert not uncaught


def _after(loop: asyncio.AbstractEventLoop, ticks: int, then: Any) -> None:
    loop.call_soon(_after, loop, ticks - 1, then) if ticks else then()


async def test_closing_ends_what_waits_for_it(qapp: QApplication) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    stream = SocketStream(ours)
    reading = asyncio.ensure_future(stream.read(10))
    await asyncio.sleep(0.01)
    assert not reading.done()
    await stream.aclose()
    with pytest.raises(httpcore.ReadError):
        await reading
    await stream.aclose()
    assert stream.get_extra_info("is_readable")
    theirs.close()


async def test_a_write_waits_for_the_other_side_and_can_be_given_up(qapp: QApplication) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    theirs.setblocking(False)
    stream = SocketStream(ours)
    data = bytes(range(256)) * 8192
    writing = asyncio.ensure_future(stream.write(data))
    got = b""
    while not writing.done() or len(got) < len(data):
        with suppress(BlockingIOError):
            got += theirs.recv(65536)
        await asyncio.sleep(0)
    assert got == data
    with pytest.raises(httpcore.WriteTimeout):
        await stream.write(data, timeout=0.05)
    with pytest.raises(httpcore.ReadTimeout):
        await stream.read(10, timeout=0.05)
    theirs.close()
    with pytest.raises(httpcore.WriteError):
        await stream.write(data)
    await stream.aclose()


async def test_a_refusal_in_the_middle_of_an_upload_is_read(tmp_path: Path) -> None:
    """The engine answers before it has all and takes no more: what it said must not be lost to the broken pipe."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"message": "no space left on device"}'
        writer.write(b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()
        writer.close()

    async def upload() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield bytes(65536)

    server = await asyncio.start_unix_server(refuse, tmp_path / "s")
    engine = Engine(UnixSocket(str(tmp_path / "s")))
    with pytest.raises(ApiError, match="no space left on device"):
        async with engine.stream("POST", "/build", content=upload()):
            pass
    await engine.close()
    server.close()
    await server.wait_closed()


async def test_a_full_queue_of_connections_is_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        backend = SocketBackend(str(tmp_path / "s"))
        first = await backend.connect_tcp("docker", 80)
        with pytest.raises(httpcore.ConnectTimeout):
            await backend.connect_tcp("docker", 80, timeout=0.1)
        second = asyncio.ensure_future(backend.connect_tcp("docker", 80))
        await asyncio.sleep(0.05)
        assert not second.done()
        taken = [listener.accept()[0]]
        await (await second).aclose()
        await first.aclose()
        for connection in taken:
            connection.close()
