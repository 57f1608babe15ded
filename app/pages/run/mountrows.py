"""The rows of mounts: a folder of the engine's computer, a volume, or memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.commands.run.form import MountKind, MountRow
from app.theme import Theme
from app.widgets.buttons import IconButton, LinkButton
from app.widgets.choices import Checkbox
from app.widgets.fields import ComboEdit, LineEdit, Select
from app.widgets.focus import stop_before

KINDS = (("bind", "Folder"), ("volume", "Volume"), ("tmpfs", "Memory"))
_HINTS = {"bind": "/path/on/this/computer", "volume": "Name, or none for a new one", "tmpfs": "Gone when it stops"}


class MountLine(QWidget):
    """One mount; `host` is where its folder is, when not on this computer."""

    changed = Signal()
    removed = Signal()

    def __init__(
        self, theme: Theme, row: MountRow, volumes: Sequence[str], host: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._row, self._volumes, self._host = row, volumes, host
        self.kind = Select(theme, KINDS)
        self.kind.setAccessibleName("Kind of mount")
        self.kind.set_value(row.kind)
        self.source = ComboEdit(theme, _HINTS[row.kind], mono=True)
        self.source.setAccessibleName("Source")
        self.source.setText(row.source)
        self.pick = IconButton(theme, "folder-open", "Choose a folder")
        policy = self.pick.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.pick.setSizePolicy(policy)
        self.pick.clicked.connect(self._on_pick)
        self.target = LineEdit(theme, "/path/inside", mono=True)
        self.target.setAccessibleName("Path inside")
        self.target.setText(row.target)
        self.read_only = Checkbox(theme, "Read-only", row.read_only)
        drop = IconButton(theme, "x", "Remove this mount", small=True)
        drop.clicked.connect(self.removed)
        self.kind.setFixedWidth(92)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.kind)
        line.addWidget(self.source, 3)
        line.addWidget(self.pick)
        line.addWidget(self.target, 2)
        line.addWidget(self.read_only)
        line.addWidget(drop)
        self.kind.changed.connect(lambda _v: self._on_kind())
        self.source.textChanged.connect(lambda _t: self.changed.emit())
        self.target.textChanged.connect(lambda _t: self.changed.emit())
        self.read_only.toggled.connect(lambda _c: self.changed.emit())
        self._on_kind()

    def row(self) -> MountRow:
        """The mount as typed; options that came with a pasted line stay."""
        kind = cast("MountKind", self.kind.value())
        fresh = MountRow() if kind != self._row.kind else self._row
        source = "" if kind == "tmpfs" else self.source.text().strip()
        return replace(
            fresh, kind=kind, source=source, target=self.target.text().strip(), read_only=self.read_only.isChecked()
        )

    def _on_kind(self) -> None:
        kind = self.kind.value()
        afar = f"/path/on/{self._host}" if self._host and kind == "bind" else ""
        self.source.setPlaceholderText(afar or _HINTS[kind])
        self.source.setEnabled(kind != "tmpfs")
        self.source.set_suggestions(self._volumes if kind == "volume" else ())
        self.pick.setVisible(kind == "bind" and not self._host)
        self.changed.emit()

    def _on_pick(self) -> None:
        chooser = QFileDialog(self, "Choose a folder", self.source.text())
        chooser.setFileMode(QFileDialog.FileMode.Directory)
        chooser.fileSelected.connect(self.source.setText)
        chooser.open()


class MountRows(QWidget):
    """All mounts and a link that adds one."""

    changed = Signal()

    def __init__(self, theme: Theme, volumes: Sequence[str], host: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._volumes, self._host = theme, volumes, host
        self.lines: list[MountLine] = []
        self._stack = QVBoxLayout()
        self._stack.setSpacing(6)
        self.add_link = LinkButton(theme, "Add mount", "plus")
        self.add_link.clicked.connect(lambda: self.add(MountRow()))
        foot = QHBoxLayout()
        foot.addStrut(theme.height("control"))
        foot.addWidget(self.add_link)
        foot.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(self._stack)
        whole.addLayout(foot)

    def rows(self) -> tuple[MountRow, ...]:
        """The mounts as typed."""
        return tuple(line.row() for line in self.lines)

    def set_rows(self, rows: Iterable[MountRow]) -> None:
        """Replaces all."""
        for line in list(self.lines):
            self._drop(line)
        for row in rows:
            self.add(row)

    def add(self, row: MountRow) -> None:
        """One more mount."""
        line = MountLine(self._theme, row, self._volumes, self._host)
        line.changed.connect(self.changed)
        line.removed.connect(lambda: self._drop(line))
        self.lines.append(line)
        self._stack.addWidget(line)
        stop_before(self.add_link, line)
        self.changed.emit()

    def mark(self, fields: Iterable[str]) -> None:
        """Marks the parts that problems' fields (`mounts.0.source`) name, and no others."""
        named = set(fields)
        for number, line in enumerate(self.lines):
            line.source.set_error(f"mounts.{number}.source" in named)
            line.target.set_error(f"mounts.{number}.target" in named)

    def go_to(self, field: str) -> None:
        """Moves the focus to the part that a problem's field names."""
        parts = field.split(".")
        number = int(parts[1]) if len(parts) > 1 else 0
        if number < len(self.lines):
            line = self.lines[number]
            edit = line.target if parts[-1] == "target" else line.source
            edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _drop(self, line: MountLine) -> None:
        self.lines.remove(line)
        line.hide()
        line.deleteLater()
        self.changed.emit()
