"""The log feed against an engine of a few lines: opens again where it left off, and sees a stream that fell silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from app.feeds.logs import AHEAD, TELL_MS, LogFeed, LogPhase
from app.tasks import TaskScope
from app.widgets.logbuffer import LogBuffer
from backend.asking import query_text
from backend.endpoint import Endpoint, UnixSocket
from backend.logs import RawSource
from backend.stream import HIGH_WATER, RawStream, open_raw


@dataclass
class Source:
    endpoint: Endpoint

    async def raw(self, path: str, *, query: Mapping[str, object] | None = None, deadline: float = 10) -> RawStream:
        return await open_raw(self.endpoint, path + query_text(query), deadline=deadline)


@dataclass
class LogServer:
    """Serves a list of lines; `deaf` streams bring nothing new, as after a rotation.

    At the line `damaged` an answer ends with the engine's complaint; a short enough tail begins behind it.
    """

    lines: list[str] = field(default_factory=list)
    deaf: bool = False
    running: bool = True
    status: int = 200
    follows: int = 0
    flood: bool = False
    damaged: int | None = None
    sent: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def frame(self, number: int) -> bytes:
        payload = f"2026-01-01T00:00:{number // 10:02d}.000000000Z {self.lines[number]}\n".encode()
        return b"\x01\0\0\0" + len(payload).to_bytes(4, "big") + payload

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        query = {k: v[0] for k, v in parse_qs(urlsplit(head.split()[1]).query).items()}
        writer.write(f"HTTP/1.0 {self.status} OK\r\nContent-Type: application/octet-stream\r\n\r\n".encode())
        if self.status != 200:
            writer.write(b'{"message":"configured logging driver does not support reading"}')
        else:
            await self._send(query, writer)
        self.writers.discard(writer)
        writer.close()

    async def _send(self, query: dict[str, str], writer: asyncio.StreamWriter) -> None:
        tail = query.get("tail", "all")
        since = float(query.get("since", "0")) - 1767225600
        start = 0 if tail == "all" else max(0, len(self.lines) - int(tail))
        place = next((n for n in range(start, len(self.lines)) if n // 10 >= since), len(self.lines))
        follow = query.get("follow") == "1"
        self.follows += follow
        block = self.frame(0) * 1000
        while self.flood and not writer.is_closing():
            writer.write(block)
            await writer.drain()
            self.sent += len(block)
        while True:
            if self.damaged is not None and place <= self.damaged < len(self.lines):
                said = b"Error grabbing logs: invalid character"
                writer.write(b"".join(self.frame(n) for n in range(place, self.damaged)))
                writer.write(b"\x03\0\0\0" + len(said).to_bytes(4, "big") + said)
                return
            if place < len(self.lines):
                writer.write(b"".join(self.frame(n) for n in range(place, len(self.lines))))
                await writer.drain()
                place = len(self.lines)
            if not follow or not self.running:
                return
            await asyncio.sleep(0.01)
            while self.deaf and not writer.is_closing():
                await asyncio.sleep(0.01)


class SaysTwice(LogServer):
    """Says a line again at once, as engines may after they rotated a log while it is followed."""

    def frame(self, number: int) -> bytes:
        payload = f"2026-01-01T00:00:00.{number + 1:09d}Z {self.lines[number]}\n".encode()
        framed = b"\x01\0\0\0" + len(payload).to_bytes(4, "big") + payload
        return framed * 2 if number == 3 else framed


Story = Callable[[LogServer, LogFeed, Callable[[Callable[[], bool]], Awaitable[None]]], Awaitable[None]]


def play(qapp: QApplication, folder: Path, server: LogServer, story: Story, tell_ms: int = TELL_MS) -> None:
    async def run() -> None:
        failures: list[BaseException] = []
        path = folder / "log.sock"
        listener = await asyncio.start_unix_server(server.answer, path)
        scope = TaskScope("test", lambda error, _name: failures.append(error))
        source = Source(UnixSocket(str(path)))

        def start(work: Callable[[RawSource], Awaitable[None]]) -> asyncio.Task[Any] | None:
            async def task() -> None:
                await work(source)

            return scope.start(task(), name="log")

        feed = LogFeed(
            start,
            "c",
            LogBuffer(),
            tty=False,
            running=lambda: server.running,
            tail=100,
            check_after=0.1,
            tell_ms=tell_ms,
        )

        async def until(done: Callable[[], bool]) -> None:
            async with asyncio.timeout(10):
                while not done():
                    await asyncio.sleep(0.01)

        try:
            await story(server, feed, until)
        finally:
            feed.close()
            await scope.close()
            server.running = server.deaf = server.flood = False
            for writer in list(server.writers):
                writer.close()
            listener.close()
            await asyncio.sleep(0.05)
        assert failures == []

    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
        runner.run(run())


def texts(feed: LogFeed) -> list[str]:
    return [feed.buffer.raw(n).decode() for n in range(feed.buffer.first, feed.buffer.end)]


def test_goes_on_after_a_restart_without_gap_or_repeat(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: len(feed.buffer) == 45)
        server.running = False
        await until(lambda: feed.state.phase is LogPhase.ENDED)
        server.lines += [f"line {n}" for n in range(45, 58)]
        server.running = True
        feed.wake()
        await until(lambda: len(feed.buffer) == 58)
        assert texts(feed) == server.lines

    play(qapp, tmp_path, LogServer([f"line {n}" for n in range(45)]), story)


def test_a_line_that_is_said_twice_is_shown_once_from_the_first_read_on(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: bool(len(feed.buffer)) and texts(feed)[-1] == "line 5")
        assert texts(feed) == server.lines

    play(qapp, tmp_path, SaysTwice([f"line {n}" for n in range(6)]), story)


def test_a_silent_stream_is_opened_again(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: len(feed.buffer) == 5)
        server.deaf = True
        await asyncio.sleep(0.05)
        server.lines += ["same", "same", "last"]
        await until(lambda: len(feed.buffer) == 8)
        assert server.follows >= 2
        assert texts(feed) == server.lines

    play(qapp, tmp_path, LogServer(["same"] * 5), story)


def test_scrolls_to_line_one(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: len(feed.buffer) == 100)
        feed.load_older()
        await until(lambda: feed.complete)
        assert texts(feed) == server.lines

    play(qapp, tmp_path, LogServer([f"line {n // 3}" for n in range(590)]), story)


def test_says_that_a_driver_cannot_be_read(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: feed.state.phase is LogPhase.UNREADABLE)
        assert "does not support reading" in str(feed.state.error)

    play(qapp, tmp_path, LogServer(status=501), story)


def test_goes_on_behind_what_cannot_be_read_and_says_so(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: len(feed.buffer) == 30)
        server.damaged = 35
        server.lines += [f"line {n}" for n in range(30, 40)]
        await until(lambda: feed.state.phase is LogPhase.LOST)
        assert "invalid character" in str(feed.state.error)
        assert texts(feed) == server.lines[:35], "what came before the damage, in the same piece"
        server.lines += [f"line {n}" for n in range(40, 140)]
        await until(lambda: feed.state.phase is LogPhase.LIVE and len(feed.buffer) == 135)
        assert texts(feed) == [*server.lines[:35], *server.lines[40:]]
        assert "invalid character" in str(feed.state.error)
        server.lines.append("on")
        await until(lambda: texts(feed)[-1] == "on")

    play(qapp, tmp_path, LogServer([f"line {n}" for n in range(30)]), story)


def test_older_lines_that_cannot_be_read_leave_the_live_ones(qapp: QApplication, tmp_path: Path) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: len(feed.buffer) == 100)
        feed.load_older()
        await until(lambda: feed.complete)
        assert feed.state.phase is LogPhase.LIVE
        assert "invalid character" in str(feed.state.error)
        server.lines.append("on")
        await until(lambda: texts(feed)[-1] == "on")
        assert len(feed.buffer) == 101

    play(qapp, tmp_path, LogServer([f"line {n}" for n in range(590)], damaged=50), story)


@pytest.mark.parametrize("everything", [False, True])
def test_cleared_lines_do_not_come_back(qapp: QApplication, tmp_path: Path, everything: bool) -> None:
    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        await until(lambda: len(feed.buffer) == 30)
        feed.forget()
        feed.load_older(everything)
        server.lines.append("new")
        await until(lambda: len(feed.buffer) == 1)
        assert texts(feed) == ["new"]

    play(qapp, tmp_path, LogServer([f"line {n}" for n in range(30)]), story)


def test_an_engine_that_is_faster_than_the_view_has_to_wait(qapp: QApplication, tmp_path: Path) -> None:
    """The view is told once in an hour here, and by the test: in between the engine's sends come to a stop."""
    most = AHEAD + 2 * HIGH_WATER

    async def story(server: LogServer, feed: LogFeed, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> None:
        feed.open()
        for _ in range(3):
            feed.tell()
            before = feed.buffer.size
            await until(lambda before=before: feed.buffer.size - before > AHEAD)  # type: ignore[misc]
            sent = -1
            while sent != server.sent:
                sent = server.sent
                await asyncio.sleep(0.1)
            assert feed.buffer.size - before < 2 * most
        assert server.sent < 4 * most

    # Large lines, as memory per line is not the matter here.
    play(qapp, tmp_path, LogServer(["x" * 900], flood=True), story, tell_ms=3_600_000)
