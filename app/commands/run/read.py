"""Reads a pasted `docker run` line into a form, and names everything that it could not take over."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from app.commands.run import flags, shellwords
from app.commands.run.draft import Draft, Question, Unsupported
from app.commands.run.form import RunForm
from app.commands.run.shellwords import ShellWord, UnbalancedQuote

_PROMPT = re.compile(r"^\s*(?:[$#>%]|PS [^>]*>)\s+(?=\S)")
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")
_PROGRAMS = ("docker", "docker.exe", "podman", "nerdctl")


class NotARunLine(ValueError):
    """The text is not a docker run line; the message is a sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


_RUN_LINE = re.compile(
    r"(?:\w+=\S*\s+)*(?:sudo\s+)?(?:docker|podman)\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*?(?:container\s+)?(?:run|create)\s"
)
_TYPOGRAPHIC = ("\u2013", "\u2014", "\u2212")
"""Dashes that a word processor puts in place of two plain ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says: the form, what was left out, and what must be asked."""

    form: RunForm
    unsupported: tuple[Unsupported, ...] = ()
    questions: tuple[Question, ...] = ()


def read_line(text: str) -> Reading:
    """Reads `docker run …`, `docker container run …` or `docker create …`. Raises NotARunLine.

    No shell has a part in it: `$VAR`, `$(…)`, backticks and `~` stay in the form as they are and become questions, and
    so does everything behind a pipe, a redirection or `&&`.
    """
    try:
        line = shellwords.split(_PROMPT.sub("", text))
    except UnbalancedQuote as error:
        raise NotARunLine(f"A quote is not closed: {error.quote}") from None
    draft = Draft()
    words = _after_verb(list(line.words), draft)
    rest = flags.read(words, draft)
    if rest:
        draft.values["image"] = rest[0].text
        draft.ask_about(rest[0], "image")
        if rest[0].text.startswith(_TYPOGRAPHIC):
            draft.ask(rest[0].text, "image", "This begins with a dash of typography, so it is no option. Type --.")
        draft.values["command"] = shlex.join(w.text for w in rest[1:])
        for word in rest[1:]:
            draft.ask_about(word, "command")
    if line.rest:
        sentence = "This part is for a shell and is left out. Only what stands before it was read."
        draft.ask(line.rest, "line", sentence)
    return Reading(RunForm(**draft.values), tuple(draft.unsupported), tuple(draft.questions))


def looks_like_run_line(text: str) -> bool:
    """Whether a pasted text is worth reading as a docker run line."""
    return _RUN_LINE.match(_PROMPT.sub("", text)) is not None


def _after_verb(words: list[ShellWord], draft: Draft) -> list[ShellWord]:
    """The words behind `docker run`."""
    while words and _ASSIGNMENT.match(words[0].text):
        word = words.pop(0)
        draft.ask(word.text, "line", "This variable was set for the docker command alone.")
    if words and words[0].text == "sudo":
        words.pop(0)
    if not words or re.split(r"[/\\]", words[0].text)[-1].lower() not in _PROGRAMS:
        raise NotARunLine("Paste a line that begins with docker run")
    words.pop(0)
    words = flags.read_global(words, draft)
    if words and words[0].text == "container":
        words.pop(0)
    if not words or words[0].text not in ("run", "create"):
        verb = words[0].text if words else ""
        raise NotARunLine(
            f"This is docker {verb}, not docker run" if verb else "Paste a line that begins with docker run"
        )
    return words[1:]
