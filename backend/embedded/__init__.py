"""The embedded engine: a private dockerd or podman that Pilothouse starts where no engine answers.

The names below come lazily: the supervisor imports this package in a bare interpreter, where only the standard
library is at hand and every module costs memory for as long as the engine lives.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.embedded.engine import EmbeddedEngine
    from backend.embedded.facts import EmbeddedStatus, Requirement
    from backend.embedded.paths import EmbeddedPaths

__all__ = ["EmbeddedEngine", "EmbeddedPaths", "EmbeddedStatus", "Requirement"]

_HOMES = {
    "EmbeddedEngine": "engine",
    "EmbeddedStatus": "facts",
    "EmbeddedPaths": "paths",
    "Requirement": "facts",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
