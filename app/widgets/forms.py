"""A field with its label and the line below it, and text of several lines."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.text import PlainLabel

LABEL_COLUMN = 120


class _Name(PlainLabel):
    """Words that hand the focus to the widget they name."""

    def __init__(self, theme: Theme, text: str, buddy: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(theme, text, "body_medium", parent=parent)
        self._target = buddy

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Move the focus."""
        self._target.setFocus(Qt.FocusReason.MouseFocusReason)


class _Line(QWidget):
    """Help, error or confirmation below a field: icon and one sentence."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._icon = ("", "")
        self.label = PlainLabel(theme, "", "small", "text-tertiary", wrap=True)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 4, 0, 0)
        self._layout.addWidget(self.label)

    def show_line(self, text: str, token: str, icon: str = "") -> None:
        self._icon = (icon, token)
        self._layout.setContentsMargins(17 if icon else 0, 4, 0, 0)
        self.label.setText(text)
        self.label.set_token(token)
        self.setVisible(bool(text))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        icon, token = self._icon
        if icon:
            paint.icon(QPainter(self), self._theme, QRect(0, 6, 12, 12), icon, token, 12)


class Field(QWidget):
    """`widget` with its label, left of it (`column`) or above, and one line below for help or error."""

    def __init__(
        self,
        theme: Theme,
        label: str,
        widget: QWidget,
        help: str = "",  # noqa: A002 - the word a person would use
        column: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.widget = widget
        self._help = help
        self._line = _Line(theme)
        self.label = _Name(theme, label, widget)
        widget.setAccessibleName(label)
        stack = QVBoxLayout()
        stack.setSpacing(0)
        stack.addWidget(widget)
        stack.addWidget(self._line)
        if column:
            row = QHBoxLayout(self)
            row.setSpacing(0)
            self.label.setFixedSize(LABEL_COLUMN, theme.height("control"))
            row.addWidget(self.label, 0, Qt.AlignmentFlag.AlignTop)
            row.addLayout(stack, 1)
            outer: QHBoxLayout | QVBoxLayout = row
        else:
            outer = QVBoxLayout(self)
            outer.setSpacing(4)
            outer.addWidget(self.label)
            outer.addLayout(stack)
        outer.setContentsMargins(0, 0, 0, 0)
        self.set_help(help)

    def set_help(self, text: str) -> None:
        """Explain the field in one sentence; what is right now."""
        self._help = text
        self._mark(False)
        self._line.show_line(text, "text-tertiary")

    def set_error(self, text: str) -> None:
        """Say what is wrong in one sentence; empty brings the help back."""
        if not text:
            self.set_help(self._help)
            return
        self._mark(True)
        self._line.show_line(text, "danger", "circle-alert")
        self.widget.setAccessibleDescription(text)

    def set_caution(self, text: str) -> None:
        """Say what may surprise, though nothing is wrong; empty brings the help back."""
        self.set_help(self._help)
        if text:
            self._line.show_line(text, "warning", "triangle-alert")
            self.widget.setAccessibleDescription(text)

    def set_ok(self, text: str) -> None:
        """Say that it is fine; empty brings the help back."""
        self._mark(False)
        self._line.show_line(text or self._help, "success" if text else "text-tertiary", "circle-check" if text else "")

    def error(self) -> str:
        """The error shown now; empty if none is."""
        return self._line.label.text() if self._wrong else ""

    _wrong = False

    def _mark(self, wrong: bool) -> None:
        self._wrong = wrong
        self.widget.setAccessibleDescription(self._help)
        mark = getattr(self.widget, "set_error", None)
        if mark is not None:
            mark(wrong)


class TextEdit(QWidget):
    """Text of several lines in the box of a field; `edit` is Qt's editor inside. Plain text only."""

    changed = Signal()

    def __init__(
        self,
        theme: Theme,
        placeholder: str = "",
        mono: bool = True,
        lines: int = 5,
        read_only: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._error = False
        self.edit = QPlainTextEdit()
        self.edit.setFont(theme.font("mono" if mono else "body"))
        self.edit.setPlaceholderText(placeholder)
        self.edit.setAccessibleName(placeholder)
        self.edit.setReadOnly(read_only)
        self.edit.setTabChangesFocus(True)
        self.edit.document().setDocumentMargin(0)
        paint.clear_base(self.edit)
        self.edit.installEventFilter(self)
        self.edit.textChanged.connect(self.changed)
        self.setFocusProxy(self.edit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(11, 7, 5, 7)
        layout.addWidget(self.edit)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(theme.line("mono") * lines + 14)

    def sizeHint(self) -> QSize:
        """Its least height."""
        return QSize(320, self.minimumHeight())

    def setAccessibleName(self, name: str) -> None:
        """The editor inside has the name too: it is what takes the focus."""
        super().setAccessibleName(name)
        self.edit.setAccessibleName(name)

    def text(self) -> str:
        """What it holds."""
        return self.edit.toPlainText()

    def setText(self, text: str) -> None:
        """Replace what it holds, without the way back."""
        self.edit.setPlainText(text)

    def set_error(self, error: bool) -> None:
        """Mark what it holds as wrong."""
        self._error = error
        self.update()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """The box shows the focus of the editor."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box."""
        painter = QPainter(self)
        paint.field_frame(
            painter,
            self._theme,
            self.rect(),
            focused=self.edit.hasFocus(),
            error=self._error,
            enabled=self.isEnabled() and not self.edit.isReadOnly(),
        )
