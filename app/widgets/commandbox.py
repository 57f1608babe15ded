"""The docker command line of what a dialog does: folded away or shown, tinted, to copy."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import Button
from app.widgets.focus import RingTarget
from app.widgets.text import visible_name

_HEAD = 34
_LEFT = 30
_FEEDBACK_MS = 1600
_CAP = 20_000
_SHELL = (">", "2>&1")


class LineLike(Protocol):
    """A command line: `shown` with secrets masked, `copied` with them."""

    @property
    def shown(self) -> str: ...  # noqa: D102
    @property
    def copied(self) -> str: ...  # noqa: D102


def tinted(line: str) -> list[tuple[str, str]]:
    """The words of a command line and their colour tokens: the command, its options, all the rest."""
    words = _split(line)
    found, seen_option = [], False
    for number, word in enumerate(words):
        option = word.startswith("-") and len(word) > 1
        seen_option = seen_option or option
        plain = number == 0 or word in _SHELL or (not seen_option and number < 3 and word.isalpha())
        found.append((word, "syn-keyword" if option else "text" if plain else "syn-string"))
    return found


def _split(line: str) -> list[str]:
    """Cut at spaces that are not inside single quotes."""
    words, word, quoted = [], "", False
    for char in line:
        if char == "'":
            quoted = not quoted
        if char == " " and not quoted:
            words.append(word)
            word = ""
        else:
            word += char
    return [*words, word] if word else words


class CommandBox(RingTarget, QWidget):
    """Folds with its header (pointer, Space, Enter); `folded(bool)` tells whether it is folded now."""

    folded = Signal(bool)

    def __init__(
        self, theme: Theme, title: str = "Show command", open_: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = self.ring_theme = theme
        self.ring_radius = theme.radius("control")
        self._title = title
        self._open = open_
        self._line: LineLike | None = None
        self._shown = ""
        self._rows: list[list[tuple[float, str, str]]] = []
        self._laid: tuple[str, int] = ("", -1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.copy = Button(theme, "Copy", "copy", "ghost", small=True, parent=self)
        self.copy.setAccessibleName("Copy command")
        self.copy.clicked.connect(self._on_copy_clicked)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_FEEDBACK_MS)
        self._back.timeout.connect(self._on_feedback_over)
        self._tell_name()

    def set_line(self, line: LineLike) -> None:
        """Show another command line."""
        self._line = line
        shown = visible_name(line.shown, _CAP)
        if shown != self._shown:
            self._shown = shown
            self._tell_name()
            self._fit()

    def is_open(self) -> bool:
        """Whether the line is shown."""
        return self._open

    def set_open(self, open_: bool) -> None:
        """Show the line or fold it away."""
        if open_ != self._open:
            self._open = open_
            self._tell_name()
            self._fit()
            self.folded.emit(not open_)

    def _tell_name(self) -> None:
        self.setAccessibleName(self._title)
        self.setAccessibleDescription(self._shown if self._open else "")

    def _fit(self) -> None:
        self.setFixedHeight(self.heightForWidth(self.width()))
        self.updateGeometry()
        self.update()

    def _on_copy_clicked(self) -> None:
        if self._line is not None:
            QGuiApplication.clipboard().setText(self._line.copied)
            self.copy.setText("Copied")
            self.copy.set_icon("check", "success")
            self._put_copy()
            self._back.start()

    def _on_feedback_over(self) -> None:
        self.copy.setText("Copy")
        self.copy.set_icon("copy")
        self._put_copy()

    # -- size ------------------------------------------------------------------------

    def _broken(self, width: int) -> list[list[tuple[float, str, str]]]:
        """Rows of (left, words, token), broken between words; an option stays with its value where it can."""
        if self._laid == (self._shown, width):
            return self._rows
        cell = QFontMetricsF(self._theme.font("mono")).horizontalAdvance("0")
        most = max(16, int((width - _LEFT - 16) / cell))
        rows: list[list[tuple[float, str, str]]] = [[]]
        column = 0
        for chunk in _chunks(tinted(self._shown)):
            length = sum(len(word) + 1 for word, _token in chunk) - 1
            if column and column + length > most:
                rows.append([])
                column = 2
            for word, token in chunk:
                for piece in [word[at : at + most - 2] for at in range(0, len(word), most - 2)]:
                    if column + len(piece) > most and rows[-1]:
                        rows.append([])
                        column = 2
                    rows[-1].append((column * cell, piece, token))
                    column += len(piece)
                column += 1
        self._laid, self._rows = (self._shown, width), rows
        return rows

    def hasHeightForWidth(self) -> bool:
        """The line wraps."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Header, and the rows of the line if it is open."""
        if not self._open or not self._shown:
            return _HEAD
        return _HEAD + 2 + len(self._broken(width)) * self._theme.line("mono") + 12

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(360, self.heightForWidth(max(self.width(), 360)))

    def resizeEvent(self, _event: object) -> None:
        """Keep Copy at the right end, and the height."""
        self._put_copy()
        self._fit()

    def _put_copy(self) -> None:
        size = self.copy.sizeHint()
        self.copy.setGeometry(self.width() - size.width() - 6, 4, size.width(), size.height())

    # -- acts ---------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press on the header folds or unfolds."""
        if event.position().y() < _HEAD and event.button() == Qt.MouseButton.LeftButton:
            self.set_open(not self._open)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and Enter fold or unfold."""
        plain = not event.modifiers()
        if plain and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.set_open(not self._open)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint box, header and the tinted rows."""
        painter = QPainter(self)
        theme = self._theme
        paint.rounded(painter, self.rect(), theme.radius("control"), theme.color("code-bg"), theme.color("border"))
        paint.chevron(painter, theme, QRect(10, 1, 14, _HEAD), "text-secondary", open_=self._open)
        head = QRect(_LEFT, 0, self.width() - _LEFT - 90, _HEAD + 1)
        paint.text(painter, head, self._title, theme.font("body_medium"), theme.color("text"))
        if not self._open or not self._shown:
            return
        font = theme.font("mono")
        painter.setFont(font)
        line = theme.line("mono")
        rise = (line + QFontMetricsF(font).ascent() - QFontMetricsF(font).descent()) / 2
        for number, row in enumerate(self._broken(self.width())):
            for left, words, token in row:
                painter.setPen(theme.color(token))
                painter.drawText(QPointF(_LEFT + left, round(_HEAD + 2 + number * line + rise)), words)


def _chunks(words: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Options together with the value that follows them."""
    found: list[list[tuple[str, str]]] = []
    for word, token in words:
        previous = found[-1] if found else []
        joins = (
            len(previous) == 1
            and previous[0][1] == "syn-keyword"
            and token == "syn-string"
            and "=" not in previous[0][0]
        )
        if joins:
            previous.append((word, token))
        else:
            found.append([(word, token)])
    return found
