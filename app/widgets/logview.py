"""LogView: the visible rows of a log, drawn straight from its buffer, with following, selection and marks."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from PySide6.QtCore import QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.theme import Theme
from app.widgets.logbuffer import LogBuffer
from app.widgets.logkeys import LogKeys
from app.widgets.logline import LogLine, LogLines, clock
from app.widgets.logpaint import LogPainter, Mark
from app.widgets.logpill import LogPill
from app.widgets.logselection import LogSelection, Place

TOP: Final = 6
NOTCH: Final = 3
"""Rows of one notch of the wheel."""
TICK: Final = 8
Matches = Callable[[int, str], Sequence[tuple[int, int, bool]]]


class LogView(QAbstractScrollArea):
    """Shows a LogBuffer. The owner calls `grew` and `prepended` after the buffer changed.

    Signals: `following_changed(bool)`, `older_wanted(everything)`, `menu_wanted(QPoint)` in global coordinates,
    `copied(lines, cut)` with whether the selection has more lines than one copy takes.
    Places are (line number, character); rows are places in the list of lines that the filter lets through.
    """

    following_changed = Signal(bool)
    older_wanted = Signal(bool)
    menu_wanted = Signal(QPoint)
    copied = Signal(int, bool)

    def __init__(self, theme: Theme, buffer: LogBuffer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.buffer = buffer
        self.lines = LogLines(buffer)
        self.painter = LogPainter(theme)
        self.selection = LogSelection(buffer, self.lines)
        self._keys = LogKeys(self)
        self._filter: array[int] | None = None
        self._matches: Matches | None = None
        self._match_lines: Sequence[int] = ()
        self.wrap = False
        self.following = True
        self._sub = 0
        self._top_line = buffer.end
        self._seen_end = buffer.end
        self._placing = False
        self._widest = 0.0
        self._wheel = 0
        self._drag: Place | None = None
        self._drag_timer = QTimer(self, interval=40)
        self._drag_timer.timeout.connect(self._on_drag_tick)
        self._drag_point = QPoint()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Log")
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.viewport().setMouseTracking(False)
        self.pill = LogPill(theme, self)
        self.pill.pressed_jump.connect(self.follow)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.horizontalScrollBar().valueChanged.connect(self.viewport().update)
        theme.changed.connect(self._on_theme_changed)

    # -- what the owner sets -------------------------------------------------

    def grew(self) -> None:
        """Lines came at the end, or the oldest went."""
        self.relayout()

    def prepended(self, _count: int) -> None:
        """Older lines came; what is on screen stays where it is."""
        self.relayout()

    def set_times(self, shown: bool) -> None:
        """Shows or hides the column of times."""
        self.painter.times = shown
        self._widest = 0
        self.relayout()

    def set_wrap(self, wrap: bool) -> None:
        """Breaks long lines, or scrolls sideways."""
        self.wrap, self._sub, self._widest = wrap, 0, 0
        self.relayout()

    def set_filter(self, lines: array[int] | None) -> None:
        """Shows only these lines (ascending numbers); None shows all."""
        self._filter = lines
        self._sub = 0
        self.relayout()

    def set_matches(self, matches: Matches | None, lines: Sequence[int]) -> None:
        """`matches(line, text)` gives (start, end, is current); `lines` are the lines with one, for the ticks."""
        self._matches, self._match_lines = matches, lines
        self.viewport().update()

    def follow(self) -> None:
        """Goes to the newest line and stays there."""
        self._set_following(True)
        self.relayout()

    def pause(self) -> None:
        """Stays where it is while lines come."""
        self._set_following(False)
        self.relayout()

    def show_line(self, line: int) -> None:
        """Brings a line into view, in the middle when it is not there yet."""
        row = self.row_of(line)
        top = self.verticalScrollBar().value()
        self._set_following(False)
        if not top <= row < top + self.page() - 1:
            self.go_to(max(0, row - self.page() // 2))
        self.viewport().update()

    def copy(self) -> None:
        """Puts the selected text on the clipboard."""
        text, cut = self.selection.text()
        if text:
            QGuiApplication.clipboard().setText(text)
            self.copied.emit(text.count("\n") + (not text.endswith("\n")), cut)

    def select_all(self) -> None:
        """Selects every line."""
        self.selection.select_all()
        self.viewport().update()

    # -- rows ----------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many lines there are to scroll through."""
        return len(self.buffer) if self._filter is None else len(self._filter)

    def line_at(self, row: int) -> int:
        """The number of the line in a row."""
        return self.buffer.first + row if self._filter is None else self._filter[row]

    def row_of(self, line: int) -> int:
        """The row of a line, or of the next that is shown."""
        if self._filter is None:
            return line - self.buffer.first
        return bisect_left(self._filter, line)

    def page(self) -> int:
        """How many whole rows fit."""
        return max(1, (self.viewport().height() - TOP) // self.painter.row_height)

    def columns(self) -> int:
        """How many characters a row has when lines wrap."""
        return self.painter.columns(self.viewport().width() - TICK)

    def height_of(self, row: int) -> int:
        """How many rows on screen a line takes."""
        return self.painter.rows(self.lines.get(self.line_at(row)), self.columns()) if self.wrap else 1

    def end_top(self) -> tuple[int, int]:
        """Row and part of it that are on top when the last line is at the bottom."""
        page, row = self.page(), self.count
        if not self.wrap:
            return max(0, row - page), 0
        while row > 0 and page > 0:
            row -= 1
            page -= self.height_of(row)
        return row, max(0, -page)

    def go_to(self, row: int, sub: int = 0) -> None:
        """Puts a row on top, without a say in following."""
        end = self.end_top()
        row, sub = min((max(row, 0), sub), end)
        self._placing = True
        bar = self.verticalScrollBar()
        bar.setRange(0, end[0] + (1 if end[1] else 0))
        bar.setValue(row)
        self._placing = False
        self._sub = sub
        self._top_line = self.line_at(row) if self.count else self.buffer.end
        self.viewport().update()

    def move_rows(self, rows: int) -> None:
        """Scrolls by rows on screen, as wheel and keys do."""
        row, sub = self.verticalScrollBar().value(), self._sub
        if not self.wrap:
            row, sub = row + rows, 0
        elif self.count:
            sub += rows
            while sub < 0 and row > 0:
                row -= 1
                sub += self.height_of(row)
            while row < self.count - 1 and sub >= (height := self.height_of(row)):
                row, sub = row + 1, sub - height
            sub = max(sub, 0)
        self.scroll_to(row, sub)

    def scroll_to(self, row: int, sub: int = 0) -> None:
        """What the person does: at the end it follows, elsewhere it pauses, near the top it asks for older lines."""
        self.go_to(row, sub)
        self._set_following((self.verticalScrollBar().value(), self._sub) >= self.end_top())
        if self.verticalScrollBar().value() < self.page() and not self.following:
            self.older_wanted.emit(False)

    def relayout(self) -> None:
        """Keeps the end in view when following, else the line on top."""
        if self.following:
            self.go_to(*self.end_top())
            self._seen_end = self.buffer.end
        else:
            line = max(self._top_line, self.buffer.first)
            self.go_to(self.row_of(line), self._sub if line == self._top_line else 0)
        bar = self.horizontalScrollBar()
        bar.setRange(0, 0 if self.wrap else max(0, int(self._widest) - self.viewport().width()))
        bar.setPageStep(self.viewport().width())
        bar.setSingleStep(int(self.painter.cell * 4))
        self.verticalScrollBar().setPageStep(self.page())
        self.pill.set_waiting(max(0, self.buffer.end - self._seen_end), shown=not self.following)

    def _set_following(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self._seen_end = self.buffer.end
            self.pill.set_waiting(0, shown=not following)
            self.following_changed.emit(following)

    def _on_scrolled(self, value: int) -> None:
        if not self._placing:
            self.scroll_to(value, self.end_top()[1] if value >= self.end_top()[0] else 0)

    def _on_theme_changed(self) -> None:
        self.painter.load()
        self.relayout()

    # -- drawing ---------------------------------------------------------------

    def visible(self) -> Iterator[tuple[int, int, int, int]]:
        """(y, row, line, part) of what is on screen, from the top; y may be above the top for the first."""
        height, step = self.viewport().height(), self.painter.row_height
        row, sub, y = self.verticalScrollBar().value(), self._sub, TOP
        while y < height and row < self.count:
            parts = self.height_of(row)
            for part in range(min(sub, parts - 1), parts):
                if y >= height:
                    break
                yield y, row, self.line_at(row), part
                y += step
            row, sub = row + 1, 0

    def part_of(self, line: LogLine, part: int) -> tuple[int, int]:
        """The characters in a row on screen."""
        if self.wrap:
            return self.painter.part(line, part, self.columns())
        return self.painter.lead(line), len(line.text)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws the rows that are on screen, and nothing else."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), self._theme.color("code-bg"))
        scroll, width, widest = self.horizontalScrollBar().value(), self.viewport().width(), self._widest
        rows = list(self.visible())
        if not self.painter.levels:
            self.painter.levels = any(self.lines.get(line).lead for _, _, line, _ in rows)
        for y, _row, number, part in rows:
            line = self.lines.get(number)
            marks = [Mark(s, e, "match-current" if now else "match") for s, e, now in self._found(number, line)]
            if span := self.selection.span(number, len(line.text)):
                marks.append(Mark(*span, "selection"))
            time = clock(self.buffer.stamp(number)) if part == 0 and self.painter.times else ""
            bounds = self.part_of(line, part)
            self.painter.paint_row(painter, y, width, line, bounds, marks, time, scroll, head=part == 0)
            widest = max(widest, self.painter.width(line))
        self._paint_ticks(painter)
        painter.end()
        if widest > self._widest:
            self._widest = widest
            QTimer.singleShot(0, self, self.relayout)

    def _found(self, number: int, line: LogLine) -> Sequence[tuple[int, int, bool]]:
        return self._matches(number, line.text) if self._matches is not None else ()

    def _paint_ticks(self, painter: QPainter) -> None:
        """A tick per pixel that has a match: so many steps, however many matches."""
        lines, count, height = self._match_lines, self.count, self.viewport().height()
        if not lines or not count:
            return
        color, x = self._theme.color("match-current"), self.viewport().width() - TICK
        y = 0
        while y < height:
            low = self.line_at(min(count - 1, y * count // height))
            index = bisect_left(lines, low)
            if index >= len(lines):
                break
            y = max(y, self.row_of(lines[index]) * height // count)
            painter.fillRect(QRectF(x, min(y, height - 2), TICK, 2), color)
            y += 3

    # -- mouse and keys --------------------------------------------------------

    def place_at(self, point: QPoint) -> Place:
        """The place under a point of the viewport; the nearest when there is none."""
        step = self.painter.row_height
        last: tuple[int, int] | None = None
        for y, _row, number, part in self.visible():
            last = (number, part)
            if point.y() < y + step:
                break
        if last is None:
            return self.buffer.first, 0
        line = self.lines.get(last[0])
        start, end = self.part_of(line, last[1])
        x = point.x() + self.horizontalScrollBar().value()
        if self.painter.lead(line) and last[1] == 0 and x < self.painter.text_x - self.painter.cell:
            return last[0], 0
        return last[0], self.painter.column_at(line, x - self.painter.text_x, start, end)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins a selection; with Shift it goes on."""
        if event.button() is Qt.MouseButton.LeftButton:
            place = self.place_at(event.position().toPoint())
            self.selection.set(place, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
            self._drag = place
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extends the selection, scrolling when the pointer leaves."""
        if self._drag is not None:
            self._drag_point = event.position().toPoint()
            inside = 0 <= self._drag_point.y() < self.viewport().height()
            (self._drag_timer.stop if inside else self._drag_timer.start)()
            self.selection.set(self.place_at(self._drag_point), extend=True)
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends the selection."""
        self._drag = None
        self._drag_timer.stop()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Selects a word."""
        self.selection.select_word(self.place_at(event.position().toPoint()))
        self.viewport().update()

    def _on_drag_tick(self) -> None:
        self.move_rows(-1 if self._drag_point.y() < 0 else 1)
        self.selection.set(self.place_at(self._drag_point), extend=True)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Three rows a notch; sideways with Shift."""
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - (delta.x() or delta.y()) // 2)
        else:
            self._wheel += delta.y() * NOTCH
            rows, self._wheel = int(self._wheel / 120), self._wheel - int(self._wheel / 120) * 120
            if rows:
                self.move_rows(-rows)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scrolling, selecting and copying by keys; the rest goes on to the page."""
        if not self._keys.press(event):
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the log, also by the menu key."""
        self.menu_wanted.emit(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the end or the top line in place."""
        self.relayout()
        self.pill.place()
