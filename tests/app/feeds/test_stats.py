"""What is sampled and when: the rows on screen, one container's history, all of them now and then, processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, cast

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QApplication

from app.feeds.history import SPAN_SECONDS, HistoryFeed, point_of
from app.feeds.stats import CAP, SAMPLES, StatsFeed
from app.feeds.top import TopFeed
from app.feeds.totals import TotalsFeed
from app.tasks import TaskScope
from backend.client import Engine
from backend.errors import NotFound
from backend.types.containers import ContainerId, Stats, Top

pytestmark = pytest.mark.asyncio
ENGINE = cast("Engine", object())


def stats(at: float, cpu: float | None = 0.1, net_in: int = 0, memory: int | None = 100) -> Stats:
    return Stats(at, cpu, memory, 0, net_in, 0, 0, 0, 1, 2)


class Source:
    """Streams that stay open until they are closed."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.opened: list[str] = []
        self.samples: dict[str, asyncio.Queue[Stats]] = {}
        self.gone: set[str] = set()

    async def __call__(self, _engine: Engine, key: ContainerId) -> AsyncGenerator[Stats, None]:
        if key in self.gone:
            raise NotFound(404, "no such container")
        self.open.add(key)
        self.opened.append(key)
        queue = self.samples.setdefault(key, asyncio.Queue())
        try:
            while True:
                yield await queue.get()
        finally:
            self.open.discard(key)

    async def send(self, key: str, *samples: Stats) -> None:
        for sample in samples:
            await self.samples[key].put(sample)
        await rest()


async def rest() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def scope(qapp: QApplication) -> AsyncIterator[TaskScope]:
    failures: list[Any] = []
    found = TaskScope("test", lambda error, name: failures.append((name, error)))
    yield found
    await found.close()
    assert not failures


@pytest.fixture
def source() -> Source:
    return Source()


async def test_only_what_is_watched_is_open(scope: TaskScope, source: Source) -> None:
    feed = StatsFeed(lambda: ENGINE, scope, source=source)
    feed.watch(["a", "b"])
    await rest()
    assert source.open == {"a", "b"}
    feed.watch(["b", "c"])
    await rest()
    assert source.open == {"b", "c"}
    assert source.opened == ["a", "b", "c"]
    feed.watch([])
    await rest()
    assert source.open == set()
    assert feed.open == 0


async def test_samples_are_told_in_one_tick(scope: TaskScope, source: Source) -> None:
    import time

    feed = StatsFeed(lambda: ENGINE, scope, source=source)
    told: list[frozenset[str]] = []
    feed.ticked.connect(told.append)
    feed.watch(["a", "b"])
    await rest()
    now = time.time()
    await source.send("a", stats(now), stats(now + 1, 0.2))
    await source.send("b", stats(now))
    assert told == []
    feed._on_tick()
    assert told == [frozenset({"a", "b"})]
    assert feed.history("a") == (0.1, 0.2)
    latest = feed.latest("a")
    assert latest is not None
    assert latest.cpu == 0.2
    feed._on_tick()
    assert len(told) == 1
    feed.watch(())
    await rest()


async def test_a_pause_is_a_gap_and_old_values_are_not_shown(scope: TaskScope, source: Source) -> None:
    feed = StatsFeed(lambda: ENGINE, scope, source=source)
    feed.watch(["a"])
    await rest()
    await source.send("a", stats(1000), stats(1060))
    assert feed.history("a") == (0.1, None, 0.1)
    assert feed.latest("a") is None
    await source.send("a", *(stats(1060 + i) for i in range(40)))
    assert len(feed.history("a")) == SAMPLES
    feed.forget(["a"])
    assert feed.history("a") == ()
    feed.watch(())
    await rest()


async def test_what_is_gone_is_not_asked_in_a_storm(scope: TaskScope, source: Source) -> None:
    source.gone.add("a")
    feed = StatsFeed(lambda: ENGINE, scope, source=source)
    feed.watch(["a"])
    await rest()
    feed._on_tick()
    feed._on_tick()
    await rest()
    assert feed.open == 0
    feed.watch(())


async def test_more_than_the_cap_take_turns(scope: TaskScope, source: Source) -> None:
    feed = StatsFeed(lambda: ENGINE, scope, source=source)
    feed.watch([f"c{i}" for i in range(CAP + 20)])
    await rest()
    assert feed.open == CAP
    for _ in range(10):
        feed._on_tick()
    await rest()
    assert feed.open == CAP
    assert len(set(source.opened)) == CAP + 20
    feed.watch(())
    await rest()


async def test_no_engine_is_no_error(scope: TaskScope, source: Source) -> None:
    feed = StatsFeed(lambda: None, scope, source=source)
    feed.watch(["a"])
    await rest()
    assert feed.open == 0
    feed.watch(())


async def test_points_are_rates_since_the_sample_before() -> None:
    point = point_of(stats(12, net_in=300), stats(10, net_in=100))
    assert point.net_in == 100
    assert point_of(stats(12, net_in=50), stats(10, net_in=100)).net_in is None
    assert point_of(stats(10), stats(10)).net_in is None
    assert point_of(stats(10), None).net_in is None


async def test_history_keeps_ten_minutes_with_gaps(scope: TaskScope, source: Source) -> None:
    feed = HistoryFeed(lambda: ENGINE, scope, "a", source=source)
    for at in range(1000, 1010):
        feed.take(stats(at))
    feed.take(stats(1100))
    gap = feed.points[10]
    assert (gap.at, gap.cpu, gap.memory) == (1010, None, None)
    assert feed.points[11].net_in is None
    for at in range(1101, 1101 + SPAN_SECONDS):
        feed.take(stats(at))
    assert feed.points[0].at >= feed.points[-1].at - SPAN_SECONDS
    assert feed.peak == 100


async def test_history_samples_only_while_active(scope: TaskScope, source: Source) -> None:
    feed = HistoryFeed(lambda: ENGINE, scope, "a", source=source)
    feed.set_active(True)
    await rest()
    assert source.open == {"a"}
    await source.send("a", stats(1000))
    feed.set_active(False)
    await rest()
    assert source.open == set()
    assert len(feed.points) == 1


async def test_totals_ask_for_all_and_keep_the_counters(scope: TaskScope) -> None:
    asked: list[tuple[str, ...]] = []
    befores: list[object] = []

    async def once(_engine: Engine, ids: Sequence[ContainerId], before: Any) -> dict[ContainerId, Stats]:
        asked.append(tuple(ids))
        befores.append(before)
        return {key: stats(1) for key in ids}

    feed = TotalsFeed(lambda: ENGINE, scope, lambda: ["a", "b"], source=once)
    feed.refresh()
    await rest()
    feed.refresh()
    await rest()
    assert asked == [("a", "b"), ("a", "b")]
    assert befores[0] is befores[1]
    assert set(feed.samples) == {"a", "b"}
    assert feed.at > 0


async def test_top_is_none_when_it_does_not_run(scope: TaskScope) -> None:
    answers = [Top(("PID",), (("1",),))]

    async def ask(_engine: Engine, _key: ContainerId) -> Top:
        if not answers:
            raise NotFound(404, "not running")
        return answers.pop()

    feed = TopFeed(lambda: ENGINE, scope, "a", source=ask)
    feed.set_active(True)
    await rest()
    told = [feed.top]
    feed.set_active(False)
    feed.set_active(True)
    await rest()
    told.append(feed.top)
    assert told[0] is not None
    assert told[1] is None
    feed.set_active(False)
    await rest()
