"""Logs of a real engine: live, older, of a terminal, from stderr, over a restart, over a rotation, saved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtWidgets import QApplication

from app.feeds.logs import LogFeed, LogPhase
from app.tasks import TaskScope
from app.widgets.logbuffer import ERR, LogBuffer
from backend.asking import query_text
from backend.endpoint import UnixSocket
from backend.logs import RawSource, logs
from backend.stream import RawStream, open_raw

pytestmark = pytest.mark.slow
Docker = Callable[..., str]


class Source:
    def __init__(self, endpoint: UnixSocket) -> None:
        self.endpoint = endpoint

    async def raw(self, path: str, *, query: Mapping[str, object] | None = None, deadline: float = 10) -> RawStream:
        return await open_raw(self.endpoint, f"/v1.41{path}{query_text(query)}", deadline=deadline)


class Case:
    """A container's log in a buffer, and a docker command line to check it with."""

    def __init__(self, qapp: QApplication, endpoint: UnixSocket, docker: Docker, image: str) -> None:
        self.qapp, self.endpoint, self.docker, self.image = qapp, endpoint, docker, image
        self.running = True
        self.made: list[str] = []

    def create(self, script: str, *options: str) -> str:
        key = self.docker("create", "--network", "none", *options, self.image, "sh", "-c", script).strip()
        self.made.append(key)
        return key

    def follow(self, key: str, story: Callable[[LogFeed], Awaitable[None]], *, tty: bool = False) -> None:
        async def run() -> None:
            failures: list[BaseException] = []
            scope = TaskScope("test", lambda error, _name: failures.append(error))

            def start(work: Callable[[RawSource], Awaitable[None]]) -> asyncio.Task[Any] | None:
                async def task() -> None:
                    await work(Source(self.endpoint))

                return scope.start(task(), name="log")

            feed = LogFeed(start, key, LogBuffer(), tty=tty, running=lambda: self.running, check_after=1)
            feed.open()
            try:
                await story(feed)
            finally:
                feed.close()
                await scope.close()
            assert failures == []

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(self.qapp)) as runner:
            runner.run(run())


async def until(done: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.02)


def texts(feed: LogFeed) -> list[str]:
    return [feed.buffer.raw(n).decode() for n in range(feed.buffer.first, feed.buffer.end)]


@pytest.fixture
def case(qapp: QApplication, engine_host: UnixSocket, docker_cli: Docker, busybox_image: str) -> Any:
    case = Case(qapp, engine_host, docker_cli, busybox_image)
    yield case
    for key in case.made:
        docker_cli("rm", "-f", key, check=False)


def test_scrolls_to_line_one_of_a_hundred_thousand(case: Case) -> None:
    key = case.create("seq 1 100000; seq 100001 100003 | while read n; do echo same; done")
    case.docker("start", "-a", key)
    case.running = False

    async def story(feed: LogFeed) -> None:
        await until(lambda: feed.state.phase is LogPhase.ENDED)
        assert len(feed.buffer) == 1000
        while not feed.complete:
            before = feed.buffer.first
            feed.load_older()
            await until(lambda before=before: feed.buffer.first != before or feed.complete)  # type: ignore[misc]
        assert texts(feed) == [*map(str, range(1, 100_001)), "same", "same", "same"]

    case.follow(key, story)


def test_follows_both_streams_over_a_restart(case: Case) -> None:
    key = case.create("echo out; echo err >&2; sleep 1; echo late; sleep 100", "--stop-timeout", "0")
    case.docker("start", key)

    async def story(feed: LogFeed) -> None:
        await until(lambda: len(feed.buffer) == 3)
        kinds = {feed.buffer.raw(n): feed.buffer.kind(n) & ERR for n in range(3)}
        assert kinds == {b"out": 0, b"err": ERR, b"late": 0}
        await asyncio.to_thread(case.docker, "restart", "-t", "0", key)
        feed.wake()
        await until(lambda: len(feed.buffer) == 6)
        assert sorted(texts(feed)[3:]) == ["err", "late", "out"]

    case.follow(key, story)


def test_a_terminal(case: Case) -> None:
    key = case.create("printf '\\033[31mred\\033[0m\\n'; echo two; sleep 100", "-t")
    case.docker("start", key)

    async def story(feed: LogFeed) -> None:
        await until(lambda: len(feed.buffer) == 2)
        assert texts(feed) == ["\x1b[31mred\x1b[0m", "two"]

    case.follow(key, story, tty=True)


def test_no_silence_after_rotations(case: Case) -> None:
    script = "n=0; while [ $n -lt 400 ]; do n=$((n+1)); echo line $n; [ $((n % 40)) = 0 ] && sleep 1; done; sleep 100"
    key = case.create(script, "--log-opt", "max-size=1k", "--log-opt", "max-file=1")
    case.docker("start", key)

    async def story(feed: LogFeed) -> None:
        await until(lambda: bool(len(feed.buffer)) and texts(feed)[-1] == "line 400")
        numbers = [int(t.split()[1]) for t in texts(feed)]
        assert numbers == sorted(set(numbers))

    case.follow(key, story)
    kept = case.docker("logs", key).splitlines()
    assert len(kept) < 100, "the engine rotated nothing away"


def test_a_driver_that_cannot_be_read(case: Case) -> None:
    key = case.create("echo x; sleep 100", "--log-driver", "none")
    case.docker("start", key)

    async def story(feed: LogFeed) -> None:
        await until(lambda: feed.state.phase is LogPhase.UNREADABLE)

    case.follow(key, story)


@pytest.mark.asyncio
async def test_the_whole_log_is_exact(case: Case, tmp_path: Path) -> None:
    script = "head -c 3000000 /dev/zero | tr '\\0' x; printf 'a\\r\\tb\\377\\n'; printf 'no end'"
    key = await asyncio.to_thread(case.create, script)
    await asyncio.to_thread(case.docker, "start", "-a", key)
    async with await logs(Source(case.endpoint), key, timestamps=False) as stream:
        whole = b"".join([payload async for batch in stream for _, payload in batch])
    assert whole.startswith(b"x" * 3_000_000 + b"a\r\tb")
    assert whole.rstrip(b"\n").endswith(b"no end")
