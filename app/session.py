"""Session: the engine in use and everything that pages do through it."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from app.commands.command import Command
from app.notices import Notice, notice_for
from app.operation import Operation, Operations, OperationState
from app.stores.stores import Stores
from app.sync import Sync
from app.tasks import TaskScope
from backend.client import Engine
from backend.dial import Tunnels
from backend.endpoint import Endpoint, Ssh, Tcp, is_loopback
from backend.errors import BackendError, EngineGone
from backend.types.containers import ContainerSummary
from backend.types.system import Feature

T = TypeVar("T")
R = TypeVar("R")


class Phase(enum.Enum):
    """NONE: no engine chosen or found. LOST: it was there; the stores are stale and it is tried again."""

    NONE = "none"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"


class EngineState(Struct, frozen=True):
    """What is known of the engine in use, from /_ping and the event stream. `retry_at` is loop time."""

    phase: Phase = Phase.NONE
    endpoint: Endpoint | None = None
    label: str = ""
    version: str = ""
    product: str = ""
    error: BackendError | None = None
    retry_at: float | None = None


LEAVE_SECONDS = 1.0
"""What does not close in that time is let go: another engine waits for its turn."""


class Session(QObject):
    """One engine at a time; `use` switches.

    Signals: `state_changed(EngineState)`, `noticed(Notice)` for what a person must be told,
    `succeeded(Operation, str)` with the words of a command that was done, `happened(tuple of Event)` from the engine,
    `asking()` when the engine is about to be asked for its lists, `step_pressed(Step)` when a person wants the next
    step of something told in a dialog.
    """

    state_changed = Signal(object)
    noticed = Signal(object)
    step_pressed = Signal(object)
    succeeded = Signal(object, str)
    happened = Signal(object)
    asking = Signal()

    def __init__(
        self,
        scope: TaskScope,
        operations: Operations,
        stores: Stores,
        parent: QObject | None = None,
        tunnels: Tunnels | None = None,
    ) -> None:
        super().__init__(parent)
        self._scope, self._tunnels = scope, tunnels
        self.operations = operations
        self.stores = stores
        self.state = EngineState()
        self.engine: Engine | None = None
        self._sync: Sync | None = None
        self._turn = asyncio.Lock()
        self._wanted: object = None
        self._settled = asyncio.Event()
        self._settled.set()

    def can(self, feature: Feature) -> bool:
        """Whether the engine in use offers `feature`."""
        return self.engine is not None and feature in self.engine.features

    @property
    def host(self) -> str:
        """The host that the engine in use is on, where its published ports answer; empty for this computer."""
        match self.state.endpoint:
            case Tcp(host, _, _, _):
                return host
            case Ssh() as where:
                return self._tunnels.address(where) if self._tunnels is not None else where.host
        return ""

    @property
    def far_host(self) -> str:
        """The host that the engine in use is on, where that is another computer; else empty."""
        return "" if is_loopback(self.host) and not isinstance(self.state.endpoint, Ssh) else self.host

    def run(
        self,
        command: Command[T],
        target: T,
        *,
        then: Callable[[Operation], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
        owner: QObject | None = None,
    ) -> Operation:
        """Runs a command on a target. Success and failure are told by toast, unless `failed` takes the error.

        `then(operation)` and `failed(error)` are dropped when `owner` has been deleted meanwhile.
        """
        operation = self.operations.start(
            command.title,
            command.subject(target),
            command.line(target),
            lambda op: command.run(self._need(), target, op),
        )

        def on_ended() -> None:
            if self._sync is not None and isinstance(target, ContainerSummary):
                self._sync.look_again(target.id, target.state)
            alive = owner is None or isValid(owner)
            if operation.state is OperationState.SUCCEEDED:
                if words := command.done(target):
                    self.succeeded.emit(operation, words)
                if then is not None and alive:
                    then(operation)
            elif operation.state is OperationState.FAILED and operation.error is not None:
                if failed is not None and alive:
                    failed(operation.error)
                else:
                    self.noticed.emit(notice_for(operation.error, command.title, command.subject(target)))

        operation.ended.connect(on_ended)
        return operation

    def ask(
        self,
        question: Callable[[Engine], Awaitable[R]],
        then: Callable[[R], None],
        failed: Callable[[BaseException], None] | None = None,
        *,
        owner: QObject | None = None,
    ) -> asyncio.Task[Any] | None:
        """Asks the engine something for a view; the answer comes to `then` unless `owner` is gone.

        Returns the task: a view that asks anew cancels the question before. Errors go to `failed`, or nowhere when
        the engine went away (the banner says so), else to a notice.
        """

        async def work() -> None:
            try:
                answer = await question(self._need())
            except (BackendError, OSError) as error:
                if owner is not None and not isValid(owner):
                    return
                if failed is not None:
                    failed(error)
                elif not isinstance(error, EngineGone):
                    self.noticed.emit(notice_for(error))
                return
            if owner is None or isValid(owner):
                then(answer)

        return self._scope.start(work(), name="question")

    def notice(self, notice: Notice) -> None:
        """Tells the person something."""
        self.noticed.emit(notice)

    def use(self, endpoint: Endpoint, label: str, engine: Engine | None = None) -> None:
        """Leaves the engine in use and connects to another; the stores are emptied when it is not the same.

        `engine` is one for this endpoint that was opened already. Of several that are asked for meanwhile the last one
        is used.
        """
        self._settled.clear()
        self._wanted = wish = object()
        self._scope.start(self._switch(wish, endpoint, label, engine), name="switch engine")

    @property
    def vacant(self) -> bool:
        """Whether no engine is in use, and none is on its way to be."""
        return self._wanted is None

    async def settled(self, limit: float) -> None:
        """Returns when the engine in use was loaded or lost, after `limit` seconds at the latest."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), limit)

    def reload(self) -> None:
        """Asks the engine for everything anew."""
        if self._sync is not None:
            self._sync.reload()

    def retry_now(self) -> None:
        """Tries a lost engine at once instead of waiting."""
        if self._tunnels is not None:
            self._tunnels.hurry()
        if self._sync is not None:
            self._sync.retry_now()

    async def leave(self) -> None:
        """Closes the connection; operations that still run fail as gone. A switch that still waits is dropped."""
        self._wanted = None
        async with self._turn:
            await self._leave()

    async def _leave(self) -> None:
        sync, self._sync = self._sync, None
        engine, self.engine = self.engine, None
        await _close(sync)
        await _close(engine)
        self._set(EngineState())

    async def _switch(self, wish: object, endpoint: Endpoint, label: str, engine: Engine | None) -> None:
        async with self._turn:
            if wish is not self._wanted:
                await _close(engine)
                return
            same = self.state.endpoint == endpoint
            await self._leave()
            if self._tunnels is not None:
                with suppress(TimeoutError):
                    other = self._tunnels.leave(endpoint if isinstance(endpoint, Ssh) else None)
                    await asyncio.wait_for(other, LEAVE_SECONDS)
            if not same:
                self.stores.clear()
            self.engine = engine or Engine(endpoint, tunnels=self._tunnels)
            self._set(EngineState(Phase.CONNECTING, endpoint, label))
            self._sync = Sync(self.engine, self.stores, self._scope)
            self._sync.connected.connect(self._on_connected)
            self._sync.asking.connect(self.asking)
            self._sync.lost.connect(self._on_lost)
            self._sync.happened.connect(self.happened)
            self._sync.start()

    def _on_connected(self) -> None:
        if self.engine is None:  # It is being left.
            return
        self._settled.set()
        version = self.engine.version
        self._set(
            replace(
                self.state,
                phase=Phase.CONNECTED,
                version=version.version,
                product=self.engine.product,
                error=None,
                retry_at=None,
            )
        )

    def _on_lost(self, error: BackendError, retry_at: float) -> None:
        if self.engine is None:
            return
        self._settled.set()
        phase = Phase.LOST if self.state.phase in (Phase.CONNECTED, Phase.LOST) else Phase.CONNECTING
        self._set(replace(self.state, phase=phase, error=error, retry_at=retry_at))

    def _need(self) -> Engine:
        if self.engine is None:
            raise EngineGone("no engine is in use")
        return self.engine

    def _set(self, state: EngineState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)


async def _close(part: Sync | Engine | None) -> None:
    """Closes it, and lets go of what does not close in time."""
    if part is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await part.close()
