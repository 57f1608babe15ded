"""The details of one container: its header, its verbs, and its tabs, each made when first shown."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.commands.ownership import ownership_notice, refused_mount
from app.feeds.containers import ContainerFeeds
from app.notices import Notice, notice_for
from app.pages.containers.header import ContainerHeader
from app.pages.containers.inspect import InspectTab
from app.pages.containers.logs import LogsTab
from app.pages.containers.overview import OverviewTab
from app.pages.containers.stats import StatsTab
from app.pages.containers.verbs import GONE, ContainerVerbs
from app.places import CONTAINERS, IMAGES, Go, Place
from app.preferences import Preferences
from app.presentation.containers import reason_of
from app.session import EngineState, Phase, Session
from app.stores.store import Delta
from app.theme import Theme
from app.widgets.cards import Hairline
from app.widgets.entries import Entry
from app.widgets.segments import Tabs
from app.widgets.shortcuts import bind
from app.widgets.states import EmptyState, Skeleton
from backend import containers
from backend.errors import EngineGone, EngineUnreachable, NotFound
from backend.types.containers import ContainerSummary, Inspected, Mount
from backend.types.system import Event

TABS = (("logs", "Logs"), ("stats", "Stats"), ("inspect", "Inspect"), ("overview", "Overview"))
SETTLE_MS = 150
AGES_MS = 10_000


class ContainerPage(QWidget):
    """Follows its container in the store; stays readable when the container is removed."""

    def __init__(
        self,
        theme: Theme,
        session: Session,
        feeds: ContainerFeeds,
        preferences: Preferences,
        go: Go,
        verbs: ContainerVerbs,
        row: ContainerSummary,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._session, self._feeds = theme, session, feeds
        self._preferences, self._go, self._verbs = preferences, go, verbs
        self._row = row
        self.container_id = row.id
        self._found: Inspected | None = None
        self._problem: Notice | None = None
        self._tab = ""
        self._made: dict[str, QWidget] = {}
        self.header = ContainerHeader(theme)
        self.tabs = Tabs(theme, TABS)
        self.tabs.setAccessibleName("Parts of the container")
        self.stack = QStackedWidget()
        self.waiting = Skeleton(theme, 6)
        self.silent = EmptyState(theme, "circle-alert", "")
        self.silent.pressed.connect(self._ask)
        self.stack.addWidget(self.waiting)
        self.stack.addWidget(self.silent)
        self._ask_again = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._ask_again.timeout.connect(self._ask)
        self._ages = QTimer(self, interval=AGES_MS)
        self._ages.timeout.connect(self._on_ages)
        feeds.ports.changed.connect(self._on_ports)
        self._lay_out()
        self._connect()
        self._show_header()
        self._ask()

    def _lay_out(self) -> None:
        strip = QHBoxLayout()
        strip.setContentsMargins(16, 0, 16, 0)
        strip.addWidget(self.tabs)
        strip.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.header)
        whole.addLayout(strip)
        whole.addWidget(Hairline(self._theme))
        whole.addWidget(self.stack, 1)

    def _connect(self) -> None:
        self._session.stores.containers.changed.connect(self._on_store_changed)
        self._session.state_changed.connect(self._on_state_changed)
        self._session.happened.connect(self._on_happened)
        self.tabs.chosen.connect(self.show_tab)
        header = self.header
        header.back.clicked.connect(self._leave)
        header.left.connect(self._leave)
        header.verb.connect(lambda verb: self._verbs.run(verb, [self.container_id]))
        header.port_pressed.connect(lambda at: self._verbs.open_port(self._row, at))
        header.image_pressed.connect(lambda: self._go(Place(IMAGES, self._row.image_id or self._row.image)))
        header.copy_id.connect(lambda: self._verbs.copy(self.container_id))
        header.menu_wanted.connect(lambda point: self._verbs.menu([self.container_id], point))
        self._verbs.bind_keys(self, lambda: [self.container_id], self.show_tab)
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+Tab": lambda: self.tabs.step(1),
            "Ctrl+Shift+Tab": lambda: self.tabs.step(-1),
        }
        for key, act in keys.items():
            bind(self, key, act, window=False)

    # What is shown

    def show_tab(self, tab: str) -> None:
        """Shows a tab by its key; the last one for an empty key."""
        keys = [key for key, _ in TABS]
        wanted = tab if tab in keys else self._tab or "logs"
        self._tab = wanted
        self.tabs.set_current(wanted)
        self._page(wanted)
        self._show_page()
        self._fill(wanted)

    def entries(self) -> list[Entry]:
        """What can be done in the tab in view."""
        page = self._made.get(self._tab)
        return page.entries() if isinstance(page, LogsTab) else []

    def focus_search(self) -> None:
        """Puts the keyboard into the search field of the tab in view."""
        page = self._made.get(self._tab)
        if isinstance(page, InspectTab | LogsTab):
            page.focus_search()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc goes back to the list, unless a field had use for it."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Catches up with what happened meanwhile."""
        super().showEvent(event)
        self._ages.start()
        self._ask_again.start()

    def _page(self, tab: str) -> QWidget | None:
        """The widget of a tab, made now if need be; None for logs before the engine told about the terminal."""
        if tab not in self._made:
            made = self._make(tab)
            if made is None:
                return None
            self._made[tab] = made
            self.stack.addWidget(made)
        return self._made[tab]

    def _make(self, tab: str) -> QWidget | None:
        if tab == "stats":
            return StatsTab(self._theme, self._session, self._feeds, self._preferences, self.container_id)
        if tab == "inspect":
            return InspectTab(self._theme, self._verbs.copy)
        if tab == "overview":
            return OverviewTab(self._theme, self._verbs.copy)
        if self._found is None:
            return None
        tty, log = self._found.value.config.tty, self._found.value.host_config.log_config
        return LogsTab(self._session, self._theme, self.container_id, self._row.name, tty, self._preferences, log=log)

    def _fill(self, tab: str) -> None:
        page = self._made.get(tab)
        if self._found is None:
            return
        if isinstance(page, InspectTab):
            page.show_raw(self._found.raw)
        elif isinstance(page, OverviewTab):
            page.show_details(self._found.value, self._feeds.ports.found)

    def _show_page(self) -> None:
        """The tab that was chosen; until the engine told about the container, why it is not there."""
        page: QWidget | None = self._made.get(self._tab)
        if self._found is None and not isinstance(page, StatsTab):
            page = self.waiting
            if self._session.stores.containers.stale:
                self.silent.set("circle-alert", GONE, "The container is read once it is back.")
                page = self.silent
            elif self._problem is not None:
                self.silent.set("circle-alert", self._problem.title, self._problem.detail, "Try again")
                page = self.silent
        if page is not None:
            self.stack.setCurrentWidget(page)

    def _ask(self) -> None:
        if self._present():
            self._session.ask(
                lambda engine: containers.inspect(engine, self.container_id),
                self._on_inspected,
                self._on_not_inspected,
                owner=self,
            )

    def _on_not_inspected(self, error: BaseException) -> None:
        """Told once where nothing is on screen yet; the header says when it is gone, the banner when the engine is."""
        if self._found is None and not isinstance(error, NotFound | EngineGone | EngineUnreachable):
            told, self._problem = self._problem is not None, notice_for(error, "show", self._row.name)
            if not told:
                self._session.notice(self._problem)
            self._show_page()

    def _on_inspected(self, found: Inspected) -> None:
        first, self._found = self._found is None, found
        self._show_header()
        if first:
            self.show_tab(self._tab)
            self._ask_why(found)
        else:
            self._fill(self._tab)

    def _ask_why(self, found: Inspected) -> None:
        """Of one that failed: whether it was for a folder of this computer that it wanted to own."""
        if found.value.state.exit_code and not found.value.state.running:
            self._session.ask(
                lambda engine: refused_mount(engine, found.value), self._on_refused, lambda _error: None, owner=self
            )

    def _on_refused(self, mount: Mount | None) -> None:
        if mount is not None:
            self._session.notice(ownership_notice(self._row.name, mount))

    def _on_store_changed(self, delta: Delta) -> None:
        row = self._session.stores.containers.get(self.container_id)
        if row is not None and row != self._row:
            self._row = row
            self._ask_again.start()
        if self.container_id in delta.removed or self.container_id in delta.changed or delta.reset:
            self._show_header()

    def _on_happened(self, events: tuple[Event, ...]) -> None:
        """Of a network that it joins or leaves the engine tells in the network's name; its row stays the same."""
        ids = ((e.actor.attributes or {}).get("container") for e in events if e.type == "network")
        if self.container_id in ids:
            self._ask_again.start()

    def _on_state_changed(self, state: EngineState) -> None:
        if state.phase is Phase.CONNECTED:
            self._ask_again.start()
        self._show_header()
        self._show_page()

    def _present(self) -> bool:
        return self._session.stores.containers.get(self.container_id) is not None

    def _show_header(self) -> None:
        details = self._found.value if self._found is not None else None
        reason = reason_of(details) if details is not None else None
        self.header.show_container(
            self._row,
            details,
            reason,
            time.time(),
            gone=not self._present(),
            stale=self._session.stores.containers.stale,
            troubles=self._feeds.ports.found,
            why_not=lambda verb: self._verbs.why_not(verb, self._verbs.rows([self.container_id])),
        )

    def _on_ages(self) -> None:
        self._show_header()
        if self._tab == "overview":
            self._fill("overview")

    def _on_ports(self) -> None:
        self._show_header()
        self._fill("overview")

    def _leave(self) -> None:
        self._go(Place(CONTAINERS))
