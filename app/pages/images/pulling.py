"""The dialog that pulls an image and shows each layer while it comes."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.commands.pull import PULL, Pulling, reference_problem
from app.notices import notice_for
from app.pages.images.working import WorkingDialog
from app.session import Session
from app.theme import Theme
from app.widgets.fields import LineEdit
from app.widgets.forms import Field


class PullDialog(WorkingDialog):
    """Name and platform, then the progress."""

    waits = "Asking the registry"

    def __init__(self, theme: Theme, window: QWidget, session: Session, reference: str = "") -> None:
        self.reference = LineEdit(theme, "nginx:1.27-alpine", mono=True, icon="layers")
        self.field = Field(theme, "Image", self.reference, "Repository and tag; latest where you leave out the tag")
        self.platform = LineEdit(theme, "The engine's own, or linux/arm64", mono=True)
        fields = (self.field, Field(theme, "Platform", self.platform))
        super().__init__(theme, window, session, "Pull an image", "Pull", fields)
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

    def begin(self) -> None:
        """Pulls, once there is a name."""
        self._check.stop()
        target = self._target()
        if problem := reference_problem(target.reference):
            self.field.set_error(problem)
            self.reference.setFocus()
        else:
            self.work(PULL, target)

    def refuse(self, error: BaseException) -> None:
        """The name, or what its registry says of it, is at fault."""
        notice = notice_for(error)
        self.field.set_error(f"{notice.title}. {notice.detail}")
        self.reference.setFocus()
