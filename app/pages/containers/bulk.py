"""Bulk: one verb on many containers, a few at a time, told in one sentence at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec.structs import replace
from PySide6.QtCore import QObject

from app.commands.command import Command
from app.notices import Notice, Step, notice_for
from app.operation import Operation, OperationState
from app.presentation.units import plural
from app.session import Session

AT_ONCE: Final = 16
NAMED: Final = 3
"""So many failures are told by name; Activity has the rest."""

T = TypeVar("T")
_PAST: Final = {
    "start": "Started",
    "stop": "Stopped",
    "restart": "Restarted",
    "pause": "Paused",
    "resume": "Resumed",
    "kill": "Killed",
    "remove": "Removed",
}


class Bulk(QObject):
    """Runs the verb on each target as an operation of its own, AT_ONCE at a time; deletes itself after its notice."""

    def __init__(self, session: Session, command: Command[T], targets: Sequence[T], parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._command = command
        self._waiting: deque[T] = deque(targets)
        self._all = len(targets)
        self._running = 0
        self._done = 0
        self._failures: list[tuple[str, BaseException]] = []

    def start(self) -> None:
        """Begins with the first of them."""
        while self._waiting and self._running < AT_ONCE:
            self._run_next()

    def _run_next(self) -> None:
        target = self._waiting.popleft()
        quiet = replace(self._command, done=lambda _target: "")
        self._running += 1
        operation = self._session.run(quiet, target, failed=lambda _error: None)
        if operation.running:
            operation.ended.connect(lambda: self._on_ended(operation))
        else:
            self._on_ended(operation)

    def _on_ended(self, operation: Operation) -> None:
        self._running -= 1
        if operation.state is OperationState.SUCCEEDED:
            self._done += 1
        elif operation.state is OperationState.FAILED and operation.error is not None:
            self._failures.append((operation.subject, operation.error))
        if self._waiting:
            self._run_next()
        elif not self._running:
            self._session.notice(self._notice())
            self.deleteLater()

    def _notice(self) -> Notice:
        past = _PAST.get(self._command.key, self._command.title)
        if self._done == self._all:
            return Notice(f"{past} {plural(self._all, 'container')}", kind="success")
        title = f"{past} {self._done} of {plural(self._all, 'container')}"
        told = [f"{name}: {notice_for(error).detail or error}" for name, error in self._failures[:NAMED]]
        if len(self._failures) > NAMED:
            told.append(f"{len(self._failures) - NAMED} more in Activity")
        return Notice(title, "\n".join(told), Step("Show activity", "show-activity"))
