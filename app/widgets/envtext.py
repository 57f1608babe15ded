"""Reads the text of .env files into pairs, and tells which names hold secrets."""

from __future__ import annotations

_SECRET_WORDS = ("password", "passwd", "secret", "token", "apikey", "api_key", "private", "credential", "auth")


def is_secret(name: str) -> bool:
    """Whether the value of a variable of this name is hidden at first."""
    low = name.lower()
    return any(word in low for word in _SECRET_WORDS) or low.endswith(("_key", "_pass", "_pwd")) or low == "key"


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Names and values of `NAME=value` lines, as docker's --env-file reads them, and also `export` and quotes.

    Empty lines and lines that begin with `#` are left out; a name without `=` gets an empty value.
    """
    found: list[tuple[str, str]] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if name.strip():
            found.append((name.strip(), value))
    return found


def looks_like_pairs(text: str) -> bool:
    """Whether pasted text is several lines, or one line of `NAME=value`."""
    stripped = text.strip()
    name = stripped.partition("=")[0].removeprefix("export ")
    plain = "=" in stripped and name.replace("_", "").replace(".", "").isalnum()
    return plain if "\n" not in stripped else any("=" in line for line in stripped.split("\n"))
