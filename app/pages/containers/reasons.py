"""Reasons: why containers are in trouble, asked of the engine for those alone, a few at a time, and remembered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal

from app.presentation.containers import Reason, reason_of, state_of, wants_reason
from app.session import Session
from backend import containers
from backend.types.containers import ContainerSummary, Inspected

AT_ONCE: Final = 4
AGAIN_SECONDS: Final = 10.0


class Reasons(QObject):
    """`values` by id. `changed()` when one became known."""

    changed = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self.values: dict[str, Reason] = {}
        self._asked: dict[str, tuple[str, float]] = {}
        self._waiting: deque[str] = deque()
        self._running = 0

    def look(self, rows: Iterable[ContainerSummary]) -> None:
        """Asks about those that are in trouble and not known yet; forgets the others."""
        wanted = {row.id: state_of(row).word for row in rows if wants_reason(row)}
        for key in [k for k in self.values if k not in wanted]:
            del self.values[key]
        for key in [k for k in self._asked if k not in wanted]:
            del self._asked[key]
        now = time.monotonic()
        for key, word in wanted.items():
            asked, at = self._asked.get(key, ("", 0.0))
            settled = word.startswith("Exited") or now - at < AGAIN_SECONDS
            if asked != word or not settled:
                self._asked[key] = (word, now)
                self._waiting.append(key)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and self._running < AT_ONCE:
            key = self._waiting.popleft()
            self._running += 1
            self._session.ask(
                partial(containers.inspect, id=key, deadline=5),
                partial(self._on_found, key),
                lambda _error: self._on_failed(),
                owner=self,
            )

    def _on_found(self, key: str, found: Inspected) -> None:
        self._running -= 1
        reason = reason_of(found.value)
        if key in self._asked and self.values.get(key) != reason:
            self.values[key] = reason
            self.changed.emit()
        self._go_on()

    def _on_failed(self) -> None:
        self._running -= 1
        self._go_on()
