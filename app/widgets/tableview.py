"""TableView: a list of rows and groups of cells as it is shown, which keeps its place while rows change."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QStyleOptionViewItem, QTreeView, QWidget

from app.preferences import Preferences
from app.theme import Theme
from app.widgets.cells import Group, RowAction, TableModel
from app.widgets.columnlayout import ColumnLayout
from app.widgets.delegate import RowDelegate, RowLook
from app.widgets.menus import Menu
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.ticks import Ticks

Actions = Callable[[str], tuple[RowAction, ...]]
_Index = QModelIndex | QPersistentModelIndex


class TableView(QTreeView):
    """The list as it is shown: set-up, painting, and keeping its place while rows change; Table adds mouse and keys."""

    ticked = Signal(object)
    sorted = Signal(str, bool)
    current = Signal(str)
    folded = Signal(str, bool)

    def __init__(
        self,
        theme: Theme,
        model: TableModel,
        *,
        name: str,
        actions: Actions | None = None,
        ticks: bool = True,
        mark_current: bool = False,
        preferences: Preferences | None = None,
        memory: str = "",
        row_height: str = "row",
        parent: QWidget | None = None,
    ) -> None:
        """`memory` names this table in `preferences`; `mark_current` paints the current row as selected."""
        super().__init__(parent)
        self.setViewport(QWidget())  # Qt's own would be wrapped at its first use, with every class of Qt: 10 ms.
        self.theme = theme
        self._rows = model
        self._actions = actions
        self._mark_current = mark_current
        self.ticks = Ticks(self)
        self.delegate = RowDelegate(theme, theme.height(row_height), self)
        self.layout_of_columns = ColumnLayout(
            self, theme, model, self.delegate, preferences, memory, ticks=ticks, actions=actions is not None
        )
        self._hover = QPersistentModelIndex()
        self._under: tuple[int, tuple[int, int] | None] = (-1, None)
        self._by_keys = False
        self._anchor: tuple[str, int] | None = None
        self._kept_current = ""
        self._can_tick = ticks
        self._changing = False
        self._set_up(name, model)
        theme.changed.connect(self._on_theme_changed)

    def _set_up(self, name: str, model: TableModel) -> None:
        self.setAccessibleName(name)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setModel(model)
        self.setItemDelegate(self.delegate)
        self.setHeader(self.layout_of_columns.header)
        self.layout_of_columns.set_up()
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setExpandsOnDoubleClick(False)
        self.setTabKeyNavigation(False)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover, False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        OverlayScrollBar(self)
        self.verticalScrollBar().setSingleStep(self.theme.height("row"))
        self.ticks.changed.connect(self._on_ticks_changed)
        model.about_to_change.connect(self._on_about_to_change)
        model.rows_changed.connect(self._on_rows_changed)
        header = self.layout_of_columns.header
        header.title_pressed.connect(self._on_title_pressed)
        header.check_pressed.connect(self._on_check_pressed)

    # What a page asks and sets

    @property
    def current_key(self) -> str:
        """The row of the keyboard, "" for none or a heading."""
        index = self.currentIndex()
        return self._rows.key(index.row()) if index.isValid() and not self._is_heading(index.row()) else ""

    def set_current(self, key: str) -> None:
        """Makes a row the keyboard's and brings it into view."""
        index = self._rows.index_of(key)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def set_ticks(self, keys: Iterable[str]) -> None:
        """Ticks exactly these rows."""
        self.ticks.set(keys)

    @property
    def sort_column(self) -> str:
        """The key of the column that the arrow stands at."""
        return self.layout_of_columns.header.sort_key

    @property
    def descending(self) -> bool:
        """Whether the sort goes down."""
        return self.layout_of_columns.header.descending

    def sort_by(self, column: str, descending: bool = False) -> None:
        """Shows and remembers a sort without telling anyone."""
        self.layout_of_columns.set_sort(column, descending)

    def menu_keys(self, key: str) -> list[str]:
        """The rows that a menu opened at `key` is for."""
        if key in self.ticks.keys:
            return [k for k in self._rows.all_keys() if k in self.ticks.keys]
        return [key]

    # Painting

    def drawRow(
        self, painter: QPainter, options: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paints a whole row at once: one call into Python a row instead of one a cell."""
        row = index.row()
        key = self._rows.key(row)
        entry = self._rows.entry(row)
        at = self.currentIndex()
        is_current = at.isValid() and at.row() == row
        look = RowLook(
            hovered=self._hover.isValid() and self._hover.row() == row,
            focused=is_current and self._by_keys and self.hasFocus(),
            marked=is_current and self._mark_current and not isinstance(entry, Group),
        )
        if isinstance(entry, Group):
            look.folded = self._rows.is_folded(entry.key)
        else:
            look.ticked = key in self.ticks.keys
            look.check = self._can_tick and bool(self.ticks.keys or look.hovered or look.focused)
            if look.hovered or look.focused:
                look.actions = self._actions(key) if self._actions is not None else ()
            if look.hovered:
                look.action, look.chip = self._under
        self.delegate.paint_row(
            painter, QRect(0, options.rect.top(), self.viewport().width(), options.rect.height()), entry, look
        )

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """The row paints its own chevron."""

    def _on_theme_changed(self) -> None:
        self.layout_of_columns.header.viewport().update()
        self.viewport().update()

    def _update_row(self, row: int) -> None:
        if row >= 0:
            rect = self._row_rect(row)
            self.viewport().update(rect)

    def _row_rect(self, row: int) -> QRect:
        rect = self.visualRect(self._rows.index(row, 1))
        return QRect(
            0, rect.top(), self.viewport().width(), self.theme.height("row") if rect.isNull() else rect.height()
        )

    def _is_heading(self, row: int) -> bool:
        return isinstance(self._rows.entry(row), Group)

    def _order(self) -> list[str]:
        """The keys of the rows in view, without headings."""
        return [self._rows.key(row) for row in range(self._rows.rowCount()) if not self._is_heading(row)]

    # Columns

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lays the columns out anew."""
        super().resizeEvent(event)
        self.layout_of_columns.lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        """The window's width is known from here on."""
        super().showEvent(event)
        self.layout_of_columns.lay_out()

    def _on_title_pressed(self, key: str) -> None:
        descending = not self.descending if key == self.sort_column else False
        self.sort_by(key, descending)
        self.sorted.emit(key, descending)

    def open_column_menu(self, under: QWidget) -> Menu:
        """Opens the menu that shows and hides columns, right edges in line with `under`."""
        menu = Menu(self.theme, self, once=True)
        menu.heading("Columns")
        choices = self.layout_of_columns.choices
        for column in self._rows.columns:
            if column.optional:
                shown = not choices.hides(column)
                menu.add("", column.name, checked=shown, on_pick=self._shower(column.key, not shown))
        menu.separator()
        menu.add("rotate-ccw", "Reset columns", on_pick=self.layout_of_columns.reset)
        menu.popup_under(under, right=True)
        return menu

    def _shower(self, key: str, shown: bool) -> Callable[[], None]:
        return lambda: self.layout_of_columns.set_shown(key, shown)

    # Ticks

    def _on_check_pressed(self) -> None:
        self.ticks.set(() if self.ticks.keys else self._order())

    def _on_ticks_changed(self, keys: frozenset[str]) -> None:
        self._show_header_check()
        self.viewport().update()
        self.ticked.emit(keys)

    def _show_header_check(self) -> None:
        if self._can_tick:
            every = bool(self.ticks.keys) and len(self.ticks.keys) >= len(self._rows.all_keys())
            self.layout_of_columns.header.set_check(None if not self.ticks.keys else 2 if every else 1)

    # Keeping the place

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Repaints both whole rows and tells the page."""
        super().currentChanged(current, previous)
        for index in (current, previous):
            if index.isValid():
                self._update_row(index.row())
        if not self._changing:
            self.current.emit(self.current_key)

    def _on_about_to_change(self) -> None:
        self._changing = True
        index = self.currentIndex()
        self._kept_current = self._rows.key(index.row()) if index.isValid() else ""
        top = self.indexAt(QPoint(1, 0))
        self._anchor = None
        if top.isValid() and self.verticalScrollBar().value() > 0:
            self._anchor = (self._rows.key(top.row()), self._row_rect(top.row()).top())

    def _on_rows_changed(self) -> None:
        if self._kept_current:
            index = self._rows.index_of(self._kept_current)
            if index.isValid() and index.row() != self.currentIndex().row():
                self.setCurrentIndex(index)
        if self._anchor is not None:
            self.executeDelayedItemsLayout()
            row = self._rows.index_of(self._anchor[0])
            if row.isValid():
                moved = self._row_rect(row.row()).top() - self._anchor[1]
                self.verticalScrollBar().setValue(self.verticalScrollBar().value() + moved)
        self._changing = False
        self.ticks.keep(self._rows.all_keys() if self.ticks.keys else ())
        self._show_header_check()
        if self._kept_current != (self.current_key or self._kept_current):
            self.current.emit(self.current_key)
        self.viewport().update()
