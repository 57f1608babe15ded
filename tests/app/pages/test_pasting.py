"""What of a pasted docker run line is still open when a person presses Run."""

from __future__ import annotations

import pytest

from app.commands.run.form import EnvRow, MountRow, RunForm
from app.commands.run.read import read_line
from app.pages.run.pasting import unanswered


@pytest.mark.parametrize(
    ("line", "lines", "field"),
    [
        ("docker run -e A=$HOME web:1", ["$HOME  is not filled in"], "env.0"),
        ("docker run -e A web:1", ["A  has no value"], "env.0"),
        ('docker run web:1 echo "it\'s $X"', ["$X  is not filled in"], "command"),
        ("docker run -v ~/x:/x web:1", ["~  is not filled in"], "mounts.0"),
        ("docker run --frob web:1 > log", ["> log  is left out", "--frob  is left out"], ""),
        ("docker run --env-file .env web:1", [".env  is left out"], ""),
        ("docker run -e 'A=$HOME' web:1 echo '$X'", [], ""),
    ],
)
def test_what_is_still_to_be_answered(line: str, lines: list[str], field: str) -> None:
    reading = read_line(line)
    assert unanswered(reading, reading.form) == (lines, field)
    answered = RunForm(image="web:1", env=(EnvRow("A", "1"),), mounts=(MountRow("bind", "/x", "/x"),))
    assert unanswered(reading, answered)[0] == [words for words in lines if words.endswith("left out")]
