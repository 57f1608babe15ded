"""Words for builds."""

from __future__ import annotations

import pytest

from app.models.builds import seconds_text, step_groups
from app.presentation.builds import build_words
from backend.types.builds import BuildStep, StepState


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("executor failed running [/bin/sh -c make && test -s /a]: exit code: 1", "It ended with exit code 1"),
        ('process "/bin/sh -c make" did not complete successfully: exit code: 127', "It ended with exit code 127"),
        ("The command '/bin/sh -c make\nall' returned a non-zero code: 2", "It ended with exit code 2"),
        ("failed to read x: exit code: 3", "failed to read x: exit code: 3"),
        ("COPY failed: no source files", "COPY failed: no source files"),
        ("", ""),
    ],
)
def test_of_a_command_that_failed_only_the_code_is_told(error: str, words: str) -> None:
    assert build_words(error) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (38.25, "38.2 s"), (125, "2 min 5 s"), (3720, "1 h 2 min")]
)
def test_seconds(seconds: float, words: str) -> None:
    assert seconds_text(seconds).replace("\u00a0", " ") == words


def test_a_step_that_was_left_off_is_not_called_one_that_never_ran() -> None:
    begun = BuildStep("a", 1, "RUN sleep 60", state=StepState.SKIPPED, started=10.0, finished=12.0)
    never = BuildStep("b", 2, "RUN true", state=StepState.SKIPPED)
    (group,) = step_groups((begun, never), 20.0)
    assert [row.right for row in group.rows] == ["Stopped", "Not run"]
