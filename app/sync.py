"""Sync: keeps the stores equal to one engine, by its events and by snapshots."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from PySide6.QtCore import QObject, Signal

from app.stores.stores import Stores
from app.tasks import TaskScope
from backend import containers, events, images, networks, volumes
from backend.client import Engine
from backend.errors import BackendError, EngineGone, EngineTimeout
from backend.types.containers import ContainerId
from backend.types.system import Event

BATCH_SECONDS: Final = 0.05
"""Events are gathered this long, so that a burst costs one call."""
PING_EVERY: Final = 3.0
PING_DEADLINE: Final = 2.0
"""Together at most five seconds until a silent engine is called lost."""
RESYNC_EVERY: Final = 60.0
FIRST_DELAY: Final = 0.25
LAST_DELAY: Final = 1.0
"""A try costs a connect, so the delay stays short: back within two seconds of the engine's return."""
CANCEL_AGAIN_SECONDS: Final = 0.2
MANY: Final = 50
"""From so many changed containers on, one full list is cheaper than a filter."""

RECHECK_SECONDS: Final = 0.3
RECHECKS: Final = 10
"""Engines up to 24 tell of a container's change a moment before their list knows it, so a list that still shows the
state of before is asked again. So is the first list, since what was told before it is not told again."""
_ENDING: Final = frozenset(("running", "paused", "stopping"))
STATES_BEFORE: Final = {
    "die": _ENDING, "died": _ENDING, "pause": frozenset(("running",)), "unpause": frozenset(("paused",))
}  # fmt: skip
RECHECKS_OF_COMMAND: Final = 3
RESTARTING_SECONDS: Final = 2.0
"""No engine tells that a container was stopped while it waited for its next try, so those that wait are asked for."""

QUIET_ACTIONS: Final = frozenset(
    {
        "exec_create",
        "exec_start",
        "exec_die",
        "exec_detach",
        "top",
        "resize",
        "attach",
        "detach",
        "archive-path",
        "export",
        "copy",
    }
)
"""Actions that change nothing that a list shows; health checks fire three of them at every run."""


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception in a group, however deep."""
    inner = group.exceptions[0]
    return first_of(inner) if isinstance(inner, BaseExceptionGroup) else inner


class Sync(QObject):
    """One task per connection: open, subscribe, load, apply, and again when it breaks.

    Signals: `asking()` when the engine is about to be asked for its lists, `connected()` when the stores hold a fresh
    snapshot, `lost(BackendError, retry_at)` with the loop time of the next try, `happened(tuple of Event)` in batches.
    """

    asking = Signal()
    connected = Signal()
    lost = Signal(object, float)
    happened = Signal(object)

    def __init__(self, engine: Engine, stores: Stores, scope: TaskScope, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._stores = stores
        self._scope = scope
        self._task: asyncio.Task[object] | None = None
        self._hurry = asyncio.Event()
        self._woken = asyncio.Event()
        self._all_wanted = False
        self._doubted: dict[ContainerId, tuple[frozenset[str], int]] = {}
        self._fresh = False
        self._closed = False

    def start(self) -> None:
        """Begins; the task belongs to the scope."""
        self._task = self._scope.start(self._run(), name="sync")

    def retry_now(self) -> None:
        """Ends the wait for the next try."""
        self._hurry.set()

    def reload(self) -> None:
        """Asks for a fresh snapshot of everything."""
        self._all_wanted = True
        self._woken.set()

    def look_again(self, container: ContainerId, state: str) -> None:
        """Asks for a container on which a command has ended, and again while it is in the `state` of before."""
        states, left = self._doubted.get(container, (frozenset[str](), 0))
        self._doubted[container] = (states | {state}, max(left, RECHECKS_OF_COMMAND))
        self._woken.set()

    async def close(self) -> None:
        """Ends the task and waits for it."""
        self._closed = True
        task, self._task = self._task, None
        while task is not None and not task.done():
            task.cancel()  # Again where what was awaited outside the group has swallowed it.
            await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)

    async def _run(self) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                if not self._engine.is_open:
                    await self._engine.open(deadline=5)
                if self._closed:
                    return
                delay = FIRST_DELAY
                await self._follow()
            except BackendError as error:
                failure: BackendError = error
            except OSError as error:
                failure = EngineGone("the connection to the engine", str(error))
            if self._closed:
                return
            await self._engine.reset()
            self._stores.mark_stale(True)
            self.lost.emit(failure, asyncio.get_running_loop().time() + delay)
            await self._pause(delay)
            delay = min(delay * 2, LAST_DELAY)

    async def _pause(self, seconds: float) -> None:
        self._hurry.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    async def _follow(self) -> None:
        """Returns never; raises what broke the connection."""
        inbox: asyncio.Queue[Event] = asyncio.Queue(maxsize=10_000)
        subscribed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(inbox, subscribed))
                group.create_task(self._watch())
                group.create_task(self._apply(inbox, subscribed))
        except BaseExceptionGroup as failures:
            known = failures.subgroup((BackendError, OSError))
            raise first_of(known if known is not None else failures) from failures

    async def _read(self, inbox: asyncio.Queue[Event], subscribed: asyncio.Event) -> None:
        async for event in events.stream(self._engine, opened=subscribed.set):
            await inbox.put(event)
        raise EngineGone("the event stream", "the engine closed it")

    async def _watch(self) -> None:
        while not self._closed:
            await asyncio.sleep(PING_EVERY)
            await self._engine.ping(deadline=PING_DEADLINE)

    async def _apply(self, inbox: asyncio.Queue[Event], subscribed: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(5):  # wait_for of Python 3.11 swallows a cancel that comes with the answer.
                await subscribed.wait()
        except TimeoutError:
            raise EngineTimeout("the event stream", 5) from None
        self.asking.emit()
        await self._load_all()
        if self._closed:
            return
        self.connected.emit()
        loaded = time.monotonic()
        self._fresh = True
        while not self._closed:
            batch = await self._gather(inbox)
            if self._fresh and time.monotonic() - loaded >= RECHECK_SECONDS:
                self._fresh = False
                self._stores.containers.replace(await containers.list_(self._engine))
            if self._all_wanted or time.monotonic() - loaded > RESYNC_EVERY:
                self._all_wanted = False
                await self._load_all()
                loaded = time.monotonic()
                self._doubted.clear()
            else:
                await self._refresh(batch)
            if batch:
                self.happened.emit(batch)

    async def _gather(self, inbox: asyncio.Queue[Event]) -> tuple[Event, ...]:
        """The next burst of events; empty when nothing came for a while or something is to be asked for."""
        first = asyncio.ensure_future(inbox.get())
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            limit = RESTARTING_SECONDS if self._restarting() else RESYNC_EVERY
            limit = RECHECK_SECONDS if self._doubted or self._fresh else limit
            done, _ = await asyncio.wait((first, woken), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in (first, woken):
                waiter.cancel()
        self._woken.clear()
        if first not in done:
            return ()
        await asyncio.sleep(BATCH_SECONDS)
        batch = [first.result()]
        while not inbox.empty():
            batch.append(inbox.get_nowait())
        return tuple(batch)

    async def _load_all(self) -> None:
        stores = self._stores
        stores.containers.replace(await containers.list_(self._engine))
        stores.images.replace(await images.list_(self._engine))
        stores.volumes.replace(await volumes.list_(self._engine))
        stores.networks.replace(await networks.list_(self._engine))

    async def _refresh(self, batch: tuple[Event, ...]) -> None:
        ids = {
            ContainerId(e.actor.id)
            for e in batch
            if e.type == "container" and e.action.partition(":")[0] not in QUIET_ACTIONS
        }
        for event in batch:
            if event.type == "container" and event.action in STATES_BEFORE:
                self._doubted[ContainerId(event.actor.id)] = (STATES_BEFORE[event.action], RECHECKS)
            elif event.type == "container" and event.action == "start":
                self._doubted.pop(ContainerId(event.actor.id), None)
        ids |= self._doubted.keys() | self._restarting()
        types = {e.type for e in batch}
        committed = any(e.action == "commit" for e in batch)
        if ids:
            await self._refresh_containers(ids)
        if "image" in types or committed or "builder" in types:
            self._stores.images.replace(await images.list_(self._engine))
        later: dict[str, Callable[[], Awaitable[None]]] = {
            "volume": self._refresh_volumes,
            "network": self._refresh_networks,
        }
        for kind, refresh in later.items():
            if kind in types:
                await refresh()

    def _restarting(self) -> set[ContainerId]:
        return {row.id for row in self._stores.containers.values.values() if row.state == "restarting"}

    async def _refresh_containers(self, ids: set[ContainerId]) -> None:
        if len(ids) > MANY:
            self._stores.containers.replace(await containers.list_(self._engine))
            found = tuple(self._stores.containers.values.values())
        else:
            found = await containers.list_(self._engine, ids=sorted(ids))
            self._stores.containers.apply(found, ids - {c.id for c in found})
        states = {c.id: c.state for c in found}
        self._doubted = {
            k: (old, left - 1) for k, (old, left) in self._doubted.items() if states.get(k) in old and left > 1
        }

    async def _refresh_volumes(self) -> None:
        self._stores.volumes.replace(await volumes.list_(self._engine))

    async def _refresh_networks(self) -> None:
        self._stores.networks.replace(await networks.list_(self._engine))
