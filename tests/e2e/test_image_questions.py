"""Images that are to go: what a question says goes, and what is told when some of it stays."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.operation import OperationState
from app.pages.images.page import ImagesPage
from app.widgets.confirm import Confirm
from backend.endpoint import UnixSocket
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def ask_to_remove(person: Person, search: str, rows: int) -> Confirm:
    """Ticks all rows that a search finds and presses Del."""
    person.window.resize(1280, 800)
    page = cast("ImagesPage", await person.nav("images"))
    await person.type(page.search, search)
    await person.until(lambda: page.model.rowCount() == rows, "the rows")
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    return await person.find(Confirm, "the question", lambda _d: True)


async def test_a_removal_goes_on_past_a_name_that_cannot_go_and_tells_which_one(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli
) -> None:
    names = ["half-a:1", "half-b:1", "half-c:1"]
    await asyncio.to_thread(docker_cli, "import", "-", names[0], stdin=images.busybox_tar())
    await asyncio.to_thread(docker_cli, "tag", names[0], names[1])
    await asyncio.to_thread(docker_cli, "import", "--message", "c", "-", names[2], stdin=images.busybox_tar())
    await asyncio.to_thread(docker_cli, "tag", names[2], "kept:1")
    await asyncio.to_thread(docker_cli, "run", "-d", "--name", "user-of-half", names[0], "sleep", "600")
    try:
        async with at_desk(engine_host) as person:
            await ask_to_remove(person, "half-", 3)
            await person.press("Remove 3\u00a0names")
            await person.until(lambda: not person.desk.operations.running, "the removals to end")
            of_two = next(o for o in person.desk.operations.items if o.subject == "half-a:1, half-b:1")
            assert of_two.state is OperationState.FAILED
            told = next(n for n in person.notices if n.title == "Could not remove half-b:1")
            assert told.detail.endswith("Removed half-a:1.")
            assert person.last("Remove").subject == "half-c:1"
        left = await asyncio.to_thread(docker_cli, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
        assert {n for n in left.split() if n.startswith(("half-", "kept"))} == {"half-b:1", "kept:1"}
    finally:
        await asyncio.to_thread(docker_cli, "rm", "-f", "user-of-half", check=False)
        await asyncio.to_thread(docker_cli, "rmi", *names, "kept:1", check=False)
