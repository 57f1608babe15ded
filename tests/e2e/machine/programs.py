"""QEMU's programs for tests: where they are missing a developer's run skips with the reason, and the gate fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def need(name: str) -> Path:
    """The program's path. PILOTHOUSE_NO_SKIPS makes a failure of what would be a skip."""
    found = shutil.which(name)
    if found is None:
        words = f"{name} is not installed (packaging/setup.sh test installs it)"
        (pytest.fail if os.environ.get("PILOTHOUSE_NO_SKIPS") else pytest.skip)(words)
    return Path(found)
