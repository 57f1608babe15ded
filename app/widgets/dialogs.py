"""Dialogs that lie over their window: scrim, fixed header and footer, a body that scrolls, focus kept inside."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractAnimation, QEvent, QObject, QRect, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGraphicsOpacityEffect,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button, IconButton, Kind
from app.widgets.focus import stop_before
from app.widgets.overlay import Overlay
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.text import PlainLabel

_EDGE = 24  # between dialog and window
_SIDE = 20


class _Panel(QWidget):
    """The box: round corners, the footer on the alternate surface."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.footer_height = 0
        self.fill, self.shape = "surface", "dialog"

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme, radius = self._theme, self._theme.radius(self.shape)
        paint.rounded(painter, self.rect(), radius, theme.color(self.fill))
        if self.footer_height:
            foot = QRect(0, self.height() - self.footer_height, self.width(), self.footer_height)
            painter.save()
            paint.clip_round(painter, self.rect(), radius)
            painter.fillRect(foot, theme.color("surface-alt"))
            paint.hairline(painter, foot, theme.color("border"), at="top")
            painter.restore()
        paint.rounded(painter, self.rect(), radius, None, theme.color("border-strong"))


class _Content(QWidget):
    """The body: as high as its layout is at the width of the panel, whatever wrapped words would ask for elsewhere."""

    def minimumSizeHint(self) -> QSize:
        """Only a width where the height follows from it."""
        least = super().minimumSizeHint()
        layout = self.layout()
        return QSize(least.width(), 0) if layout is not None and layout.hasHeightForWidth() else least


class Dialog(Overlay):
    """A dialog over `window`. Fill `body`, `add_button`s from left to right, `open`.

    `finished(bool)` comes once: True after `accept`, False after Esc, the x, `close` or `reject`. Then it
    deletes itself.
    """

    finished = Signal(bool)
    panel: _Panel

    def __init__(self, theme: Theme, window: QWidget, title: str, width: int = 760, closable: bool = True) -> None:
        super().__init__(window)
        self._theme = theme
        self._width = width
        self._before: QWidget | None = None
        self._done = False
        self._primary: Button | None = None
        self._fade: QVariantAnimation | None = None
        self.hide()
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.panel = _Panel(theme, self)
        self.panel.setAccessibleName(title)
        outer = QVBoxLayout(self.panel)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        self.title = PlainLabel(theme, title, "heading", elide=Qt.TextElideMode.ElideRight)
        self._header = QWidget()
        self._top = QVBoxLayout()
        self._build_header(outer, closable)
        self.content = _Content()
        self.body = QVBoxLayout(self.content)
        self.body.setContentsMargins(_SIDE, 4, _SIDE, 16)
        self.body.setSpacing(14)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(self.content)
        OverlayScrollBar(self.area)  # In the margin: fields end where the footer's buttons do.
        self.area.viewport().setAutoFillBackground(False)
        self.content.setAutoFillBackground(False)
        outer.addWidget(self.area, 1)
        self.footer = QWidget()
        self._footer_row = QHBoxLayout(self.footer)
        self._build_footer(outer)
        self.content.installEventFilter(self)
        window.installEventFilter(self)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._on_primary_key)

    def _build_header(self, outer: QVBoxLayout, closable: bool) -> None:
        row = QHBoxLayout(self._header)
        row.setContentsMargins(_SIDE, 0, 12, 0)
        row.addWidget(self.title, 1)
        if closable:
            self._x = IconButton(self._theme, "x", "Close", "Esc")
            self._x.clicked.connect(self.reject)
            row.addWidget(self._x)
        self._header.setFixedHeight(52)
        outer.addWidget(self._header)
        self._top.setContentsMargins(_SIDE, 0, _SIDE, 0)
        outer.addLayout(self._top)

    def _build_footer(self, outer: QVBoxLayout) -> None:
        self._footer_row.setContentsMargins(_SIDE, 0, _SIDE, 0)
        self._footer_row.setSpacing(8)
        self._note_icon = _Mark(self._theme)
        self._note = PlainLabel(self._theme, "", "small", elide=Qt.TextElideMode.ElideRight)
        self._footer_row.addWidget(self._note_icon)
        self._footer_row.addWidget(self._note, 1)
        self.footer.setFixedHeight(self._theme.height("dialog_footer") - 1)
        self.footer.hide()
        outer.addWidget(self.footer)

    # -- parts ------------------------------------------------------------------

    def set_top(self, widget: QWidget) -> None:
        """Put a row, such as tabs, between header and body; it stays when the body scrolls."""
        self._top.addWidget(widget)
        stop_before(self.content, widget)
        self.body.setContentsMargins(_SIDE, 18, _SIDE, 16)
        self._line_under_top()

    def _line_under_top(self) -> None:
        from app.widgets.cards import Hairline

        line = Hairline(self._theme)
        outer = self.panel.layout()
        if isinstance(outer, QVBoxLayout):
            outer.insertWidget(2, line)

    def add_button(self, text: str, kind: Kind = "default", on_press: Callable[[], object] | None = None) -> Button:
        """Add a button at the right end of the footer; a primary or danger one is pressed by Ctrl Enter too."""
        button = Button(self._theme, text, kind=kind)
        if kind == "primary":
            button.setMinimumWidth(62)
        if on_press is not None:
            button.clicked.connect(lambda _checked=False: on_press())
        if kind in ("primary", "danger"):
            self._primary = button
        self._footer_row.addWidget(button)
        self.footer.show()
        self.panel.footer_height = self.footer.height() + 1
        return button

    def set_note(self, text: str, token: str = "text-secondary", icon: str = "") -> None:
        """Say something at the left end of the footer."""
        self._note.setText(text)
        self._note.set_token(token)
        self._note_icon.set(icon, token)

    def set_footer_height(self, height: int) -> None:
        """Make the footer lower or higher."""
        self.footer.setFixedHeight(height - 1)
        self.panel.footer_height = height

    def footer_box(self) -> QRect:
        """Where the footer is, in the window; empty when there is none."""
        height = self.panel.footer_height
        box = self.panel.geometry()
        return QRect(box.left(), box.bottom() + 1 - height, box.width(), height) if height else QRect()

    def set_title(self, text: str) -> None:
        """Change the title."""
        self.title.setText(text)
        self.setAccessibleName(text)

    # -- open and close ---------------------------------------------------------

    def open(self) -> None:
        """Show it and move the focus to its first field."""
        self._before = QApplication.focusWidget()
        self.setGeometry(self.window_below().rect())
        self.show()
        self.raise_()
        self._place()
        self._focus_first()
        self._fade_to(0.0, 1.0)

    def accept(self) -> None:
        """Close it: done."""
        self._finish(True)

    def reject(self) -> None:
        """Close it: not done. Ask first by overriding, if there is something to lose."""
        self._finish(False)

    def close(self) -> bool:
        """The same as `reject`."""
        self._finish(False)
        return True

    def _finish(self, accepted: bool) -> None:
        if self._done:
            return
        self._done = True
        self.window_below().removeEventFilter(self)
        before = self._before
        if before is not None and isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.finished.emit(accepted)  # After the keyboard went back: whoever hears it may take it on.
        if self._theme.motion("dialog") and self.isVisible():
            self._fade_to(1.0, 0.0)
        else:
            self._remove()

    def _remove(self) -> None:
        self.hide()
        self.deleteLater()

    def _fade_to(self, start: float, end: float) -> None:
        length = self._theme.motion("dialog")
        if not length:
            return
        effect = QGraphicsOpacityEffect(self)
        effect.setOpacity(start)
        self.setGraphicsEffect(effect)
        fade = QVariantAnimation(self)
        fade.setDuration(length)
        fade.setStartValue(start)
        fade.setEndValue(end)
        fade.valueChanged.connect(effect.setOpacity)
        fade.finished.connect(self._on_faded)
        fade.start(QAbstractAnimation.DeletionPolicy.DeleteWhenStopped)

    def _on_faded(self) -> None:
        self.setGraphicsEffect(None)  # type: ignore[arg-type]
        if self._done:
            self._remove()

    def window_below(self) -> QWidget:
        """The window it lies over."""
        parent = self.parentWidget()
        return parent if parent is not None else self

    # -- place --------------------------------------------------------------------

    def _place(self) -> None:
        width = min(self._width, self.width() - 2 * _EDGE)
        layout = self.content.layout()
        inner = width - 2
        if layout is not None and layout.hasHeightForWidth():
            height = layout.heightForWidth(inner)
        else:
            height = self.content.sizeHint().height()
        fixed = 2 + (self._header.height() if not self._header.isHidden() else 0) + self._top.sizeHint().height()
        fixed += (1 if self._top.count() else 0) + (self.footer.height() if not self.footer.isHidden() else 0)
        height = min(height + fixed + self.height_to_spare(inner), self.height() - 2 * _EDGE)
        self.panel.setGeometry((self.width() - width) // 2, (self.height() - height) // 2, width, height)
        self.update()

    def height_to_spare(self, _width: int) -> int:
        """How much higher the box is than its content at a width; for content that changes while the box must not."""
        return 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window and of the content."""
        if self._done or not isValid(self):
            return False
        if watched is self.content:
            if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
                self._place()
        elif event.type() == QEvent.Type.Resize:
            self.setGeometry(self.window_below().rect())
            self._place()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the scrim and the shadow."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("scrim"))
        paint.shadow(painter, self._theme, self.panel.geometry(), self._theme.radius("dialog"), "dialog")

    # -- keys ---------------------------------------------------------------------

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Keep the focus inside."""
        here = QApplication.focusWidget() or self
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        part = here
        for _step in range(4000):
            following = part.nextInFocusChain() if forward else part.previousInFocusChain()
            if following is None or following is here:
                break
            part = following
            if self._takes_tab(part):
                part.setFocus(reason)
                self._reveal(part)
                break
        return True

    def _takes_tab(self, part: QWidget) -> bool:
        takes = bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus & ~Qt.FocusPolicy.NoFocus)
        return takes and self.isAncestorOf(part) and part.isVisible() and part.isEnabled() and part is not self

    def _reveal(self, part: QWidget) -> None:
        if self.content.isAncestorOf(part):
            self.area.ensureWidgetVisible(part, 8, 24)

    def _focus_first(self) -> None:
        inside = [part for part in self.content.findChildren(QWidget) if self._takes_tab(part)]
        buttons = [part for part in self.footer.findChildren(Button) if self._takes_tab(part)]
        for part in (*inside, *buttons):
            part.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_primary_key(self) -> None:
        if self._primary is not None and self._primary.isEnabled() and not self._done:
            self._primary.click()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc cancels; no key reaches the window below."""
        if event.key() == Qt.Key.Key_Escape:
            self.reject()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press beside it does nothing."""
        event.accept()

    def wheelEvent(self, event: object) -> None:
        """Scrolling beside it does nothing."""
        event.accept()  # type: ignore[attr-defined]


class _Mark(QWidget):
    """An icon of 14 px, or nothing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._name, self._token = "", "text-secondary"
        self.setFixedSize(14, 16)
        self.hide()

    def set(self, name: str, token: str) -> None:
        self._name, self._token = name, token
        self.setVisible(bool(name))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._name:
            paint.icon(QPainter(self), self._theme, self.rect(), self._name, self._token, 14)
