"""The Builds page: what is ticked goes from the history, from the bar that floats over the list."""

from __future__ import annotations

from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.pages.builds.page import BuildsPage
from app.stores.builds import BuildRecord
from tests.e2e.desk import at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


async def test_what_is_ticked_is_removed_from_the_bar_that_floats_over_the_list(qapp: QApplication) -> None:
    async with FakeEngine().serve() as endpoint, at_desk(endpoint) as person:
        person.window.resize(1280, 800)
        history = person.desk.builds
        for at, tag in enumerate(("one:1", "two:1", "three:1")):
            history.put(
                BuildRecord(
                    id=tag, tag=tag, context="/code", text="FROM scratch", builder="BuildKit", state="succeeded",
                    started=at + 1.0, finished=at + 2.0, steps=(), error="", error_line=0, image="",
                ),
                "",
            )  # fmt: skip
        page = cast("BuildsPage", await person.nav("builds"))
        await person.row(page.table, "one:1")
        assert page.table.sort_column == "age"
        for tag in ("one:1", "three:1"):
            page.table.set_current(tag)
            page.table.setFocus()
            await person.keys(Qt.Key.Key_Space)
        assert person.says("2 selected")
        await person.click(page.selection.buttons["remove"])
        await person.sees("The images stay.")
        await person.press("Remove")
        await person.until(lambda: [r.id for r in history.records] == ["two:1"], "the others to go")
        assert not page.selection.isVisible()
