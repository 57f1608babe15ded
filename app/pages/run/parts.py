"""The parts of the form, one in view: as high as that one needs, not as the highest."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget


class Parts(QWidget):
    """Unlike a QStackedWidget its height is that of the part in view: a small window scrolls only what does not fit."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def add(self, part: QWidget) -> None:
        """One more part; the first is in view."""
        self._column.addWidget(part)
        if self._parts:
            part.hide()
        self._parts.append(part)

    def show_part(self, shown: QWidget) -> None:
        """Brings a part into view, and with it the focus that was in another."""
        focused = QApplication.focusWidget()
        takes_over = focused is not None and self.isAncestorOf(focused) and not shown.isAncestorOf(focused)
        shown.show()
        if takes_over:
            inside = [w for w in shown.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
            first = next((w for w in inside if w.isVisible() and w.isEnabled()), None)
            if first is not None:
                first.setFocus(Qt.FocusReason.OtherFocusReason)
        for part in self._parts:
            if part is not shown:
                part.hide()

    def height_to_spare(self, width: int) -> int:
        """How much more the highest part needs than the one in view."""
        every = [_height(part, width) for part in self._parts]
        in_view = [_height(part, width) for part in self._parts if not part.isHidden()]
        return max(every, default=0) - max(in_view, default=0)


def _height(part: QWidget, width: int) -> int:
    return part.heightForWidth(width) if part.hasHeightForWidth() else part.sizeHint().height()
