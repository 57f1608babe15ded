"""The folders of this computer that the machine sees."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.machinesession import MachineSession
from app.pages.machine.parts import Column, put
from app.pages.machine.verbs import MachineVerbs
from app.theme import Theme
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import InsetPanel
from app.widgets.fields import Switch
from app.widgets.states import EmptyState, IconMark
from app.widgets.text import PlainLabel, visible_name
from vm.report import Report, ShareState
from vm.shares.places import Share

WHAT = (
    "Containers see a folder of this computer only where it is shared, at the same path. The machine may then read "
    "and change what is in it. Keys and profiles of browsers (~/.ssh, ~/.gnupg and the like) stay out unless you add "
    "them by name."
)
WATCH = "Watching tells containers of changes at once, so that hot reload works; it costs some work for large folders."


class _ShareLine(QWidget):
    """One folder: where, whether the machine sees it, its switches, and a way to end it."""

    watch_wanted = Signal(bool)
    write_wanted = Signal(bool)
    gone = Signal()

    def __init__(self, theme: Theme, path: str) -> None:
        super().__init__()
        shown = visible_name(path, 400)
        self._mark = IconMark(theme, "folder")
        self._path = PlainLabel(theme, shown, "mono", elide=Qt.TextElideMode.ElideMiddle)
        self._words = PlainLabel(theme, "", "small", "text-secondary", wrap=True)
        self._watch = Switch(theme, f"Watch {shown}", "Watch")
        self._watch.clicked.connect(self.watch_wanted)
        self._write = Switch(theme, f"Allow changes in {shown}", "May change it")
        self._write.clicked.connect(self.write_wanted)
        self._remove = IconButton(theme, "x", f"Share {shown} no more", small=True)
        self._remove.clicked.connect(self.gone)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._path)
        words.addWidget(self._words)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(12)
        row.addWidget(self._mark)
        row.addLayout(words, 1)
        for part in (self._watch, self._write, self._remove):
            row.addWidget(part)

    def set(self, share: Share, words: str, *, bad: bool, free: bool) -> None:
        self._words.setText(words)
        self._words.set_token("danger" if bad else "text-secondary")
        self._mark.set("circle-alert" if bad else "folder", "danger" if bad else "text-secondary")
        self._watch.setChecked(share.watch)
        self._write.setChecked(share.writable)
        for part in (self._watch, self._write, self._remove):
            part.setEnabled(free)


class FoldersTab(Column):
    """The list of what is shared; the question of the first use above it."""

    def __init__(self, theme: Theme, machine: MachineSession, verbs: MachineVerbs) -> None:
        super().__init__(theme, "Shared folders")
        self._theme, self._machine, self._verbs = theme, machine, verbs
        self._lines: dict[str, _ShareLine] = {}
        self.question = InsetPanel(theme)
        self.question.body.setSpacing(12)
        self.question.body.addWidget(PlainLabel(theme, "Which folders may containers use?", "body_strong"))
        self.question.body.addWidget(PlainLabel(theme, WHAT, "body", "text-secondary", wrap=True))
        choices = QHBoxLayout()
        choices.setSpacing(8)
        for text, kind, act in (
            ("Share my home folder", "primary", lambda: verbs.share(str(Path.home()))),
            ("Choose folders…", "default", self.choose),
            ("None", "ghost", verbs.share_none),
        ):
            button = Button(theme, text, kind=kind)  # type: ignore[arg-type]
            button.clicked.connect(lambda _checked=False, act=act: act())
            choices.addWidget(button)
        choices.addStretch(1)
        self.question.body.addLayout(choices)
        self.body.addWidget(self.question)
        self._part = self.heading("Shared folders", WHAT, first=True)
        self.add = Button(theme, "Add folder…", "plus", small=True)
        self.add.clicked.connect(self.choose)
        self.none = EmptyState(theme, "folder", "No folder is shared", "Bind mounts need one; volumes do not.")
        self._list = QWidget()
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._about = PlainLabel(theme, WATCH, "small", "text-tertiary", wrap=True)
        put(self._part, self._list, self.none, self.add, self._about)
        part = self._part.layout()
        assert part is not None
        part.setAlignment(self.add, Qt.AlignmentFlag.AlignLeft)
        self.body.addStretch(1)
        machine.changed.connect(lambda _state: self.refresh())
        verbs.answered.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Shows what is shared now."""
        state = self._machine.state
        shares = state.settings.shares if state.settings is not None else ()
        told = {one.path: one for one in state.report.shares} if state.report is not None else {}
        if [one.path for one in shares] != list(self._lines):
            for line in self._lines.values():
                line.hide()
                line.deleteLater()
            self._lines = {one.path: self._line(one.path) for one in shares}
        for one in shares:
            words, bad = _words(told.get(one.path), state.report)
            self._lines[one.path].set(one, words, bad=bad, free=not state.doing)
        there = state.settings is not None
        self.question.setVisible(there and not shares and not self._verbs.was_asked)
        self._part.setVisible(not there or bool(shares) or self._verbs.was_asked)
        self.none.setVisible(not shares)
        self._about.setVisible(bool(shares))
        self.add.setEnabled(there and not state.doing)

    def choose(self) -> None:
        """Lets the person pick a folder, and shares it."""
        chooser = QFileDialog(self, "Share a folder with the machine", str(Path.home()))
        chooser.setFileMode(QFileDialog.FileMode.Directory)
        chooser.setOption(QFileDialog.Option.ShowDirsOnly)
        chooser.fileSelected.connect(self._verbs.share)
        chooser.open()

    def _line(self, path: str) -> _ShareLine:
        line = _ShareLine(self._theme, path)
        line.watch_wanted.connect(lambda wanted: self._verbs.share_as(path, watch=wanted))
        line.write_wanted.connect(lambda wanted: self._verbs.share_as(path, writable=wanted))
        line.gone.connect(lambda: self._verbs.unshare(path))
        self._column.addWidget(line)
        return line


def _words(told: ShareState | None, report: Report | None) -> tuple[str, bool]:
    """What is to be said of a share, and whether it is bad."""
    if report is None or report.state != "running":
        return "The machine sees it when it runs", False
    if told is None:
        return "Not there yet", False
    if told.reason:
        return f"The machine does not see it: {told.reason}", True
    return (f"Not watched: {told.unwatched}", True) if told.unwatched else ("The machine sees it", False)
