"""The embedded engine: a private dockerd or podman that Pilothouse starts where no engine answers.

The names below come lazily: the supervisor imports this package in a bare interpreter, where only the standard
library is at hand and every module costs memory for as long as the engine lives.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.embedded.engine import EmbeddedEngine, EmbeddedStatus
    from backend.embedded.paths import EmbeddedPaths
    from backend.embedded.requirements import Requirement

__all__ = ["EmbeddedEngine", "EmbeddedPaths", "EmbeddedStatus", "Requirement"]

_HOMES = {
    "EmbeddedEngine": "engine",
    "EmbeddedStatus": "engine",
    "EmbeddedPaths": "paths",
    "Requirement": "requirements",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
