"""BuildView: one build, running or ended: its Dockerfile, its steps and its output."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.models.builds import STATES, name_of, progress_words, step_groups
from app.presentation.builds import code_words
from app.presentation.containers import folder_text
from app.stores.builds import RUNNING, SUCCEEDED, BuildHistory, BuildRecord
from app.stores.livebuild import LiveBuild
from app.theme import Theme
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Hairline
from app.widgets.chips import StateChip
from app.widgets.codeview import CodeView
from app.widgets.entries import Entry
from app.widgets.outputview import OutputView
from app.widgets.shortcuts import bind
from app.widgets.steps import StepsView
from app.widgets.text import PlainLabel
from backend.types.builds import BuildStep

FOLDER_WIDTH = 96
"""So much of a long folder stays beside a long name."""


class BuildView(QWidget):
    """`left` (back to the list), `cancelled(id)`, `run_wanted(image)`, `again_wanted(id)`, `save_wanted(id)`."""

    left = Signal()
    cancelled = Signal(str)
    run_wanted = Signal(str)
    again_wanted = Signal(str)
    save_wanted = Signal(str)

    def __init__(self, theme: Theme, history: BuildHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._history = theme, history
        self._live: LiveBuild | None = None
        self.record: BuildRecord | None = None
        self.back = IconButton(theme, "chevron-left", "Back to the builds", "Esc", small=True)
        self.title = PlainLabel(theme, "", "title", elide=Qt.TextElideMode.ElideMiddle)
        self.chip = StateChip(theme)
        self.words = PlainLabel(theme, "", "small", "text-secondary", elide=Qt.TextElideMode.ElideRight)
        self.folder = PlainLabel(theme, "", "small", "text-tertiary", elide=Qt.TextElideMode.ElideMiddle)
        self.cancel = Button(theme, "Cancel build", "square")
        self.again = Button(theme, "Build again…", "rotate-cw")
        self.run = Button(theme, "Run…", "play", "primary")
        self.file_name = PlainLabel(theme, "Dockerfile", "body_strong")
        self.errors = PlainLabel(theme, "", "small", "danger", elide=Qt.TextElideMode.ElideRight)
        self.code = CodeView(theme)
        self.steps = StepsView(theme)
        self.output_words = PlainLabel(theme, "", "small", "text-secondary", elide=Qt.TextElideMode.ElideRight)
        self.fold = IconButton(theme, "chevron-down", "Hide the output", "Ctrl J", small=True)
        self.save = IconButton(theme, "download", "Save the output…", "Ctrl S", small=True)
        self.copy = IconButton(theme, "copy", "Copy the output", small=True)
        self.output = OutputView(theme)
        self._clock = QTimer(self, interval=500)
        self._lay_out()
        self._connect()

    def show_record(self, record: BuildRecord) -> None:
        """Shows a build that has ended."""
        self._leave_live()
        self.record = record
        self.code.set_text(record.text)
        self.output.set_lines(self._history.output(record.id).splitlines())
        self._refresh()

    def show_live(self, live: LiveBuild) -> None:
        """Shows a build and follows it to its end."""
        self._leave_live()
        live.flush()
        self._live = live
        self.record = live.record
        self.code.set_text(live.record.text)
        self.output.set_lines(live.lines)
        live.changed.connect(self._on_changed)
        live.wrote.connect(self.output.add_lines)
        live.ended.connect(self._on_changed)
        self._clock.start()
        self._refresh()

    def _leave_live(self) -> None:
        live, self._live = self._live, None
        self._clock.stop()
        if live is not None:
            live.changed.disconnect(self._on_changed)
            live.wrote.disconnect(self.output.add_lines)
            live.ended.disconnect(self._on_changed)

    def _on_changed(self) -> None:
        if self._live is not None:
            self.record = self._live.record
            if not self._live.running:
                self._clock.stop()
        self._refresh()

    def _steps(self) -> tuple[BuildStep, ...]:
        if self._live is not None:
            return self._live.steps
        return self.record.steps if self.record else ()

    def _refresh(self) -> None:
        record = self.record
        if record is None:
            return
        steps = self._steps()
        running = record.state == RUNNING
        self.title.setText(name_of(record))
        self.chip.set(*STATES[record.state])
        self.words.setText(progress_words(record, steps))
        self.folder.setText(folder_text(record.context))
        self.words.setMinimumWidth(self.words.sizeHint().width())  # A long name gives way, not these.
        self.folder.setMinimumWidth(min(self.folder.sizeHint().width(), FOLDER_WIDTH))
        self.cancel.setVisible(running and self._live is not None)
        self.again.setVisible(not running)
        self.run.setVisible(record.state == SUCCEEDED)
        self.file_name.setText(record.dockerfile.replace("\\", "/").rsplit("/", 1)[-1] or "Dockerfile")
        self.errors.setText("1 error" if record.error_line else code_words(record.error))
        self.steps.set_groups(step_groups(steps, time.time(), ended=not running))
        active = next((s for s in steps if s.number and s.state.value in ("running", "failed")), None)
        self.output_words.setText(f"Step {active.number}, {' '.join(active.name.split())}" if active else "")
        if record.error_line:
            self.code.set_error(record.error_line, code_words(record.error))

    def _on_step(self, key: str) -> None:
        step = next((s for s in self._steps() if s.key == key), None)
        if step is not None and step.line:
            self.code.show_row(min(step.line - 1, len(self.code.lines) - 1))

    def entries(self) -> list[Entry]:
        """What can be done with the build in view, with its keys."""
        record = self.record
        name = name_of(record) if record is not None else ""
        ended = "" if record is not None and record.state == RUNNING and self._live is not None else "It has ended"
        right = "" if record is not None and record.error_line else "It shows no error"
        fold = "Hide the output" if self.output.isVisible() else "Show the output"
        return [
            Entry("Cancel build", self._on_cancel_key, "square", "Ctrl .", ended, name, also="stop"),
            Entry("Next error", self._on_next_error, "circle-alert", "F8", right, name),
            Entry("Save the output…", self.save.click, "download", "Ctrl S", "", name),
            Entry(fold, self._on_fold, "chevron-down", "Ctrl J", "", name),
        ]

    def _on_fold(self) -> None:
        """Shows the head of the output alone, or the output again at the height that it had."""
        shown = self.output.isHidden()
        if not shown:
            self._sizes = self._halves.sizes()
        self.output.setVisible(shown)
        head = self._output_head.height()
        self._lower.setMaximumHeight(16_777_215 if shown else head)
        self._halves.setSizes(self._sizes if shown else [self._halves.height() - head, head])
        self.fold.set_icon("chevron-down" if shown else "chevron-up")
        self.fold.set_name("Hide the output" if shown else "Show the output", "Ctrl J")

    def _on_cancel_key(self) -> None:
        if self.cancel.isVisible():
            self.cancel.click()

    def _on_next_error(self) -> None:
        if self.record is not None and self.record.error_line:
            self.code.set_error(self.record.error_line, code_words(self.record.error))
            self.code.setFocus()

    def _on_run(self) -> None:
        if self.record is not None:
            self.run_wanted.emit(self.record.tag or self.record.image)

    def _connect(self) -> None:
        self.back.clicked.connect(self.left)
        self.cancel.clicked.connect(lambda: self.cancelled.emit(self.record.id if self.record else ""))
        self.again.clicked.connect(lambda: self.again_wanted.emit(self.record.id if self.record else ""))
        self.run.clicked.connect(self._on_run)
        self.copy.clicked.connect(self.output.copy)
        self.fold.clicked.connect(self._on_fold)
        self.save.clicked.connect(lambda: self.save_wanted.emit(self.record.id if self.record else ""))
        self.steps.chosen.connect(self._on_step)
        for entry in self.entries():
            bind(self, entry.key.replace(" ", "+"), entry.on_pick)
        bind(self, "Esc", self.left.emit)
        self._clock.timeout.connect(self._refresh)

    def _lay_out(self) -> None:
        theme = self._theme
        head = _row(16, theme.height("topbar") - 1, self.back, self.title, self.chip, self.words)
        head_row = head.layout()
        assert isinstance(head_row, QHBoxLayout)
        head_row.setContentsMargins(10, 1, 16, 0)
        head_row.addWidget(self.folder, 1)
        for button in (self.cancel, self.again, self.run):
            head_row.addWidget(button)
        code_head = _row(16, 40, self.file_name, None, self.errors)
        steps_head = _row(16, 40, PlainLabel(theme, "Steps", "body_strong"), None)
        title = PlainLabel(theme, "Output", "body_strong")
        self._output_head = _row(12, 36, self.fold, title, self.output_words, None, self.save, self.copy)
        self._lower = _column(self._output_head, Hairline(theme), self.output)
        upper = QSplitter(Qt.Orientation.Horizontal)
        upper.setChildrenCollapsible(False)
        upper.addWidget(_column(code_head, Hairline(theme), self.code))
        upper.addWidget(_column(steps_head, Hairline(theme), self.steps))
        upper.setSizes([520, 480])
        whole = QSplitter(Qt.Orientation.Vertical)
        whole.setChildrenCollapsible(False)
        whole.addWidget(upper)
        whole.addWidget(self._lower)
        whole.setSizes([560, 176])
        self._halves, self._sizes = whole, [560, 176]
        for splitter in (upper, whole):
            splitter.setHandleWidth(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(Hairline(theme))
        layout.addWidget(whole, 1)


def _row(margin: int, height: int, *widgets: QWidget | None) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(margin, 0, margin, 0)
    row.setSpacing(10)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    holder.setFixedHeight(height)
    return holder


def _column(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget)
    return holder
