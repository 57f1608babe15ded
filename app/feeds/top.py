"""TopFeed: the processes of one container, asked every two seconds while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from PySide6.QtCore import QObject, Signal

from app.feeds.stats import EngineSource
from app.tasks import TaskScope
from backend import containers
from backend.client import Engine
from backend.errors import ApiError, BackendError
from backend.types.containers import ContainerId, Top

EVERY_SECONDS: Final = 2.0
COLUMNS: Final = "-eo pid,user,pcpu,rss,etimes,args"

TopSource = Callable[[Engine, ContainerId], Awaitable[Top]]


async def _ask(engine: Engine, container_id: ContainerId) -> Top:
    """With memory and age where the engine's `ps` knows them, else in its own columns."""
    try:
        return await containers.top(engine, container_id, args=COLUMNS)
    except ApiError:
        return await containers.top(engine, container_id)


class TopFeed(QObject):
    """The last answer is `top`, None when the container does not run.

    Signal: `changed()` after each answer and when there is none any more.
    """

    changed = Signal()

    def __init__(
        self,
        engine: EngineSource,
        scope: TaskScope,
        container_id: str,
        parent: QObject | None = None,
        *,
        source: TopSource = _ask,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._scope = scope
        self._id = ContainerId(container_id)
        self._source = source
        self._task: asyncio.Task[Any] | None = None
        self.top: Top | None = None

    def set_active(self, active: bool) -> None:
        """Starts or ends the asking."""
        running = self._task is not None and not self._task.done()
        if active and not running:
            self._task = self._scope.start(self._follow(), name=f"top {self._id[:12]}")
        elif not active and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _follow(self) -> None:
        while True:
            engine = self._engine()
            try:
                found = await self._source(engine, self._id) if engine is not None else None
            except (BackendError, OSError):
                found = None
            if found is not None or self.top is not None:
                self.top = found
                self.changed.emit()
            await asyncio.sleep(EVERY_SECONDS)
