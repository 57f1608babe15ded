"""The one place where text from outside reaches the screen: plain labels, escaped tool tips, names made visible."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import (
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QTextOption,
)
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets.shortcuts import key_name

_NAME_CAP = 200
_SEEN_SPACES = "\u00a0\u202f"
_BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f\u180b\u180c\u180d\u180e\u180f")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible_name(text: str, cap: int = _NAME_CAP) -> str:
    """`text` with nothing hidden: bidi, zero-width, control and blank characters as escapes, at most `cap` characters.

    For names, tags, paths and the like, which a person must be able to tell apart.
    """
    if len(text) > cap:
        text = text[: cap - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if (char.isprintable() or char in _SEEN_SPACES) and char not in _BLANK_LETTERS and not _selects_variation(char):
        return char
    code = ord(char)
    return _SHORT.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def _selects_variation(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def set_tooltip(widget: QWidget, text: str, key: str = "") -> None:
    """A tool tip that shows `text` as it is, whatever markup it holds, and the `key` that does the same."""
    widget.setToolTip(tooltip(text, key))


def tooltip(text: str, key: str = "") -> str:
    """What `QToolTip` must be given so that it shows `text` and `key` literally; for views and delegates."""
    whole = f"{text}\u2002{key_name(key)}" if key else text
    if "\n" not in whole and len(whole) < 80 and not GuiQt.mightBeRichText(whole):
        return whole
    if not whole:
        return ""
    from html import escape  # Late: it brings the names of all of HTML's characters.

    return f"<qt>{escape(whole).replace(chr(10), '<br>')}</qt>"


class PlainLabel(QLabel):
    """Plain text in a type and a colour token, never markup; wraps, or elides with the whole text as its tool tip."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        type: str = "body",
        token: str = "text",
        elide: Qt.TextElideMode | None = None,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._token = token
        self._elide = elide
        self._own_tip = ""
        self._line = theme.line(type)
        self._layout_key: tuple[str, int] | None = None
        self._lines: list[tuple[int, int]] = []
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(type))
        self.setWordWrap(wrap)
        if wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
        elif elide is not None:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def set_token(self, token: str) -> None:
        """Change the colour."""
        if token != self._token:
            self._token = token
            self._color_selectable()
            self.update()

    def set_type(self, type_name: str) -> None:
        """Change the font."""
        self._line = self._theme.line(type_name)
        self._layout_key = None
        self.setFont(self._theme.font(type_name))

    def set_selectable(self) -> None:
        """Let the text be selected and copied."""
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._color_selectable()
        self._theme.changed.connect(self._color_selectable)

    def _selectable(self) -> bool:
        return bool(self.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse)

    def _color_selectable(self) -> None:
        if self._selectable():
            palette = self._theme.palette()
            palette.setColor(self.foregroundRole(), self._theme.color(self._token))
            self.setPalette(palette)

    # -- size ---------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """One line at the height of its type; wrapped text asks for at most 480 px of width."""
        margins = self.contentsMargins()
        lines = self.text().split("\n") if self.text() else [""]
        metrics = QFontMetrics(self.font())
        width = max(metrics.horizontalAdvance(line) for line in lines[:200]) + 2
        if self.wordWrap():
            width = min(width, 480)
            height = self._line * len(self._broken(width))
        else:
            height = self._line * len(lines)
        return QSize(
            width + margins.left() + margins.right() + 2 * self.margin(),
            height + margins.top() + margins.bottom() + 2 * self.margin(),
        )

    def minimumSizeHint(self) -> QSize:
        """Wrapped and elided text may become narrow."""
        hint = self.sizeHint()
        if self.wordWrap() or self._elide is not None:
            hint.setWidth(min(hint.width(), 24))
            hint.setHeight(min(hint.height(), self._line) if self.wordWrap() else hint.height())
        return hint

    def hasHeightForWidth(self) -> bool:
        """Only wrapped text depends on its width."""
        return self.wordWrap()

    def heightForWidth(self, width: int) -> int:
        """The height of the wrapped text."""
        if not self.wordWrap():
            return -1
        margins = self.contentsMargins()
        inner = width - margins.left() - margins.right()
        return self._line * len(self._broken(inner)) + margins.top() + margins.bottom()

    def _broken(self, width: int) -> list[tuple[int, int]]:
        """Where the lines of the wrapped text begin and how long they are; kept until text or width change."""
        text = self.text()
        if self._layout_key == (text, width):
            return self._lines
        lines: list[tuple[int, int]] = []
        start = 0
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        for paragraph in text.split("\n"):
            layout = QTextLayout(paragraph, self.font())
            layout.setTextOption(option)
            layout.beginLayout()
            while (line := layout.createLine()).isValid():
                line.setLineWidth(max(1, width))
                lines.append((start + line.textStart(), line.textLength()))
            layout.endLayout()
            start += len(paragraph) + 1
        self._layout_key, self._lines = (text, width), lines
        return lines

    # -- painting -------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lines on the grid of their type; selectable text is painted by Qt, on the same grid."""
        if self._selectable() or not self.text():
            if self._selectable():
                self._set_on_grid()
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self._theme.color(self._token if self.isEnabled() else "text-disabled"))
        box = self.contentsRect()
        if self.wordWrap():
            text = self.text()
            lines = [text[start : start + length].rstrip(" ") for start, length in self._broken(box.width())]
        else:
            lines = self._single_lines(box.width())
        self._draw(painter, box, lines)

    def _set_on_grid(self) -> None:
        """Gives the document in which Qt lets one select the lines that `heightForWidth` counts."""
        super().heightForWidth(self.width())  # Qt fills and breaks the document only once it needs it
        document = self.findChild(QTextDocument)
        if document is None:
            return
        option = document.defaultTextOption()
        if option.wrapMode() == QTextOption.WrapMode.WordWrap:
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
            document.setDefaultTextOption(option)
        spare = self._line - QFontMetrics(self.font()).height()
        if document.firstBlock().blockFormat().lineHeight() != spare:
            apart = QTextBlockFormat()
            apart.setLineHeight(spare, QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
            cursor = QTextCursor(document)
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.mergeBlockFormat(apart)
        frame = document.rootFrame().frameFormat()
        if frame.topMargin() != spare // 2:
            frame.setTopMargin(spare // 2)
            document.rootFrame().setFrameFormat(frame)

    def _single_lines(self, width: int) -> list[str]:
        lines = self.text().split("\n")
        if self._elide is None:
            return lines
        metrics = QFontMetrics(self.font())
        shown = [metrics.elidedText(line, self._elide, width) for line in lines]
        tip = tooltip(self.text()) if shown != lines else ""
        if tip != self._own_tip and self.toolTip() == self._own_tip:
            self.setToolTip(tip)
            self._own_tip = tip
        return shown

    def _draw(self, painter: QPainter, box: QRect, lines: list[str]) -> None:
        metrics = QFontMetrics(self.font())
        align = self.alignment()
        height = self._line * len(lines)
        top = float(box.top())
        if align & Qt.AlignmentFlag.AlignVCenter:
            top += (box.height() - height) / 2
        elif align & Qt.AlignmentFlag.AlignBottom:
            top += box.height() - height
        rise = (self._line - metrics.ascent() - metrics.descent()) / 2 + metrics.ascent()
        for number, words in enumerate(lines):
            left = float(box.left())
            if align & (Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignHCenter):
                spare = box.width() - metrics.horizontalAdvance(words)
                left += spare if align & Qt.AlignmentFlag.AlignRight else spare / 2
            painter.drawText(QPointF(left, round(top + number * self._line + rise)), words)
