"""The little dialog that takes a docker run line, and the words for what the form could not take over."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.commands.run.read import Reading
from app.theme import Theme
from app.widgets.dialogs import Dialog
from app.widgets.forms import TextEdit


def open_paste(theme: Theme, window: QWidget, read: Callable[[str], str]) -> Dialog:
    """Opens it; `read` takes the text and returns what is wrong with it, or nothing."""
    dialog = Dialog(theme, window, "Paste a docker run line", 640)
    text = TextEdit(theme, "docker run -d --name web -p 8080:80 nginx", lines=5)
    text.setAccessibleName("docker run line")
    dialog.body.addWidget(text)

    def take() -> None:
        if problem := read(text.text()):
            dialog.set_note(problem, "danger", "circle-alert")
        else:
            dialog.accept()

    dialog.add_button("Cancel", "ghost", dialog.reject)
    dialog.add_button("Fill the form", "primary", take)
    dialog.open()
    return dialog


def left_over(reading: Reading) -> list[str]:
    """A sentence for each part of the line that is asked for or was left out."""
    asked = [f"{q.piece}  {q.sentence}" for q in reading.questions]
    left = [f"{u.text}  It was left out. {u.why}".rstrip() for u in reading.unsupported]
    return [*asked, *left]
