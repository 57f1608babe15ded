"""Operation: one run of a command, from its start to its end, with progress, output and cancel."""

from __future__ import annotations

import asyncio
import enum
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from app.commandline import CommandLine
from app.tasks import TaskScope

OUTPUT_LINES = 5_000
KEPT = 500


class OperationState(enum.Enum):
    """Where an operation stands; only RUNNING can change."""

    RUNNING = "Running"
    SUCCEEDED = "Done"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class Part(Struct, frozen=True):
    """One part of the progress, e.g. a layer: `done` and `total` in bytes, total 0 when unknown.

    A part may have `ended` without its size ever being told.
    """

    name: str
    words: str
    done: int = 0
    total: int = 0
    ended: bool = False


class Operation(QObject):
    """One run. Ended exactly once; `changed` is emitted at most 20 times a second for progress and output."""

    changed = Signal()
    ended = Signal()
    _ids = itertools.count(1)

    def __init__(self, title: str, subject: str, line: CommandLine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.id = next(self._ids)
        self.title = title
        self.subject = subject
        self.line = line
        self.state = OperationState.RUNNING
        self.started = time.time()
        self.finished: float | None = None
        self.done = 0
        self.total = 0
        self.words = ""
        self.counted = False
        self.parts: dict[str, Part] = {}
        self.output: deque[str] = deque(maxlen=OUTPUT_LINES)
        self.error: BaseException | None = None
        self.result: object = None
        self._task: asyncio.Task[object] | None = None
        self._told = 0.0
        self._pending = False

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state is OperationState.RUNNING

    def report(self, done: int, total: int, words: str = "", *, counted: bool = False) -> None:
        """Progress: `done` of `total` bytes, or things where `counted`; total 0 means unknown. With a few words."""
        self.done, self.total, self.words, self.counted = done, total, words or self.words, counted
        self._tell()

    def report_part(self, part: Part) -> None:
        """Progress of one part; the whole is the sum over parts of known size."""
        self.parts[part.name] = part
        known = [p for p in self.parts.values() if p.total]
        self.done, self.total = sum(p.done for p in known), sum(p.total for p in known)
        self._tell()

    def write(self, text: str) -> None:
        """Adds lines of output."""
        self.output.extend(text.splitlines())
        self._tell()

    def cancel(self) -> None:
        """Asks the run to stop; it ends as CANCELLED once it has let go of the engine."""
        if self._task is not None and self.running:
            self._task.cancel()

    def attach(self, task: asyncio.Task[object]) -> None:
        """Remembers the task that runs it."""
        self._task = task

    def end(self, state: OperationState, error: BaseException | None = None, result: object = None) -> None:
        """Ends it; later calls do nothing."""
        if not self.running:
            return
        self.state, self.error, self.result, self.finished = state, error, result, time.time()
        self.changed.emit()
        self.ended.emit()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told >= 0.05:
            self._told, self._pending = now, False
            self.changed.emit()
        elif not self._pending:
            self._pending = True
            asyncio.get_running_loop().call_later(0.05, self._flush)

    def _flush(self) -> None:
        if self._pending and self.running:
            self._pending, self._told = False, time.monotonic()
            self.changed.emit()


class Operations(QObject):
    """Every operation of this run of the program, newest first, at most KEPT ended ones."""

    added = Signal(object)
    changed = Signal(object)
    ended = Signal(object)
    dropped = Signal(object)

    def __init__(self, scope: TaskScope, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scope = scope
        self.items: deque[Operation] = deque()

    @property
    def running(self) -> tuple[Operation, ...]:
        """Those that have not ended."""
        return tuple(o for o in self.items if o.running)

    def clear_ended(self) -> None:
        """Forgets those that have ended."""
        for operation in [o for o in self.items if not o.running]:
            self.items.remove(operation)
            self.dropped.emit(operation)
            operation.deleteLater()

    def start(
        self, title: str, subject: str, line: CommandLine, work: Callable[[Operation], Awaitable[object]]
    ) -> Operation:
        """Runs `work(operation)` as a task; what it returns becomes `operation.result`."""
        operation = Operation(title, subject, line, self)
        operation.changed.connect(lambda: self.changed.emit(operation))
        operation.ended.connect(lambda: self.ended.emit(operation))
        self.items.appendleft(operation)
        self.added.emit(operation)
        self._trim()
        task = self._scope.start(self._run(operation, work), name=f"{title} {subject}")
        if task is None:
            operation.end(OperationState.CANCELLED)
        else:
            operation.attach(task)
        return operation

    async def _run(self, operation: Operation, work: Callable[[Operation], Awaitable[object]]) -> None:
        try:
            result = await work(operation)
        except asyncio.CancelledError:
            operation.end(OperationState.CANCELLED)
            raise
        except Exception as error:
            operation.end(OperationState.FAILED, error)
        else:
            operation.end(OperationState.SUCCEEDED, result=result)

    def _trim(self) -> None:
        while len(self.items) > KEPT and not self.items[-1].running:
            gone = self.items.pop()
            self.dropped.emit(gone)
            gone.deleteLater()
