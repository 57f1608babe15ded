"""Words for builds."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.models.builds import seconds_text, step_groups
from app.presentation.builds import build_words, code_words
from backend.types.builds import BuildStep, StepState

QUOTED = 'process "/bin/sh -c echo \\"a\\\\b\\" \\t|\\n no" did not complete successfully: exit code: 2'


@pytest.mark.parametrize(
    ("error", "command", "code"),
    [
        ("executor failed running [/bin/sh -c make && test -s /a]: exit code: 1", "make && test -s /a", 1),
        ('process "/bin/sh -c make" did not complete successfully: exit code: 127', "make", 127),
        (QUOTED, 'echo "a\\b" | no', 2),
        ('process "/bin/bash -eo pipefail -c a -c b" did not complete successfully: exit code: 3', "a -c b", 3),
        ('process "make -c all" did not complete successfully: exit code: 2', "make -c all", 2),
        ("The command '/bin/sh -c make\nall' returned a non-zero code: 2", "make all", 2),
        (f"The command '/bin/sh -c {'a' * 99}' returned a non-zero code: 2", "a" * 79 + "…", 2),
    ],
)  # fmt: skip
def test_of_a_command_that_failed_the_command_and_the_code_are_told(error: str, command: str, code: int) -> None:
    assert build_words(error) == f"RUN {command} ended with exit code {code}"
    assert code_words(error) == f"It ended with exit code {code}"


@pytest.mark.parametrize("error", ["failed to read x: exit code: 3", "COPY failed: no source files", ""])
def test_what_else_went_wrong_is_told_as_it_is(error: str) -> None:
    assert build_words(error) == code_words(error) == error


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (38.25, "38.2 s"), (125, "2 min 5 s"), (3720, "1 h 2 min")]
)
def test_seconds(seconds: float, words: str) -> None:
    assert seconds_text(seconds).replace("\u00a0", " ") == words


def test_a_step_that_was_left_off_is_not_called_one_that_never_ran() -> None:
    begun = BuildStep("a", 1, "RUN sleep 60", state=StepState.SKIPPED, started=10.0, finished=12.0)
    never = BuildStep("b", 2, "RUN true", state=StepState.SKIPPED)
    (group,) = step_groups((begun, never), 20.0)
    waits, runs = replace(never, state=StepState.WAITING), replace(begun, state=StepState.RUNNING)
    assert step_groups((runs, waits), 20.0, ended=True) == [group]
    assert step_groups((waits,), 20.0)[0].right == "Waits"
    assert [row.right for row in group.rows] == ["Stopped", "Not run"]


def test_bytes_sent_stand_beside_the_time_while_nobody_knows_how_many_there_are() -> None:
    sends = BuildStep("c", 0, "load build context", state=StepState.RUNNING, started=10.0, done=1_200_000_000)
    assert step_groups((sends,), 20.0)[0].rows[0].right == "1.2\u00a0GB · 10.0\u00a0s"
