"""A tab of the Run dialog: fields bound by name to the fields of a RunForm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.commands.run.form import EnvRow, Problem, RunForm
from app.theme import Theme
from app.widgets.choices import Checkbox
from app.widgets.fields import ComboEdit, LineEdit, Select, row_of
from app.widgets.forms import Field
from app.widgets.keyvalue import KeyValueEditor

GAP = 14


@dataclass(frozen=True, slots=True)
class _Bound:
    """How one field of the form is shown: `show` puts a value on screen, `read` takes it off."""

    widget: QWidget
    field: Field
    show: Callable[[Any], object]
    read: Callable[[], object]


class FormTab(QWidget):
    """Subclasses add their fields in `__init__`; `changed` follows every edit."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(GAP)
        self.bound: dict[str, _Bound] = {}

    # Adding fields

    def bind(
        self, name: str, widget: QWidget, field: Field, show: Callable[[Any], object], read: Callable[[], object]
    ) -> None:
        """Ties `widget`, which stands in `field`, to the form's field `name`."""
        self.bound[name] = _Bound(widget, field, show, read)

    def add_text(self, name: str, label: str, placeholder: str, help_text: str = "", *, mono: bool = True) -> LineEdit:
        """A line of text."""
        edit = LineEdit(self.theme, placeholder, mono=mono)
        self._add_line(name, label, edit, help_text, lambda: edit.text().strip(), edit.setText)
        return edit

    def add_combo(
        self, name: str, label: str, placeholder: str, suggestions: Sequence[str], help_text: str = ""
    ) -> ComboEdit:
        """A line of text with suggestions."""
        edit = ComboEdit(self.theme, placeholder, suggestions)
        self._add_line(name, label, edit, help_text, lambda: edit.text().strip(), edit.setText)
        return edit

    def add_words(self, name: str, label: str, placeholder: str, help_text: str = "") -> LineEdit:
        """Several words with spaces or commas between them."""
        edit = LineEdit(self.theme, placeholder, mono=True)

        def read() -> tuple[str, ...]:
            return tuple(edit.text().replace(",", " ").split())

        self._add_line(name, label, edit, help_text, read, lambda words: edit.setText(" ".join(words)))
        return edit

    def add_select(self, name: str, label: str, choices: Sequence[tuple[str, str]], help_text: str = "") -> Select:
        """One of a few values."""
        select = Select(self.theme, choices)
        field = self._field(label, select, help_text)
        select.changed.connect(lambda _v: self.changed.emit())
        self.bind(name, select, field, select.set_value, select.value)
        return select

    def add_checks(self, label: str, *checks: tuple[str, str]) -> None:
        """Tick boxes in one row, each a field name and its words."""
        boxes = [Checkbox(self.theme, words) for _name, words in checks]
        field = self._field(label, row_of(*boxes, gap=20, left=True), "")
        for box, (name, _words) in zip(boxes, checks, strict=True):
            box.toggled.connect(lambda _c: self.changed.emit())
            self.bind(name, box, field, box.setChecked, box.isChecked)

    def add_pairs(
        self,
        name: str,
        label: str,
        titles: tuple[str, str],
        add: str,
        file_link: str = "",
        make: Callable[[str, str], object] = EnvRow,
    ) -> KeyValueEditor:
        """A table of two columns; `make` makes one entry of the form's field."""
        editor = KeyValueEditor(self.theme, *titles, add, file_link)
        field = self._field(label, editor, "")
        editor.changed.connect(self.changed)

        def show(entries: Iterable[Any]) -> None:
            editor.set_pairs([_two(entry) for entry in entries])

        self.bind(name, editor, field, show, lambda: tuple(make(n, v) for n, v in editor.pairs()))
        return editor

    def _field(self, label: str, widget: QWidget, help_text: str) -> Field:
        field = Field(self.theme, label, widget, help_text)
        self.column.addWidget(field)
        return field

    def _add_line(
        self,
        name: str,
        label: str,
        edit: LineEdit,
        help_text: str,
        read: Callable[[], object],
        show: Callable[[Any], object],
    ) -> None:
        field = self._field(label, edit, help_text)
        edit.textChanged.connect(lambda _t: self.changed.emit())
        self.bind(name, edit, field, show, read)

    # Form in, form out

    def fill(self, form: RunForm) -> None:
        """Shows a form."""
        for name, bound in self.bound.items():
            bound.show(getattr(form, name))

    def take(self, form: RunForm) -> RunForm:
        """The form with what is typed here."""
        typed: dict[str, Any] = {name: bound.read() for name, bound in self.bound.items()}
        return replace(form, **typed)

    # Problems

    def holds(self, field: str) -> bool:
        """Whether a problem's field is on this tab."""
        return field.partition(".")[0] in self.bound

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Says each problem at its field, the first of a field only; fields without one are as ever."""
        said: dict[Field, str] = {bound.field: "" for bound in self.bound.values()}
        for problem in problems:
            bound = self.bound.get(problem.field.partition(".")[0])
            if bound is not None and not said[bound.field]:
                said[bound.field] = problem.sentence
        for field, words in said.items():
            if words or field.error():
                field.set_error(words)

    def go_to(self, field: str) -> None:
        """Moves the focus to the field of a problem."""
        self.bound[field.partition(".")[0]].widget.setFocus(Qt.FocusReason.OtherFocusReason)


def _two(entry: Any) -> tuple[str, str]:
    return (entry.name, entry.value) if isinstance(entry, EnvRow) else (entry.flag, entry.value)
