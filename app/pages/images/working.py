"""WorkingDialog: a form that runs one operation in front of the person, who may hide it or stop it."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.commands.command import Command
from app.models.operations import progress_words
from app.notices import not_answered, notice_for
from app.operation import Operation, OperationState
from app.session import EngineState, Phase, Session
from app.theme import Theme
from app.widgets.commandbox import CommandBox
from app.widgets.dialogs import Dialog
from app.widgets.forms import Field
from app.widgets.progress import PartsProgress, ProgressBar

T = TypeVar("T")


class WorkingDialog(Dialog):
    """Hidden, its operation goes on in Activity; Cancel stops it and keeps what was typed.

    A subclass says in `refuse` at which field an error belongs. `waits` is said until the first progress.
    """

    waits = ""

    def __init__(
        self, theme: Theme, window: QWidget, session: Session, title: str, act: str, fields: tuple[Field, ...]
    ) -> None:
        super().__init__(theme, window, title, 600)
        self._session, self._fields = session, fields
        self._operation: Operation | None = None
        self.bar = ProgressBar(theme)
        self.parts = PartsProgress(theme)
        self.command = CommandBox(theme)
        for part in (*fields, self.bar, self.parts, self.command):
            self.body.addWidget(part)
        self.bar.hide()
        self.parts.hide()
        self.cancel = self.add_button("Cancel", "ghost", self._on_cancel)
        self.hide_button = self.add_button("Hide", "default", self.accept)
        self.hide_button.hide()
        self.apply = self.add_button(act, "primary", self.begin)
        session.state_changed.connect(self._on_state)

    def begin(self) -> None:
        """Checks what was typed and runs it."""
        raise NotImplementedError

    def refuse(self, error: BaseException) -> None:
        """Says at its field what is wrong."""
        raise NotImplementedError

    def work(self, command: Command[T], target: T) -> None:
        """Runs it, with its progress in view; closes when it is done."""
        self._busy(True)
        operation = self._session.run(
            command, target, then=lambda _o: self.accept(), failed=self._on_failed, owner=self
        )
        self._operation = operation
        operation.changed.connect(self._on_changed)
        operation.ended.connect(self._on_ended)

    def _busy(self, busy: bool) -> None:
        self.set_note("")
        self.apply.set_busy(busy)
        self.hide_button.setVisible(busy)
        self.bar.setVisible(busy)
        self.parts.hide()
        for field in self._fields:
            field.setEnabled(not busy)
        if busy:
            self.hide_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_state(self, state: EngineState) -> None:
        if state.phase is Phase.CONNECTED:
            self.set_note("")

    def _on_changed(self) -> None:
        operation = self._operation
        if operation is not None and operation.running:
            words = progress_words(operation) if operation.total or not self.waits else self.waits
            self.bar.set(operation.done, operation.total, words)
            self.parts.setVisible(bool(operation.parts))
            self.parts.set_parts(list(operation.parts.values()))

    def _on_ended(self) -> None:
        if self._operation is not None and self._operation.state is OperationState.CANCELLED:
            self._operation = None
            self._busy(False)

    def _on_cancel(self) -> None:
        if self._operation is not None and self._operation.running:
            self._operation.cancel()
        else:
            self.reject()

    def _on_failed(self, error: BaseException) -> None:
        self._operation = None
        self._busy(False)
        if not_answered(error):
            self.set_note(notice_for(error).title, "danger", "circle-alert")
        else:
            self.refuse(error)
