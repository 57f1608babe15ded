"""Splits a pasted command line into words as a POSIX shell would, and names what only a shell could do."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPERATORS = "|&;<>()"
_BLANKS = re.compile(r"[ \t]+\n")
_DOUBLE_ESCAPED = '$`"\\\n'


class UnbalancedQuote(ValueError):
    """A quote was opened and not closed; `quote` is its sign."""

    def __init__(self, quote: str) -> None:
        super().__init__(quote)
        self.quote = quote


@dataclass(frozen=True, slots=True)
class ShellWord:
    """One word, quotes removed. `expansions` are the pieces a shell would replace (`$PWD`), left in the text."""

    text: str
    expansions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShellLine:
    """The words of the first command, and `rest`: everything from the first operator (`| grep x`, `> log`) on."""

    words: tuple[ShellWord, ...]
    rest: str = ""


def split(text: str) -> ShellLine:
    """Splits `text`. Nothing is run or replaced. Raises UnbalancedQuote.

    Lines may be continued by a backslash (POSIX), a caret (cmd.exe) or a backtick (PowerShell) before the line's end.
    Blanks that were copied in behind a lone backslash do not count, though a shell would make a word of them.
    A tilde at the start of a word counts as an expansion: it stands for a home folder.
    """
    return _Splitter(_join_lines(text)).split()


def _join_lines(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    for mark in (" ^\n", " `\n"):
        text = text.replace(mark, " ")
    return text


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._words: list[ShellWord] = []
        self._word: list[str] | None = None
        self._expansions: list[str] = []

    def split(self) -> ShellLine:
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in OPERATORS or (char == "\n" and self._words):
                break
            self._step(char)
        self._end_word()
        return ShellLine(tuple(self._words), self._text[self._at :].strip())

    def _step(self, char: str) -> None:
        if char in " \t\n":
            self._at += 1
            self._end_word()
        elif char == "'":
            self._single()
        elif char == '"':
            self._double()
        elif char == "\\":
            self._escape()
        elif char in "$`":
            self._expand()
        elif char == "#" and self._word is None:
            self._comment()
        elif char == "~" and self._word is None:
            self._expansions.append("~")
            self._put(char)
        else:
            self._put(char)

    def _put(self, text: str, taken: int | None = None) -> None:
        self._word = self._word or []
        self._word.append(text)
        self._at += len(text) if taken is None else taken

    def _end_word(self) -> None:
        if self._word is not None:
            self._words.append(ShellWord("".join(self._word), tuple(self._expansions)))
        self._word, self._expansions = None, []

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise UnbalancedQuote("'")
        self._put(self._text[self._at + 1 : end], end + 1 - self._at)

    def _double(self) -> None:
        self._put("", 1)
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in tuple(_DOUBLE_ESCAPED):
                following = self._text[self._at + 1]
                self._put("" if following == "\n" else following, 2)
            elif char in "$`":
                self._expand(quoted=True)
            else:
                self._put(char)
        raise UnbalancedQuote('"')

    def _escape(self) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        if following == "\n":
            self._at += 2
        elif self._word is None and (blanks := _BLANKS.match(self._text, self._at + 1)):
            self._at = blanks.end()
        else:
            self._put(following or "\\", 2)

    def _comment(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _expand(self, *, quoted: bool = False) -> None:
        piece = _expansion(self._text, self._at, quoted=quoted)
        if len(piece) > 1:
            self._expansions.append(piece)
        self._put(piece)


def _expansion(text: str, at: int, *, quoted: bool) -> str:
    """The piece that begins with `$` or a backtick at `at`; a lone `$` is only itself."""
    if text[at] == "`":
        return text[at : _find(text, "`", at + 1) + 1]
    following = text[at + 1 : at + 2]
    if following in ("'", '"') and not quoted:
        return text[at : _find(text, following, at + 2) + 1]
    if following in ("(", "{"):
        return text[at : _closing(text, at + 1, following) + 1]
    if following and following in "@*#?$!-0123456789":
        return text[at : at + 2]
    end = at + 1
    while end < len(text) and (text[end].isascii() and (text[end].isalnum() or text[end] == "_")):
        end += 1
    return text[at:end]


def _find(text: str, sign: str, start: int) -> int:
    end = text.find(sign, start)
    if end < 0:
        raise UnbalancedQuote(sign)
    return end


def _closing(text: str, at: int, opening: str) -> int:
    closing = ")" if opening == "(" else "}"
    depth = 0
    for place in range(at, len(text)):
        if text[place] == opening:
            depth += 1
        elif text[place] == closing:
            depth -= 1
            if depth == 0:
                return place
    raise UnbalancedQuote("$" + opening)
