"""Images that are to go: what a question says goes, and what is told when some of it stays."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.operation import OperationState
from app.pages.images.dialogs import CleanUpDialog
from app.pages.images.page import ImagesPage
from app.pages.images.removal import RemoveImages
from backend.endpoint import UnixSocket
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def ask_to_remove(person: Person, search: str, rows: int) -> RemoveImages:
    """Ticks all rows that a search finds and presses Del."""
    person.window.resize(1280, 800)
    page = cast("ImagesPage", await person.nav("images"))
    await person.type(page.search, search)
    await person.until(lambda: page.model.rowCount() == rows, "the rows")
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    return await person.find(RemoveImages, "the question", lambda _d: True)


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


async def test_a_question_says_what_goes_for_as_long_as_it_is_open(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli
) -> None:
    async def engine(*words: str) -> str:
        return await asyncio.to_thread(docker_cli, *words)

    await asyncio.to_thread(docker_cli, "import", "-", "open-a:1", stdin=images.busybox_tar())
    await engine("tag", "open-a:1", "open-b:1")
    await engine("tag", "open-a:1", "stays:1")
    try:
        async with at_desk(engine_host) as person:
            question = await ask_to_remove(person, "open-", 2)
            assert person.says("open-a:1, the image keeps 1\u00a0other name")
            await engine("rmi", "stays:1")
            await person.sees("open-b:1, the same image")
            await person.sees("The image goes with its last name.")
            await engine("run", "-d", "--name", "user-of-open", "open-a:1", "sleep", "600")
            await person.sees("used by user-of-open")
            await person.sees("Also when stopped containers were made from it")
            await engine("rm", "-f", "user-of-open")
            await person.until(lambda: not person.says("used by user-of-open"), "the user to go")
            await engine("rmi", "open-b:1")
            await person.sees("Remove open-a:1?")
            await engine("rmi", "open-a:1")
            await person.until(lambda: question not in person.window.dialogs_open(), "a question about nothing to go")
    finally:
        for name in ("open-a:1", "open-b:1", "stays:1"):
            await asyncio.to_thread(docker_cli, "rmi", "-f", name, check=False)


async def test_a_clean_up_lists_every_name_for_as_long_as_it_is_open(
    qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli
) -> None:
    async def engine(*words: str, stdin: bytes | None = None) -> str:
        return await asyncio.to_thread(docker_cli, *words, stdin=stdin, host=own_engine.docker_host)

    await asyncio.to_thread(own_engine.start)
    await engine("import", "-", "free-a:1", stdin=images.busybox_tar())
    await engine("tag", "free-a:1", "other/free-b:1")
    await engine("import", "--message", "x", "-", "held:1", stdin=images.busybox_tar())
    await engine("create", "--name", "holds", "held:1", "sh")
    async with at_desk(own_engine.endpoint) as person:
        person.window.resize(1280, 800)
        await person.nav("images")
        await person.press("Clean up…")
        dialog = await person.find(CleanUpDialog, "the clean-up", lambda _d: True)
        await person.choose(dialog.choice, "unused")
        await person.sees("Remove 1\u00a0image")
        assert "free-a:1, other/free-b:1" in dialog.listing.text()
        await engine("rm", "holds")
        await person.sees("Remove 2\u00a0images")
        assert "held:1" in dialog.listing.text()
        await engine("create", "--name", "holds", "held:1", "sh")
        await person.sees("Remove 1\u00a0image")
        await person.press("Remove 1\u00a0image")
        await person.until(lambda: not person.window.dialogs_open(), "the clean-up to begin")
        await person.done(person.last("Clean up"))
        assert (await engine("image", "ls", "--format", "{{.Repository}}")).split() == ["held"]
