"""ColumnLayout: keeps the header of a table laid out, and remembers what a person did to it."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHeaderView, QTreeView

from app.preferences import Preferences
from app.theme import Theme
from app.widgets.cellpaint import need
from app.widgets.cells import Group, TableModel
from app.widgets.columns import ACTIONS_WIDTH, BARE_INSET, INSET, TICK_WIDTH, ColumnChoices, widths
from app.widgets.delegate import NARROW, RowDelegate, Section
from app.widgets.tableheader import TableHeader

MOST_MEASURED = 500


class ColumnLayout(QObject):
    """Widths, visibility and sort of the columns of one table."""

    def __init__(
        self,
        view: QTreeView,
        theme: Theme,
        model: TableModel,
        delegate: RowDelegate,
        preferences: Preferences | None,
        memory: str,
        *,
        ticks: bool,
        actions: bool,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._delegate = delegate
        self._preferences = preferences
        self._memory = f"table/{memory}" if memory else ""
        self.lead = INSET + TICK_WIDTH if ticks else BARE_INSET
        self.tail = ACTIONS_WIDTH + INSET if actions else BARE_INSET
        self.choices = ColumnChoices()
        self.header = TableHeader(theme, delegate.ink, model, view)
        self._busy = False
        self._last = (-1, -1)

    def set_up(self) -> None:
        """Reads what was remembered and lays out; the header must be the view's by now."""
        header = self.header
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for fixed in (0, len(self._model.columns) + 1):
            header.setSectionResizeMode(fixed, QHeaderView.ResizeMode.Fixed)
        if self._preferences is not None and self._memory:
            known = {c.key for c in self._model.columns}
            saved: dict[str, object] = self._preferences.get(f"{self._memory}/columns", {"widths": {}, "shown": {}})
            set_widths, shown = saved.get("widths"), saved.get("shown")
            if isinstance(set_widths, dict):
                self.choices.widths = {k: v for k, v in set_widths.items() if k in known and isinstance(v, int)}
            if isinstance(shown, dict):
                self.choices.shown = {k: v for k, v in shown.items() if k in known and isinstance(v, bool)}
            key, descending = self._preferences.get(f"{self._memory}/sort", ""), False
            key, descending = key.removesuffix(" down"), key.endswith(" down")
            if key in known:
                header.set_sort(key, descending)
        header.sectionResized.connect(self._on_section_resized)
        header.fit_wanted.connect(self.fit)
        self.lay_out(force=True)

    def set_sort(self, key: str, descending: bool) -> None:
        """Shows and remembers the sort."""
        self.header.set_sort(key, descending)
        if self._preferences is not None and self._memory:
            self._preferences.set(f"{self._memory}/sort", key + (" down" if descending else ""))

    def set_shown(self, key: str, shown: bool) -> None:
        """Shows or hides a column, and remembers it."""
        self.choices.shown[key] = shown
        self._keep()
        self.lay_out(force=True)

    def reset(self) -> None:
        """Back to the columns as they were made."""
        self.choices = ColumnChoices()
        self._keep()
        self.lay_out(force=True)

    def fit(self, key: str) -> None:
        """Makes a column as wide as its longest text (of the first rows)."""
        at = next(i for i, c in enumerate(self._model.columns) if c.key == key)
        column = self._model.columns[at]
        longest = column.min_width
        section = next((s for s in self._delegate.sections if s.at == at), None)
        for row in range(min(self._model.rowCount(), MOST_MEASURED)):
            entry = self._model.entry(row)
            if section is not None and not isinstance(entry, Group):
                longest = max(longest, need(self._delegate.ink, entry[at], column, section.bar))
        self.choices.widths[key] = longest
        self._keep()
        self.lay_out(force=True)

    def lay_out(self, *, force: bool = False) -> None:
        """Gives every section its width for the window and the room there is now."""
        window, total = self._view.window().width(), self._view.viewport().width()
        if (window, total) == self._last and not force:
            return
        self._last = (window, total)
        columns = self._model.columns
        by_key = widths(columns, self.choices, window, total - self.lead - self.tail)
        self._busy = True
        x = self.lead
        sections = []
        self.header.resizeSection(0, self.lead)
        for at, column in enumerate(columns):
            width = by_key.get(column.key)
            self.header.setSectionHidden(at + 1, width is None)
            if width is not None:
                self.header.resizeSection(at + 1, width)
                sections.append(Section(column, at, x, width, bool(column.bar_width) and window >= column.bar_below))
                x += width
        self.header.resizeSection(len(columns) + 1, max(total - x, self.tail))
        self._busy = False
        self._delegate.sections = sections
        self._delegate.narrow = window < NARROW
        self.header.bars = {s.column.key for s in sections if s.bar}
        self._view.viewport().update()

    def _on_section_resized(self, section: int, _old: int, new: int) -> None:
        column = self.header.column_of(section)
        if self._busy or column is None or new == 0:
            return
        lost = column.bar_width if self._view.window().width() < column.bar_below else 0
        self.choices.widths[column.key] = max(new, column.min_width) + lost
        self._keep()
        self.lay_out(force=True)

    def _keep(self) -> None:
        if self._preferences is not None and self._memory:
            self._preferences.set(
                f"{self._memory}/columns", {"widths": self.choices.widths, "shown": self.choices.shown}
            )
