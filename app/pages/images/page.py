"""The Images page: the list at the left, the chosen image at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.models.images import (
    COLUMNS,
    ImageRow,
    chosen,
    freed,
    ordered,
    rows_of,
    size_of,
    table_rows,
    unused,
    users_by_image,
)
from app.models.rows import RowsModel
from app.pages.images.detail import ImageDetail
from app.pages.images.verbs import ImageVerbs
from app.places import PULL, Go, Place
from app.preferences import Preferences
from app.presentation import bytes_text, count_text
from app.session import Session
from app.theme import Theme
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Hairline
from app.widgets.cells import RowAction
from app.widgets.entries import Entry
from app.widgets.menus import Menu
from app.widgets.segments import Segments
from app.widgets.selectionbar import SelectionBar
from app.widgets.shortcuts import bind
from app.widgets.states import EmptyState, Skeleton
from app.widgets.table import Table
from app.widgets.topbar import TopBar
from backend.types.images import ImageSummary

LIST_WIDTH = 376
BOTH_FROM = 908
"""Width of the page (window less rail) from which list and details stand side by side: a window of 960."""


class ImagesPage(QWidget):
    """List, details and dialogs of images."""

    def __init__(
        self,
        theme: Theme,
        session: Session,
        preferences: Preferences,
        go: Go,
        engine_button: Callable[[], QWidget],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._session, self._preferences, self._go = theme, session, preferences, go
        self.verbs = ImageVerbs(theme, session, go, self)
        self.holdings = self.verbs.holdings
        self._rows: list[ImageRow] = []
        self._by_key: dict[str, ImageRow] = {}
        self._chosen = self._in_view = ""
        self.topbar = TopBar(theme, "Images")
        self.search = self.topbar.add_search("Search images")
        self.topbar.add_widget(engine_button())
        self.clean_up = Button(theme, "Clean up…", "trash-2")
        self.more = IconButton(theme, "ellipsis", "More for images", kind="default")
        self.pull = Button(theme, "Pull…", "download", "primary")
        for widget in (self.clean_up, self.more, self.pull):
            self.topbar.add_widget(widget)
        self.segments = Segments(theme, [("all", "All"), ("used", "In use"), ("unused", "Unused")])
        self.segments.setAccessibleName("Which images")
        self.model = RowsModel(COLUMNS, self)
        self.table = Table(
            theme, self.model, name="Images", mark_current=True, preferences=preferences, memory="images"
        )
        if not self.table.sort_column:
            self.table.sort_by("image")
        self.detail = ImageDetail(theme, session)
        self.empty = EmptyState(
            theme, "layers", "No images yet", "Images are what containers are made from.", "Pull…",
            lambda: self._go(Place(PULL)),
        )  # fmt: skip
        self.nothing = EmptyState(theme, "search", "", "", "Clear search", self._on_clear)
        self.no_detail = EmptyState(
            theme, "layers", "No image in view", "The layers and settings of an image show here."
        )
        self.waiting = Skeleton(theme, 8)
        self.left = QStackedWidget()
        for page in (self.table, self.nothing, self.waiting):
            self.left.addWidget(page)
        self.selection = SelectionBar(
            theme, self.left, [RowAction("save", "download", "Save…"), RowAction("remove", "trash-2", "Remove…")]
        )
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 0, 16, 0)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        holder = QWidget()
        holder.setLayout(bar)
        holder.setFixedHeight(self._theme.height("toolbar") - 1)
        self.list_side = QWidget()
        column = QVBoxLayout(self.list_side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (holder, Hairline(self._theme)):
            column.addWidget(widget)
        column.addWidget(self.left, 1)
        self.line = Hairline(self._theme, standing=True)
        sides = QWidget()
        row = QHBoxLayout(sides)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.list_side)
        row.addWidget(self.line)
        self.right = QStackedWidget()
        self.right.addWidget(self.detail)
        self.right.addWidget(self.no_detail)
        row.addWidget(self.right, 1)
        self.stack = QStackedWidget()
        self.stack.addWidget(sides)
        self.stack.addWidget(self.empty)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.topbar)
        whole.addWidget(self.stack, 1)

    def _connect(self) -> None:
        for store in (self._session.stores.images, self._session.stores.containers):
            store.changed.connect(lambda _delta: self._refresh())
        self._session.stores.images.stale_changed.connect(lambda _stale: self._show())
        self.search.changed.connect(lambda _text: self._on_searched())
        self.segments.chosen.connect(lambda _key: self._show(sought=True))
        self.table.sorted.connect(lambda _column, _down: self._show())
        self.table.current.connect(self._on_current)
        self.table.opened.connect(self._on_opened)
        self.table.menu_wanted.connect(self._on_menu)
        self.table.ticked.connect(lambda _keys: self._show_selection())
        self.selection.pressed.connect(lambda verb: self.verbs.run(verb, self._ticked()))
        self.selection.closed.connect(lambda: self.table.set_ticks(()))
        self.pull.clicked.connect(lambda: self._go(Place(PULL)))
        self.holdings.changed.connect(self._tell_totals)
        self.clean_up.clicked.connect(self.verbs.clean_up)
        bind(self, "Ctrl+Tab", lambda: self.detail.tabs.step(1), window=False)
        bind(self, "Ctrl+Shift+Tab", lambda: self.detail.tabs.step(-1), window=False)
        bind(self.table, "Del", self._on_delete_key, window=False)
        self.more.clicked.connect(self._on_more)
        self.detail.wanted.connect(self._on_wanted)
        self.detail.user_pressed.connect(lambda key: self._go(Place("containers", key)))

    # What is shown

    def show_place(self, place: Place) -> None:
        """Chooses the image that a place names by id or reference, and gives the list the keyboard."""
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        if place.id:
            for row in self._rows:
                if place.id in (row.image.id, row.reference):
                    self.table.set_current(row.key)
                    self._on_opened(row.key)
                    return

    def focus_search(self) -> None:
        """Puts the keyboard into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def primary(self) -> None:
        """What Ctrl N does here."""
        self._go(Place(PULL))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """List and details side by side, or one of them."""
        super().resizeEvent(event)
        self._arrange()

    def _images(self) -> list[ImageSummary]:
        return list(self._session.stores.images.values.values())

    def _refresh(self) -> None:
        users = users_by_image(self._session.stores.containers.values.values())
        every = self._images()
        self._rows = rows_of(every, users)
        self._by_key = {row.key: row for row in self._rows}
        used = sum(1 for image in every if users.get(image.id))
        self.segments.set_counts({"all": len(every), "used": used, "unused": len(every) - used})
        if self.isVisible():
            self.holdings.learn(every)
        self._tell_totals()
        self._show()

    def _tell_totals(self) -> None:
        """The number of images; their bytes and what can be freed once their layers are known."""
        every = self._images()
        totals = [(count_text(len(every)), True), (" image" if len(every) == 1 else " images", False)]
        if (size := size_of(every, self.holdings.stacks)) is not None:
            totals += [(" · ", False), (bytes_text(size), True)]
        users = users_by_image(self._session.stores.containers.values.values())
        free = freed(unused(every, users, dangling=False), every, self.holdings.stacks)
        if free is not None and free.size:
            totals.append((f" · {bytes_text(free.size)} can be freed", False))
        self.topbar.set_totals(totals if every else [])

    def showEvent(self, event: QShowEvent) -> None:
        """Learns what the images hold."""
        super().showEvent(event)
        self.holdings.learn(self._images())

    def _show(self, *, sought: bool = False) -> None:
        store = self._session.stores.images
        shown = chosen(self._rows, self.search.text().strip(), self.segments.current())
        shown = ordered(shown, self.table.sort_column or "image", self.table.descending)
        self._placing = True
        self.model.set_rows(table_rows(shown, stale=store.stale))
        self.stack.setCurrentIndex(1 if store.loaded and not self._rows else 0)
        if not store.loaded:
            self.left.setCurrentWidget(self.waiting)
        elif shown:
            self.left.setCurrentWidget(self.table)
        else:
            text = self.search.text().strip()
            title = f"No images match “{text}”" if text else "No images here"
            self.nothing.set("search", title, "", "Clear search" if text else "Show all")
            self.left.setCurrentWidget(self.nothing)
        self._choose([row.key for row in shown], sought)
        self._show_selection()

    def _ticked(self) -> list[ImageRow]:
        return [self._by_key[key] for key in self.model.all_keys() if key in self.table.ticks.keys]

    def _show_selection(self) -> None:
        count = len(self._ticked())
        self.selection.show_for(f"{count_text(count)} selected" if count else "")

    def _choose(self, keys: Sequence[str], sought: bool) -> None:
        """What is in view: the chosen image, while a search hides it the first that fits, or none where none does.

        Only what a person does (`sought`) changes what is in view; the chosen one comes back with its row.
        """
        alone = self._opened and self.width() < BOTH_FROM
        if self._chosen in keys or (alone and self._chosen in self._by_key):
            self._in_view = self._chosen
        elif sought or not keys or self._in_view not in self._by_key:
            beside = self.table.current_key if not sought else ""
            self._in_view = beside if beside in keys else keys[0] if keys else ""
        if self._chosen not in self._by_key:
            self._chosen = self._in_view
        if self._in_view:
            self.detail.show_row(self._by_key[self._in_view])
            if self._in_view in keys and self.table.current_key != self._in_view:
                self.table.set_current(self._in_view)
        self._placing = False
        self._arrange()

    def _arrange(self) -> None:
        both = self.width() >= BOTH_FROM
        details = bool(self._rows) if both else self._opened and bool(self._in_view)
        self.right.setCurrentWidget(self.detail if self._in_view else self.no_detail)
        self.detail.set_alone(not both)
        self.right.setVisible(details)
        self.line.setVisible(both and details)
        if details and not both and self.table.hasFocus():
            self.detail.back.setFocus(Qt.FocusReason.OtherFocusReason)
        self.list_side.setVisible(both or not details)
        if both and details:
            self.list_side.setFixedWidth(LIST_WIDTH)
        else:
            self.list_side.setMinimumWidth(0)
            self.list_side.setMaximumWidth(16_777_215)

    _opened = False
    _placing = False

    def _on_current(self, key: str) -> None:
        if not self._placing and key in self._by_key:
            self._chosen = self._in_view = key
            self.detail.show_row(self._by_key[key])
            self._arrange()

    def _on_opened(self, key: str) -> None:
        self._opened = True
        self._on_current(key)

    def _on_searched(self) -> None:
        self._opened = False
        self._show(sought=True)

    def _on_clear(self) -> None:
        self.search.clear()
        self.segments.set_current("all")
        self._show(sought=True)

    # What is done

    def _on_wanted(self, verb: str) -> None:
        if verb == "back":
            self._opened = False
            self._arrange()
            self.table.setFocus()
        elif self._in_view and self.detail.row is not None:
            self.verbs.run(verb, [self.detail.row])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc goes back to the list where the image stands in its place."""
        if event.key() == Qt.Key.Key_Escape and self.detail.isVisible() and not self.list_side.isVisible():
            self._on_wanted("back")
        else:
            super().keyPressEvent(event)

    def in_hand(self) -> list[Entry]:
        """What can be done with the ticked images, or the chosen one."""
        keys = self.table.menu_keys(self.table.current_key or self._in_view)
        return self.verbs.entries([self._by_key[key] for key in keys if key in self._by_key])

    def _on_delete_key(self) -> None:
        keys = self.table.menu_keys(self.table.current_key)
        self.verbs.run("remove", [self._by_key[key] for key in keys if key in self._by_key])

    def _on_more(self) -> None:
        menu = Menu(self._theme, self, once=True)
        menu.fill(self.verbs.moving())
        menu.popup_under(self.more, right=True)

    def _on_menu(self, keys: list[str], point: QPoint) -> None:
        rows = [self._by_key[key] for key in keys if key in self._by_key]
        if rows:
            menu = Menu(self._theme, self, once=True)
            menu.fill(self.verbs.entries(rows))
            menu.popup_at(point)
