"""Entry: one thing that a person can pick, told once for menus and for the command palette."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Entry(Struct, frozen=True):
    """What it says, what it does, and why it cannot be done now (`why`, empty when it can).

    `subject` is what it is done to and `detail` a fact about that; both come from outside and are shown in the palette
    alone. `also` has other words by which it is found. `apart` puts a line before it in a menu.
    """

    text: str
    on_pick: Callable[[], object]
    icon: str = ""
    key: str = ""
    why: str = ""
    subject: str = ""
    detail: str = ""
    also: str = ""
    danger: bool = False
    apart: bool = False
    checked: bool | None = None
