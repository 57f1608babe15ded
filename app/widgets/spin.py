"""The turning ring that says that something of unknown length goes on."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.theme import Theme

_FRAME_MS = 40


class Spinner(QTimer):
    """Turns while `owner` is shown and repaints it; stands still when the system asks for no movement."""

    def __init__(self, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner)
        self._turn_ms = theme.motion("spinner_turn")
        self._owner = owner
        self._clock = QElapsedTimer()
        self.setInterval(_FRAME_MS)
        self.timeout.connect(self._on_timeout)

    def begin(self) -> None:
        """Start to turn."""
        self._clock.start()
        if self._turn_ms:
            self.start()
        self._owner.update()

    def _on_timeout(self) -> None:
        if self._owner.isVisible():
            self._owner.update()

    def draw(self, painter: QPainter, box: QRect, color: QColor, track: QColor | None) -> None:
        """Paint the ring of now into `box`."""
        turn = (self._clock.elapsed() % self._turn_ms) / self._turn_ms if self._turn_ms else 0.0
        draw_ring(painter, box, color, track, turn)


def draw_ring(painter: QPainter, box: QRect, color: QColor, track: QColor | None, turn: float) -> None:
    """A ring with a third of it in `color`, beginning `turn` (0 to 1) of the way round."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = QRectF(box).adjusted(1, 1, -1, -1)
    if track is not None:
        painter.setPen(QPen(track, 2))
        painter.drawEllipse(inner)
    pen = QPen(color, 2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawArc(inner, round((90 - 360 * turn) * 16), -(110 * 16))
