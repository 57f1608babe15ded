"""Builds in words."""

from __future__ import annotations

import re

# What BuildKit and the classic builder say of a command that failed. Compiled at the first use: most starts have none.
_EXIT = (
    r"(?s)\A(?:executor failed running \[(?P<old>.*)\]: |process \"(?P<quoted>.*)\" did not complete successfully: "
    r"|The command '(?P<classic>.*)' )"
    r"(?:exit code: |returned a non-zero code: )(?P<code>\d+)(?:: runc did not terminate successfully)?\Z"
)
_SHELL = r"\A/\S*sh (?:-\w+ |pipefail )*?-\w*c "
_ESCAPED = r"(?s)\\(.)"
_LONGEST = 80


def build_words(error: str) -> str:
    """What went wrong in a few words: a command that failed is named: `RUN make ended with exit code 2`."""
    match = re.search(_EXIT, error)
    if match is None:
        return error
    # BuildKit quotes as Go does.
    quoted = re.sub(_ESCAPED, lambda m: " " if m[1] in "nrt" else m[1], match["quoted"] or "")
    command = " ".join(re.sub(_SHELL, "", quoted or match["old"] or match["classic"] or "").split())
    if not command:
        return code_words(error)
    short = command if len(command) <= _LONGEST else command[: _LONGEST - 1].rstrip() + "…"
    return f"RUN {short} ended with exit code {match['code']}"


def code_words(error: str) -> str:
    """The same where the command stands right above: of one that failed the code alone."""
    match = re.search(_EXIT, error)
    return f"It ended with exit code {match['code']}" if match else error
