"""Reads the text of .env files into pairs, and tells which names hold secrets."""

from __future__ import annotations

import re

_SECRET_WORDS = ("password", "passwd", "secret", "token", "apikey", "api_key", "private", "credential", "auth")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def is_secret(name: str) -> bool:
    """Whether the value of a variable of this name is hidden at first."""
    low = name.lower()
    return any(word in low for word in _SECRET_WORDS) or low.endswith(("_key", "_pass", "_pwd")) or low == "key"


def pairs_of(text: str, *, any_name: bool = False) -> list[tuple[str, str]]:
    """Names and values of `NAME=value` lines, as docker's --env-file reads them, and also `export` and quotes.

    A quoted value may go over several lines. Empty lines and lines that begin with `#` are left out, and so are those
    that `strays` names, unless `any_name`; a name without `=` gets an empty value.
    """
    return _read(text, any_name=any_name)[0]


def strays(text: str) -> list[int]:
    """The numbers of the lines that assign nothing, such as the second line of a key without quotes."""
    return _read(text)[1]


def looks_like_pairs(text: str) -> bool:
    """Whether pasted text is several lines, one of them with `NAME=value`, or one line of it."""
    lines = text.strip().split("\n")
    return any("=" in line for line in lines) if len(lines) > 1 else _assigns(lines[0])


def is_all_pairs(text: str) -> bool:
    """Whether text is several lines of `NAME=value` and nothing else: what may be meant as one value is not."""
    found, stray = _read(text)
    return len(found) > 1 and not stray and all("=" in line for line in _bare(text))


def _bare(text: str) -> list[str]:
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line and not line.startswith("#")]


def _assigns(line: str) -> bool:
    name, equals, _ = line.strip().removeprefix("export ").partition("=")
    return bool(equals and _NAME.fullmatch(name.strip()))


def _read(text: str, *, any_name: bool = False) -> tuple[list[tuple[str, str]], list[int]]:
    found: list[tuple[str, str]] = []
    stray: list[int] = []
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")  # docker takes a mark of byte order too.
    number = 0
    while number < len(lines):
        line = lines[number].strip().removeprefix("export ")
        number += 1
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        if not (any_name or _NAME.fullmatch(name.strip())):
            stray.append(number)
            continue
        value = value.strip()
        end = _end_of_quote(value, lines, number)
        value = "\n".join([value, *(one.rstrip() for one in lines[number:end])])
        number = end
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if name.strip():
            found.append((name.strip(), value))
    return found, stray


def _end_of_quote(value: str, lines: list[str], following: int) -> int:
    """The line after the one that closes the quote which `value` opens; `following` when there is none to close."""
    quote = value[:1]
    if quote not in ('"', "'") or quote in value[1:]:
        return following
    for number in range(following, len(lines)):
        if quote in lines[number]:
            return number + 1 if lines[number].rstrip().find(quote) == len(lines[number].rstrip()) - 1 else following
    return following
