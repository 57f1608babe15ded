"""LogPill: floats over a paused log, says how many lines wait and goes to the newest."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea

from app.theme import Theme
from app.widgets.overlay import Floating

HEIGHT: Final = 34
BELOW: Final = 17


class LogPill(QAbstractButton):
    """`Paused: 231 new lines | Jump to newest`; a press emits `pressed_jump`."""

    pressed_jump = Signal()

    def __init__(self, theme: Theme, view: QAbstractScrollArea) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self._lines = -1
        Floating.bars.add(self)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self.pressed_jump)
        theme.changed.connect(self.update)
        self.hide()

    @property
    def words(self) -> str:
        """What it says first."""
        if not self._lines:
            return "Paused"
        return f"Paused: {self._lines:,} new line{'' if self._lines == 1 else 's'}"

    def set_waiting(self, lines: int, *, shown: bool) -> None:
        """How many lines came since the pause."""
        if lines != self._lines or shown != self.isVisibleTo(self._view):
            self._lines = lines
            self.setAccessibleName(f"{self.words}. Jump to newest")
            self.setVisible(shown)
            self.place()
            self.update()

    def place(self) -> None:
        """At the bottom of the view, in its middle."""
        size = self.sizeHint()
        area = self._view.viewport().geometry()
        self.setGeometry(
            area.center().x() - size.width() // 2, area.bottom() - BELOW - size.height(), size.width(), size.height()
        )
        self.raise_()

    def _widths(self) -> tuple[float, float, float]:
        body = QFontMetricsF(self._theme.font("body"))
        strong = QFontMetricsF(self._theme.font("body_strong"))
        head, _, count = self.words.partition(" ")
        return (
            body.horizontalAdvance(head + (" " if count else "")),
            strong.horizontalAdvance(count),
            strong.horizontalAdvance("Jump to newest"),
        )

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        return QSize(int(sum(self._widths())) + 34 + 10 + 9 + 38, HEIGHT)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Shows that it can be pressed."""
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses it, as Space does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draws it."""
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focus = self.hasFocus()
        painter.setPen(QPen(theme.color("focus" if focus else "border-strong"), 2 if focus else 1))
        painter.setBrush(theme.color("raised-hover" if self.underMouse() else "raised"))
        edge = 1.0 if focus else 0.5
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), HEIGHT / 2 - 1, HEIGHT / 2 - 1)
        middle = self.height() / 2
        painter.drawPixmap(13, int(middle - 7), theme.pixmap("pause", "text-secondary", 14, self.devicePixelRatioF()))
        head, count, jump = self._widths()
        word, _, rest = self.words.partition(" ")
        x = 34.0
        painter.setPen(theme.color("text"))
        for text, width, font in ((word, head, "body"), (rest, count, "body_strong")):
            painter.setFont(theme.font(font))
            painter.drawText(QRectF(x, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += width
        x += 9
        painter.fillRect(QRectF(x, middle - 8, 1, 16), theme.color("border-strong"))
        x += 9
        painter.setPen(theme.color("accent"))
        painter.drawText(QRectF(x, 0, jump + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, "Jump to newest")
        arrow = theme.pixmap("arrow-down", "accent", 14, self.devicePixelRatioF())
        painter.drawPixmap(int(x + jump + 5), int(middle - 7), arrow)
