"""Every part of the machine looked at, with what it means and what mends it; it needs no engine."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from app.checkwordings import NAMES, REPAIRS, explanation
from app.machinesession import MachineSession
from app.pages.machine.parts import Column, put
from app.pages.machine.verbs import MachineVerbs
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.checklist import CheckList, CheckRow
from app.widgets.progress import Ring
from app.widgets.text import PlainLabel
from vm.diagnosis.check import Check

_REPORT = "pilothouse-machine.zip"
_WORST = (("bad", "needs help", "need help"), ("warning", "may need help", "may need help"))


class DiagnosticsTab(Column):
    """The checks run when the tab is first seen, and whenever the person wants."""

    def __init__(self, theme: Theme, machine: MachineSession, verbs: MachineVerbs) -> None:
        super().__init__(theme, "Diagnostics")
        self._machine, self._verbs = machine, verbs
        self.ring = Ring(theme)
        self.result = PlainLabel(theme, "", "body_medium", elide=Qt.TextElideMode.ElideRight)
        self.again = Button(theme, "Check again", "refresh-cw", small=True)
        self.again.clicked.connect(machine.check)
        self.save = Button(theme, "Save a report…", "download", small=True)
        self.save.clicked.connect(self._on_save)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.ring)
        row.addWidget(self.result, 1)
        row.addWidget(self.again)
        row.addWidget(self.save)
        self.list = CheckList(theme, 168)
        self.list.pressed.connect(self._on_pressed)
        part = self.heading(
            "Diagnostics",
            "Looks at every part, also where nothing works. A report for others holds no secrets.",
            first=True,
        )
        put(part, head, self.list, gap=16)
        self.body.addStretch(1)
        machine.checked.connect(self.refresh)
        machine.changed.connect(lambda _state: self.refresh())
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """The first look runs the checks."""
        super().showEvent(event)
        if not self._machine.checks and not self._machine.checking:
            self._machine.check()

    def refresh(self) -> None:
        """Shows what was found so far."""
        checks, checking = self._machine.checks, self._machine.checking
        busy = checking or self._machine.state.doing == "repair"
        self.list.set_rows([_row(name, words, checks.get(name), going=checking) for name, words in NAMES.items()])
        self.ring.setVisible(busy)
        self.again.setEnabled(not busy)
        self.result.setText("Checking" if checking else "Repairing" if busy else _whole(checks.values()))

    def _on_pressed(self, key: str) -> None:
        check = next((one for name, one in self._machine.checks.items() if name == key), None)
        if check is not None and check.repair:
            self._verbs.repair(check.repair)

    def _on_save(self) -> None:
        chooser = QFileDialog(self, "Save the report", "", "Archives (*.zip)")
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix("zip")
        chooser.selectFile(_REPORT)
        chooser.fileSelected.connect(self._verbs.save_report)
        chooser.open()


def _row(name: str, words: str, check: Check | None, *, going: bool) -> CheckRow:
    if check is None:
        return CheckRow(name, words, "going" if going else "waiting")
    said = " ".join(part for part in (_sentence(check.told), explanation(check)) if part)
    return CheckRow(name, words, check.result, said, action=REPAIRS[check.repair] if check.repair else "")


def _sentence(told: str) -> str:
    return told if not told or told.endswith(".") else f"{told}."


def _whole(checks: Iterable[Check]) -> str:
    results = [str(check.result) for check in checks]
    for result, one, many in _WORST:
        if count := results.count(result):
            return f"{count} {'part' if count == 1 else 'parts'} {one if count == 1 else many}"
    return "Everything that could be looked at is well" if results else "Nothing was looked at yet"
