"""HistoryFeed: ten minutes of one container's use, sampled only while somebody looks."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import Any, Final

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from app.feeds.stats import GAP_SECONDS, EngineSource, StatsSource
from app.tasks import TaskScope
from backend import containers
from backend.errors import BackendError
from backend.types.containers import ContainerId, Stats

SPAN_SECONDS: Final = 600
RETRY_SECONDS: Final = 2.0


class Point(Struct, frozen=True):
    """One moment: shares of a core, bytes, and bytes a second; None where it cannot be known."""

    at: float
    cpu: float | None = None
    memory: float | None = None
    net_in: float | None = None
    net_out: float | None = None
    read: float | None = None
    write: float | None = None


def rate(before: int, after: int, seconds: float) -> float | None:
    """Growth a second; None when the counter went back or no time passed."""
    return (after - before) / seconds if seconds > 0 and after >= before else None


def point_of(sample: Stats, before: Stats | None) -> Point:
    """A sample with its rates since the one before, which must not be from before a gap."""
    if before is None:
        return Point(sample.at, sample.cpu, sample.memory)
    span = sample.at - before.at
    return Point(
        sample.at,
        sample.cpu,
        sample.memory,
        rate(before.net_in, sample.net_in, span),
        rate(before.net_out, sample.net_out, span),
        rate(before.block_read, sample.block_read, span),
        rate(before.block_write, sample.block_write, span),
    )


class HistoryFeed(QObject):
    """Points of the last ten minutes, with an empty Point where a gap begins. `latest` is the last sample.

    Signal: `ticked()` after each sample.
    """

    ticked = Signal()

    def __init__(
        self,
        engine: EngineSource,
        scope: TaskScope,
        container_id: str,
        parent: QObject | None = None,
        *,
        source: StatsSource = containers.stats_stream,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._scope = scope
        self._id = ContainerId(container_id)
        self._source = source
        self._task: asyncio.Task[Any] | None = None
        self.points: deque[Point] = deque(maxlen=SPAN_SECONDS * 2)
        self.latest: Stats | None = None
        self.peak = 0

    @property
    def active(self) -> bool:
        """Whether it samples."""
        return self._task is not None and not self._task.done()

    def set_active(self, active: bool) -> None:
        """Opens or closes the stream; what was measured stays."""
        if active and not self.active:
            self._task = self._scope.start(self._follow(), name=f"history {self._id[:12]}")
        elif not active and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        while True:
            engine = self._engine()
            try:
                if engine is not None:
                    async with aclosing(self._source(engine, self._id)) as samples:
                        async for sample in samples:
                            self.take(sample)
            except (BackendError, OSError):
                pass  # It ended or the engine went; its page shows that by the store.
            await asyncio.sleep(RETRY_SECONDS)

    def take(self, sample: Stats) -> None:
        """Adds a sample. A sample of a container that does not run (no limit, no processes) is a gap."""
        if not sample.pids and sample.memory is None:
            return
        before = self.latest
        if before is not None and not 0 < sample.at - before.at <= GAP_SECONDS:
            self.points.append(Point(before.at + 1))
            before = None
        self.points.append(point_of(sample, before))
        self.latest = sample
        self.peak = max(self.peak, sample.memory or 0)
        while self.points and self.points[0].at < sample.at - SPAN_SECONDS:
            self.points.popleft()
        self.ticked.emit()
