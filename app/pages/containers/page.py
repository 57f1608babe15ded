"""The Containers page: the list, and the details of one container in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.feeds.containers import ContainerFeeds
from app.pages.containers.list import ContainersList
from app.pages.containers.verbs import ContainerVerbs, OpenUrl, open_in_browser
from app.places import CONTAINERS, RUN, Go, Place
from app.preferences import Preferences
from app.session import EngineState, Phase, Session
from app.theme import Theme
from app.widgets.entries import Entry

if TYPE_CHECKING:
    from app.pages.containers.details import ContainerPage
    from backend.endpoint import Endpoint


class ContainersPage(QWidget):
    """List or details; the details are made anew for each container, and closed when one goes back.

    They are closed too when another engine is used, which has other containers.
    """

    def __init__(
        self,
        theme: Theme,
        session: Session,
        feeds: ContainerFeeds,
        preferences: Preferences,
        go: Go,
        engine_button: Callable[[], QWidget],
        parent: QWidget | None = None,
        *,
        open_url: OpenUrl = open_in_browser,
    ) -> None:
        super().__init__(parent)
        self._theme, self._session, self._feeds = theme, session, feeds
        self._preferences, self._go = preferences, go
        self.verbs = ContainerVerbs(theme, session, go, self, open_url=open_url)
        self.list = ContainersList(theme, session, feeds, preferences, go, engine_button, self.verbs)
        self.list.opened.connect(lambda key, tab: go(Place(CONTAINERS, key, tab)))
        self.details: ContainerPage | None = None
        self._where: Endpoint | None = None
        session.state_changed.connect(self._on_state)
        session.stores.containers.changed.connect(lambda _delta: self._follow_ports())
        self._follow_ports()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.list)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.stack)

    def show_place(self, place: Place) -> None:
        """Goes to the list and gives it the keyboard, or to a container by id (or name) and a tab of it."""
        row = self._session.stores.containers.get(place.id)
        if row is None and place.id:
            rows = self._session.stores.containers.values.values()
            row = next((r for r in rows if place.id in (r.name, r.id[:12])), None)
        if row is None:
            self._close_details()
            self.list.table.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if self.details is None or self.details.container_id != row.id:
            from app.pages.containers.details import ContainerPage  # Late: the list does not wait for its parts.

            self._close_details()
            self._where = self._session.state.endpoint
            self.details = ContainerPage(
                self._theme, self._session, self._feeds, self._preferences, self._go, self.verbs, row
            )
            self.stack.addWidget(self.details)
        self.stack.setCurrentWidget(self.details)
        self.details.show_tab(place.tab)

    def in_hand(self) -> list[Entry]:
        """What can be done with the open container, or with the ticked ones, or with the focused one."""
        if self.details is not None:
            return [*self.verbs.entries([self.details.container_id]), *self.details.entries()]
        return self.verbs.entries(self.list.in_hand())

    def focus_search(self) -> None:
        """Puts the keyboard into the search field of what is shown."""
        if self.details is not None:
            self.details.focus_search()
        else:
            self.list.focus_search()

    def primary(self) -> None:
        """What Ctrl N does here."""
        self._go(Place(RUN))

    def _follow_ports(self) -> None:
        state, rows = self._session.state, self._session.stores.containers.values.values()
        self._feeds.ports.follow(state.endpoint if state.phase is Phase.CONNECTED else None, rows)

    def _on_state(self, state: EngineState) -> None:
        self._follow_ports()
        if self.details is None or state.endpoint is None or state.endpoint == self._where:
            return
        if self.isVisible():
            self._go(Place(CONTAINERS))
        else:
            self._close_details()

    def _close_details(self) -> None:
        self.stack.setCurrentWidget(self.list)
        if self.details is not None:
            from app.pages.containers.logs import LogsTab

            self.stack.removeWidget(self.details)
            self.details.hide()
            for logs in self.details.findChildren(LogsTab):
                logs.close_feed()
            self.details.deleteLater()
            self.details = None
