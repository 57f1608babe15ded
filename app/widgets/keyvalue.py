"""A table of names and values to type in: environment variables, labels, options."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import IconButton, LinkButton
from app.widgets.envtext import is_all_pairs, is_secret, looks_like_pairs, pairs_of, strays
from app.widgets.focus import stop_before
from app.widgets.text import PlainLabel

_ROW = 30
_INSET = 10


class CellEdit(QLineEdit):
    """A line of mono text without a box of its own; `pasted` tells text of pairs instead of taking it."""

    pasted = Signal(str)

    def __init__(self, theme: Theme, name: str, parent: QWidget, *, is_value: bool = False) -> None:
        super().__init__(parent)
        self._is_value = is_value
        self.setFrame(False)
        paint.clear_base(self)
        self.setFont(theme.font("mono"))
        self.setTextMargins(8, 0, 4, 0)
        self.setFixedHeight(_ROW - 1)
        self.setAccessibleName(name)
        self.textEdited.connect(self._on_edited)

    def _splits(self, text: str) -> bool:
        """One line is a pair only where nothing stands yet: elsewhere it is a value, or the rest of a name."""
        if self._is_value:
            return is_all_pairs(text)
        row = self.parentWidget()
        empty = row is None or not any(cell.text() for cell in row.findChildren(CellEdit))
        return looks_like_pairs(text) and (empty or "\n" in text.strip())

    def _on_edited(self, text: str) -> None:
        """Gives pairs to the table that came by the menu or were dropped; the keys are caught before."""
        if "\n" not in text.strip() or not self._splits(text):
            return
        end = self.cursorPosition()
        self.undo()
        start = self.selectionStart() if self.hasSelectedText() else self.cursorPosition()
        self.pasted.emit(text[start:end])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give pasted pairs to the table."""
        if event.matches(QKeySequence.StandardKey.Paste):
            text = QGuiApplication.clipboard().text()
            if self._splits(text):
                self.pasted.emit(text)
                return
        super().keyPressEvent(event)


class _Row(QWidget):
    """One pair."""

    def __init__(self, editor: KeyValueEditor, theme: Theme, name: str, value: str) -> None:
        super().__init__(editor)
        self._theme = theme
        self.setFixedHeight(_ROW)
        self.name = CellEdit(theme, editor.name_title, self)
        self.value = CellEdit(theme, editor.value_title, self, is_value=True)
        self.eye = IconButton(theme, "eye", "Show value", toggle=True, small=True, parent=self)
        self.cross = IconButton(theme, "x", "Remove row", small=True, parent=self)
        self.name.setText(name)
        self.value.setText(value)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(1, 0, 2, 1)
        layout.setSpacing(2)
        layout.addWidget(self.name, 1)
        layout.addWidget(self.value, 2)
        layout.addWidget(self.eye)
        layout.addWidget(self.cross)
        self.eye.toggled.connect(self.hide_secret)
        self.hide_secret()

    def hide_secret(self, _checked: bool = False) -> None:
        """Hide the value of a secret name until the eye is pressed."""
        secret = is_secret(self.name.text())
        self.eye.setVisible(secret)
        hidden = secret and not self.eye.isChecked()
        self.value.setEchoMode(QLineEdit.EchoMode.Password if hidden else QLineEdit.EchoMode.Normal)
        self.eye.set_icon("eye-off" if self.eye.isChecked() else "eye")
        self.eye.set_name("Hide value" if self.eye.isChecked() else "Show value")

    def split(self, width: int) -> None:
        """Give the name column its width."""
        self.name.setFixedWidth(width - 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        color = self._theme.color("border")
        inner = self.rect().adjusted(1, 0, -1, 0)
        paint.hairline(painter, inner, color)
        paint.hairline(painter, QRect(self.name.geometry().right() + 1, 0, 1, self.height()), color, at="left")
        for cell in (self.name, self.value):
            if cell.hasFocus():
                box = QRect(cell.x(), 0, cell.width(), self.height() - 1)
                if cell is self.value:
                    box.setRight(self.width() - 2)
                paint.rounded(painter, box, 2, None, self._theme.color("focus"), 2)


class KeyValueEditor(QWidget):
    """Rows of name and value; a link adds one, pasted .env text becomes rows, secrets are masked.

    `changed` after each edit; `file_wanted` when the link for a file is pressed (only if `file_link` has words);
    with `variables` only their names are taken from a text, and `strayed` has the numbers of the lines left out.
    """

    changed = Signal()
    strayed = Signal(list)
    file_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        name_title: str = "Name",
        value_title: str = "Value",
        add_text: str = "Add variable",
        file_link: str = "",
        parent: QWidget | None = None,
        *,
        variables: bool = False,
    ) -> None:
        super().__init__(parent)
        self._theme, self._variables = theme, variables
        self.name_title, self.value_title = name_title, value_title
        self._rows: list[_Row] = []
        self._quiet = False
        self._stack = QVBoxLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.setSpacing(0)
        head = QWidget()
        head.setFixedHeight(_ROW - 1)
        self._name_head = PlainLabel(theme, name_title, "small", "text-secondary", parent=head)
        self._value_head = PlainLabel(theme, value_title, "small", "text-secondary", parent=head)
        for label in (self._name_head, self._value_head):
            label.setFont(theme.make_font(12, 500))
        self._stack.addWidget(head)
        self._stack.addWidget(self._build_foot(add_text, file_link))

    def _build_foot(self, add_text: str, file_link: str) -> QWidget:
        foot = QWidget()
        foot.setFixedHeight(_ROW)
        row = QHBoxLayout(foot)
        row.setContentsMargins(_INSET, 0, _INSET, 0)
        row.setSpacing(16)
        self.add_link = LinkButton(self._theme, add_text, "plus")
        self.add_link.clicked.connect(self._on_add_clicked)
        row.addWidget(self.add_link)
        if file_link:
            self.file_link = LinkButton(self._theme, file_link, "file-text", muted=True)
            self.file_link.clicked.connect(self.file_wanted)
            row.addWidget(self.file_link)
        row.addStretch(1)
        return foot

    # -- values -------------------------------------------------------------------

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values; rows with neither are left out."""
        found = [(row.name.text().strip(), row.value.text()) for row in self._rows]
        return [(name, value) for name, value in found if name or value]

    def set_pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Replace all rows."""
        self._quiet = True
        for row in list(self._rows):
            self._drop(row)
        for name, value in pairs:
            self._add(name, value)
        self._quiet = False
        self._tell()

    def add_pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add rows; a name that is there already gets the new value."""
        self._quiet = True
        for row in [row for row in self._rows if not row.name.text() and not row.value.text()]:
            self._drop(row)
        known = {row.name.text().strip(): row for row in self._rows}
        for name, value in pairs:
            if name in known:
                known[name].value.setText(value)
            else:
                known[name] = self._add(name, value)
        self._quiet = False
        self._tell()

    def add_text(self, text: str) -> None:
        """Add the pairs of .env text."""
        self.add_pairs(pairs_of(text, any_name=not self._variables))
        if self._variables:
            self.strayed.emit(strays(text))

    # -- rows ----------------------------------------------------------------------

    def _add(self, name: str = "", value: str = "") -> _Row:
        row = _Row(self, self._theme, name, value)
        row.split(self._split())
        for cell in (row.name, row.value):
            cell.pasted.connect(self._on_pasted)
            cell.installEventFilter(self)
        row.name.textEdited.connect(lambda _text: row.hide_secret())
        row.name.textChanged.connect(self._tell)
        row.value.textChanged.connect(self._tell)
        row.cross.clicked.connect(lambda _checked=False: self._remove(row))
        self._rows.append(row)
        self._stack.insertWidget(len(self._rows), row)
        stop_before(self.add_link, row)
        row.show()
        self.updateGeometry()
        return row

    def _on_pasted(self, text: str) -> None:
        self.add_text(text)
        if self._rows:
            self._rows[-1].value.setFocus(Qt.FocusReason.OtherFocusReason)

    def _drop(self, row: _Row) -> None:
        self._rows.remove(row)
        self._stack.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.updateGeometry()

    def _remove(self, row: _Row) -> None:
        place = self._rows.index(row)
        self._drop(row)
        near = self._rows[min(place, len(self._rows) - 1)].name if self._rows else self.add_link
        near.setFocus(Qt.FocusReason.OtherFocusReason)
        self._tell()

    def _on_add_clicked(self) -> None:
        self._add().name.setFocus(Qt.FocusReason.OtherFocusReason)

    def _tell(self) -> None:
        if not self._quiet:
            self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the focus; Enter in a value goes on to the next row."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut) and isinstance(watched, QWidget):
            parent = watched.parentWidget()
            if parent is not None:
                parent.update()
        plain = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and not event.modifiers()
        if plain and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Return:
            self._go_on(watched)
            return True
        return False

    def _go_on(self, cell: QObject) -> None:
        for place, row in enumerate(self._rows):
            if cell is row.name:
                row.value.setFocus(Qt.FocusReason.TabFocusReason)
            elif cell is row.value and place + 1 < len(self._rows):
                self._rows[place + 1].name.setFocus(Qt.FocusReason.TabFocusReason)
            elif cell is row.value:
                self._on_add_clicked()

    # -- painting --------------------------------------------------------------------

    def _split(self) -> int:
        return max(96, round(self.width() * 0.32))

    def resizeEvent(self, _event: object) -> None:
        """Keep the columns in line."""
        split = self._split()
        for row in self._rows:
            row.split(split)
        self._name_head.setGeometry(_INSET + 1, 0, split - 12, _ROW - 1)
        self._value_head.setGeometry(split + _INSET + 2, 0, self.width() - split - 12, _ROW - 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box, the header's ground and its lines."""
        painter = QPainter(self)
        theme, radius = self._theme, self._theme.radius("control")
        paint.rounded(painter, self.rect(), radius, theme.color("surface"))
        head = QRect(0, 0, self.width(), _ROW - 1)
        painter.save()
        paint.clip_round(painter, self.rect(), radius)
        painter.fillRect(head, theme.color("surface-alt"))
        painter.restore()
        paint.hairline(painter, head, theme.color("border"))
        paint.hairline(painter, QRect(self._split(), 0, 1, _ROW - 1), theme.color("border"), at="left")
        paint.rounded(painter, self.rect(), radius, None, theme.color("border-strong"))
