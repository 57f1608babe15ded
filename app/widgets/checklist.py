"""CheckList: named things, each with a mark for how it stands, words, and where one helps a button."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.progress import Ring
from app.widgets.states import IconMark
from app.widgets.text import PlainLabel

_MARKS = {
    "waiting": ("circle-dashed", "text-tertiary", "Not yet"),
    "good": ("check", "success", "Good"),
    "warning": ("triangle-alert", "warning", "Warning"),
    "bad": ("circle-alert", "danger", "Bad"),
    "unknown": ("circle-help", "text-tertiary", "Not known"),
}
_LINE = 20


class CheckRow(Struct, frozen=True):
    """`mark` is waiting, going, good, warning, bad or unknown; `right` is a short fact, `action` the button's words."""

    key: str
    name: str
    mark: str
    words: str = ""
    right: str = ""
    action: str = ""


class _Line(QWidget):
    """One row; what does not change stays, and so does the keyboard."""

    pressed = Signal()

    def __init__(self, theme: Theme, wide: int) -> None:
        super().__init__()
        self._row = CheckRow("", "", "")
        self._ring = Ring(theme)
        self._mark = IconMark(theme, "", size=16)
        self._name = PlainLabel(theme, "", elide=Qt.TextElideMode.ElideRight)
        self._name.setFixedWidth(wide)
        self._words = PlainLabel(theme, "", "small", "text-secondary", wrap=True)
        self._words.setContentsMargins(0, 2, 0, 2)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._right = PlainLabel(theme, "", "small", "text-tertiary")
        self._button = Button(theme, "", small=True)
        self._button.clicked.connect(self.pressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for part in (self._mark, self._ring, self._name, self._right):
            part.setFixedHeight(_LINE)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self._mark, 0, top)
        row.addWidget(self._ring, 0, top)
        row.addWidget(self._name, 0, top)
        row.addWidget(self._words, 1)
        row.addWidget(self._right, 0, top)
        row.addWidget(self._button, 0, top)

    def set(self, row: CheckRow) -> None:
        if row == self._row:
            return
        self._row = row
        going = row.mark == "going"
        icon, token, said = _MARKS.get(row.mark, _MARKS["unknown"])
        self._ring.setVisible(going)
        self._mark.setVisible(not going)
        self._mark.set(icon, token)
        self._mark.setAccessibleName(said)
        self._name.setText(row.name)
        self._name.set_token("text-tertiary" if row.mark == "waiting" else "text")
        self._words.setText(row.words)
        self._words.set_token("text" if row.mark == "bad" else "text-secondary")
        self._right.setText(row.right)
        self._right.setVisible(bool(row.right))
        self._button.setText(row.action)
        self._button.setAccessibleName(f"{row.action} ({row.name})" if row.action else "")
        self._button.setVisible(bool(row.action))
        self.setAccessibleName(f"{row.name}: {'Going on' if going else said}. {row.words}".strip())


class CheckList(QWidget):
    """`pressed(key)` when the button of a row is. Names take `wide` pixels."""

    pressed = Signal(str)

    def __init__(self, theme: Theme, wide: int = 232, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._wide = theme, wide
        self._lines: dict[str, _Line] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)

    def set_rows(self, rows: Sequence[CheckRow]) -> None:
        """Shows these rows, in their order."""
        if [row.key for row in rows] != list(self._lines):
            for line in self._lines.values():
                line.hide()
                line.deleteLater()
            self._lines = {row.key: self._line(row.key) for row in rows}
        for row in rows:
            self._lines[row.key].set(row)

    def _line(self, key: str) -> _Line:
        line = _Line(self._theme, self._wide)
        line.pressed.connect(lambda: self.pressed.emit(key))
        self._column.addWidget(line)
        return line
