"""OverlayScrollBar: a thin scroll bar over a list instead of beside it, so that columns keep their width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QScrollBar
from shiboken6 import isValid

WIDTH = 6
GAP = 4


class OverlayScrollBar(QScrollBar):
    """Mirrors the vertical scroll bar of `area`, which is hidden; stands at the right edge of its viewport."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(Qt.Orientation.Vertical, area)
        self._area = area
        self._inner = area.verticalScrollBar()
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inner.rangeChanged.connect(self._on_range_changed)
        self._inner.valueChanged.connect(self.setValue)
        self.valueChanged.connect(self._inner.setValue)
        area.viewport().installEventFilter(self)
        self._on_range_changed(self._inner.minimum(), self._inner.maximum())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follows the size of the viewport."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self._place()
        return False

    def _on_range_changed(self, low: int, high: int) -> None:
        if not isValid(self._inner):
            return
        self.setPageStep(self._inner.pageStep())
        self.setSingleStep(self._inner.singleStep())
        self.setRange(low, high)
        self.setValue(self._inner.value())
        self.setVisible(high > low)
        self._place()

    def _place(self) -> None:
        if not isValid(self._inner):
            return
        box = self._area.viewport().geometry()
        self.setGeometry(box.right() + 1 - WIDTH - GAP, box.top() + 1, WIDTH, max(box.height() - 2, 0))
        self.setPageStep(self._inner.pageStep())
        self.raise_()
