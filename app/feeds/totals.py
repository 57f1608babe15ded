"""TotalsFeed: what all running containers use together, asked every half minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.feeds.stats import EngineSource
from app.tasks import TaskScope
from backend import containers
from backend.client import Engine
from backend.errors import BackendError
from backend.types.containers import ContainerId, Stats

EVERY_SECONDS: Final = 30
FIRST_MS: Final = 1500
"""The first round waits until the list is on screen."""

SECOND_MS: Final = 3000
"""The round that knows the CPU follows the first one soon: a share needs two readings."""

Before = MutableMapping[ContainerId, containers.Counters]
OnceSource = Callable[[Engine, Sequence[ContainerId], Before], Awaitable[dict[ContainerId, Stats]]]


async def _ask(engine: Engine, ids: Sequence[ContainerId], before: Before) -> dict[ContainerId, Stats]:
    return await containers.stats_once(engine, ids, before=before)


class TotalsFeed(QObject):
    """Asks for one sample of every running container while it is active.

    Signal: `changed()` after a round. `at` is the Unix time of the last one, 0 before it.
    """

    changed = Signal()

    def __init__(
        self,
        engine: EngineSource,
        scope: TaskScope,
        running: Callable[[], Sequence[str]],
        parent: QObject | None = None,
        *,
        source: OnceSource = _ask,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._scope = scope
        self._running = running
        self._source = source
        self._task: asyncio.Task[Any] | None = None
        self._before: Before = {}
        self.samples: dict[str, Stats] = {}
        self.at = 0.0
        self._timer = QTimer(self, interval=EVERY_SECONDS * 1000)
        self._timer.timeout.connect(self.refresh)
        self._first = QTimer(self, interval=FIRST_MS, singleShot=True)
        self._first.timeout.connect(self.refresh)

    def set_active(self, active: bool) -> None:
        """Starts or ends the rounds; a value that is still young is not asked for anew."""
        if active == self._timer.isActive():
            return
        if not active:
            self._timer.stop()
            self._first.stop()
            if self._task is not None:
                self._task.cancel()
            return
        self._timer.start()
        if time.time() - self.at > EVERY_SECONDS:
            self._first.start()

    def refresh(self) -> None:
        """One round now, unless one is under way."""
        if self._task is None or self._task.done():
            self._task = self._scope.start(self._round(), name="totals")

    def forget(self) -> None:
        """Drops what was measured, e.g. because another engine is used now."""
        self.samples, self.at = {}, 0.0
        self._before.clear()

    async def _round(self) -> None:
        engine, ids = self._engine(), [ContainerId(key) for key in self._running()]
        if engine is None:
            return
        try:
            found = await self._source(engine, ids, self._before) if ids else {}
        except (BackendError, OSError):
            return
        self.samples = {str(key): sample for key, sample in found.items()}
        self.at = time.time()
        if self._timer.isActive() and any(sample.cpu is None for sample in found.values()):
            self._first.start(SECOND_MS)
        self.changed.emit()
