"""What a million lines cost: into the view, in memory, in blocks of the window, in a search."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import qasync
from PySide6.QtWidgets import QApplication

from app.feeds.logs import LogFeed
from app.tasks import TaskScope
from app.theme import Theme
from app.widgets.logbuffer import LogBuffer
from app.widgets.logcounts import LogCounts
from app.widgets.logsearch import LogSearch
from app.widgets.logview import LogView
from backend.asking import query_text
from backend.dial import dial
from backend.endpoint import Endpoint, UnixSocket, text
from backend.logs import RawSource
from backend.stream import RawStream, open_raw

Report = Callable[[str, float, str, float, float], None]
"""name, value, unit, floor in the same unit, limit of value / floor."""

LINES: Final = 1_000_000
IMAGE: Final = "pilothouse-test/busybox:1"
_TEXT: Final = "INFO request 000123456 of a service that says more than it has to, as services do"
_WRITE: Final = f"busybox yes '{_TEXT}' | busybox head -n {LINES - 1}; echo INFO a needle"


class Source:
    """What the feed needs of an engine."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    async def raw(self, path: str, *, query: Mapping[str, object] | None = None, deadline: float = 10) -> RawStream:
        """As the client does it."""
        return await open_raw(self.endpoint, f"/v1.41{path}{query_text(query)}", deadline=deadline)


def docker(engine: Endpoint, *words: str, stdin: bytes | None = None) -> str:
    """Runs the docker command line against the engine."""
    done = subprocess.run(["docker", "-H", text(engine), *words], input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def writer(engine: Endpoint) -> str:
    """A container that wrote its lines and ended; its id."""
    key = docker(engine, "create", "--network", "none", IMAGE, "sh", "-c", _WRITE)
    docker(engine, "start", key)
    docker(engine, "wait", key)
    return key


def logs_path(key: str, tail: str | int) -> str:
    """What is asked of the engine, by us and by those beside us."""
    query = {"stdout": True, "stderr": True, "timestamps": True, "tail": tail}
    return f"/v1.41/containers/{key}/logs{query_text(query)}"


class Bare(asyncio.Protocol):
    """Asks, and counts the bytes that come: the least that a reader can do."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.size = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(f"GET {self._path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode("ascii"))

    def data_received(self, data: bytes) -> None:
        """Counts."""
        self.size += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """That was all."""
        self.ended.set_result(None)


def bare(engine: Endpoint, key: str, tail: str) -> tuple[float, int]:
    """Seconds and bytes of a reader that does nothing, on a plain loop."""

    async def run() -> int:
        reader = await dial(engine, lambda: Bare(logs_path(key, tail)))
        await reader.ended
        return reader.size

    began = time.perf_counter()
    size = asyncio.run(run())
    return time.perf_counter() - began, size


class Blocks:
    """How late a callback of every 5 ms comes: the blocks of the window's thread."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        self._on = True
        self._tick()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last - 0.005)
        self._last = now
        if self._on:
            asyncio.get_running_loop().call_later(0.005, self._tick)

    def stop(self) -> float:
        """The longest in milliseconds."""
        self._on = False
        return self.longest * 1000


class Shown:
    """A log view with its feed, search and counts, as in the window."""

    def __init__(self, engine: Endpoint, key: str, tail: int, scope: TaskScope) -> None:
        self.buffer = LogBuffer()
        self.view = LogView(Theme("light"), self.buffer)
        self.view.resize(1072, 642)
        self.view.show()
        self.search = LogSearch(self.buffer)
        self.counts = LogCounts(self.buffer)

        def start(work: Callable[[RawSource], Awaitable[None]]) -> asyncio.Task[Any] | None:
            async def task() -> None:
                await work(Source(engine))

            return scope.start(task(), name="log")

        self.feed = LogFeed(start, key, self.buffer, tty=False, running=lambda: False, tail=tail)
        self.feed.grew.connect(self.search.grew)
        self.feed.grew.connect(self.counts.grew)
        self.feed.grew.connect(self.view.grew)


async def until(done: Callable[[], bool]) -> None:
    """Waits without much of a cost."""
    while not done():
        await asyncio.sleep(0.005)


async def flood(engine: Endpoint, key: str) -> dict[str, float]:
    """Every line into the view; the last one is on screen."""
    scope = TaskScope("bench", lambda _error, _name: None)
    began = time.perf_counter()
    blocks = Blocks()
    shown = Shown(engine, key, LINES, scope)
    shown.feed.open()
    await until(lambda: len(shown.buffer) == LINES and LINES - 1 in [line for _, _, line, _ in shown.view.visible()])
    found = {"wall": time.perf_counter() - began, "block": blocks.stop()}
    found["bytes"] = shown.buffer.size
    blocks = Blocks()
    began = time.perf_counter()
    shown.search.set("a needle")
    await until(lambda: not shown.search.busy)
    found["search"] = time.perf_counter() - began
    assert len(shown.search.lines) == 1
    shown.search.set(r"a n[e]+dle", regex=True)
    await until(lambda: not shown.search.busy)
    found["search block"] = blocks.stop()
    assert len(shown.search.lines) == 1
    shown.search.close()
    shown.feed.close()
    shown.view.close()
    await scope.close()
    return found


async def first(engine: Endpoint, key: str) -> float:
    """Seconds until the first of the newest thousand lines are on screen, in a view that is there."""
    scope = TaskScope("bench", lambda _error, _name: None)
    shown = Shown(engine, key, 1000, scope)
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    painted = asyncio.get_running_loop().create_future()

    def on_grew() -> None:
        shown.view.viewport().repaint()
        if not painted.done():
            painted.set_result(None)

    shown.feed.grew.connect(on_grew)
    shown.feed.open()
    await painted
    spent = time.perf_counter() - began
    shown.feed.close()
    shown.view.close()
    await scope.close()
    return spent


def curl(engine: UnixSocket, key: str) -> float:
    """Seconds of curl for the same thousand lines."""
    address = "http://docker" + logs_path(key, 1000)
    began = time.perf_counter()
    subprocess.run(["curl", "-s", "-o", "/dev/null", "--unix-socket", engine.path, address], check=True)
    return time.perf_counter() - began


def measure(engine: Endpoint, report: Report) -> None:
    """Measures against `engine`, which has the test image; each figure beside a floor of the same run."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    key = writer(engine)

    def run(work: Awaitable[Any]) -> Any:
        async def task() -> Any:
            return await work

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            return runner.run(task())

    try:
        floors, results = [], []
        for _ in range(2):
            floors.append(bare(engine, key, "all"))
            results.append(run(flood(engine, key)))
        floor = min(f[0] for f in floors)
        payload = floors[0][1] - 8 * LINES
        report("logs: 1,000,000 lines into the view", min(r["wall"] for r in results), "s", floor, 1.3)
        report("logs: memory of 1,000,000 lines", results[0]["bytes"], "B", payload, (payload + 32 * LINES) / payload)
        report("logs: longest block while they come", min(r["block"] for r in results), "ms", 50, 1)
        report("logs: longest block during a search", min(r["search block"] for r in results), "ms", 50, 1)
        if isinstance(engine, UnixSocket):
            ours = statistics.median(run(first(engine, key)) for _ in range(10))
            peers = statistics.median(curl(engine, key) for _ in range(10))
            report("logs: first of a thousand lines on screen", ours * 1000, "ms", peers * 1000, 2)
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            docker(engine, "rm", "-f", key)
