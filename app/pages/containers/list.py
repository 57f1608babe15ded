"""The list of containers: search, segments, groups, the table, the selection, and what stands there when empty."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.feeds.containers import ContainerFeeds
from app.models.containers import COLUMNS, SEGMENTS, STANDALONE, Facts, Shape, age_cell, counts, groups, totals
from app.models.rows import RowsModel
from app.pages.containers.live import LiveRows
from app.pages.containers.reasons import Reasons
from app.pages.containers.selection import ContainerSelection
from app.pages.containers.verbs import ContainerVerbs
from app.places import RUN, Go, Place
from app.preferences import Preferences
from app.presentation.containers import is_running
from app.presentation.units import bytes_text, percent_text
from app.session import EngineState, Phase, Session
from app.theme import Theme
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Hairline
from app.widgets.cells import MORE, RowAction
from app.widgets.menus import Menu
from app.widgets.segments import Segments
from app.widgets.states import EmptyState, Skeleton
from app.widgets.table import Table
from app.widgets.text import visible_name
from app.widgets.topbar import TopBar
from backend import system
from backend.types.containers import ContainerSummary
from backend.types.system import SystemState

AGES_MS = 15_000


class ContainersList(QWidget):
    """Every container of the engine in use. `opened(id, tab)` asks for the details of one."""

    opened = Signal(str, str)

    def __init__(
        self,
        theme: Theme,
        session: Session,
        feeds: ContainerFeeds,
        preferences: Preferences,
        go: Go,
        engine_button: Callable[[], QWidget],
        verbs: ContainerVerbs,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._session, self._feeds = theme, session, feeds
        self._preferences, self._go, self._verbs = preferences, go, verbs
        self._store = session.stores.containers
        self._memory = 0
        self._grouped = preferences.get("containers/grouped", True)
        self._dirty = True
        self.reasons = Reasons(session, self)
        self._build(engine_button)
        self.live = LiveRows(self.table, self.model, self._store, feeds, self._facts)
        self._ages = QTimer(self, interval=AGES_MS)
        self._ages.timeout.connect(self._on_ages)
        self._connect()
        self._bind_keys()
        self._on_state_changed(session.state)
        self.refresh()

    # How it is built

    def _build(self, engine_button: Callable[[], QWidget]) -> None:
        theme = self._theme
        self.topbar = TopBar(theme, "Containers")
        self.search = self.topbar.add_search("Search containers")
        self.run_button = Button(theme, "Run…", "play", "primary")
        for widget in (engine_button(), self.run_button):
            self.topbar.add_widget(widget)
        self.segments = Segments(theme, SEGMENTS)
        self.segments.setAccessibleName("Which containers")
        self.grouping = Button(theme, "", "list-tree", "ghost", trailing="chevron-down")
        self.columns = IconButton(theme, "columns-3", "Columns")
        self.model = RowsModel(COLUMNS, self)
        self.table = Table(
            theme, self.model, name="Containers", actions=self._row_actions, preferences=self._preferences,
            memory="containers",
        )  # fmt: skip
        if not self.table.sort_column:
            self.table.sort_by("name")
        self.empty = EmptyState(
            theme, "container", "No containers yet", "A container runs a program from an image, apart from the rest.",
            "Run…", lambda: self._go(Place(RUN)),
        )  # fmt: skip
        self.nothing = EmptyState(theme, "search", "", "", "Clear search", self._on_clear)
        self.waiting = Skeleton(theme, 8)
        self.stack = QStackedWidget()
        for page in (self.table, self.nothing, self.waiting, self.empty):
            self.stack.addWidget(page)
        self.selection = ContainerSelection(theme, self.stack)
        self.toolbar = QWidget()
        self.toolbar.setFixedHeight(theme.height("toolbar") - 1)
        bar = QHBoxLayout(self.toolbar)
        bar.setContentsMargins(16, 0, 16, 0)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        bar.addWidget(self.grouping)
        bar.addWidget(self.columns)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        for part in (self.topbar, self.toolbar, Hairline(theme)):
            whole.addWidget(part)
        whole.addWidget(self.stack, 1)
        self._tell_grouping()

    def _connect(self) -> None:
        self._store.changed.connect(lambda _delta: self.refresh())
        self._store.stale_changed.connect(lambda _stale: self.refresh())
        self._session.state_changed.connect(self._on_state_changed)
        self.reasons.changed.connect(self.refresh)
        self._feeds.ports.changed.connect(self.refresh)
        self.search.changed.connect(lambda _text: self.refresh())
        self.segments.chosen.connect(lambda _key: self.refresh())
        self.grouping.clicked.connect(self._on_grouping)
        self.columns.clicked.connect(self._on_columns)
        self.run_button.clicked.connect(lambda: self._go(Place(RUN)))
        self.table.sorted.connect(lambda _column, _down: self.refresh())
        self.table.opened.connect(lambda key: self.opened.emit(key, ""))
        self.table.action.connect(lambda key, name: self._verbs.run(name, [key]))
        self.table.chip_pressed.connect(self._on_chip)
        self.table.menu_wanted.connect(self._on_menu)
        self.table.ticked.connect(lambda _keys: self._show_selection())
        self.table.folded.connect(
            lambda _key, _on: self._preferences.set("containers/folded", sorted(self.model.folded))
        )
        self.selection.pressed.connect(self._on_selection_verb)
        self.selection.closed.connect(lambda: self.table.set_ticks(()))
        self.live.ticked.connect(self._on_ticked)
        folded = self._preferences.get("containers/folded", list[str]())
        self.model.set_all_folded(str(key) for key in folded)

    def _bind_keys(self) -> None:
        self._verbs.bind_keys(self.table, self._focused, self._open_focused, self.in_hand)

    # What is shown

    def focus_search(self) -> None:
        """Puts the keyboard into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def refresh(self) -> None:
        """Shows what the store holds; waits while nobody looks."""
        if not self.isVisible() and self.model.rowCount():
            self._dirty = True
            return
        self._dirty = False
        rows = list(self._store.values.values())
        self.reasons.look(rows)
        facts = self._facts()
        shape = Shape(
            self.search.text().strip(), self.segments.current(), self._grouped, self.table.sort_column or "name",
            self.table.descending,
        )  # fmt: skip
        shown = groups(rows, shape, facts)
        self.live.members = self._members(rows) if self._grouped else {}
        self.model.set_rows(shown)
        self.segments.set_counts(counts(rows, self.reasons.values))
        self._show_page(bool(rows), any(group.rows for group in shown))
        self._show_totals()
        self._show_selection()
        self._feeds.stats.forget(key for key in self._feeds.stats.known() if key not in self._store.values)

    @staticmethod
    def _members(rows: list[ContainerSummary]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(f"project:{row.project}" if row.project else STANDALONE, []).append(row.id)
        return {key: tuple(ids) for key, ids in found.items()}

    def _facts(self) -> Facts:
        live = getattr(self, "live", None)
        if live is None:
            return Facts(time.time(), reasons=self.reasons.values, memory=self._memory)
        troubles = self._feeds.ports.found
        return Facts(time.time(), live.use, self.reasons.values, self._memory, live.scale, self._store.stale, troubles)

    def _show_page(self, some: bool, found: bool) -> None:
        if not self._store.loaded:
            self.stack.setCurrentWidget(self.waiting)
        elif not some:
            self.stack.setCurrentWidget(self.empty)
        elif found:
            self.stack.setCurrentWidget(self.table)
        else:
            text = self.search.text().strip()
            title = f"No containers match “{visible_name(text, 60)}”" if text else "No containers here"
            self.nothing.set("search", title, "", "Clear search" if text else "Show all")
            self.stack.setCurrentWidget(self.nothing)

    def _show_totals(self) -> None:
        running = tuple(row.id for row in self._store.values.values() if is_running(row))
        self.topbar.set_totals(self.live.parts(running) if self._store.loaded else [])

    def _show_selection(self) -> None:
        keys = self._ticked()
        rows = self._verbs.rows(keys)
        self.selection.show_selection(
            len(keys), self._selection_words(keys), lambda verb: self._verbs.why_not(verb, rows)
        )

    def _selection_words(self, keys: list[str]) -> str:
        cpu, memory = totals(self.live.use(key).sample for key in keys)
        words = [f"CPU {percent_text(cpu)}"] if cpu is not None else []
        return " · ".join(words + ([bytes_text(memory)] if memory is not None else []))

    def _row_actions(self, key: str) -> tuple[RowAction, ...]:
        rows = self._verbs.rows([key])
        cannot_stop, cannot_start = self._verbs.why_not("stop", rows), self._verbs.why_not("start", rows)
        if cannot_stop and not cannot_start:
            first = RowAction("start", "play", "Start", "S")
        else:
            first = RowAction("stop", "square", "Stop", "S", not cannot_stop, cannot_stop)
        why = self._verbs.why_not("restart", rows)
        return first, RowAction("restart", "rotate-cw", "Restart", "R", not why, why), MORE

    # What happens

    def showEvent(self, event: QShowEvent) -> None:
        """Catches up and begins to sample."""
        super().showEvent(event)
        if self._dirty:
            self.refresh()
        self._ages.start()
        self._on_ages()
        self.window().installEventFilter(self)
        self._set_live(not self.window().isMinimized())

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops sampling."""
        super().hideEvent(event)
        self._ages.stop()
        self.window().removeEventFilter(self)
        self._set_live(False)

    def eventFilter(self, _watched: object, event: QEvent) -> bool:
        """A minimised window is not looked at."""
        if event.type() is QEvent.Type.WindowStateChange:
            self._set_live(self.isVisible() and not self.window().isMinimized())
        return False

    def _set_live(self, on: bool) -> None:
        self.live.set_on(on)
        self._feeds.totals.set_active(on)

    def _on_ticked(self) -> None:
        self._show_totals()
        if keys := self._ticked():
            self.selection.set_detail(self._selection_words(keys))

    def _on_ages(self) -> None:
        facts = self._facts()
        self.model.update_cells({key: {"age": age_cell(row, facts)} for key, row in self._store.values.items()})
        self.reasons.look(self._store.values.values())
        self._show_totals()

    def _on_state_changed(self, state: EngineState) -> None:
        if state.phase is Phase.CONNECTED:
            self._session.ask(lambda engine: system.info(engine), self._on_system, lambda _error: None, owner=self)
        elif state.phase is Phase.NONE:
            self._feeds.totals.forget()
        if hasattr(self, "live"):
            self._show_selection()

    def _on_system(self, found: SystemState) -> None:
        self._memory = found.mem_total
        self.refresh()

    def in_hand(self) -> list[str]:
        """The ticked containers, or the focused one."""
        return self._ticked() or self._focused()

    def _focused(self) -> list[str]:
        return [self.table.current_key] if self.table.current_key else []

    def _ticked(self) -> list[str]:
        return [key for key in self.model.all_keys() if key in self.table.ticks.keys]

    def _open_focused(self, tab: str) -> None:
        for key in self._focused():
            self.opened.emit(key, tab)

    def _on_chip(self, key: str, _column: str, at: int) -> None:
        for row in self._verbs.rows([key]):
            self._verbs.open_port(row, at)

    def _on_menu(self, keys: list[str], point: QPoint) -> None:
        self._verbs.menu(keys, point)

    def _on_selection_verb(self, verb: str) -> None:
        self._verbs.run(verb, self._ticked())

    def _on_clear(self) -> None:
        self.search.clear()
        self.segments.set_current("all")
        self.refresh()

    def _tell_grouping(self) -> None:
        self.grouping.setText("Group by project" if self._grouped else "No groups")

    def _on_grouping(self) -> None:
        menu = Menu(self._theme, self, once=True)
        menu.add("list-tree", "Group by project", "", partial(self._group, True), checked=self._grouped)
        menu.add("list", "No groups", "", partial(self._group, False), checked=not self._grouped)
        menu.popup_under(self.grouping, right=True)

    def _group(self, grouped: bool) -> None:
        self._grouped = grouped
        self._preferences.set("containers/grouped", grouped)
        self._tell_grouping()
        self.refresh()

    def _on_columns(self) -> None:
        menu = Menu(self._theme, self, once=True)
        layout = self.table.layout_of_columns
        for column in COLUMNS:
            if column.optional:
                hidden = layout.choices.hides(column)
                menu.add("", column.name, "", partial(layout.set_shown, column.key, hidden), checked=not hidden)
        menu.separator()
        menu.add("undo-2", "Reset columns", "", layout.reset)
        menu.popup_under(self.columns, right=True)
