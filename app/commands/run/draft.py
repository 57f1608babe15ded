"""A form in the making while a pasted line is read, with what could not be taken over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from app.commands.run.shellwords import ShellWord

_WINDOWS = re.compile(r"%(?:cd|userprofile|username|appdata|localappdata|temp)%", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A flag of the line that the form does not hold, and why when there is more to say."""

    flag: str
    value: str = ""
    why: str = ""

    @property
    def text(self) -> str:
        """The flag as it stood in the line."""
        return f"{self.flag} {self.value}".strip()


@dataclass(frozen=True, slots=True)
class Question:
    """A `piece` that only a shell or the terminal's folder could fill in; `where` names its flag or place.

    With `valueless` the piece is a name that stands there without its value.
    """

    piece: str
    where: str
    sentence: str
    valueless: bool = False


@dataclass(slots=True)
class Draft:
    """A form in the making."""

    values: dict[str, Any] = field(default_factory=dict)
    unsupported: list[Unsupported] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def add(self, name: str, value: object) -> None:
        """One more of a field that holds several."""
        self.values[name] = (*self.values.get(name, ()), value)

    def refuse(self, flag: str, value: str = "", why: str = "") -> None:
        """Notes a flag that the form does not hold."""
        self.unsupported.append(Unsupported(flag, value, why))

    def ask(self, piece: str, where: str, sentence: str, *, valueless: bool = False) -> None:
        """Notes a question."""
        self.questions.append(Question(piece, where, sentence, valueless))

    def ask_about(self, word: ShellWord, where: str) -> None:
        """Notes a question for each piece of a word that a shell would have replaced."""
        for piece in (*word.expansions, *_WINDOWS.findall(word.text)):
            self.ask(piece, where, _sentence(piece))


def _sentence(piece: str) -> str:
    if piece == "~":
        return "This stands for a home folder. Write the whole path."
    if piece.startswith(("$(", "`")):
        return "A shell would run this command. Write its result instead."
    return "A shell would fill this in. Write its value instead."
