"""Banners: a state that lasts, with what helps, in one row of 40 px."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button
from app.widgets.text import PlainLabel

_KINDS = {
    "error": ("circle-alert", "danger"),
    "warning": ("triangle-alert", "warning"),
    "info": ("info", "info"),
    "success": ("circle-check", "success"),
}


class Banner(QWidget):
    """A row on the soft fill of its kind (error, warning, info, success); `pressed` when its button is."""

    pressed = Signal()

    def __init__(
        self,
        theme: Theme,
        kind: str = "info",
        title: str = "",
        detail: str = "",
        action: str = "",
        icon: str = "",
        rounded: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rounded = rounded
        self._kind, self._icon = "info", ""
        self.setFixedHeight(theme.height("banner"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.title = PlainLabel(theme, "", "body_strong")
        self.detail = PlainLabel(theme, "", "body", "text-secondary", elide=Qt.TextElideMode.ElideRight)
        self.button = Button(theme, "", small=True)
        self.button.clicked.connect(self.pressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(40, 0, 8, 0)
        row.setSpacing(10)
        row.addWidget(self.title)
        row.addWidget(self.detail, 1)
        row.addWidget(self.button)
        self.set(kind, title, detail, action, icon)

    def set(self, kind: str, title: str, detail: str = "", action: str = "", icon: str = "") -> None:
        """Say something else; without `action` there is no button."""
        self._kind, self._icon = kind, icon
        self.title.setText(title)
        self.detail.setText(detail)
        self.button.setText(action)
        self.button.updateGeometry()
        self.button.setVisible(bool(action))
        self.setAccessibleName(f"{title}. {detail}" if detail else title)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint fill and icon."""
        painter = QPainter(self)
        icon, token = _KINDS.get(self._kind, _KINDS["info"])
        fill = self._theme.color(f"{token}-soft")
        if self._rounded:
            paint.rounded(painter, self.rect(), self._theme.radius("chip"), fill)
        else:
            painter.fillRect(self.rect(), fill)
        paint.icon(painter, self._theme, QRect(14, 0, 16, self.height()), self._icon or icon, token, 16)
