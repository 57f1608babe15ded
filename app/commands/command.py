"""Command: what a person wants done to a target, described once for menus, keys, Activity and the clipboard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from app.commandline import CommandLine
from app.operation import Operation
from backend.client import Engine

T = TypeVar("T")


def _enabled(_target: object) -> str:
    return ""


def _nothing(_target: object) -> str:
    return ""


def _no_line(_target: object) -> CommandLine:
    return CommandLine()


class Command(Struct, Generic[T], frozen=True):
    """One verb.

    `why_not(target)` is empty when the command applies, else the sentence that a tooltip shows ("It is not running").
    `line(target)` is the docker command line that does the same. `run(engine, target, operation)` does it; it never
    touches a store: the engine's event does. `done` is the toast's title after success; empty means no toast.
    """

    key: str
    title: str
    icon: str
    run: Callable[[Engine, T, Operation], Awaitable[object]]
    subject: Callable[[T], str]
    shortcut: str = ""
    why_not: Callable[[T], str] = _enabled
    line: Callable[[T], CommandLine] = _no_line
    done: Callable[[T], str] = _nothing
    destructive: bool = False
