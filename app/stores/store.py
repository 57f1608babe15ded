"""Store: the truth about one noun in memory, immutable values by id, changed in one step and told in one signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

V = TypeVar("V")


class Delta(Struct, frozen=True):
    """The ids that came, changed and went in one step. `reset` is set when a snapshot replaced everything."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reset: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.reset)


class Store(QObject, Generic[V]):
    """Values by id. Only app.sync writes; everybody else reads `values` and listens.

    Signals: `changed(Delta)` after a step that changed something (or the first load), `stale_changed(bool)` when the
    engine that filled it went away or came back.
    """

    changed = Signal(object)
    stale_changed = Signal(bool)

    def __init__(self, key: Callable[[V], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._values: dict[str, V] = {}
        self.loaded = False
        self.stale = False

    @property
    def values(self) -> Mapping[str, V]:
        """A read-only view, in the order of the engine."""
        return MappingProxyType(self._values)

    def get(self, key: str) -> V | None:
        """One value, or None."""
        return self._values.get(key)

    def replace(self, values: Iterable[V]) -> Delta:
        """A snapshot: everything not in it is gone."""
        new = {self._key(v): v for v in values}
        old, self._values = self._values, new
        first, self.loaded = not self.loaded, True
        delta = Delta(
            tuple(k for k in new if k not in old),
            tuple(k for k, v in new.items() if k in old and old[k] != v),
            tuple(k for k in old if k not in new),
            reset=first,
        )
        self.mark_stale(False)
        self._tell(delta)
        return delta

    def apply(self, upserts: Iterable[V] = (), removals: Iterable[str] = ()) -> Delta:
        """A few values that came or changed, and ids that went."""
        added: list[str] = []
        changed: list[str] = []
        for value in upserts:
            key = self._key(value)
            if key not in self._values:
                added.append(key)
            elif self._values[key] != value:
                changed.append(key)
            else:
                continue
            self._values[key] = value
        removed = [k for k in removals if self._values.pop(k, None) is not None]
        delta = Delta(tuple(added), tuple(changed), tuple(removed))
        self._tell(delta)
        return delta

    def clear(self) -> None:
        """Forgets everything, e.g. because another engine is used now."""
        removed = tuple(self._values)
        self._values = {}
        self.loaded = False
        self.mark_stale(False)
        self._tell(Delta(removed=removed, reset=True))

    def mark_stale(self, stale: bool) -> None:
        """Says that the values are what was last known (True) or what is (False)."""
        if stale != self.stale:
            self.stale = stale
            self.stale_changed.emit(stale)

    def _tell(self, delta: Delta) -> None:
        if delta:
            self.changed.emit(delta)


AnyStore = Store[Any]
