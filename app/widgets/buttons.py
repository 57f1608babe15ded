"""Buttons: one painted face for text, icon and both, and links that are pressed."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.focus import RingTarget
from app.widgets.spin import Spinner
from app.widgets.text import set_tooltip

Kind = Literal["default", "primary", "ghost", "ghost-danger", "danger", "danger-text"]
_GAP = 7
_CHEVRON_GAP = 7
_CLEAR = QColor(0, 0, 0, 0)


class Button(RingTarget, QPushButton):
    """A button of 30 px (26 if small) with text, an icon before it and one after it (`trailing`)."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        icon: str = "",
        kind: Kind = "default",
        small: bool = False,
        trailing: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = self.ring_theme = theme
        self._kind: Kind = kind
        self._icon = icon
        self._icon_token = ""
        self._trailing = trailing
        self._small = small
        self._spinner: Spinner | None = None
        self._busy = False
        self.ring_radius = theme.radius("control")
        strong = 600 if kind in ("primary", "danger") else 500
        self.setFont(theme.make_font(12 if small else 13, strong))
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(theme.height("control_small" if small else "control"))
        self.setAutoDefault(False)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setText(text)

    @property
    def kind(self) -> Kind:
        """How it looks."""
        return self._kind

    def set_kind(self, kind: Kind) -> None:
        """Change how it looks."""
        self._kind = kind
        self.setFont(self._theme.make_font(12 if self._small else 13, 600 if kind in ("primary", "danger") else 500))
        self.update()

    def set_icon(self, icon: str, token: str = "") -> None:
        """Change the icon before the text, and its colour if `token` is given."""
        self._icon, self._icon_token = icon, token
        self.updateGeometry()
        self.update()

    def set_busy(self, busy: bool) -> None:
        """Take no presses while busy; a ring takes the icon's place if it lasts longer than a moment."""
        if busy == self._busy:
            return
        self._busy = busy
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, busy)
        if busy:
            QTimer.singleShot(self._theme.motion("busy_delay"), self, self._on_busy_for_long)
        elif self._spinner is not None:
            self._spinner.stop()
            self._spinner.deleteLater()
            self._spinner = None
        self.update()

    @property
    def busy(self) -> bool:
        """Whether it takes no presses for now."""
        return self._busy

    def _on_busy_for_long(self) -> None:
        if self._busy and self._spinner is None:
            self._spinner = Spinner(self._theme, self)
            self._spinner.begin()

    def nextCheckState(self) -> None:
        """A busy button does not change either."""
        if not self._busy:
            super().nextCheckState()

    # -- size -----------------------------------------------------------------

    def _padding(self) -> int:
        return 10 if self._small else 12

    def _icon_edge(self) -> int:
        return self._theme.icon_size("button")

    def sizeHint(self) -> QSize:
        """Icons and text with 12 px (10 if small) at both sides."""
        width = 2 * self._padding()
        if self.text():
            width += paint.width_of(self.text(), self.font())
        if self._icon:
            width += self._icon_edge() + (_GAP if self.text() else 0)
        if self._trailing:
            width += _CHEVRON_GAP + self._theme.icon_size("inline")
        return QSize(width, self.height())

    def minimumSizeHint(self) -> QSize:
        """Not smaller than its words."""
        return self.sizeHint()

    # -- painting ---------------------------------------------------------------

    def _colors(self) -> tuple[QColor, QColor | None, str]:
        """Fill, line and the token of the text, for the state of now."""
        color = self._theme.color
        if not self.isEnabled():
            if self._kind in ("ghost", "ghost-danger"):
                return _CLEAR, None, "text-disabled"
            return color("surface"), color("border"), "text-disabled"
        hot, down = self.underMouse(), self.isDown()
        if self._kind == "primary":
            return color("accent-pressed" if down else "accent-hover" if hot else "accent-fill"), None, "on-accent"
        if self._kind == "danger":
            dark = 0.22 if down else 0.12 if hot else 0.0
            return paint.mix(color("danger-fill"), QColor(0, 0, 0), dark), None, "on-danger"
        if self.isCheckable() and self.isChecked():
            return color("accent-soft"), None, "accent"
        words = "danger" if self._kind in ("danger-text", "ghost-danger") else "text"
        if self._kind in ("ghost", "ghost-danger"):
            return (color("border") if down else color("raised-hover") if hot else _CLEAR), None, words
        fill = color("border") if down else color("raised-hover") if hot else color("raised")
        return fill, color("border-strong"), words

    def _icon_color(self, words: str) -> str:
        if self._icon_token and self.isEnabled():
            return self._icon_token
        return "text-secondary" if words == "text" else words

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint fill, line, icons and text."""
        painter = QPainter(self)
        fill, line, words = self._colors()
        if fill.alpha() or line is not None:
            paint.rounded(painter, self.rect(), self._theme.radius("control"), fill, line)
        inner = self._content_box()
        if self._icon or self._spinner is not None:
            self._paint_icon(painter, inner, words)
        if self._trailing:
            edge = self._theme.icon_size("inline")
            box = QRect(inner.right() + 1 - edge, inner.top(), edge, inner.height())
            paint.icon(painter, self._theme, box, self._trailing, self._icon_color(words), edge)
            inner.setRight(box.left() - 1 - _CHEVRON_GAP)
        if self.text():
            paint.text(painter, inner, self.text(), self.font(), self._theme.color(words))

    def _content_box(self) -> QRect:
        """Where icons and text go: in the middle when there is more room than they need."""
        need = self.sizeHint().width() - 2 * self._padding()
        if self._spinner is not None and not self._icon and self.text():
            need += self._icon_edge() + _GAP
        need = min(need, self.width() - 8)
        return QRect((self.width() - need) // 2, 0, need, self.height())

    def _paint_icon(self, painter: QPainter, inner: QRect, words: str) -> None:
        edge = self._icon_edge()
        box = QRect(inner.left(), 0, edge, self.height())
        if not self.text():
            box = QRect((self.width() - edge) // 2, 0, edge, self.height())
        if self._spinner is not None:
            ring = QRect(box.left() + (edge - 14) // 2, (self.height() - 14) // 2, 14, 14)
            self._spinner.draw(painter, ring, self._theme.color(self._icon_color(words)), None)
        else:
            paint.icon(painter, self._theme, box, self._icon, self._icon_color(words), edge)
        if self.text():
            inner.setLeft(inner.left() + edge + _GAP)


class IconButton(Button):
    """A square button with an icon only; `name` is what it is called aloud and in its tool tip, `key` its key."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        key: str = "",
        toggle: bool = False,
        kind: Kind = "ghost",
        small: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "", icon, kind, small, parent=parent)
        edge = self.height()
        self.setFixedWidth(edge)
        self.setCheckable(toggle)
        self.set_name(name, key)

    def set_name(self, name: str, key: str = "") -> None:
        """Change what it is called."""
        self.setAccessibleName(name)
        set_tooltip(self, name, key)

    def _icon_edge(self) -> int:
        return self._theme.icon_size("row" if self._icon == "ellipsis" and not self._small else "button")

    def sizeHint(self) -> QSize:
        """A square."""
        return QSize(self.height(), self.height())


class LinkButton(RingTarget, QPushButton):
    """Words to press, in the accent (`muted`: in secondary text), without a box."""

    def __init__(
        self, theme: Theme, text: str, icon: str = "", muted: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._theme = self.ring_theme = theme
        self._icon = icon
        self._muted = muted
        self.ring_radius = theme.radius("chip")
        self.setFont(theme.make_font(12, 500 if muted else 600))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAutoDefault(False)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedHeight(20)

    def set_icon(self, icon: str) -> None:
        """Change the icon before the words."""
        self._icon = icon
        self.update()

    def sizeHint(self) -> QSize:
        """The words and the icon."""
        width = paint.width_of(self.text(), self.font()) + (20 if self._icon else 0)
        return QSize(width, 20)

    def minimumSizeHint(self) -> QSize:
        """Not smaller than its words."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint icon and words, underlined under the pointer."""
        painter = QPainter(self)
        token = "text-secondary" if self._muted else "accent"
        if not self.isEnabled():
            token = "text-disabled"
        box = self.rect()
        if self._icon:
            paint.icon(painter, self._theme, QRect(0, 0, 14, self.height()), self._icon, token, 14)
            box.setLeft(20)
        font = self.font()
        if self.underMouse() and self.isEnabled():
            font.setUnderline(True)
        cut = self.width() < self.sizeHint().width()
        elide = Qt.TextElideMode.ElideMiddle if cut else Qt.TextElideMode.ElideNone
        paint.text(painter, box, self.text(), font, self._theme.color(token), elide=elide)
