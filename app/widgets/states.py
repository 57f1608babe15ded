"""What stands where nothing is yet: empty states and skeletons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button, Kind
from app.widgets.progress import PartsProgress, ProgressBar, Ring
from app.widgets.text import PlainLabel

__all__ = ["EmptyState", "IconMark", "IconTile", "Illustration", "PartsProgress", "ProgressBar", "Ring", "Skeleton"]


class IconMark(QWidget):
    """An icon that only shows."""

    def __init__(
        self, theme: Theme, name: str, token: str = "text-secondary", size: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name, self._token, self._edge = name, token, size
        self.setFixedSize(size, size)

    def set(self, name: str, token: str) -> None:
        """Show another icon."""
        self._name, self._token = name, token
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the icon."""
        if self._name:
            paint.icon(QPainter(self), self._theme, self.rect(), self._name, self._token, self._edge)


class IconTile(IconMark):
    """An icon of a card in a soft tile of 32 px, in the accent when `marked`."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, "text-secondary", theme.icon_size("card"), parent)
        self._marked = False
        self.setFixedSize(32, 32)

    def set_marked(self, marked: bool) -> None:
        """Show it as the recommended one."""
        self._marked = marked
        self.set(self._name, "accent" if marked else "text-secondary")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tile below the icon."""
        fill = self._theme.color("accent-soft" if self._marked else "surface-alt")
        paint.rounded(QPainter(self), self.rect(), self._theme.radius("control"), fill)
        super().paintEvent(event)


class EmptyState(QWidget):
    """Icon, what it is for, one sentence, one button, in the middle of its place; `pressed` is the button's."""

    pressed = Signal()

    def __init__(
        self,
        theme: Theme,
        icon: str,
        title: str,
        detail: str = "",
        action: str = "",
        on_action: Callable[[], object] | None = None,
        kind: Kind = "default",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        middle = Qt.AlignmentFlag.AlignHCenter
        self._mark = IconMark(theme, icon, "text-secondary", theme.icon_size("empty"))
        self.title = PlainLabel(theme, title, "body_strong", wrap=True)
        self.detail = PlainLabel(theme, detail, "small", "text-secondary", wrap=True)
        self.button = Button(theme, action, kind=kind, small=True)
        self.button.clicked.connect(self.pressed)
        if on_action is not None:
            self.pressed.connect(on_action)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 24, 6)
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(self._mark, 0, middle)
        column.addSpacing(8)
        for label in (self.title, self.detail):
            label.setAlignment(middle)
            label.setMaximumWidth(480)
            column.addWidget(label)
        self.setMinimumWidth(200)
        column.addSpacing(10)
        column.addWidget(self.button, 0, middle)
        column.addStretch(1)
        self._column = column
        self.set(icon, title, detail, action)

    def set(self, icon: str, title: str, detail: str = "", action: str = "") -> None:
        """Say something else; without `action` there is no button."""
        self._mark.set(icon, "text-secondary")
        self.title.setText(title)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.button.setText(action)
        self.button.setVisible(bool(action))
        self._center()

    def resizeEvent(self, _event: object) -> None:
        """Keep the words in the middle."""
        self._center()

    def _center(self) -> None:
        width = max(150, min(480, self.width() - 48))
        for label in (self.title, self.detail):
            label.setFixedWidth(width)
            self._column.setAlignment(label, Qt.AlignmentFlag.AlignHCenter)
            label.setFixedHeight(label.heightForWidth(width))


class Skeleton(QWidget):
    """Grey shapes of rows to come, at their true height and inset; shows itself only after 150 ms."""

    _WIDTHS = ((92, 140), (70, 110), (110, 96), (84, 150))
    _INSET = 16

    def __init__(self, theme: Theme, rows: int = 5, row_height: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = max(1, rows)
        self._row_height = row_height or theme.height("row")
        self._seen = False
        self.setAccessibleName("Loading")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(theme.motion("skeleton_delay"))
        self._timer.timeout.connect(self.show_now)
        self._timer.start()

    def show_now(self) -> None:
        """Show the shapes without waiting longer."""
        self._timer.stop()
        self._seen = True
        self.update()

    def restart(self) -> None:
        """Wait anew, for the next time it is needed."""
        self._seen = False
        self._timer.start()
        self.update()

    def sizeHint(self) -> QSize:
        """Its rows."""
        return QSize(320, self._rows * self._row_height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the shapes."""
        if not self._seen:
            return
        painter = QPainter(self)
        grey, height = self._theme.color("border"), self._row_height
        for number in range(self._rows):
            row = QRect(0, number * height, self.width(), height)
            first, second = self._WIDTHS[number % len(self._WIDTHS)]
            middle, left = row.center().y() - 4, self._INSET
            paint.rounded(painter, QRect(left, middle, 10, 10), 5, grey)
            paint.rounded(painter, QRect(left + 22, middle, first, 10), 4, grey)
            paint.rounded(painter, QRect(left + 22 + first + 12, middle, second, 10), 4, grey)
            last = 44 if number % 2 == 0 else 52
            if self.width() > 360 + 2 * left:
                paint.rounded(painter, QRect(self.width() - left - last, middle, last, 10), 4, grey)
            paint.hairline(painter, row, grey)


class Illustration(QWidget):
    """A drawing from resources/illustrations in the colours of now; `size` in pixels."""

    def __init__(self, theme: Theme, name: str, size: QSize, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self.setFixedSize(size)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the drawing."""
        from PySide6.QtSvg import QSvgRenderer  # costs a few milliseconds, so only once a drawing is seen

        svg = QSvgRenderer(QByteArray(self._theme.illustration(self._name)))
        svg.render(QPainter(self), QRectF(self.rect()))
