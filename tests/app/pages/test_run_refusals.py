"""What the Run dialog says when a text or an engine's refusal fits no field, or comes late."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.commands.run.form import RunForm
from tests.app.pages.test_run_dialog import dialog_on
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    made.add_image("web:1")
    return made


async def test_lines_of_a_file_that_assign_nothing_are_named(
    qapp: QApplication, fake: FakeEngine, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nKEY=-----BEGIN KEY-----\nab+/\n-----END KEY-----\nB='one\ntwo'\n")
    async with dialog_on(fake, RunForm(image="web:1")) as (person, dialog):
        dialog.basic.read_env_file(str(file))
        assert dialog.env.pairs() == [("A", "1"), ("KEY", "-----BEGIN KEY-----"), ("B", "one\ntwo")]
        words = "Lines 3, 4 are no NAME=value and were left out"
        await person.until(lambda: not dialog._timer.isActive(), "the check")
        assert dialog.basic.env_field.error() == words
        file.write_text("A=2\n")
        dialog.basic.read_env_file(str(file))
        assert dialog.basic.env_field.error() == ""
