"""Segments for two to four exclusive choices, and tabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.focus import RingTarget


class _Row(RingTarget, QWidget):
    """Choices in a row, one of them current; arrows move."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, choices: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = self.ring_theme = theme
        self._choices = list(choices)
        self._counts: dict[str, int] = {}
        self._current = self._choices[0][0] if self._choices else ""
        self._hot = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._tell_name()

    def current(self) -> str:
        """The key of the current choice."""
        return self._current

    def set_current(self, key: str) -> None:
        """Make another choice current, without telling."""
        if key != self._current and any(key == known for known, _text in self._choices):
            self._current = key
            self._tell_name()
            self.update()

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Replace the choices; the current one stays if it is still there."""
        self._choices = list(choices)
        if self._choices and not any(self._current == key for key, _text in self._choices):
            self._current = self._choices[0][0]
        self._tell_name()
        self._fit()

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Show a number after the words of a choice."""
        if dict(counts) != self._counts:
            self._counts = dict(counts)
            self._fit()

    def _fit(self) -> None:
        self.updateGeometry()
        self.update()

    _named = ""

    def _tell_name(self) -> None:
        """Named by its choices until somebody gives it a name, which stays; described by the current one."""
        keys, texts = [key for key, _text in self._choices], [text for _key, text in self._choices]
        if self.accessibleName() == self._named:
            self._named = ", ".join(texts)
            self.setAccessibleName(self._named)
        at = keys.index(self._current) if self._current in keys else -1
        words = [f"{texts[at]}, {at + 1} of {len(keys)}"] if at >= 0 else []
        self.setAccessibleDescription(". ".join([*words, *self._wrong()]))

    def _wrong(self) -> list[str]:
        return []

    def boxes(self) -> list[tuple[str, str, QRect]]:
        """Key, words and place of each choice."""
        raise NotImplementedError

    def _pick(self, key: str) -> None:
        if key and key != self._current:
            self.set_current(key)
            self.chosen.emit(key)

    def _at(self, event: QMouseEvent) -> str:
        point = event.position().toPoint()
        return next((key for key, _text, box in self.boxes() if box.contains(point)), "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose what is pressed."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pick(self._at(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark what is under the pointer."""
        hot = self._at(event)
        if hot != self._hot:
            self._hot = hot
            self.update()

    def leaveEvent(self, _event: object) -> None:
        """Mark nothing."""
        self._hot = ""
        self.update()

    def step(self, by: int) -> None:
        """Choose the one `by` places on, round the end."""
        keys = [key for key, _text in self._choices]
        if keys:
            self._pick(keys[(keys.index(self._current) + by) % len(keys)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right choose."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        by = steps.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
        else:
            self.step(by)


class Segments(_Row):
    """Two to four exclusive choices in one box, with counts."""

    def _count(self, key: str) -> str:
        return f"{self._counts[key]:,}" if key in self._counts else ""

    def boxes(self) -> list[tuple[str, str, QRect]]:
        """Key, words and place of each segment."""
        found, left = [], 3
        for key, text in self._choices:
            width = paint.width_of(text, self._theme.make_font(12, 600)) + 20
            if self._count(key):
                width += paint.width_of(self._count(key), self._theme.font("small")) + 4
            found.append((key, text, QRect(left, 3, width, self._theme.height("segment"))))
            left += width + 2
        return found

    def sizeHint(self) -> QSize:
        """All segments and the box around."""
        boxes = self.boxes()
        return QSize(boxes[-1][2].right() + 4 if boxes else 6, self._theme.height("segment") + 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box and the segments."""
        painter = QPainter(self)
        theme = self._theme
        paint.rounded(painter, self.rect(), theme.radius("control"), theme.color("surface-alt"), theme.color("border"))
        for key, text, box in self.boxes():
            current = key == self._current
            if current:
                paint.rounded(painter, box, theme.radius("chip"), theme.color("raised"), theme.color("border-strong"))
            token = "text" if current or key == self._hot else "text-secondary"
            font = theme.make_font(12, 600 if current else 500)
            words = box.adjusted(10, 0, -4, 0)
            paint.text(painter, words, text, font, theme.color(token))
            if self._count(key):
                words.setLeft(words.left() + paint.width_of(text, font) + 4)
                paint.text(painter, words, self._count(key), theme.font("small"), theme.color("text-tertiary"))


class Tabs(_Row):
    """Tabs with a line of 2 px under the current one; `set_marks` puts a red dot at those with a problem."""

    _marks: frozenset[str] = frozenset()

    def set_marks(self, keys: Sequence[str]) -> None:
        """Mark the tabs that hold a problem."""
        self._marks = frozenset(keys)
        self._tell_name()
        self.update()

    def _wrong(self) -> list[str]:
        marked = [text for key, text in self._choices if key in self._marks]
        return [f"To mend: {', '.join(marked)}"] if marked else []

    def boxes(self) -> list[tuple[str, str, QRect]]:
        """Key, words and place of each tab."""
        found, left = [], 0
        for key, text in self._choices:
            width = paint.width_of(text, self._theme.font("body_strong"))
            found.append((key, text, QRect(left, 0, width, self._theme.height("tabs"))))
            left += width + 20
        return found

    def sizeHint(self) -> QSize:
        """All tabs in a row."""
        boxes = self.boxes()
        return QSize(boxes[-1][2].right() + 9 if boxes else 8, self._theme.height("tabs"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint words and line."""
        painter = QPainter(self)
        theme = self._theme
        for key, text, box in self.boxes():
            current = key == self._current
            token = "text" if current or key == self._hot else "text-secondary"
            font = theme.font("body_strong" if current else "body_medium")
            paint.text(painter, box.adjusted(0, 0, 4, 0), text, font, theme.color(token))
            if current:
                painter.fillRect(QRect(box.left(), box.bottom() - 1, box.width(), 2), theme.color("accent"))
            if key in self._marks:
                dot = QRect(box.left() + box.width() + 3, 11, 5, 5)
                paint.rounded(painter, dot, 2.5, theme.color("danger-fill"))
