"""The dialog that pulls an image and shows each layer while it comes."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from app.commands.pull import PULL, Pulling, reference_problem
from app.models.operations import progress_words
from app.notices import notice_for
from app.operation import Operation, OperationState
from app.session import Session
from app.theme import Theme
from app.widgets.commandbox import CommandBox
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit
from app.widgets.forms import Field
from app.widgets.progress import PartsProgress, ProgressBar


class PullDialog(Dialog):
    """Name and platform, then the progress. Closed while it pulls, the pull goes on in Activity; Cancel stops it."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, reference: str = "") -> None:
        super().__init__(theme, window, "Pull an image", 600)
        self._session = session
        self._operation: Operation | None = None
        self.reference = LineEdit(theme, "nginx:1.27-alpine", mono=True, icon="layers")
        self.field = Field(theme, "Image", self.reference, "Repository and tag; latest where you leave out the tag")
        self.platform = LineEdit(theme, "The engine's own, or linux/arm64", mono=True)
        self.command = CommandBox(theme)
        self.bar = ProgressBar(theme)
        self.parts = PartsProgress(theme)
        self.body.addWidget(self.field)
        self.body.addWidget(Field(theme, "Platform", self.platform))
        for part in (self.bar, self.parts, self.command):
            self.body.addWidget(part)
        self.bar.hide()
        self.parts.hide()
        self.cancel = self.add_button("Cancel", "ghost", self._on_cancel)
        self.hide_button = self.add_button("Hide", "default", self.accept)
        self.hide_button.hide()
        self.apply = self.add_button("Pull", "primary", self._on_apply)
        self._check = QTimer(self)
        self._check.setSingleShot(True)
        self._check.setInterval(300)
        self._check.timeout.connect(self._on_check)
        self.reference.textChanged.connect(self._on_typed)
        self.platform.textChanged.connect(self._on_typed)
        self.reference.setText(reference)
        self._on_typed()

    def _target(self) -> Pulling:
        return Pulling(self.reference.text().strip(), self.platform.text().strip())

    def _on_typed(self) -> None:
        target = self._target()
        self.command.set_line(PULL.line(Pulling(target.reference or "NAME:TAG", target.platform)))
        self.field.set_error("")
        self._check.start()

    def _on_check(self) -> None:
        if text := self.reference.text().strip():
            self.field.set_error(reference_problem(text))

    def _on_apply(self) -> None:
        self._check.stop()
        target = self._target()
        if problem := reference_problem(target.reference):
            self.field.set_error(problem)
            self.reference.setFocus()
            return
        self._busy(True)
        operation = self._session.run(PULL, target, then=self._on_done, failed=self._on_failed, owner=self)
        self._operation = operation
        operation.changed.connect(self._on_changed)
        operation.ended.connect(self._on_ended)

    def _busy(self, busy: bool) -> None:
        self.apply.set_busy(busy)
        self.hide_button.setVisible(busy)
        self.bar.setVisible(busy)
        self.reference.setEnabled(not busy)
        self.platform.setEnabled(not busy)
        if busy:
            self.hide_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_changed(self) -> None:
        operation = self._operation
        if operation is None or not operation.running:
            return
        words = progress_words(operation) if operation.total else "Asking the registry"
        self.bar.set(operation.done, operation.total, words)
        self.parts.setVisible(bool(operation.parts))
        self.parts.set_parts(list(operation.parts.values()))

    def _on_ended(self) -> None:
        if self._operation is not None and self._operation.state is OperationState.CANCELLED:
            self._operation = None
            self._busy(False)
            self.parts.hide()

    def _on_done(self, _operation: Operation) -> None:
        self.accept()

    def _on_failed(self, error: BaseException) -> None:
        self._operation = None
        self._busy(False)
        self.parts.hide()
        notice = notice_for(error)
        self.field.set_error(f"{notice.title}. {notice.detail}")
        self.reference.setFocus()

    def _on_cancel(self) -> None:
        if self._operation is not None and self._operation.running:
            self._operation.cancel()
        else:
            self.reject()
