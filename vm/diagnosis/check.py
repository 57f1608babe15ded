"""A check of one part of the machine: its result, and the names of what explains it and of what mends it."""

from __future__ import annotations

from typing import Literal

import msgspec

Result = Literal["good", "warning", "bad", "unknown"]
"""`unknown`: it could not be looked at now, as the guest's clock while the machine is stopped."""
Name = Literal[
    "qemu",
    "accelerator",
    "image",
    "disk",
    "space",
    "folders",
    "process",
    "socket",
    "ssh",
    "engine",
    "room",
    "names",
    "proxy",
    "time",
    "ports",
    "shares",
]
NAMES: tuple[Name, ...] = Name.__args__  # type: ignore[attr-defined]
"""Every check, in the order in which one thing needs the other; they come as they are done."""
Repair = Literal["", "start", "restart", "image", "disk", "folders", "socket", "engine", "names", "clock"]
REPAIRS: tuple[Repair, ...] = Repair.__args__  # type: ignore[attr-defined]
ASKED: tuple[Repair, ...] = ("restart", "disk")
"""What a person has to agree to first: containers end, or the disk's tables are written."""


class Check(msgspec.Struct, frozen=True):
    """`told` is what was seen (a version, a path, the words of an error), `hint` a key of the words that explain it.

    `repair` is what Machine.repair can do about it. The words for all three are in app.checkwordings.
    """

    name: Name
    result: Result
    told: str = ""
    hint: str = ""
    repair: Repair = ""
