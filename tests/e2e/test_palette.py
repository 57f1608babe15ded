"""The command palette in front of a real engine: a part of a name, a verb, Enter; then the engine is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.pages.containers.page import ContainersPage
from app.widgets.palette import Palette
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
ENDS = "trap exit TERM; while :; do sleep 0.1; done"
NAMES = ("palette-orders-1", "palette-billing-1")


class Scene:
    """A person with two running containers, and the docker command line beside it."""

    def __init__(self, person: Person, cli: DockerCli) -> None:
        self.person, self._cli = person, cli

    async def docker(self, *words: str, check: bool = True) -> str:
        return (await asyncio.to_thread(self._cli, *words, check=check)).strip()

    async def state(self, name: str) -> str:
        return await self.docker("inspect", "-f", "{{.State.Status}}", name)

    async def pick(self, typed: str) -> None:
        """Ctrl K, some letters, Enter."""
        QTest.keyClick(
            QApplication.focusWidget() or self.person.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier
        )
        palette = await self.person.find(Palette, "the palette", lambda _p: True)
        QTest.keyClicks(palette.field, typed)
        await self.person.rest()
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await self.person.rest()


@asynccontextmanager
async def scene_now(endpoint: UnixSocket, cli: DockerCli, image: str) -> AsyncIterator[Scene]:
    async with at_desk(endpoint) as person:
        scene = Scene(person, cli)
        try:
            page = cast("ContainersPage", await person.nav("containers"))
            for name in NAMES:
                await scene.docker("run", "-d", "--name", name, image, "sh", "-c", ENDS)
                await person.row(page.list.table, name)
            yield scene
        finally:
            await scene.docker("rm", "-f", *NAMES, check=False)


async def test_a_part_of_a_name_and_stop(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    async with scene_now(engine_host, docker_cli, busybox_image) as scene:
        await scene.pick("orders stop")
        await scene.person.done(scene.person.last("Stop"))
        assert await scene.state(NAMES[0]) == "exited"
        assert await scene.state(NAMES[1]) == "running"


async def test_remove_asks_and_a_name_opens(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    async with scene_now(engine_host, docker_cli, busybox_image) as scene:
        await scene.pick("billing")
        page = cast("ContainersPage", scene.person.window.page("containers"))
        await scene.person.until(lambda: page.details is not None, "the details")
        await scene.pick("remove")
        await scene.person.press("Keep it")
        assert await scene.state(NAMES[1]) == "running"
        await scene.pick("remove")
        await scene.person.press("Remove container")
        await scene.person.done(scene.person.last("Remove"))
        assert NAMES[1] not in await scene.docker("ps", "-a", "--format", "{{.Names}}")
        assert await scene.state(NAMES[0]) == "running"
