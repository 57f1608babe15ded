"""TaskScope, the only caller of asyncio.create_task: every task has an owner that closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

FailureSink = Callable[[BaseException, str], None]


class TaskScope:
    """Owns tasks: keeps them referenced, reports what they raise, cancels them on close.

    `failed(error, name)` is called for an exception that nobody awaited. After `close` a start is refused
    quietly: the coroutine is closed and a cancelled task does not exist.
    """

    def __init__(self, name: str, failed: FailureSink) -> None:
        self.name = name
        self._failed = failed
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any] | None:
        """Starts `work` as a task of this scope; None when the scope is closed."""
        if self._closed:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error, task.get_name())

    async def close(self, limit: float = 2.0) -> tuple[str, ...]:
        """Cancels every task and waits `limit` seconds; returns the names of those that did not end."""
        self._closed = True
        tasks = [t for t in self._tasks if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if not tasks:
            return ()
        _, late = await asyncio.wait(tasks, timeout=limit)
        return tuple(t.get_name() for t in late)


class Once:
    """Whether a signal has come since this was made."""

    def __init__(self, signal: Any) -> None:
        self._came = asyncio.Event()
        signal.connect(lambda *_values: self._came.set())

    async def wait(self, limit: float) -> None:
        """Returns when it has come, after `limit` seconds at the latest."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), limit)
