"""Cards, inset panels, lines, and a place to drop files on."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.text import PlainLabel


class Card(QWidget):
    """A box for a chart, a choice or advice; `body` is its layout, `set_marked` gives it the accent's line."""

    def __init__(self, theme: Theme, fill: str = "surface", padding: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fill = fill
        self._marked = False
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(4)

    def set_marked(self, marked: bool) -> None:
        """Show it as the recommended or chosen one."""
        self._marked = marked
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box."""
        theme = self._theme
        line = theme.color("accent" if self._marked else "border")
        radius = theme.radius("card")
        paint.rounded(QPainter(self), self.rect(), radius, theme.color(self._fill), line, 2 if self._marked else 1)


class InsetPanel(Card):
    """A quieter card on the alternate surface."""

    def __init__(self, theme: Theme, padding: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(theme, "surface-alt", padding, parent)


class Hairline(QWidget):
    """A line of one device pixel, lying or standing."""

    def __init__(
        self, theme: Theme, standing: bool = False, parent: QWidget | None = None, token: str = "border"
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._standing = standing
        self._token = token
        if standing:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the line."""
        at = "left" if self._standing else "top"
        paint.hairline(QPainter(self), self.rect(), self._theme.color(self._token), at=at)


class Shade(QWidget):
    """The shadow of a box that floats over `host`; the pointer goes through it. Place it with `around`."""

    def __init__(self, theme: Theme, host: QWidget) -> None:
        super().__init__(host)
        self._theme = theme
        self._margins = paint.shadow_margins(theme, "popover")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def around(self, box: QRect) -> None:
        """Lies around a box of the host."""
        self.setGeometry(box.marginsAdded(self._margins))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the shadow."""
        box = self.rect().marginsRemoved(self._margins)
        paint.shadow(QPainter(self), self._theme, box, self._theme.radius("popover"), "popover")


class DropZone(QWidget):
    """A place to drop files or folders of this computer on: `dropped` tells their paths."""

    dropped = Signal(list)

    def __init__(self, theme: Theme, icon: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._over = False
        self.setAcceptDrops(True)
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        label = PlainLabel(theme, text, "body", "text-secondary")
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 52, 16, 16)
        self.body.setSpacing(8)
        self.body.addWidget(label)

    def sizeHint(self) -> QSize:
        """Room for icon, words and one button."""
        return QSize(360, max(104, self.body.sizeHint().height()))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files of this computer only."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._set_over(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """Back to rest."""
        self._set_over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell the paths."""
        self._set_over(False)
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.dropped.emit(paths)

    def _set_over(self, over: bool) -> None:
        self._over = over
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the dashed box and the icon."""
        painter = QPainter(self)
        theme = self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.color("accent" if self._over else "control-border"), 1)
        pen.setDashPattern([4, 4])
        painter.setPen(pen)
        painter.setBrush(theme.color("accent-soft" if self._over else "surface-alt"))
        radius = theme.radius("card")
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1).toRectF().translated(0.5, 0.5), radius, radius)
        box = self.rect().adjusted(0, 16, 0, 0)
        box.setHeight(28)
        paint.icon(painter, theme, box, self._icon, "accent" if self._over else "text-secondary", 28)
