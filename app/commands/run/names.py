"""Names for new containers: free, short, and of the sea."""

from __future__ import annotations

import random
from collections.abc import Container

FIRST = (
    "amber", "brisk", "calm", "clear", "copper", "coral", "deep", "early", "fair", "fresh", "gentle", "green", "high",
    "kind", "late", "light", "long", "lucky", "misty", "noble", "open", "pale", "proud", "quick", "quiet", "rapid",
    "salty", "silver", "steady", "still", "swift", "tall", "true", "warm", "wide", "wild",
)  # fmt: skip
LAST = (
    "anchor", "bay", "beacon", "bell", "boat", "buoy", "cape", "compass", "crane", "current", "cutter", "deck",
    "dolphin", "dory", "ferry", "fjord", "gull", "harbor", "helm", "isle", "jetty", "keel", "lantern", "lock", "mast",
    "oar", "otter", "pier", "pilot", "port", "reef", "rudder", "sail", "sextant", "shoal", "skiff", "sloop", "strait",
    "tern", "tide", "tug", "wake", "wave", "wharf",
)  # fmt: skip


def free_name(taken: Container[str], source: random.Random | None = None) -> str:
    """A name that nobody has; after many collisions with a number behind it."""
    draw = source or random.Random()  # noqa: S311 - a name is no secret
    for _ in range(50):
        name = f"{draw.choice(FIRST)}-{draw.choice(LAST)}"
        if name not in taken:
            return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
