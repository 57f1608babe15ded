"""The window: sidebar, banner, one page at a time, dialogs and toasts above them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QByteArray, QEvent, Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app import places
from app.places import Place
from app.preferences import Preferences
from app.theme import Theme
from app.widgets.banners import Banner
from app.widgets.entries import Entry
from app.widgets.overlay import Overlay, is_covered, overlays
from app.widgets.shortcuts import bind
from app.widgets.sidebar import NavEntry, Sidebar
from app.widgets.toasts import Toasts

RAIL_BELOW = 1080
SMALLEST = (900, 600)
FIRST_SIZE = (1280, 800)
NAV = (
    NavEntry(places.CONTAINERS, "container", "Containers", "Ctrl 1"),
    NavEntry(places.IMAGES, "layers", "Images", "Ctrl 2"),
    NavEntry(places.BUILDS, "hammer", "Builds", "Ctrl 3"),
    NavEntry(places.ACTIVITY, "activity", "Activity", "Ctrl 4"),
)
FOOT = (
    NavEntry(places.MACHINE, "monitor", "Machine"),
    NavEntry(places.SETTINGS, "settings", "Settings", "Ctrl ,"),
)


@runtime_checkable
class ShowsPlaces(Protocol):
    """A page that can go to a thing of its own, or to a tab of it."""

    def show_place(self, place: Place) -> None:
        """Goes there."""


@runtime_checkable
class Searches(Protocol):
    """A page with a search field."""

    def focus_search(self) -> None:
        """Puts the keyboard there."""


@runtime_checkable
class HoldsThings(Protocol):
    """A page with things that are open, ticked or focused."""

    def in_hand(self) -> list[Entry]:
        """What can be done with them, as in their menu."""


@runtime_checkable
class HasPrimary(Protocol):
    """A page with something to make."""

    def primary(self) -> None:
        """Does what its primary button does."""


PageFactory = Callable[[], QWidget]
DialogOpener = Callable[[Place], None]


class MainWindow(QWidget):
    """The only window. `close_asked()` instead of closing: the composition root decides.

    `pages` makes a page when it is first shown; `dialogs` opens what lies over a page, by the key of its place.
    """

    close_asked = Signal()
    reload_asked = Signal()
    engine_menu_asked = Signal()
    palette_asked = Signal()
    page_changed = Signal(str)
    banner_pressed = Signal()

    def __init__(
        self,
        theme: Theme,
        preferences: Preferences,
        pages: Mapping[str, PageFactory],
        dialogs: Mapping[str, DialogOpener],
    ) -> None:
        super().__init__()
        self._theme, self._preferences = theme, preferences
        self._factories, self._dialogs = dict(pages), dict(dialogs)
        self._made: dict[str, QWidget] = {}
        self._past: list[Place] = []
        self._place = Place(places.CONTAINERS)
        self._onboarding = False
        self.setWindowTitle("Pilothouse")
        self.setObjectName("window")
        self.setMinimumSize(*SMALLEST)
        self.sidebar = Sidebar(theme, NAV, FOOT)
        self.sidebar.chosen.connect(lambda key: self.go(Place(key)))
        self.banner = Banner(theme, "error")
        self.banner.hide()
        self.banner.pressed.connect(self.banner_pressed)
        self.stack = QStackedWidget()
        self.toasts = Toasts(theme, self)
        self._lay_out()
        self._bind_keys()
        self._restore()

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.banner)
        right.addWidget(self.stack, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.sidebar)
        whole.addLayout(right, 1)

    def entries(self) -> list[Entry]:
        """What can be done anywhere, with its key."""

        def page(entry: NavEntry) -> Entry:
            go = partial(self.go, Place(entry.key))
            return Entry(f"Go to {entry.title}", go, entry.icon, entry.shortcut, also="page show")

        shown: object = self.stack.currentWidget()
        find = "" if isinstance(shown, Searches) else "There is nothing to search here"
        return [
            Entry("Run…", partial(self.go, Place(places.RUN)), "play", also="container new create"),
            Entry("Build…", partial(self.go, Place(places.BUILD)), "hammer", "Ctrl B", also="image dockerfile"),
            *(page(entry) for entry in (*NAV, *FOOT)),
            Entry("Search this page", self._on_find, "search", "Ctrl F", find, also="find filter"),
            Entry("Switch engine…", self.engine_menu_asked.emit, "server", "Ctrl E", also="connect docker podman"),
            Entry("Load again", self.reload_asked.emit, "refresh-cw", "F5", also="reload refresh"),
            Entry("Keys", self._on_keys, "keyboard", "F1", also="shortcuts help"),
            Entry("Back", self.back, "chevron-left", "Alt Left", "" if self._past else "This is where you began"),
            Entry("Quit", self.close_asked.emit, "power", "Ctrl Q", also="exit close"),
        ]

    def _bind_keys(self) -> None:
        for entry in self.entries():
            if entry.key:
                bind(self, entry.key.replace(" ", "+"), entry.on_pick, covered=entry.key == "Ctrl Q")
        bind(self, "Ctrl+K", self.palette_asked.emit, covered=True)
        bind(self, "Ctrl+N", self.begin)

    # Where one is

    @property
    def place(self) -> Place:
        """The place in view."""
        return self._place

    def page(self, key: str) -> QWidget:
        """The page with a key, made now if it was never shown."""
        if key not in self._made:
            page = self._factories[key]()
            self._made[key] = page
            self.stack.addWidget(page)
        return self._made[key]

    def go(self, place: Place) -> None:
        """Shows a place; RUN, BUILD and PULL open their dialog over the page in view."""
        if place.page in self._dialogs:
            if not is_covered(self):
                self._dialogs[place.page](place)
            return
        if place != self._place:
            self._past = [*self._past[-49:], self._place]
        self._show(place)

    def back(self) -> None:
        """The place before."""
        if self._past and not is_covered(self):
            self._show(self._past.pop())

    def show_onboarding(self, wanted: bool) -> None:
        """Instead of the pages that need an engine, the page that helps to one."""
        if wanted != self._onboarding:
            self._onboarding = wanted
            self._show(self._place)

    def _show(self, place: Place) -> None:
        self._place = place
        needs_engine = place.page in (places.CONTAINERS, places.IMAGES, places.BUILDS)
        key = places.ONBOARDING if self._onboarding and needs_engine else place.page
        page = self.page(key)
        self.stack.setCurrentWidget(page)
        self.sidebar.set_current(place.page)
        self._preferences.set("window/page", place.page)
        shows: object = page
        if isinstance(shows, ShowsPlaces):
            shows.show_place(place)
        self.page_changed.emit(key)

    def _on_keys(self) -> None:
        if not is_covered(self):
            from app.keysheet import KeySheet

            KeySheet(self._theme, self).open()

    def _on_find(self) -> None:
        page: object = self.stack.currentWidget()
        if isinstance(page, Searches) and not is_covered(self):
            page.focus_search()

    def begin(self) -> None:
        """Opens what the page in view makes something new with."""
        page: object = self.stack.currentWidget()
        if isinstance(page, HasPrimary) and not is_covered(self):
            page.primary()

    # What lasts

    def _restore(self) -> None:
        kept = self._preferences.get("window/geometry", "")
        if not kept or not self.restoreGeometry(QByteArray.fromBase64(kept.encode("ascii", "ignore"))):
            screen = QApplication.primaryScreen().availableSize()
            self.resize(min(FIRST_SIZE[0], screen.width()), min(FIRST_SIZE[1], screen.height()))
        page = self._preferences.get("window/page", places.CONTAINERS)
        self._place = Place(page if page in places.PAGES else places.CONTAINERS)

    def keep(self) -> None:
        """Remembers size and place on the screen."""
        data = self.saveGeometry().toBase64().data()
        self._preferences.set("window/geometry", bytes(data).decode("ascii"))

    def show_start(self) -> None:
        """Shows the page of the last time."""
        self._show(self._place)

    # What Qt asks

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Sidebar or rail."""
        super().resizeEvent(event)
        self.sidebar.set_rail(self.width() < RAIL_BELOW)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is asked for, not done."""
        event.ignore()
        self.close_asked.emit()

    def changeEvent(self, event: QEvent) -> None:
        """A window that is minimised shows nothing: pages that sample pause by their own hideEvent."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and (page := self.stack.currentWidget()) is not None:
            page.setVisible(not self.windowState() & Qt.WindowState.WindowMinimized)

    def dialogs_open(self) -> list[Overlay]:
        """The dialogs that lie over the page, the topmost last."""
        return overlays(self)
