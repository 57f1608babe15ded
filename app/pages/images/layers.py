"""The layers of an image as rows, without the values that a build was given."""

from __future__ import annotations

import re

from app.models.images import created_age
from app.presentation import bytes_text, masked
from app.widgets.cells import Cell, Column, Group, Row
from backend.types.images import Layer

LAYER_COLUMNS = (
    Column("number", "#", 40, 36, sortable=False, align_right=True, optional=False),
    Column("command", "Made by", 240, 120, stretch=1, sortable=False, optional=False),
    Column("age", "Age", 64, 56, align_right=True, sortable=False),
    Column("size", "Size", 128, 80, align_right=True, sortable=False, bar_width=52),
)
_NOP = "/bin/sh -c #(nop)"
_SHELL = "/bin/sh -c "
_ARGUMENTS = re.compile(r"((?:RUN )?\|(\d{1,4}) )(.*)", re.DOTALL)
_ANY_SHELL = re.compile(  # Anchored and bounded: whoever made the image wrote what it reads.
    r"(?<!\S)(?:(?:/[^\s/]+)*/(?:ba|da|a|k|z)?sh|pwsh|powershell|cmd)\s(?:[-/]?\w+\s){0,6}?[-/]\w*[cC](?:ommand)?\s"
)
_ASSIGNMENT = re.compile(r"(?:^|\s)\w[^\s=]*=")
_VALUES = re.compile(r"((?:/bin/sh -c #\(nop\)\s+)?(?:ENV|ARG)\s+)([^\s=]+)([\s=])(?=\S).*", re.DOTALL)


def made_by(layer: Layer) -> str:
    """How a layer was made, in the builder's words, with masks for the values of arguments and variables.

    Builders write arguments as `|N NAME=value… SHELL COMMAND`; values stand unquoted, so that a space in one looks like
    the next argument. So everything between `|N` and the shell is masked, or the rest where no shell follows.
    """
    words = layer.created_by
    if found := _ARGUMENTS.match(words):
        head, rest = found[1], found[3]
        at = _end_of_assignments(rest, int(found[2]))
        shell = _ANY_SHELL.search(rest, at) if at >= 0 else None
        return f"{head}{masked(rest)} {rest[shell.start() :]}" if shell else f"{head}{masked(rest)}"
    if found := _VALUES.match(words):
        return f"{found[1]}{found[2]}={masked(words)}"
    return words


def _end_of_assignments(words: str, count: int) -> int:
    """Behind the name of the last of `count` assignments at the earliest; -1 when there are fewer."""
    ends = [found.end() for found in _ASSIGNMENT.finditer(words)]
    return ends[count - 1] if 0 < count <= len(ends) else -1


def layer_command(layer: Layer) -> str:
    """The instruction that made a layer, without the shell that the builder wraps around it."""
    words = " ".join(made_by(layer).split())
    if words.startswith(_NOP):
        return words.removeprefix(_NOP).strip()
    if words.startswith(_SHELL):
        return f"RUN {words.removeprefix(_SHELL)}"
    words = words.removesuffix("# buildkit").strip()
    if found := _ARGUMENTS.match(words):
        rest = found[3].removeprefix(masked(words)).lstrip()
        return f"RUN {rest.removeprefix(_SHELL)}" if rest else f"RUN {masked(words)}"
    return words.replace(f"RUN {_SHELL}", "RUN ", 1) or layer.comment or "No command is known"


def layer_rows(layers: tuple[Layer, ...], now: float) -> list[Group]:
    """The layers oldest first, each with its share of the largest as a bar."""
    largest = max((layer.size for layer in layers), default=0)
    rows = []
    for number, layer in enumerate(reversed(layers), 1):
        command = layer_command(layer)
        share = layer.size / largest if largest and layer.size else None
        rows.append(
            Row(
                str(number),
                (
                    Cell(str(number), "text-tertiary", align_right=True, small=True),
                    Cell(command, mono=True, tooltip=made_by(layer)),
                    Cell(created_age(layer.created, now), "text-secondary", align_right=True),
                    Cell(bytes_text(layer.size), align_right=True, bar=share, bar_token="chart-1"),
                ),
            )
        )
    return [Group("layers", tuple(rows))]
