"""Taking out of a text what is nobody's business: keys, tokens, passwords, values of the environment, names of people.

First what is known here is taken out to the letter, then what looks like a secret.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GONE = "[left out]"
SHORTEST = 4
"""Shorter values are in every other word."""
_PLAIN = frozenset(("PATH", "PWD", "OLDPWD", "HOME", "SHELL", "TERM", "LANG", "TZ", "SHLVL", "USER", "LOGNAME", "_"))
_ORDINARY = re.compile(r"[\d.]*|true|false|yes|no|on|off|auto|always|never|c\.utf-?8|[a-z]{1,12}", re.IGNORECASE)
_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_IN_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s@\"']+@", re.IGNORECASE)
_HEADER = re.compile(
    r"((?:proxy-)?authorization\"?\s*[:=]\s*\"?(?:(?:basic|bearer|digest)\s+)?)[^\s\"',;]+", re.IGNORECASE
)
_CARRIER = re.compile(r"\b((?:bearer|basic)\s+)[A-Za-z0-9+/_.=~-]{8,}", re.IGNORECASE)
_NAMED = re.compile(
    r"((?:[\w.-]*(?:password|passwd|passphrase|secret|token|credential|api[_-]?key|apikey|access[_-]?key|auth|signature"
    r"|private[_-]?key)[\w.-]*|pass|pwd|sig)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&]+",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\b([A-Z_][A-Z0-9_]{2,}=)(\"[^\"\n]*\"|'[^'\n]*'|[^\s\"',;]+)")
_KNOWN_FORMS = re.compile(
    r"\b(?:eyJ[\w-]{10,}\.[\w-]{4,}\.?[\w-]*|gh[a-z]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|dckr_pat_[\w-]{16,}"
    r"|AKIA[0-9A-Z]{12,}|xox[a-z]-[\w-]{10,}|sk-[\w-]{16,})"
)


class Redactor:
    """Knows this person's home, name and secrets; `more` are secrets that are known besides."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._homes = _homes()
        secrets = {each for each in (*more, *_of_environment()) if len(each) >= SHORTEST}
        ordered = sorted(secrets, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None
        names = sorted({each for each in _people() if len(each) >= 2 and each != "root"}, key=len, reverse=True)
        words = "|".join(map(re.escape, names))
        self._names = re.compile(rf"(?<![A-Za-z0-9]){'(?:' + words + ')'}(?![A-Za-z0-9])") if names else None

    def clean(self, text: str) -> str:
        """The text without them."""
        text = _BLOCK.sub(GONE, text)
        for home in self._homes:
            text = text.replace(home, "~")
        if self._secrets is not None:
            text = self._secrets.sub(GONE, text)
        text = _IN_ADDRESS.sub(rf"\1{GONE}@", text)
        for form in (_HEADER, _CARRIER, _NAMED, _VARIABLE):
            text = form.sub(lambda found: found[1] + GONE, text)
        text = _KNOWN_FORMS.sub(GONE, text)
        return self._names.sub("USER", text) if self._names is not None else text

    def clean_value(self, value: Any) -> Any:
        """The same for every text in a value of JSON."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, list | tuple):
            return [self.clean_value(each) for each in value]
        if isinstance(value, dict):
            return {self.clean(key): self._named(key, each) for key, each in value.items()}
        return value

    def _named(self, key: str, value: Any) -> Any:
        return GONE if isinstance(value, str) and value and _NAMED.match(f"{key}={value}") else self.clean_value(value)


def _homes() -> list[str]:
    found = {str(Path.home()), os.path.realpath(Path.home()), os.environ.get("HOME", "")}
    found |= {os.path.realpath(each) for each in found if each}
    return sorted((each for each in found if len(each) > 1), key=len, reverse=True)


def _people() -> set[str]:
    found = {Path.home().name, os.environ.get("USER", ""), os.environ.get("USERNAME", "")}
    try:
        found.add(getpass.getuser())
    except (OSError, KeyError, ImportError):  # Nobody here has a name.
        pass
    return found


def _of_environment() -> set[str]:
    """Values of the environment, but for those that are everybody's words, or paths (which lose only the home)."""
    found = set()
    for name, value in os.environ.items():
        if name in _PLAIN or _ORDINARY.fullmatch(value) or value.startswith(("/", "~", ".")):
            continue
        found.add(value)
    return found
