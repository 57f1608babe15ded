"""Ticks: which rows of a table are ticked, and how ranges grow from an anchor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Signal


class Ticks(QObject):
    """A set of row keys; `changed(frozenset)` once for each change."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.keys: frozenset[str] = frozenset()
        self.anchor = ""

    def set(self, keys: Iterable[str]) -> None:
        """Ticks exactly these."""
        fresh = frozenset(keys)
        if fresh != self.keys:
            self.keys = fresh
            self.changed.emit(fresh)

    def toggle(self, keys: Sequence[str]) -> None:
        """Unticks `keys` if all are ticked, else ticks them; the last becomes the anchor of ranges."""
        if not keys:
            return
        self.anchor = keys[-1]
        self.set(self.keys - set(keys) if self.keys.issuperset(keys) else self.keys | set(keys))

    def extend(self, order: Sequence[str], to: str, start: str = "") -> None:
        """Ticks everything from the anchor (or `start`) to `to` in `order`."""
        if self.anchor not in order:
            self.anchor = start or to
        if self.anchor not in order or to not in order:
            return
        first, last = sorted((order.index(self.anchor), order.index(to)))
        self.set(self.keys | set(order[first : last + 1]))

    def keep(self, keys: Iterable[str]) -> None:
        """Drops those that are not in `keys`."""
        if self.keys:
            self.set(self.keys & frozenset(keys))
