"""RenameDialog: asks for the new name of a container."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.commands.containers import RENAME, Renaming, name_problem
from app.notices import not_answered, notice_for
from app.session import Session
from app.theme import Theme
from app.widgets.commandbox import CommandBox
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit
from app.widgets.forms import Field
from app.widgets.text import visible_name
from backend.types.containers import ContainerSummary


class RenameDialog(Dialog):
    """Asks for the new name of a container; stays open with its words when the engine refuses."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, container: ContainerSummary) -> None:
        super().__init__(theme, window, f"Rename {visible_name(container.name)}", 480)
        self._session = session
        self._container = container
        self.name = LineEdit(theme, "web", mono=True)
        self.field = Field(theme, "Name", self.name, "Letters, digits, and the signs _ . -")
        self.command = CommandBox(theme)
        self.body.addWidget(self.field)
        self.body.addWidget(self.command)
        self.add_button("Cancel", "ghost", self.reject)
        self.apply = self.add_button("Rename", "primary", self._on_apply)
        self.name.textChanged.connect(self._on_typed)
        self.name.setText(container.name)
        self.name.selectAll()

    def _others(self) -> set[str]:
        rows = self._session.stores.containers.values.values()
        return {row.name for row in rows if row.id != self._container.id}

    def _problem(self) -> str:
        name = self.name.text()
        if name == self._container.name:
            return "It already has this name"
        return "Another container has this name" if name in self._others() else name_problem(name)

    def _on_typed(self) -> None:
        name = self.name.text()
        self.field.set_error("" if name == self._container.name else self._problem())
        self.command.set_line(RENAME.line(Renaming(self._container, name or "NAME")))

    def _on_apply(self) -> None:
        if problem := self._problem():
            self.field.set_error(problem)
            self.name.setFocus()
            return
        self.set_note("")
        self.apply.set_busy(True)
        self._session.run(
            RENAME,
            Renaming(self._container, self.name.text()),
            then=lambda _operation: self.accept(),
            failed=self._on_failed,
            owner=self,
        )

    def _on_failed(self, error: BaseException) -> None:
        self.apply.set_busy(False)
        notice = notice_for(error)
        if not_answered(error):
            self.set_note(notice.title, "danger", "circle-alert")
        else:
            self.field.set_error(f"{notice.title}. {notice.detail}".strip())
