"""The terminal escapes in a line of a log: colours and weight are kept, everything else is dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

_ESCAPES = re.compile(
    # CSI with its parameters; OSC, DCS, SOS, PM and APC up to their end or the end of the line; two- and three-byte
    # escapes; an escape that was cut.
    r"\x1b\[([0-9;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c|\Z)"
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]?",
    re.DOTALL,
)
_ESCAPE_BYTES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[\]PX^_][^\n]*?(?:\x07|\x1b\\|(?=\n)|\Z)|\x1b[ -/]*[0-~]?")
_CONTROLS: Final = {c: 0x2400 + c for c in range(32) if c not in (9, 27)} | {0x7F: 0x2421}
_BIDI: Final = {
    c: "\ufffd" for c in (0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069)
}
_TABLE: Final = _CONTROLS | _BIDI | {c: "\ufffd" for c in range(0x80, 0xA0)}
_ODD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\t]")
_ODD_BYTES = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
"""Bytes of a line that are not shown as they are: escapes, controls, tabs, marks of direction."""
_ODD_ASCII: Final = bytes(c for c in range(32) if c != 10) + b"\x7f"
_NEED_LINES = re.compile(rb"\r|\xc2[\x9b\x9c]|[\x80-\xff]\x1b")
"""Where escapes must not be taken out of the bytes: they decide what was overwritten, or stand in a broken sign."""
TAB: Final = 8
MOST_RUNS: Final = 2000
"""Changes of style in a line that are shown; a line with more is shown in its last style from there."""

Color = int | tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Style:
    """How text is drawn. A colour is 0 to 255 of the terminal's palette, or red, green and blue, or None."""

    fore: Color = None
    back: Color = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False


PLAIN: Final = Style()


class Run(NamedTuple):
    """From `start` to `end` of the plain text in one style."""

    start: int
    end: int
    style: Style


class Parsed(NamedTuple):
    """The text as it is shown and copied, and the runs that are not plain."""

    text: str
    runs: tuple[Run, ...]


def parse(raw: bytes) -> Parsed:
    """A line of a log as plain text with styles. Never raises; invalid UTF-8 is shown as the replacement sign."""
    text = raw.decode("utf-8", "replace")
    if "\r" in text:
        text = _overwritten(text)
    if "\x1b" not in text and "\x9b" not in text:
        return Parsed(_shown(text), ())
    parts: list[str] = []
    runs: list[Run] = []
    style, column, position = PLAIN, 0, 0
    for match in _ESCAPES.finditer(text):
        column = _add(text[position : match.start()], column, style, parts, runs)
        position = match.end()
        if match[1] is not None and len(runs) < MOST_RUNS:
            style = apply_codes(style, match[1])
    _add(text[position:], column, style, parts, runs)
    return Parsed("".join(parts), tuple(runs))


def _add(piece: str, column: int, style: Style, parts: list[str], runs: list[Run]) -> int:
    if not piece:
        return column
    shown = _shown(piece, column)
    parts.append(shown)
    end = column + len(shown)
    if style != PLAIN:
        if runs and runs[-1].end == column and runs[-1].style == style:
            runs[-1] = Run(runs[-1].start, end, style)
        else:
            runs.append(Run(column, end, style))
    return end


def plain_bytes(text: bytes) -> bytes:
    """Many lines without their escapes; the number of lines stays."""
    return _ESCAPE_BYTES.sub(b"", text)


def shown_lines(text: bytes) -> bytes:
    """Many lines, each with a newline, as `parse` shows them; the number of lines stays."""
    if not _has_odd(text):
        return text
    if b"\x1b" in text and _NEED_LINES.search(text) is None:
        text = plain_bytes(text)
        if not _has_odd(text):
            return text
    return b"\n".join(_text(raw).encode() if _ODD_BYTES.search(raw) else raw for raw in text.split(b"\n"))


def _has_odd(text: bytes) -> bool:
    if len(text.translate(None, _ODD_ASCII)) != len(text):
        return True
    return not text.isascii() and _ODD_BYTES.search(text) is not None


def _text(raw: bytes) -> str:
    """The text of `parse` alone."""
    text = raw.decode("utf-8", "replace")
    if "\r" in text:
        text = _overwritten(text)
    return _shown(_ESCAPES.sub("", text))


def _overwritten(text: str) -> str:
    """What a terminal shows of a progress line: what came after the last carriage return that had text behind it."""
    stripped = text.rstrip("\r")
    return stripped.rpartition("\r")[2]


def _shown(text: str, column: int = 0) -> str:
    """Tabs as spaces, control and direction characters as signs that can be seen."""
    if not _ODD.search(text):
        return text
    if "\t" in text:
        text = (" " * (column % TAB) + text).expandtabs(TAB)[column % TAB :]
    return text.translate(_TABLE)


def apply_codes(style: Style, codes: str) -> Style:
    """The style after SGR `codes`, as between `ESC [` and `m` (ECMA-48, ITU T.416 for colours)."""
    numbers = [int(c) if c.isdigit() and len(c) < 6 else 0 for c in re.split("[;:]", codes[:200])]
    position = 0
    while position < len(numbers):
        code = numbers[position]
        position += 1
        if code in (38, 48):
            color, position = _extended(numbers, position)
            style = replace(style, fore=color) if code == 38 else replace(style, back=color)
        else:
            style = _simple(style, code)
    return style


_FLAGS: Final[dict[int, dict[str, bool]]] = {
    1: {"bold": True}, 2: {"faint": True}, 3: {"italic": True}, 4: {"underline": True}, 7: {"inverse": True},
    21: {"underline": True}, 22: {"bold": False, "faint": False}, 23: {"italic": False}, 24: {"underline": False},
    27: {"inverse": False},
}  # fmt: skip


def _simple(style: Style, code: int) -> Style:
    if code == 0:
        return PLAIN
    if flags := _FLAGS.get(code):
        return replace(style, **flags)
    if code == 39 or 30 <= code <= 37 or 90 <= code <= 97:
        return replace(style, fore=None if code == 39 else code - 30 if code < 40 else code - 82)
    if code == 49 or 40 <= code <= 47 or 100 <= code <= 107:
        return replace(style, back=None if code == 49 else code - 40 if code < 50 else code - 92)
    return style


def _extended(numbers: list[int], position: int) -> tuple[Color, int]:
    kind = numbers[position] if position < len(numbers) else 0
    if kind == 5 and position + 1 < len(numbers):
        return min(numbers[position + 1], 255), position + 2
    if kind == 2 and position + 3 < len(numbers):
        red, green, blue = (min(n, 255) for n in numbers[position + 1 : position + 4])
        return (red, green, blue), position + 4
    return None, len(numbers)


def to_rgb(color: int) -> tuple[int, int, int]:
    """Colours 16 to 255 of xterm's palette: a cube of six steps, then 24 greys."""
    if color >= 232:
        grey = 8 + (color - 232) * 10
        return grey, grey, grey
    index = max(color - 16, 0)
    steps = (0, 95, 135, 175, 215, 255)
    return steps[index // 36], steps[index // 6 % 6], steps[index % 6]
