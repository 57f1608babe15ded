"""Menus: rows of 28 px with an icon, words and the key at the right; what destroys comes last, in its own colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAction, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.entries import Entry
from app.widgets.shortcuts import key_name
from app.widgets.text import tooltip, visible_name

_ICON, _KEY, _DANGER, _WORDS, _HEADING = "ph_icon", "ph_key", "ph_danger", "ph_words", "ph_heading"


class Menu(QMenu):
    """A menu of words; `popup_at` opens it without waiting. It deletes itself after closing if `once`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, once: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._margins = paint.shadow_margins(theme, "popover")
        self.setFont(theme.font("body"))
        self.setWindowFlags(
            self.windowFlags() | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint
        )
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setToolTipsVisible(True)
        self.setContentsMargins(self._margins)
        if once:
            self.aboutToHide.connect(self.deleteLater)

    def add(
        self,
        icon: str,
        text: str,
        key: str = "",
        on_pick: Callable[[], object] | None = None,
        enabled: bool = True,
        why: str = "",
        danger: bool = False,
        checked: bool | None = None,
    ) -> QAction:
        """Add a row; `why` says in a tool tip why it is not enabled; `checked` makes it a choice."""
        words, key = visible_name(text), key_name(key)
        action = self.addAction(words.replace("&", "&&") + (f"\t{key}" if key else ""))
        action.setProperty(_ICON, icon)
        action.setProperty(_KEY, key)
        action.setProperty(_DANGER, danger)
        action.setProperty(_WORDS, words)
        action.setEnabled(enabled)
        action.setToolTip(tooltip(why))
        if checked is not None:
            action.setCheckable(True)
            action.setChecked(checked)
        if on_pick is not None:
            action.triggered.connect(lambda _checked=False: on_pick())
        return action

    def fill(self, entries: Iterable[Entry]) -> None:
        """Add a row for each entry."""
        for entry in entries:
            if entry.apart and not self.isEmpty():
                self.separator()
            self.add(
                entry.icon, entry.text, entry.key, entry.on_pick, enabled=not entry.why, why=entry.why,
                danger=entry.danger, checked=entry.checked,
            )  # fmt: skip

    def heading(self, text: str) -> None:
        """Add a small line of words that cannot be picked."""
        action = self.add("", text, enabled=False)
        action.setProperty(_HEADING, True)

    def separator(self) -> None:
        """Add a line."""
        self.addSeparator()

    def popup_at(self, point: QPoint) -> None:
        """Open with the box's corner at `point` of the screen."""
        self.popup(point - QPoint(self._margins.left(), self._margins.top()))

    def popup_under(self, widget: QWidget, *, right: bool = False) -> None:
        """Open below `widget`, left edges (or right edges) in line."""
        below = widget.mapToGlobal(QPoint(0, widget.height() + 4))
        if right:
            box = self.sizeHint().width() - self._margins.left() - self._margins.right()
            below.setX(below.x() + widget.width() - box)
        self.popup_at(below)

    def popup_above(self, widget: QWidget) -> None:
        """Open above `widget`, left edges in line."""
        box = self.sizeHint().height() - self._margins.top() - self._margins.bottom()
        self.popup_at(widget.mapToGlobal(QPoint(8, -4 - box)))

    def box(self) -> QRect:
        """The visible box, without the shadow."""
        return self.rect().marginsRemoved(self._margins)

    def sizeHint(self) -> QSize:
        """At least as wide as menus are."""
        hint = super().sizeHint()
        least = self._theme.width("menu_min") + self._margins.left() + self._margins.right()
        return QSize(max(hint.width(), least), hint.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press on the shadow is a press beside the menu."""
        if not self.box().contains(event.position().toPoint()):
            self.close()
            return
        super().mousePressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the shadow, the box and its rows."""
        painter = QPainter(self)
        theme, box = self._theme, self.box()
        radius = theme.radius("popover")
        paint.shadow(painter, theme, box, radius, "popover")
        paint.rounded(painter, box, radius, theme.color("raised"), theme.color("border-strong"))
        checks = any(action.isCheckable() for action in self.actions())
        for action in self.actions():
            self._paint_row(painter, action, self.actionGeometry(action), checks)

    def _paint_row(self, painter: QPainter, action: QAction, row: QRect, checks: bool) -> None:
        theme = self._theme
        box = self.box()
        row = QRect(box.left() + 5, row.top(), box.width() - 10, row.height())
        if action.isSeparator():
            middle = row.top() + row.height() // 2
            paint.hairline(painter, QRect(row.left() + 5, middle, row.width() - 10, 1), theme.color("border"))
            return
        if action.property(_HEADING):
            paint.text(
                painter,
                row.adjusted(8, 0, -8, 0),
                self._words(action),
                theme.font("caption"),
                theme.color("text-tertiary"),
            )
            return
        danger = bool(action.property(_DANGER))
        token = "text-disabled" if not action.isEnabled() else "danger" if danger else "text"
        if action is self.activeAction() and action.isEnabled():
            paint.rounded(painter, row, theme.radius("chip"), theme.color("danger-soft" if danger else "raised-hover"))
        icon = str(action.property(_ICON) or "")
        chosen = checks and action.isChecked()
        marked = chosen and bool(icon)  # its own icon stays, so the mark stands at the right
        if chosen:
            icon = icon or "check"
        if icon:
            tint = "text-secondary" if token == "text" else token
            paint.icon(painter, theme, QRect(row.left() + 9, row.top(), 16, row.height()), icon, tint, 14)
        words = row.adjusted(33, 0, -10, 0) if self._indented() else row.adjusted(10, 0, -10, 0)
        if marked:
            mark = QRect(words.right() - 14, row.top(), 14, row.height())
            paint.icon(painter, theme, mark, "check", "text-secondary", 14)
            words.setRight(mark.left() - 8)
        key = str(action.property(_KEY) or "")
        if key:
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            color = theme.color("text-disabled") if not action.isEnabled() else theme.color("text-secondary")
            paint.text(painter, words, key, theme.font("small"), color, right)
            words.setRight(words.right() - paint.width_of(key, theme.font("small")) - 12)
        elif action.menu() is not None:
            arrow = QRect(words.right() - 14, row.top(), 14, row.height())
            paint.icon(painter, theme, arrow, "chevron-right", "text-secondary", 12)
        paint.text(painter, words, self._words(action), theme.font("body"), theme.color(token))

    def _indented(self) -> bool:
        return any(action.property(_ICON) or action.isCheckable() for action in self.actions())

    @staticmethod
    def _words(action: QAction) -> str:
        return str(action.property(_WORDS) or action.text())
