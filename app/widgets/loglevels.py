"""How important a line of a log is, told by its words."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from app.widgets.ansi import plain_bytes

ERROR: Final = 1
WARN: Final = 2
INFO: Final = 3
DEBUG: Final = 4
LOOK: Final = 128
"""Bytes at the start of a line in which its level is looked for."""

_ERRORS = (
    "ERROR|Error|error|FATAL|Fatal|fatal|CRITICAL|Critical|critical|PANIC|panic|EMERG|emerg|ALERT|SEVERE|ERR|ERRO|crit"
)
_WARNS = "WARNING|Warning|warning|WARN|Warn|warn"
_INFOS = "INFO|Info|info|NOTICE|Notice|notice"
_DEBUGS = "DEBUG|Debug|debug|TRACE|Trace|trace|DEBU|VERBOSE|verbose|FINE"
_WORD = rf"(?:({_ERRORS})|({_WARNS})|({_INFOS})|({_DEBUGS}))"
_LEADING = re.compile(rf"\s{{0,4}}\[?{_WORD}\]?:?(?![\w.=/-])\s*".encode())
_PLACES = r"(?<=level=)|(?<=level=.)|(?<=\"level\":\")|(?<=\"level\": \")|(?<=[\[<| ])(?=[A-Z])|(?<=\[)"
_ANYWHERE = re.compile(rf"(?:{_PLACES}){_WORD}(?![\w.=-])".encode())
_FOLLOWING = re.compile(
    rb"\s+\S|Traceback \(most recent|Caused by:|During handling of|The above exception|goroutine \d"
    rb"|[\w.$]+(?:Error|Exception|Timeout|Interrupt|Warning)\b"
)
_EXCEPTION = re.compile(rb"[\w.$]+(?:Error|Exception|Timeout|Interrupt)\b")


class Level(NamedTuple):
    """`level` (0 when none), and where its word is in the bytes: `start` to `end`, `lead` the end of a leading part."""

    level: int
    start: int = 0
    end: int = 0
    lead: int = 0


NONE: Final = Level(0)


def level_of(line: bytes) -> Level:
    """The level that a line names at its start, or as a field near it."""
    head = line[:LOOK]
    if match := _LEADING.match(head):
        group = match.lastindex or 1
        return Level(group, match.start(group), match.end(group), match.end())
    if match := _ANYWHERE.search(head):
        group = match.lastindex or 1
        return Level(group, match.start(group), match.end(group), 0)
    if head.startswith(b"\x1b"):
        return Level(level_of(plain_bytes(head)).level)
    return NONE


def follows(line: bytes) -> bool:
    """Whether a line looks like the next one of a traceback, not like a message of its own."""
    return _FOLLOWING.match(line) is not None


def is_exception(line: bytes) -> bool:
    """Whether a line of a traceback names what went wrong."""
    return _EXCEPTION.match(line) is not None
