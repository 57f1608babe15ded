"""The Activity page: the operations above, the chosen one below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.models.operations import COLUMNS, SEGMENTS, fits, groups_of, matches
from app.models.rows import RowsModel
from app.notices import notice_for
from app.operation import Operation, Operations
from app.places import Place
from app.preferences import Preferences
from app.presentation.units import count_text
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.cards import Hairline
from app.widgets.cells import RowAction
from app.widgets.commandbox import CommandBox
from app.widgets.outputview import OutputView
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.progress import PartsProgress
from app.widgets.segments import Segments
from app.widgets.states import EmptyState
from app.widgets.table import Table
from app.widgets.text import PlainLabel, visible_name
from app.widgets.topbar import TopBar

TICK_MS = 500
ROWS_KEPT = 3
"""Of the list, however much there is to say of the chosen one."""
_CANCEL = RowAction("cancel", "x", "Cancel")


class OperationDetail(QWidget):
    """One operation: what it is, its command line, its parts and its output."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._operation: Operation | None = None
        self._lines = 0
        self.title = PlainLabel(theme, type="heading", elide=Qt.TextElideMode.ElideRight)
        self.words = PlainLabel(theme, type="body", token="text-secondary", wrap=True)
        self.cancel = Button(theme, "Cancel", "x", small=True)
        self.cancel.clicked.connect(self._on_cancel)
        self.command = CommandBox(theme)
        self.parts = PartsProgress(theme)
        self.output = OutputView(theme)
        self.output.setAccessibleName("Output")
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        head.addStrut(theme.height("control_small"))
        column.addLayout(head)
        for part in (self.words, self.command, self.parts):
            column.addWidget(part)
        column.addWidget(self.output, 1)
        column.addStretch(0)
        self.output.setMinimumHeight(3 * theme.height("log_line"))
        self.output.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)

    def show_operation(self, operation: Operation) -> None:
        """Shows another operation, or what is new of the same one."""
        if operation is not self._operation:
            self._operation = operation
            self.output.set_lines(list(operation.output))
            self.command.setVisible(bool(operation.line.words))
            self.command.set_line(operation.line)
        self.refresh()

    def refresh(self) -> None:
        """What is new of the operation in view."""
        operation = self._operation
        if operation is None:
            return
        self.title.setText(f"{operation.title} {operation.subject}")
        detail = operation.words
        if operation.error is not None:
            notice = notice_for(operation.error, operation.title, operation.subject)
            detail = notice.detail
        self.words.setText(detail)
        self.words.setVisible(bool(detail))
        self.words.set_token("danger" if operation.error is not None else "text-secondary")
        self.cancel.setVisible(operation.running)
        self.parts.setVisible(bool(operation.parts))
        self.parts.set_parts(list(operation.parts.values()))
        lines = list(operation.output)
        self.output.setVisible(bool(lines))
        if len(lines) != self._lines:
            self._lines = len(lines)
            self.output.set_lines(lines)

    def _on_cancel(self) -> None:
        if self._operation is not None:
            self._operation.cancel()


class _Below(QScrollArea):
    """Gives what is below the list the height that it needs, as far as there is room; then it scrolls."""

    def __init__(self, inner: QWidget) -> None:
        super().__init__()
        self._inner = inner
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inner)
        OverlayScrollBar(self)

    def minimumSizeHint(self) -> QSize:
        """All of it."""
        inner, width = self._inner, self.viewport().width()
        return QSize(0, max(inner.minimumSizeHint().height(), inner.heightForWidth(width)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Asks for another height when what it holds does."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class ActivityPage(QWidget):
    """Every operation of this run of the program, newest first."""

    def __init__(
        self,
        theme: Theme,
        operations: Operations,
        preferences: Preferences,
        engine_button: Callable[[], QWidget],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._operations = operations
        self._chosen = ""
        self.topbar = TopBar(theme, "Activity")
        self.search = self.topbar.add_search("Search activity")
        self.topbar.add_widget(engine_button())
        self.clear = Button(theme, "Clear ended", "x")
        self.clear.clicked.connect(self._on_clear)
        self.topbar.add_widget(self.clear)
        self.segments = Segments(theme, SEGMENTS)
        self.segments.setAccessibleName("Which actions")
        self.model = RowsModel(COLUMNS, self)
        self.table = Table(
            theme, self.model, name="Actions", ticks=False, mark_current=True, actions=self._actions_of,
            preferences=preferences, memory="activity",
        )  # fmt: skip
        self.table.setMinimumHeight(theme.height("table_header") + ROWS_KEPT * theme.height("row"))
        self.detail = OperationDetail(theme)
        self._below = _Below(self.detail)
        self.empty = EmptyState(
            theme, "activity", "Nothing was done yet",
            "What you do shows up here, with the docker command line that does the same.",
        )  # fmt: skip
        self.nothing = EmptyState(theme, "search", "No actions here", "", "Show all", self._on_show_all)
        self.lists = QStackedWidget()
        for part in (self.table, self.nothing):
            self.lists.addWidget(part)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._lay_out(theme)
        self.segments.chosen.connect(lambda _key: self._narrow())
        self.search.changed.connect(lambda _text: self._narrow())
        self.table.current.connect(self._on_current)
        self.table.action.connect(self._on_action)
        for signal in (operations.added, operations.ended, operations.dropped):
            signal.connect(lambda _o: self._show())
        self._show()

    def _lay_out(self, theme: Theme) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 0, 16, 0)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        holder = QWidget()
        holder.setLayout(bar)
        holder.setFixedHeight(theme.height("toolbar") - 1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(holder)
        column.addWidget(Hairline(theme))
        column.addWidget(self.lists, 3)
        self.line = Hairline(theme)
        column.addWidget(self.line)
        column.addWidget(self._below, 2)
        self.stack = QStackedWidget()
        self.stack.addWidget(inner)
        self.stack.addWidget(self.empty)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.topbar)
        whole.addWidget(self.stack, 1)

    def show_place(self, place: Place) -> None:
        """Gives the list the keyboard, and chooses the operation whose id the place names."""
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        if place.id:
            self._on_show_all()
            self.table.set_current(place.id)
            self._on_current(place.id)

    def focus_search(self) -> None:
        """Puts the keyboard into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def showEvent(self, event: QShowEvent) -> None:
        """Durations run only while somebody looks."""
        super().showEvent(event)
        self._show()
        self._tick.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._tick.stop()

    def _actions_of(self, key: str) -> tuple[RowAction, ...]:
        operation = self._find(key)
        return (_CANCEL,) if operation is not None and operation.running else ()

    def _find(self, key: str) -> Operation | None:
        return next((o for o in self._operations.items if str(o.id) == key), None)

    def _on_tick(self) -> None:
        if self._operations.running:
            self._show()

    def _wanted(self, operation: Operation) -> bool:
        return fits(operation, self.segments.current()) and matches(operation, self.search.text().strip())

    def _show(self) -> None:
        items = list(self._operations.items)
        self.stack.setCurrentIndex(0 if items else 1)
        self.segments.set_counts({key: sum(1 for o in items if fits(o, key)) for key, _ in SEGMENTS})
        running = len(self._operations.running)
        self.topbar.set_totals([(count_text(running), True), (" running", False)] if running else [])
        self.clear.setEnabled(len(items) > running)
        listed = [o for o in items if self._wanted(o)]
        self.model.set_rows(groups_of(listed))
        chosen = self._find(self._chosen) or (listed[0] if listed else None)
        if text := self.search.text().strip():
            self.nothing.set("search", f"No actions match “{visible_name(text, 60)}”", "", "Clear search")
        else:
            self.nothing.set("search", "No actions here", "", "Show all")
        self.lists.setCurrentWidget(self.table if listed else self.nothing)
        for part in (self.line, self._below):
            part.setVisible(chosen is not None)
        if chosen is not None:
            self._chosen = str(chosen.id)
            self.detail.show_operation(chosen)
            if not self.table.current_key:
                self.table.set_current(self._chosen)

    def _on_current(self, key: str) -> None:
        if (operation := self._find(key)) is not None:
            if key != self._chosen:
                self._below.verticalScrollBar().setValue(0)
            self._chosen = key
            self.detail.show_operation(operation)

    def _on_action(self, key: str, name: str) -> None:
        operation = self._find(key)
        if operation is not None and name == "cancel":
            operation.cancel()

    def _narrow(self) -> None:
        """The chosen one goes with its row; one that ends below "Running" stays in view."""
        chosen = self._find(self._chosen)
        if chosen is not None and not self._wanted(chosen):
            self._chosen = ""
        self._show()

    def _on_show_all(self) -> None:
        self.search.clear()
        self.segments.set_current("all")
        self._show()

    def _on_clear(self) -> None:
        self._operations.clear_ended()
