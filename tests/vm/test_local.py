"""Locks and private streams of this person; and what a named pipe goes through, with sockets that stand for it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from vm import local
from vm.local import Serving, Streams, is_held, take_lock
from vm.supervisor import bridge

pytestmark = pytest.mark.asyncio


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        yield Path(folder)


class Callers:
    """Stands for a pipe: whoever is put in is accepted, an error is one who went before."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[socket.socket | OSError] = asyncio.Queue()
        self.closed = False

    async def accept(self) -> Streams:
        caller = await self.waiting.get()
        if isinstance(caller, OSError):
            raise caller
        return await asyncio.open_connection(sock=caller)

    def close(self) -> None:
        self.closed = True

    def come(self) -> socket.socket:
        here, there = socket.socketpair()
        self.waiting.put_nowait(there)
        return here


async def test_a_lock_is_held_by_one_process_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    program = (
        f"import sys; from pathlib import Path; from vm.local import take_lock; took = take_lock(Path({str(path)!r}))"
    )
    program += "; print(took is not None, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        assert is_held(path)
        assert take_lock(path) is None
        other.communicate()
    assert not is_held(path)


async def test_streams_are_served_here_and_found(short: Path) -> None:
    place = short / "control.sock"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()

    assert not local.is_there(place)
    serving = await local.serve(place, answer)
    assert local.is_there(place)
    reader, writer = await local.connect(place)
    writer.write(b"ask\n")
    assert await reader.read() == b"ASK\n"
    writer.close()
    serving.close()
    local.remove(place)
    assert not local.is_there(place)


async def test_callers_are_answered_at_once_and_one_who_went_hurts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "REST", 0.0)
    callers, let_go = Callers(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        await let_go.wait()
        writer.write(b"here")
        writer.close()

    serving = Serving(callers, answer)
    first = callers.come()
    callers.waiting.put_nowait(OSError("it went"))
    both = [await asyncio.open_connection(sock=each) for each in (first, callers.come())]
    let_go.set()
    for reader, writer in both:
        assert await reader.read() == b"here"
        writer.close()
    serving.close()
    assert callers.closed


@asynccontextmanager
async def bridged(ends: list[str]) -> AsyncIterator[tuple[Streams, Streams, asyncio.Future[None]]]:
    """A caller, the machine's side of it, and what joins them."""
    here, there = socket.socketpair()
    led: asyncio.Queue[socket.socket] = asyncio.Queue()

    async def lead(found: socket.socket) -> None:
        found.setblocking(False)
        led.put_nowait(found)

    def end(_writer: asyncio.StreamWriter) -> None:
        ends.append("end")

    caller = await asyncio.open_connection(sock=here)
    joined = asyncio.ensure_future(bridge.join(*await asyncio.open_connection(sock=there), lead, end))
    machine = await asyncio.open_connection(sock=await led.get())
    try:
        yield caller, machine, joined
    finally:
        for _, writer in (caller, machine):
            writer.close()
        await joined


async def test_an_end_of_one_way_leaves_the_other_open() -> None:
    ends: list[str] = []
    async with bridged(ends) as ((reader, writer), (inner, out), joined):
        content = bytes(range(256)) * 4096
        writer.write(content)
        writer.write_eof()
        assert await inner.read() == content  # The caller's end arrived, and nothing else has ended.
        assert (ends, joined.done()) == ([], False)
        out.write(content)
        out.close()
        assert await reader.read() == content
        await joined
        assert ends == ["end"]


async def test_when_the_machine_ends_the_caller_is_hung_up_on() -> None:
    ends: list[str] = []
    async with bridged(ends) as ((reader, _writer), (_inner, out), joined):
        out.write(b"last words")
        out.close()
        assert await reader.read() == b"last words"
        await joined
        assert ends == ["end"]


async def test_a_caller_who_cannot_be_led_is_hung_up_on() -> None:
    here, there = socket.socketpair()

    async def lead(_found: socket.socket) -> None:
        raise ConnectionRefusedError

    reader, writer = await asyncio.open_connection(sock=here)
    with pytest.raises(ConnectionRefusedError):
        await bridge.join(*await asyncio.open_connection(sock=there), lead, lambda _: None)
    assert await reader.read() == b""
    writer.close()
