"""The little dialog that takes a docker run line, and the words for what the form could not take over."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import msgspec
from PySide6.QtWidgets import QWidget

from app.commands.run.draft import Question
from app.commands.run.form import EnvRow, RunForm
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


def unanswered(reading: Reading, form: RunForm) -> tuple[list[str], str]:
    """A line for each part that the form still holds as typed though a shell would replace it, or that was left out.

    And the form's field to go to, empty when there is none.
    """
    standing = [q for q in reading.questions if _stands(q, form)]
    lines = [f"{q.piece}  {_fate(q, form)}" for q in standing]
    lines += [f"{u.text}  is left out" for u in reading.unsupported]
    field = next((q.where for q in standing if hasattr(form, _field(q))), "")
    return list(dict.fromkeys(lines)), field


def _field(question: Question) -> str:
    return question.where.partition(".")[0]


def _fate(question: Question, form: RunForm) -> str:
    if question.valueless:
        return "has no value"
    return "is not filled in" if hasattr(form, _field(question)) else "is left out"


def _stands(question: Question, form: RunForm) -> bool:
    name = _field(question)
    if question.valueless:
        return EnvRow(question.piece) in form.env
    return not hasattr(form, name) or any(question.piece in text for text in _texts(name, getattr(form, name)))


def _texts(name: str, value: object) -> list[str]:
    """Every text in a field of a form; of a command its words, without the quotes around them."""
    if name == "command" and isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError:
            return [value]
    found, left = [], [msgspec.to_builtins(value)]
    while left:
        one = left.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
    return found
