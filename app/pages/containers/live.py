"""LiveRows: keeps the numbers of the container list moving, for the rows that are on screen and no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from shiboken6 import isValid

from app.feeds.containers import ContainerFeeds
from app.feeds.stats import STALE_SECONDS
from app.models.containers import Facts, Use, cpu_cell, memory_cell, scale_of, sums, totals
from app.models.rows import RowsModel
from app.presentation.units import age_text, bytes_text, percent_text
from app.stores.store import Store
from app.widgets.cells import Cell
from app.widgets.table import Table
from backend.types.containers import ContainerSummary

SETTLE_MS: Final = 250
"""Scrolling opens no stream before it has come to rest."""
YOUNG_SECONDS: Final = 45
LAPSE_MS: Final = int(STALE_SECONDS * 1000) + 200
"""Where no row on screen is sampled any more, the sums are soon those of the last round, and are shown with its age."""


class LiveRows(QObject):
    """Watches what the table shows. `ticked()` after numbers changed, `totals_words()` says them together."""

    ticked = Signal()

    def __init__(
        self,
        table: Table,
        model: RowsModel,
        store: Store[ContainerSummary],
        feeds: ContainerFeeds,
        facts: Callable[[], Facts],
    ) -> None:
        super().__init__(table)
        self._table, self._model, self._store, self._feeds, self._facts = table, model, store, feeds, facts
        self._shown: tuple[str, ...] = ()
        self._on = False
        self.scale = scale_of(())
        self.members: Mapping[str, tuple[str, ...]] = {}
        self._settle = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self._watch)
        self._lapse = QTimer(self, interval=LAPSE_MS, singleShot=True)
        self._lapse.timeout.connect(self.ticked)
        feeds.stats.ticked.connect(self._on_ticked)
        feeds.totals.changed.connect(self._on_totals)
        model.rows_changed.connect(self._settle.start)
        table.verticalScrollBar().valueChanged.connect(lambda _value: self._settle.start())
        table.viewport().installEventFilter(self)

    def set_on(self, on: bool) -> None:
        """Whether somebody can see the table."""
        self._on = on
        if on:
            self._settle.start()
        else:
            self._settle.stop()
            self._lapse.stop()
            self._feeds.stats.watch(())

    def use(self, key: str) -> Use:
        """The live sample of a container, or the last of the rounds over all when that is young."""
        sample = self._feeds.stats.latest(key)
        if sample is None and time.time() - self._feeds.totals.at < YOUNG_SECONDS:
            sample = self._feeds.totals.samples.get(key)
        return Use(sample, self._feeds.stats.history(key))

    def parts(self, running: tuple[str, ...]) -> list[tuple[str, bool]]:
        """The words of the header: how many run and what they use together, with its age when it is not live.

        None of them is strong while the engine is gone: they say what was last known.
        """
        cpu, memory = totals(self.use(key).sample for key in running)
        parts = [(f"{len(running):,}", True), (" running", False)]
        if cpu is not None:
            parts += [(" · CPU ", False), (percent_text(cpu, 0), True)]
        if memory is not None:
            parts += [(" · ", False), (bytes_text(memory), True)]
            live = any(self._feeds.stats.latest(key) is not None for key in running)
            if not live:
                parts.append((f" · {age_text(time.time() - self._feeds.totals.at)} ago", False))
        return [(words, False) for words, _strong in parts] if self._store.stale else parts

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Another size shows other rows."""
        if event.type() is QEvent.Type.Resize:
            self._settle.start()
        return False

    def _visible(self) -> tuple[str, ...]:
        table = self._table
        first = table.indexAt(table.viewport().rect().topLeft())
        last = table.indexAt(table.viewport().rect().bottomLeft())
        top = first.row() if first.isValid() else 0
        bottom = last.row() if last.isValid() else self._model.rowCount() - 1
        keys = (self._model.key(row) for row in range(top, bottom + 1))
        return tuple(key for key in keys if self._store.get(key) is not None)

    def _watch(self) -> None:
        if not self._on or not isValid(self._table):
            return
        self._shown = self._visible()
        rows = ((key, self._store.get(key)) for key in self._shown)
        alive = [key for key, row in rows if row is not None and row.state in ("running", "paused")]
        self._feeds.stats.watch(alive)
        if alive:
            self._lapse.stop()
        else:
            self._lapse.start()

    def _on_ticked(self, fresh: frozenset[str]) -> None:
        if not self._on:
            return
        scale = scale_of(self._feeds.stats.history(key) for key in self._shown)
        keys = self._shown if scale != self.scale else [key for key in self._shown if key in fresh]
        self.scale = scale
        self._update(keys)

    def _on_totals(self) -> None:
        if self._on:
            self._update(self._model.all_keys())

    def _update(self, keys: tuple[str, ...] | list[str]) -> None:
        facts = self._facts()
        if facts.stale:
            return  # The rows show what was last known, faded.
        changes: dict[str, dict[str, Cell]] = {}
        for key in keys:
            row = self._store.get(key)
            if row is not None:
                use = self.use(key)
                changes[key] = {"cpu": cpu_cell(row, use, facts), "memory": memory_cell(row, use, facts)}
        self._model.update_cells(changes)
        self._model.update_sums({group: sums(members, facts) for group, members in self.members.items()})
        self.ticked.emit()
