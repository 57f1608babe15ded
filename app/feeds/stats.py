"""StatsFeed: live use of the containers on screen, one stream each, told once a second."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import TaskScope
from backend import containers
from backend.client import Engine
from backend.errors import BackendError
from backend.types.containers import ContainerId, Stats

EngineSource = Callable[[], Engine | None]
StatsSource = Callable[[Engine, ContainerId], AsyncGenerator[Stats, None]]

SAMPLES: Final = 22
"""Values of a sparkline."""
CAP: Final = 60
"""Streams at once; more than this many rows take turns."""
TURN_SECONDS: Final = 10
GAP_SECONDS: Final = 3.0
"""A pause between two samples that is shown as a gap."""
STALE_SECONDS: Final = 6.0
RETRY_SECONDS: Final = 3.0


class StatsFeed(QObject):
    """Samples what `watch` names and nothing else; an empty watch costs nothing.

    Signal: `ticked(frozenset of ids)`, once a second, for those with a new or outdated value.
    """

    ticked = Signal(object)

    def __init__(
        self,
        engine: EngineSource,
        scope: TaskScope,
        parent: QObject | None = None,
        *,
        source: StatsSource = containers.stats_stream,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._scope = scope
        self._source = source
        self._wanted: tuple[str, ...] = ()
        self._streams: dict[str, asyncio.Task[Any]] = {}
        self._latest: dict[str, Stats] = {}
        self._history: dict[str, deque[float | None]] = {}
        self._fresh: set[str] = set()
        self._retry_at: dict[str, float] = {}
        self._ticks = 0
        self._timer = QTimer(self, interval=1000)
        self._timer.timeout.connect(self._on_tick)

    @property
    def open(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def watch(self, ids: Iterable[str]) -> None:
        """Names the containers on screen; streams of others are closed."""
        self._wanted = tuple(dict.fromkeys(ids))
        self._open_and_close()
        if self._wanted and not self._timer.isActive():
            self._timer.start()
        elif not self._wanted:
            self._timer.stop()

    def known(self) -> tuple[str, ...]:
        """The containers of which a sample is kept."""
        return tuple(self._latest)

    def forget(self, ids: Iterable[str]) -> None:
        """Drops what is known of containers that ended or are gone."""
        for key in ids:
            self._latest.pop(key, None)
            self._history.pop(key, None)
            self._retry_at.pop(key, None)

    def latest(self, key: str) -> Stats | None:
        """The last sample, None when there is none or it is too old to be shown."""
        sample = self._latest.get(key)
        return sample if sample is not None and time.time() - sample.at < STALE_SECONDS else None

    def history(self, key: str) -> tuple[float | None, ...]:
        """CPU shares for a sparkline, oldest first, None where nothing was measured."""
        return tuple(self._history.get(key, ()))

    def _open_and_close(self) -> None:
        now = self._chosen()
        kept = frozenset(now)
        for key in [k for k in self._streams if k not in kept]:
            self._streams.pop(key).cancel()
        clock = time.monotonic()
        for key in now:
            if key not in self._streams and self._retry_at.get(key, 0) <= clock:
                task = self._scope.start(self._pump(key), name=f"stats {key[:12]}")
                if task is not None:
                    self._streams[key] = task

    def _chosen(self) -> tuple[str, ...]:
        """All that are wanted, or CAP of them by turns."""
        if len(self._wanted) <= CAP:
            return self._wanted
        turn = self._ticks // TURN_SECONDS
        start = turn * CAP % len(self._wanted)
        return (self._wanted + self._wanted)[start : start + CAP]

    async def _pump(self, key: str) -> None:
        engine = self._engine()
        try:
            if engine is not None:
                async with aclosing(self._source(engine, ContainerId(key))) as samples:
                    async for sample in samples:
                        self._take(key, sample)
        except (BackendError, OSError):
            pass  # The container ended or the engine went; the store tells which, and the tick tries again.
        finally:
            if self._streams.get(key) is asyncio.current_task():
                del self._streams[key]
                self._retry_at[key] = time.monotonic() + RETRY_SECONDS

    def _take(self, key: str, sample: Stats) -> None:
        before = self._latest.get(key)
        history = self._history.setdefault(key, deque(maxlen=SAMPLES))
        if before is not None and sample.at - before.at > GAP_SECONDS:
            history.append(None)
        history.append(sample.cpu)
        self._latest[key] = sample
        self._fresh.add(key)

    def _on_tick(self) -> None:
        self._ticks += 1
        self._open_and_close()
        now = time.time()
        old = {k for k, s in self._latest.items() if STALE_SECONDS <= now - s.at < STALE_SECONDS + 2}
        fresh, self._fresh = self._fresh | old, set()
        if fresh:
            self.ticked.emit(frozenset(fresh))
