"""Builds in words."""

from __future__ import annotations

import re

# What BuildKit and the classic builder say of a command that failed.
_EXIT = re.compile(
    r"\A(?:executor failed running \[.*|process \".*|The command '.*)"
    r"(?:exit code: |returned a non-zero code: )(\d+)(?:: runc did not terminate successfully)?\Z",
    re.DOTALL,
)


def build_words(error: str) -> str:
    """What went wrong in a few words: of a command that failed the code, since the command stands right above."""
    match = _EXIT.search(error)
    return f"It ended with exit code {match[1]}" if match else error
