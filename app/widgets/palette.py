"""Palette: a field to type in and the things that fit, over the window, for the keyboard first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.theme import Theme
from app.widgets import paint
from app.widgets.cards import Hairline
from app.widgets.chips import paint_key
from app.widgets.dialogs import Dialog
from app.widgets.entries import Entry
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.paint import clear_base
from app.widgets.shortcuts import key_name
from app.widgets.text import PlainLabel, tooltip, visible_name

WIDTH: Final = 640
ROWS: Final = 10
"""So many are in sight; the others are scrolled to."""
TOP: Final = 64
_FIELD: Final = 46
_PAD: Final = 6
_Index = QModelIndex | QPersistentModelIndex
Find = Callable[[str], Sequence[Entry]]


def spoken(entry: Entry) -> str:
    """An entry as one line for a screen reader."""
    what = f"{entry.text} {visible_name(entry.subject)}".strip()
    chosen = "chosen" if entry.checked else ""
    end = f"not now: {entry.why}" if entry.why else entry.detail
    return ", ".join(part for part in (what, chosen, visible_name(end), key_name(entry.key)) if part)


def _is_same(one: Entry, other: Entry) -> bool:
    return (one.text, one.subject) == (other.text, other.subject)


class _Field(QLineEdit):
    """The line to type in; keys that move in the list go to the list."""

    moved = Signal(int)

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__()
        self._theme = theme
        self.setFrame(False)
        clear_base(self)
        self.setFont(theme.make_font(15, 400))
        self.setFixedHeight(_FIELD)
        self.setTextMargins(44, 0, 12, 0)
        self.setPlaceholderText(words)
        self.setAccessibleName(words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, Down and the pages move in the list."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -ROWS, Qt.Key.Key_PageDown: ROWS}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.moved.emit(step)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paints the text, and the lens before it."""
        super().paintEvent(event)
        paint.icon(QPainter(self), self._theme, QRect(16, 0, 16, self.height()), "search", "text-tertiary", 16)


class _Rows(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: Sequence[Entry] = ()

    def set_entries(self, entries: Sequence[Entry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  (Qt's own signature)
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return spoken(entry)
        return tooltip(entry.why) if role == Qt.ItemDataRole.ToolTipRole else None


class _Painter(QStyledItemDelegate):
    """Icon, words, what it is done to; at the right its key, or why it cannot be done."""

    def __init__(self, theme: Theme, rows: _Rows, view: QListView) -> None:
        super().__init__(view)
        self._theme, self._rows, self._view = theme, rows, view

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(0, self._theme.height("row"))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, entry = self._theme, self._rows.entries[index.row()]
        whole: QRect = option.rect
        box = whole.adjusted(_PAD, 0, -_PAD, 0)
        current = self._view.currentIndex().row() == index.row()
        red = entry.danger and not entry.why
        if current:
            paint.rounded(painter, box, theme.radius("control"), theme.color("danger-soft" if red else "raised-hover"))
        tint = "text-disabled" if entry.why else "danger" if red else "text-secondary"
        icon = "check" if entry.checked else entry.icon
        if icon:
            paint.icon(painter, theme, QRect(box.left() + 10, box.top(), 16, box.height()), icon, tint, 16)
        words = box.adjusted(38, 0, -12, 0)
        self._right(painter, entry, words)
        font = theme.font("body_medium")
        left = words
        token = "text-disabled" if entry.why else "danger" if red else "text"
        if entry.text:
            paint.text(painter, left, entry.text, font, theme.color(token))
            left = left.adjusted(paint.width_of(entry.text, font) + 6, 0, 0, 0)
        if entry.subject and left.width() > 12:
            token = "text-disabled" if entry.why else "text-secondary" if entry.text else "text"
            subject = visible_name(entry.subject)
            font = theme.font("body") if entry.text else font
            paint.text(painter, left, subject, font, theme.color(token), elide=Qt.TextElideMode.ElideMiddle)

    def _right(self, painter: QPainter, entry: Entry, words: QRect) -> None:
        """What stands at the right; takes its room from `words`."""
        theme, small = self._theme, self._theme.font("small")
        key = "" if entry.why else key_name(entry.key)
        if key:
            width = paint.width_of(key, theme.font("caption")) + 13
            chip = QRect(words.right() - width + 1, words.top() + (words.height() - 18) // 2, width, 18)
            paint_key(painter, theme, chip, key)
            words.setRight(words.right() - width - 12)
        note = visible_name(entry.why or entry.detail, 80)
        if note:
            width = min(paint.width_of(note, small) + 2, words.width() * 3 // 5)
            box = QRect(words.right() - width + 1, words.top(), width, words.height())
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            paint.text(painter, box, note, small, theme.color("text-secondary"), right)
            words.setRight(words.right() - width - 12)


class Palette(Dialog):
    """Asks `find` for the entries of what was typed, best first. Picking one closes the palette, then does it."""

    def __init__(self, theme: Theme, window: QWidget, words: str, find: Find) -> None:
        super().__init__(theme, window, "Commands", WIDTH, closable=False)
        self._find = find
        self._header.hide()
        self.panel.fill, self.panel.shape = "raised", "popover"
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.field = _Field(theme, words)
        self.rows = _Rows(self)
        self.list = self._make_list(theme)
        self.nothing = PlainLabel(theme, "", "body", "text-secondary", elide=Qt.TextElideMode.ElideRight)
        self.nothing.setContentsMargins(44, 12, 16, 12)
        for part in (self.field, Hairline(theme), self.list, self.nothing):
            self.body.addWidget(part)
        self.field.textChanged.connect(lambda _text: self._show(anew=True))
        self.field.returnPressed.connect(self._on_enter)
        self.field.moved.connect(self._move)
        self.list.clicked.connect(lambda index: self._pick(index.row()))
        self._show(anew=True)

    def _make_list(self, theme: Theme) -> QListView:
        view = QListView()
        view.setAccessibleName("What fits")
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setUniformItemSizes(True)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.viewport().setAutoFillBackground(False)
        clear_base(view)
        view.setModel(self.rows)
        view.setItemDelegate(_Painter(theme, self.rows, view))
        view.setMouseTracking(True)
        view.entered.connect(lambda index: self._go_to(index.row()))
        OverlayScrollBar(view)
        return view

    # What it shows

    @property
    def current(self) -> Entry | None:
        """The entry that Enter picks."""
        row = self.list.currentIndex().row()
        return self.rows.entries[row] if 0 <= row < len(self.rows.entries) else None

    def refresh(self) -> None:
        """Asks again, for something has changed; the current entry stays where it is."""
        self._show(anew=False)

    def _show(self, *, anew: bool) -> None:
        typed = self.field.text().strip()
        before = self.current
        self.rows.set_entries(self._find(typed))
        count = len(self.rows.entries)
        self.nothing.setText(f"Nothing matches “{visible_name(typed, 60)}”")
        self.nothing.setVisible(not count)
        self.list.setVisible(bool(count))
        self.list.setFixedHeight(min(count, ROWS) * self._theme.height("row") + (2 * _PAD if count else 0))
        self.list.setViewportMargins(0, _PAD, 0, _PAD)
        same = [at for at, entry in enumerate(self.rows.entries) if before is not None and _is_same(entry, before)]
        self._go_to(0 if anew or not same else same[0])
        if self.isVisible():
            self._place()

    def _go_to(self, row: int) -> None:
        index = self.rows.index(row, 0)
        if row == 0:
            self.list.scrollToTop()
        self.list.setCurrentIndex(index)
        self.list.viewport().update()
        entry = self.current
        words = spoken(entry) if entry is not None else self.nothing.text()
        told = f"{words}, {row + 1} of {len(self.rows.entries)}" if entry is not None else words
        self.field.setAccessibleDescription(told)
        if self.isVisible() and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.field, told))

    def _move(self, step: int) -> None:
        count = len(self.rows.entries)
        if count:
            at = self.list.currentIndex().row() + step
            self._go_to(at % count if abs(step) == 1 else max(0, min(at, count - 1)))

    # What it does

    def _on_enter(self) -> None:
        self._pick(self.list.currentIndex().row())

    def _pick(self, row: int) -> None:
        if not 0 <= row < len(self.rows.entries) or self.rows.entries[row].why:
            return
        entry = self.rows.entries[row]
        self.accept()
        entry.on_pick()

    def _focus_first(self) -> None:
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fade_to(self, start: float, end: float) -> None:
        """It comes and goes at once: what is picked may open a dialog."""
        if not end:
            self._remove()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press beside it closes it."""
        if not self.panel.geometry().contains(event.position().toPoint()):
            self.reject()
        event.accept()

    # Where it is

    def _place(self) -> None:
        width = min(WIDTH, self.width() - 48)
        below = self.list.height() if not self.list.isHidden() else self.nothing.sizeHint().height()
        height = min(_FIELD + 1 + below + 2, self.height() - TOP - 24)
        self.panel.setGeometry((self.width() - width) // 2, TOP, width, height)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paints the shadow; the window stays as bright as it is."""
        paint.shadow(QPainter(self), self._theme, self.panel.geometry(), self._theme.radius("popover"), "popover")
