"""The first tab of the Run dialog: image, name, restart, ports, environment, and what happens after the start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from app.commands.run.form import EnvRow, Problem
from app.notices import notice_for
from app.pages.run.formtab import FormTab
from app.pages.run.portrows import Check, PortRows
from app.theme import Theme
from app.widgets.buttons import LinkButton
from app.widgets.choices import Checkbox
from app.widgets.fields import ComboEdit, LineEdit, Select, row_of
from app.widgets.forms import Field
from app.widgets.keyvalue import KeyValueEditor
from app.widgets.text import PlainLabel

RESTARTS = (
    ("no", "Never"), ("on-failure", "On failure"), ("unless-stopped", "Unless stopped"), ("always", "Always"),
)  # fmt: skip
LONGEST_ENV_FILE = 1_000_000


class BasicTab(FormTab):
    """`paste_wanted` when the link for a docker run line is pressed."""

    paste_wanted = Signal()

    def __init__(self, theme: Theme, images: Sequence[str], check_port: Check) -> None:
        super().__init__(theme)
        self.image = ComboEdit(theme, "nginx:1.27-alpine", images, mono=True, icon="layers")
        self.image_field = Field(theme, "Image", self.image)
        self.name = LineEdit(theme, "A name of your own")
        self.restart = Select(theme, RESTARTS)
        self.name_field = Field(theme, "Name", self._name_row())
        self.name.setAccessibleName("Name")
        self.ports = PortRows(theme, check_port)
        self.ports_field = Field(theme, "Ports", self.ports)
        self.ports_field.setMinimumHeight(40)
        hint = PlainLabel(theme, "Host to container", "small", "text-tertiary", parent=self.ports_field)
        hint.setFixedHeight(16)
        hint.move(0, 24)
        self.env = KeyValueEditor(theme, "Name", "Value", "Add variable", "From .env file…", variables=True)
        self.env_field = Field(theme, "Environment", self.env)
        self._unread = ""
        self.open_logs = Checkbox(theme, "Open the logs", True)
        self.auto_remove = Checkbox(theme, "Remove when it exits")
        self.after_field = Field(theme, "After start", self._after_row())
        for field in (self.image_field, self.name_field, self.ports_field, self.env_field, self.after_field):
            self.column.addWidget(field)
        self.column.addStretch(1)
        self._bind()

    def _name_row(self) -> QWidget:
        self.restart.setFixedWidth(192)
        self.restart.setAccessibleName("Restart")
        return row_of(self.name, PlainLabel(self.theme, "Restart", "body_medium"), self.restart)

    def _after_row(self) -> QWidget:
        paste = LinkButton(self.theme, "Paste a docker run line…", "terminal")
        paste.clicked.connect(self.paste_wanted)
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(20)
        row.addWidget(self.open_logs)
        row.addWidget(self.auto_remove)
        row.addStretch(1)
        row.addWidget(paste, 0, Qt.AlignmentFlag.AlignVCenter)
        return box

    def _bind(self) -> None:
        self.bind("image", self.image, self.image_field, self.image.setText, lambda: self.image.text().strip())
        self.bind("name", self.name, self.name_field, self.name.setText, lambda: self.name.text().strip())
        self.bind("restart", self.auto_remove, self.after_field, self._show_restart, self.restart.value)
        self.bind("ports", self.ports, self.ports_field, self.ports.set_rows, self.ports.rows)
        self.bind("env", self.env, self.env_field, self._show_env, self._read_env)
        self.bind(
            "auto_remove", self.auto_remove, self.after_field, self.auto_remove.setChecked, self.auto_remove.isChecked
        )
        for signal in (self.image.textChanged, self.name.textChanged):
            signal.connect(lambda _t: self.changed.emit())
        for signal in (self.ports.changed, self.env.changed):
            signal.connect(self.changed)
        self.restart.changed.connect(lambda _v: self.changed.emit())
        self.auto_remove.toggled.connect(lambda _c: self.changed.emit())
        self.env.file_wanted.connect(self._on_env_file)
        self.env.changed.connect(self._forget_file)
        self.env.strayed.connect(self._on_strays)

    def _show_restart(self, value: str) -> None:
        known = value in dict(RESTARTS)
        self.restart.set_choices(RESTARTS if known else (*RESTARTS, (value, value)))
        self.restart.set_value(value)

    def _show_env(self, rows: Sequence[EnvRow]) -> None:
        self.env.set_pairs([(row.name, row.value) for row in rows])

    def _read_env(self) -> tuple[EnvRow, ...]:
        return tuple(EnvRow(name, value) for name, value in self.env.pairs())

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """A port's problem stands beside its row."""
        super().show_problems([p for p in problems if not p.field.startswith("ports")])
        if self._unread:
            self.env_field.set_error(self._unread)
        self.name.set_error(bool(self.name_field.error()))
        self.ports.mark({int(p.field.split(".")[1]): p.sentence for p in problems if p.field.startswith("ports.")})

    def go_to(self, field: str) -> None:
        """To the row of a port, or the field."""
        if field.startswith("ports"):
            self.ports.go_to(field)
        else:
            super().go_to(field)

    def _forget_file(self) -> None:
        self._unread = ""

    def _on_strays(self, lines: list[int]) -> None:
        self._unread = left_out(lines)
        self.env_field.set_error(self._unread)

    def _on_env_file(self) -> None:
        chooser = QFileDialog(self, "Read variables from a file")
        chooser.fileSelected.connect(self.read_env_file)
        chooser.open()

    def read_env_file(self, path: str) -> None:
        """Adds the variables of a file; says at the field what keeps it from being read."""
        try:
            with Path(path).open(encoding="utf-8", errors="replace") as file:
                text = file.read(LONGEST_ENV_FILE)
        except OSError as error:
            self._unread = notice_for(error).detail
            self.env_field.set_error(self._unread)
            return
        self.env.add_text(text)


def left_out(lines: Sequence[int]) -> str:
    """What is said of the lines of a text of variables that assign nothing; empty when there are none."""
    if not lines:
        return ""
    shown = ", ".join(map(str, lines[:5])) + (", …" if len(lines) > 5 else "")
    if len(lines) == 1:
        return f"Line {shown} is no NAME=value and was left out"
    return f"Lines {shown} are no NAME=value and were left out"
