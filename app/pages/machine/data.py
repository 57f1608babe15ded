"""Where the machine's image and data are: its version and updates, its disk, and the ways to begin anew."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.machinesession import MachineSession
from app.pages.machine.parts import Column, put
from app.pages.machine.verbs import MachineVerbs
from app.presentation.units import DASH
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.progress import ProgressBar
from app.widgets.text import PlainLabel, set_tooltip


class _Line(QWidget):
    """What can be done in words, and its button at the right."""

    def __init__(self, theme: Theme, button: Button, title: str = "", words: str = "") -> None:
        super().__init__()
        self.title = PlainLabel(theme, title, "body_medium", elide=Qt.TextElideMode.ElideMiddle)
        self.words = PlainLabel(theme, words, "small", "text-secondary", wrap=True)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.words)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(column, 1)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)

    def say(self, title: str, words: str) -> None:
        """Other words."""
        self.title.setText(title)
        self.words.setText(words)


class DataTab(Column):
    """The image, the disk, a factory reset and the end of all."""

    def __init__(self, theme: Theme, machine: MachineSession, verbs: MachineVerbs) -> None:
        super().__init__(theme, "The machine's image and data")
        self._machine, self._verbs = machine, verbs
        self.update_button = Button(theme, "Update", "cloud-download", small=True)
        self.update_button.clicked.connect(verbs.update)
        self.back_button = Button(theme, "Go back", "undo-2", small=True)
        self.back_button.clicked.connect(verbs.rollback)
        self.move_button = Button(theme, "Move…", "folder-open", small=True)
        self.move_button.clicked.connect(self.choose)
        self.reset_button = Button(theme, "Reset…", "rotate-ccw", kind="danger-text", small=True)
        self.reset_button.clicked.connect(verbs.reset)
        self.delete_button = Button(theme, "Delete…", "trash-2", kind="danger-text", small=True)
        self.delete_button.clicked.connect(verbs.delete)
        self._version = _Line(theme, self.update_button)
        self._before = _Line(theme, self.back_button)
        self._disk = _Line(theme, self.move_button)
        self.progress = ProgressBar(theme)
        image = self.heading(
            "Image", "What the machine starts with. Updates replace it, and never the data.", first=True
        )
        put(image, self._version, self._before, self.progress, gap=16)
        disk = self.heading("Disk", "Images, containers and volumes lie in one file.")
        put(disk, self._disk)
        anew = self.heading("Begin anew")
        put(
            anew,
            _Line(theme, self.reset_button, "Factory reset", "Images, containers and volumes go; its settings stay."),
            _Line(theme, self.delete_button, "Delete the machine", "All of it goes, settings and image too."),
            gap=16,
        )
        self.body.addStretch(1)
        machine.changed.connect(lambda _state: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Shows what is known now."""
        state, report = self._machine.state, self._machine.state.report
        image = report.image if report is not None else ""
        before = report.rollback if report is not None else ""
        self._version.say(f"Version {image}" if image else DASH, "An update restarts a running machine once.")
        self._before.say(f"Version {before}", "Kept from before the last update.")
        self._before.setVisible(bool(before))
        amount = state.amount
        self.progress.setVisible(amount.total > 0)
        self.progress.set(amount.done, amount.total, amount.words)
        self._disk.say(str(self._machine.machine.paths.disk), "A running machine is restarted once when it is moved.")
        whys = self._verbs.whys()
        for button, verb in (
            (self.update_button, "update"), (self.back_button, "rollback"), (self.move_button, "move"),
            (self.reset_button, "reset"), (self.delete_button, "delete"),
        ):  # fmt: skip
            button.setEnabled(not whys[verb])
            set_tooltip(button, whys[verb])

    def choose(self) -> None:
        """Lets the person pick the new folder of the disk."""
        chooser = QFileDialog(self, "Move the machine's disk to a folder")
        chooser.setFileMode(QFileDialog.FileMode.Directory)
        chooser.setOption(QFileDialog.Option.ShowDirsOnly)
        chooser.fileSelected.connect(self._verbs.move)
        chooser.open()
