"""The parts of a log's toolbar: the search field with its count, and the chips of the levels."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLineEdit, QWidget

from app.theme import Theme
from app.widgets.buttons import IconButton
from app.widgets.text import PlainLabel, set_tooltip

DEBOUNCE_MS: Final = 120


class _Edit(QLineEdit):
    """A line edit that leaves its frame to the field around it."""

    stepped = Signal(bool)
    left = Signal()
    focus_moved = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.stepped.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() == Qt.Key.Key_Escape and (self.text() or self.hasFocus()):
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: object) -> None:
        super().focusInEvent(event)  # type: ignore[arg-type]
        self.focus_moved.emit()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.focus_moved.emit()


class LogSearchField(QWidget):
    """Text, count, previous and next. Signals: `changed(text)` once typing rests, `stepped(back)`, `left()`."""

    changed = Signal(str)
    stepped = Signal(bool)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._error = False
        self.edit = _Edit()
        self.edit.setFrame(False)
        self.edit.setFont(theme.font("body"))
        self.edit.setPlaceholderText("Search the log")
        self.edit.setAccessibleName("Search the log")
        self._count = PlainLabel(theme, "", "small", "text-secondary")
        self._up = IconButton(theme, "chevron-up", "Previous match", "Shift F3")
        self._down = IconButton(theme, "chevron-down", "Next match", "F3")
        row = QHBoxLayout(self)
        row.setContentsMargins(33, 2, 4, 2)
        row.setSpacing(4)
        row.addWidget(self.edit, 1)
        row.addWidget(self._count)
        for button in (self._up, self._down):
            button.setFixedSize(22, 22)
            row.addWidget(button)
        self.setFixedHeight(theme.height("control"))
        self.setFocusProxy(self.edit)
        self._timer = QTimer(self, interval=DEBOUNCE_MS, singleShot=True)
        self._timer.timeout.connect(lambda: self.changed.emit(self.edit.text()))
        self.edit.textChanged.connect(lambda _text: self._timer.start())
        self.edit.stepped.connect(self.stepped)
        self.edit.left.connect(self._on_left)
        self.edit.focus_moved.connect(self.update)
        self._up.clicked.connect(lambda: self.stepped.emit(True))
        self._down.clicked.connect(lambda: self.stepped.emit(False))
        theme.changed.connect(self.update)
        self.set_words("")

    def sizeHint(self) -> QSize:
        """318 px, as there is room for."""
        return QSize(318, self._theme.height("control"))

    def set_words(self, words: str, problem: str = "") -> None:
        """The count, or what is wrong with the pattern."""
        self._error = bool(problem)
        self._count.setText("Not valid" if problem else words)
        self._count.setVisible(bool(words or problem))
        for button in (self._up, self._down):
            button.setVisible(bool(words) and not problem)
        set_tooltip(self.edit, problem)
        self.edit.setAccessibleDescription(problem or words)
        self.update()

    def _on_left(self) -> None:
        if self.edit.text():
            self.edit.clear()
            self._timer.stop()
            self.changed.emit("")
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame, as of any field: 2 px inside when focused or wrong."""
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._error or self.edit.hasFocus()
        token = "danger-fill" if self._error else "focus" if strong else "control-border"
        painter.setPen(QPen(theme.color(token), 2 if strong else 1))
        painter.setBrush(theme.color("surface"))
        edge = 1.0 if strong else 0.5
        radius = theme.radius("control")
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), radius - edge, radius - edge)
        painter.drawPixmap(11, 8, theme.pixmap("search", "text-tertiary", 14, self.devicePixelRatioF()))


class LevelChip(QAbstractButton):
    """`Error 3`: a press shows only lines of that level and of the others that are pressed."""

    def __init__(self, theme: Theme, word: str, token: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._token = token
        self._count = 0
        self.setText(word)
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(theme.height("control_small"))
        self.toggled.connect(lambda _on: self.update())
        theme.changed.connect(self.update)
        self.set_count(0)
        set_tooltip(self, f"Show only {word.lower()} lines, and those of other levels that are pressed")

    def set_count(self, count: int) -> None:
        """How many lines have the level."""
        if count != self._count or not self.accessibleName():
            self._count = count
            self.setAccessibleName(f"{self.text()}, {count:,} lines")
            self.updateGeometry()
            self.update()

    def _word_width(self) -> float:
        return QFontMetricsF(self._theme.font("body_medium")).horizontalAdvance(self.text())

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        count = QFontMetricsF(self._theme.font("body")).horizontalAdvance(f"{self._count:,}")
        return QSize(int(22 + self._word_width() + 6 + count + 11), self._theme.height("control_small"))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Shows that it can be pressed."""
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws it."""
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on, focus = self.isChecked(), self.hasFocus()
        painter.setPen(QPen(theme.color("focus" if focus else "accent" if on else "border-strong"), 2 if focus else 1))
        painter.setBrush(theme.color("accent-soft" if on else "raised-hover" if self.underMouse() else "raised"))
        edge = 1.0 if focus else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), 5.5, 5.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(self._token))
        painter.drawRoundedRect(QRectF(9, self.height() / 2 - 4, 8, 8), 2, 2)
        width = self._word_width()
        painter.setPen(theme.color("text"))
        painter.setFont(theme.font("body_medium"))
        painter.drawText(QRectF(22, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(theme.color("text-tertiary"))
        painter.setFont(theme.font("body"))
        area = QRectF(22 + width + 6, 0, self.width(), self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, f"{self._count:,}")
