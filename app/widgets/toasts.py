"""Toasts: what came of a click, at the bottom right, at most three, newest below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QChildEvent, QEvent, QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import IconButton, LinkButton
from app.widgets.overlay import Floating, Overlay, box_in
from app.widgets.text import PlainLabel, visible_name

_MOST = 3
_EDGE = 16
_GAP = 10
_LONGEST = 2_000
"""Characters of a line; more do not fit into a toast."""
KINDS = {
    "success": ("circle-check", "success"),
    "error": ("circle-alert", "danger"),
    "warning": ("triangle-alert", "warning"),
    "info": ("info", "info"),
}


class Toast(QWidget):
    """One toast; `left` when it is to go."""

    left = Signal()

    def __init__(
        self, theme: Theme, window: QWidget, kind: str, title: str, detail: str, action: str, stay: bool
    ) -> None:
        super().__init__(window)
        self._theme = theme
        self.kind, self.stays = kind, stay
        self.setAccessibleName(f"{title}. {detail}" if detail else title)
        self.title = PlainLabel(theme, title, "body_strong", wrap=True, parent=self)
        self.detail = PlainLabel(theme, detail, "small", "text-secondary", wrap=True, parent=self)
        self.detail.setVisible(bool(detail))
        self.close_button = IconButton(theme, "x", "Dismiss", small=True, parent=self)
        self.close_button.clicked.connect(self.left)
        self.link = LinkButton(theme, action, parent=self) if action else None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(theme.motion("toast_stay"))
        self._timer.timeout.connect(self.left)
        self._arrange()
        if not stay:
            self._timer.start()

    def _arrange(self) -> None:
        width = self._theme.width("toast")
        self.close_button.move(width - 33, 7)
        right = width - 40
        if self.link is not None:
            size = self.link.sizeHint()
            self.link.setGeometry(width - 47 - size.width(), 10, size.width(), size.height())
            right = width - 47 - size.width() - 12
        title_width = right - 39
        title_height = min(self.title.heightForWidth(title_width), 72)
        self.title.setGeometry(39, 11, title_width, title_height)
        height = 11 + title_height
        if not self.detail.isHidden():
            detail_width = width - 39 - 16
            detail_height = min(self.detail.heightForWidth(detail_width), 128)
            self.detail.setGeometry(39, height + 1, detail_width, detail_height)
            height += 1 + detail_height
        self.resize(width, height + 11)

    def enterEvent(self, _event: object) -> None:
        """It stays under the pointer."""
        self._timer.stop()

    def leaveEvent(self, _event: object) -> None:
        """Its time begins anew."""
        if not self.stays:
            self._timer.start()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint box and icon."""
        painter = QPainter(self)
        theme = self._theme
        radius = theme.radius("card")
        paint.rounded(painter, self.rect(), radius, theme.color("raised"), theme.color("border-strong"))
        icon, token = KINDS.get(self.kind, KINDS["info"])
        paint.icon(painter, theme, QRect(13, 11, 16, 18), icon, token, 16)


class _Shade(QWidget):
    """The shadows of all toasts, through which the pointer goes."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self.boxes: list[QRect] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for box in self.boxes:
            paint.shadow(painter, self._theme, box.translated(-self.pos()), self._theme.radius("card"), "popover")


class Toasts(QObject):
    """The toasts of one window; they lie above its dialogs, never on a footer: what is to be pressed stays in reach."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self._shade = _Shade(theme, window)
        self._shown: list[Toast] = []
        self._dialogs: list[Overlay] = []
        window.installEventFilter(self)

    def show_notice(
        self,
        kind: str,
        title: str,
        detail: str = "",
        action: str = "",
        on_action: Callable[[], object] | None = None,
        stay: bool = False,
    ) -> Toast:
        """Show a toast of `kind` success, error, warning or info; errors stay until dismissed."""
        title, detail = _shown(title), _shown(detail)
        same = [toast for toast in self._shown if (toast.title.text(), toast.detail.text()) == (title, detail)]
        for toast in same:
            self.dismiss(toast)
        toast = Toast(self._theme, self._window, kind, title, detail, action, stay or kind == "error")
        toast.left.connect(lambda: self.dismiss(toast))
        if toast.link is not None:
            toast.link.clicked.connect(lambda _checked=False: self._act(toast, on_action))
        self._shown.append(toast)
        while len(self._shown) > _MOST:
            self.dismiss(next((old for old in self._shown[:-1] if not old.stays), self._shown[0]))
        self._place()
        toast.show()
        return toast

    def shown(self) -> list[Toast]:
        """The toasts of now, newest last."""
        return list(self._shown)

    def dismiss(self, toast: Toast) -> None:
        """Take one away."""
        if toast in self._shown:
            self._shown.remove(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def clear(self) -> None:
        """Take all away."""
        for toast in self.shown():
            self.dismiss(toast)

    def _act(self, toast: Toast, on_action: Callable[[], object] | None) -> None:
        self.dismiss(toast)
        if on_action is not None:
            on_action()

    def _place(self) -> None:
        window = self._window
        bottom = window.height() - _EDGE
        boxes: list[QRect] = []
        for toast in reversed(self._shown):
            toast.move(window.width() - _EDGE - toast.width(), bottom - toast.height())
            for footer in self._footers():
                if footer.intersects(toast.geometry()):
                    toast.move(toast.x(), footer.top() - _GAP - toast.height())
            bottom = toast.y() - _GAP
            boxes.append(toast.geometry())
        self._shade.boxes = boxes
        self._shade.setVisible(bool(boxes))
        if boxes:
            around = boxes[0].united(boxes[-1])
            self._shade.setGeometry(around.marginsAdded(paint.shadow_margins(self._theme, "popover")))
            self._shade.raise_()
            for toast in self._shown:
                toast.raise_()
        self._shade.update()

    def _footers(self) -> list[QRect]:
        """Those of the open dialogs, and the bars that float over a page, the lowest first."""
        self._dialogs = [dialog for dialog in self._dialogs if isValid(dialog)]
        boxes = [dialog.footer_box() for dialog in self._dialogs if dialog.isVisible()]
        bars = [bar for bar in Floating.bars if isValid(bar)]
        for bar in bars:
            bar.installEventFilter(self)  # Once only, however often it is asked for.
        boxes += [box_in(self._window, bar) for bar in bars]
        return sorted((box for box in boxes if not box.isEmpty()), key=QRect.top, reverse=True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the corner of the window, and off the footers of dialogs that come, grow and go."""
        kind = event.type()
        if not isValid(self._shade):
            return False
        if watched is self._window:
            if kind == QEvent.Type.Resize:
                self._place()
            elif kind == QEvent.Type.ChildPolished and isinstance(event, QChildEvent):
                self._watch(event.child())
        elif kind in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Move, QEvent.Type.Resize):
            self._place()
        return False

    def _watch(self, child: QObject) -> None:
        if isinstance(child, Overlay) and child not in self._dialogs:
            self._dialogs.append(child)
            child.installEventFilter(self)
            child.panel.installEventFilter(self)


def _shown(text: str) -> str:
    """Names stand in both: whatever hides or turns text is shown as an escape."""
    return "\n".join(visible_name(line, _LONGEST) for line in text.splitlines())
