"""Fields of one line: text, number, choice, each 30 px high with a line that never shifts what it holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QRect, QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QHBoxLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.buttons import IconButton
from app.widgets.choices import Checkbox, Radio, Switch
from app.widgets.forms import Field, TextEdit
from app.widgets.lineedit import LineEdit
from app.widgets.menus import Menu
from app.widgets.paint import clear_base, field_frame
from app.widgets.text import visible_name

SUGGESTIONS = "suggestions"
__all__ = [
    "Checkbox",
    "ComboEdit",
    "Field",
    "LineEdit",
    "Radio",
    "SecretEdit",
    "Select",
    "SpinEdit",
    "Switch",
    "TextEdit",
    "path_of",
    "row_of",
]


class ComboEdit(LineEdit):
    """A line of text with suggestions: as one types, or all of them from the button at the right."""

    picked = Signal(str)

    def __init__(
        self,
        theme: Theme,
        placeholder: str = "",
        suggestions: Sequence[str] = (),
        mono: bool = False,
        icon: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, placeholder, mono, icon, parent=parent)
        self._suggestions = QStringListModel(list(suggestions), self)
        completer = QCompleter(self._suggestions, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(8)
        completer.activated[str].connect(self._take)  # type: ignore[index]
        self.setCompleter(completer)
        self.textEdited.connect(self._name_popup)
        self._more = IconButton(theme, "chevrons-up-down", "Suggestions", small=True, parent=self)
        self._more.clicked.connect(self._on_more_clicked)
        self.reserve(20)

    def set_suggestions(self, suggestions: Sequence[str]) -> None:
        """Replace what is suggested."""
        self._suggestions.setStringList(list(suggestions))

    def _name_popup(self) -> None:
        """Names the list of suggestions for the style sheet, once it is needed."""
        popup = self.completer().popup()
        if popup is not None and popup.objectName() != SUGGESTIONS:
            popup.setObjectName(SUGGESTIONS)
            popup.setFont(self.font())

    def resizeEvent(self, event: object) -> None:
        """Keep the button at the right end."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._more.move(self.width() - self._more.width() - 4, (self.height() - self._more.height()) // 2)

    def _on_more_clicked(self) -> None:
        if self._suggestions.rowCount():
            self.setFocus(Qt.FocusReason.PopupFocusReason)
            self.completer().setCompletionPrefix("")
            self._name_popup()
            self.completer().complete()

    def _take(self, text: str) -> None:
        self.setText(text)  # Qt does so itself where the field has the keyboard.
        self.picked.emit(text)


class Select(QComboBox):
    """One of a few values; `changed` tells the value when the person chose another."""

    changed = Signal(str)

    def __init__(self, theme: Theme, choices: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._error = False
        self.setFont(theme.font("body"))
        self.setFixedHeight(theme.height("control"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_choices(choices)
        self.activated.connect(self._on_activated)

    def setAccessibleName(self, name: str) -> None:
        """Tells it in the description too: except on Windows Qt gives the choice as the name of a combo box."""
        super().setAccessibleName(name)
        self.setAccessibleDescription(self._about)

    def setAccessibleDescription(self, about: str) -> None:
        """Keeps the name before it."""
        self._about = about
        super().setAccessibleDescription(". ".join(part for part in (self.accessibleName(), about) if part))

    _about = ""

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        """Replace the choices (value and words) and keep the value if it is still among them."""
        before = self.value()
        self.clear()
        for value, text in choices:
            self.addItem(visible_name(text), value)
        self.set_value(before)

    def value(self) -> str:
        """The value of the choice; empty if there is none."""
        found = self.currentData()
        return found if isinstance(found, str) else ""

    def set_value(self, value: str) -> None:
        """Choose `value` without telling; an unknown one changes nothing."""
        row = self.findData(value)
        if row >= 0:
            self.setCurrentIndex(row)

    def set_error(self, error: bool) -> None:
        """Mark the choice as wrong."""
        self._error = error
        self.update()

    def _on_activated(self, _row: int) -> None:
        self.changed.emit(self.value())

    def sizeHint(self) -> QSize:
        """As wide as the longest choice, at least 78 px."""
        widest = max((paint.width_of(self.itemText(row), self.font()) for row in range(self.count())), default=0)
        return QSize(max(78, widest + 44), self.height())

    def minimumSizeHint(self) -> QSize:
        """Words may be elided."""
        return QSize(64, self.height())

    def showPopup(self) -> None:
        """Open the choices as a menu of ours."""
        menu = Menu(self._theme, self, once=True)
        for row in range(self.count()):
            menu.add("", self.itemText(row), checked=row == self.currentIndex(), on_pick=partial(self._pick, row))
        menu.setMinimumWidth(self.width())
        menu.popup_under(self)

    def _pick(self, row: int) -> None:
        if row != self.currentIndex():
            self.setCurrentIndex(row)
            self.changed.emit(self.value())

    def wheelEvent(self, event: object) -> None:
        """Scrolling past it changes nothing."""
        event.ignore()  # type: ignore[attr-defined]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box, the words and the arrow."""
        painter = QPainter(self)
        enabled = self.isEnabled()
        field_frame(painter, self._theme, self.rect(), focused=self.hasFocus(), error=self._error, enabled=enabled)
        token = "text" if enabled else "text-disabled"
        words = self.rect().adjusted(11, 0, -30, 0)
        paint.text(painter, words, self.currentText(), self.font(), self._theme.color(token))
        arrow = QRect(self.width() - 22, 0, 12, self.height())
        paint.icon(painter, self._theme, arrow, "chevron-down", "text-secondary", 12)


class SpinEdit(QSpinBox):
    """A whole number within bounds, typed or stepped with Up and Down."""

    def __init__(
        self,
        theme: Theme,
        low: int = 0,
        high: int = 99,
        value: int = 0,
        suffix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._error = False
        edit = LineEdit(theme, suffix=suffix)
        self.setLineEdit(edit)
        self.setFrame(False)
        clear_base(self)
        self.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.setFixedHeight(theme.height("control"))
        self.setRange(low, high)
        self.setValue(value)

    def set_error(self, error: bool) -> None:
        """Mark the number as wrong."""
        edit = self.lineEdit()
        if isinstance(edit, LineEdit):
            edit.set_error(error)

    def wheelEvent(self, event: object) -> None:
        """Scrolling past it changes nothing."""
        event.ignore()  # type: ignore[attr-defined]

    def resizeEvent(self, event: object) -> None:
        """The line is the whole of it."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place_line()

    def changeEvent(self, event: QEvent) -> None:
        """Qt gives the line another place whenever anything of the look changes."""
        super().changeEvent(event)
        self._place_line()

    def showEvent(self, event: QShowEvent) -> None:
        """The same when it is first shown."""
        super().showEvent(event)
        self._place_line()

    def _place_line(self) -> None:
        if (line := self.lineEdit()) is not None:
            line.setGeometry(self.rect())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The line paints itself."""


class SecretEdit(LineEdit):
    """A line whose text is hidden until its eye is pressed."""

    def __init__(self, theme: Theme, placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, placeholder, True, parent=parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self._eye = IconButton(theme, "eye", "Show", toggle=True, small=True, parent=self)
        self._eye.toggled.connect(self._on_eye_toggled)
        self.reserve(24)

    def _on_eye_toggled(self, seen: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if seen else QLineEdit.EchoMode.Password)
        self._eye.set_icon("eye-off" if seen else "eye")
        self._eye.set_name("Hide" if seen else "Show")

    def resizeEvent(self, event: object) -> None:
        """Keep the eye at the right end."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._eye.move(self.width() - self._eye.width() - 4, (self.height() - self._eye.height()) // 2)


def path_of(edit: LineEdit) -> str:
    """The path that a person typed, with the home folder for `~` as in a shell; a `~name` of nobody stays as it is."""
    text = edit.text().strip()
    try:
        return os.path.expanduser(text)
    except ValueError:  # No name on any system: it holds a zero or half a character.
        return text


def row_of(*widgets: QWidget, gap: int = 8, left: bool = False) -> QWidget:
    """Widgets in one row without margins, as one widget; `left` keeps them together at the left."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(gap)
    for widget in widgets:
        layout.addWidget(widget)
    if left:
        layout.addStretch(1)
    return box
