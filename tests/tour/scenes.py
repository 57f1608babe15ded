"""The scenes of the tour, in the order in which a person meets them."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import cast

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from app.commands.run.form import EnvRow, PortRow, RunForm
from app.pages.activity.page import ActivityPage
from app.pages.builds.page import BuildsPage
from app.pages.containers.details import ContainerPage
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.pages.containers.stats import StatsTab
from app.pages.images.page import ImagesPage
from app.pages.run.dialog import RunDialog
from app.places import RUN, Place
from app.session import Phase
from app.widgets.confirm import Confirm
from app.widgets.dialogs import Dialog
from app.widgets.segments import Segments
from tests.e2e.desk import Person
from tests.tour.world import DOCKERFILE, TEST, World

CHARTS_SECONDS = 112
SIZE, SMALL = (1280, 800), (900, 600)


class Tour:
    """One walk through the program. Pictures go to `folder` as NAME-light.png and NAME-dark.png."""

    def __init__(self, person: Person, world: World, folder: Path) -> None:
        self.person, self.world, self.folder = person, world, folder
        self.window = person.window

    async def walk(self) -> None:
        """Every scene."""
        self.window.resize(*SIZE)
        await self.containers()
        await self.logs()
        await self.stats()
        await self.other_tabs()
        await self.run()
        await self.images()
        await self.build()
        await self.activity()
        await self.rest_of_it()
        await self.lost()

    async def shoot(self, name: str, *, small: bool = False) -> None:
        """The window in both looks; `small` also at the smallest size."""
        for choice in ("light", "dark"):
            self.person.desk.theme.set_choice("light" if choice == "light" else "dark")
            await self.person.picture(self.folder / f"{name}-{choice}.png")
            if small:
                self.window.resize(*SMALL)
                await self.person.picture(self.folder / f"{name}-900x600-{choice}.png")
                self.window.resize(*SIZE)
        print(name, flush=True)

    # Containers

    async def containers(self) -> None:
        """The list, a row under the pointer, rows that are ticked, a menu, and the question before a removal."""
        person = self.person
        page = cast("ContainersPage", await person.nav("containers"))
        table = page.list.table
        await person.until(lambda: len(person.rows(table)) >= 11, "all containers")
        await asyncio.sleep(25)
        await person.hover(table.viewport(), await self._row(page, "api"))
        await self.shoot("containers", small=True)
        for name in ("cache", "db", "worker"):
            point = await self._row(page, name)
            await person.click(table.viewport(), QPoint(16, point.y()))
        await self.shoot("selection")
        await person.keys(Qt.Key.Key_Escape)
        table.set_ticks(())
        await self._row(page, "minio")
        table.set_current(self._key("minio"))
        page.verbs.run("remove", [self._key("minio")])
        confirm = await person.find(Confirm, "the question", lambda _c: True)
        await self.shoot("remove")
        await self._close(confirm)

    def _key(self, name: str) -> str:
        rows = self.person.desk.session.stores.containers.values.values()
        return next(row.id for row in rows if row.name in (name, f"shop-{name}-1", f"analytics-{name}-1"))

    async def _row(self, page: ContainersPage, name: str) -> QPoint:
        table = page.list.table
        index = page.list.model.index_of(self._key(name))
        table.scrollTo(index)
        await self.person.rest()
        box = table.visualRect(page.list.model.index(index.row(), 1))
        return QPoint(table.layout_of_columns.lead + 60, box.center().y())

    async def _close(self, dialog: Dialog) -> None:
        dialog.reject()
        await self.person.until(lambda: not self.window.dialogs_open(), "the dialog to go")

    async def _open(self, name: str) -> ContainerPage:
        page = cast("ContainersPage", await self.person.nav("containers"))
        await self.person.click(page.list.table.viewport(), await self._row(page, name))
        return await self.person.find(ContainerPage, "its page", lambda found: found.container_id == self._key(name))

    async def logs(self) -> None:
        """The log of the shop, searched, with following paused at a match."""
        await self._open("api")
        logs = await self.person.find(LogsTab, "the logs", lambda _tab: True)
        await self.person.until(lambda: len(logs.buffer) > 150, "lines", 60)
        await self.shoot("logs-live")
        await self.person.type(logs.field.edit, "timeout")
        await self.person.until(lambda: len(logs.search.lines) > 5, "matches")
        for _ in range(4):
            await self.person.keys(Qt.Key.Key_F3)
        await asyncio.sleep(2)
        await self.shoot("logs")
        logs.field.edit.clear()

    async def stats(self) -> None:
        """More than a minute of charts."""
        await self.person.tab("stats")
        stats = await self.person.find(StatsTab, "the statistics", lambda _tab: True)
        port = self.world.docker("port", "shop-api-1").rpartition(":")[2]
        visitor = asyncio.ensure_future(self._visit(int(port)))
        await asyncio.sleep(CHARTS_SECONDS)
        await self.person.until(lambda: stats.history.latest is not None, "figures")
        await self.shoot("stats")
        visitor.cancel()

    async def _visit(self, port: int) -> None:
        """Fetches the page of the shop, some times a second, until it is cancelled."""
        for at in itertools.count():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /index.html HTTP/1.0\r\n\r\n")
            await reader.read()
            writer.close()
            await asyncio.sleep(0.2 + 0.15 * (at * 7 % 11))

    async def other_tabs(self) -> None:
        """Inspect and overview."""
        for tab in ("inspect", "overview"):
            await self.person.tab(tab)
            await self.person.rest(20)
            await self.shoot(tab)

    # Dialogs

    async def run(self) -> None:
        """The Run dialog with one port that is taken, the container that it runs, and that one's end."""
        await self.person.nav("containers")
        taken = self.world.docker("port", "shop-api-1").rpartition(":")[2]
        form = RunForm(
            image="shop-api:dev", name="api-preview",
            ports=(PortRow(taken, "8000", "tcp", "127.0.0.1"), PortRow("8444", "8443", "tcp", "127.0.0.1")),
            env=(
                EnvRow("DATABASE_URL", "postgres://shop@db/shop"), EnvRow("LOG_LEVEL", "debug"),
                EnvRow("API_TOKEN", "4f9a1c0de7"),
            ),
        )  # fmt: skip
        self.window.go(Place(RUN, extra=form))
        dialog = await self.person.find(RunDialog, "the Run dialog", lambda _d: True)
        await self.person.sees("Taken by")
        await self.shoot("run")
        await self.shoot_small("run")
        await self.person.click(dialog.ports.lines[0].use)
        await self.person.until(lambda: not self.person.says("Taken by"), "a free port")
        await self.person.press("Run")
        await self.person.done(self.person.last("Run"))
        await self.person.find(
            ContainerPage, "the new container", lambda page: page.header.name.text() == "api-preview"
        )
        await asyncio.sleep(3)
        await self.shoot("run-started")
        self.window.toasts.clear()
        await self.person.press("Stop")
        await self.person.done(self.person.last("Stop"))
        await self.person.until(lambda: self.person.says("Start"), "it to have ended")
        await self.shoot("stopped")
        page = cast("ContainersPage", await self.person.nav("containers"))
        page.verbs.run("remove", [self._key("api-preview")])
        await self.person.press("Remove container")
        await self.person.done(self.person.last("Remove"))
        self.window.toasts.clear()

    async def shoot_small(self, name: str) -> None:
        """The window at its smallest size, in the look of now."""
        self.window.resize(*SMALL)
        await self.person.picture(self.folder / f"{name}-900x600-dark.png")
        self.window.resize(*SIZE)
        await self.person.rest(20)

    async def images(self) -> None:
        """The images with the layers of one; the clean-up; the dialog that pulls."""
        page = cast("ImagesPage", await self.person.nav("images"))
        await self.person.until(lambda: self.person.key_of(page.table, "shop-api"), "the images")
        await self.person.click(page.table.viewport(), await self.person.row(page.table, "shop-api"))
        await self.person.rest(40)
        await self.shoot("images")
        for button, name in (("Clean up…", "clean-up"), ("Pull…", "pull")):
            await self.person.press(button)
            dialog = await self.person.find(Dialog, name, lambda _d: True)
            await self.shoot(name)
            await self._close(dialog)

    # Builds

    async def build(self) -> None:
        """A build while it runs, one that fails at its line, and the list."""
        self.world.write_dockerfile(DOCKERFILE.format(test=""))
        page = cast("BuildsPage", await self.person.nav("builds"))
        await self.shoot("builds-empty")
        await self._fill(page)
        await self.shoot("build-dialog")
        await self.person.press("Build")
        first = self.person.last("Build")
        await self.person.until(lambda: len(first.output) > 25, "output", 120)
        await self.shoot("build-running")
        await self.person.done(first, 600)
        await self.shoot("build-done")
        self.world.write_dockerfile(DOCKERFILE.format(test=TEST))
        page.view.left.emit()
        await self._fill(page)
        await self.person.press("Build")
        second = self.person.last("Build")
        await self.person.until(lambda: second is not first and not second.running, "the build to fail", 600)
        self.window.toasts.clear()
        await self.shoot("build")
        page.view.left.emit()
        await self.shoot("builds")

    async def _fill(self, page: BuildsPage) -> None:
        await self.person.press("Build…")
        dialog = page.dialog
        assert dialog is not None
        await self.person.type(dialog.context, str(self.world.code / "shop"))
        await self.person.type(dialog.tag, "shop-web:dev")
        await asyncio.sleep(0.5)

    # What is left

    async def activity(self) -> None:
        """What was done, with its command line."""
        page = cast("ActivityPage", await self.person.nav("activity"))
        await self.person.rest(20)
        page.detail.command.set_open(True)
        await self.shoot("activity")

    async def rest_of_it(self) -> None:
        """Settings, the keys, and the page that helps to an engine."""
        await self.person.keys(Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
        colours = await self.person.find(Segments, "the colours", lambda s: "dark" in [b[0] for b in s.boxes()])
        for look in ("light", "dark"):
            await self.person.choose(colours, look)
            await self.person.picture(self.folder / f"settings-{look}.png")
        await self.person.keys(Qt.Key.Key_F1)
        sheet = await self.person.find(Dialog, "the keys", lambda _d: True)
        await self.shoot("keys")
        await self._close(sheet)

    async def lost(self) -> None:
        """The engine dies; the list stays."""
        page: QWidget = await self.person.nav("containers")
        await asyncio.sleep(8)
        await asyncio.to_thread(self.world.daemon.kill)
        await self.person.until(lambda: self.person.desk.session.state.phase is Phase.LOST, "the loss")
        await self.person.until(self.window.banner.isVisible, "the banner")
        assert page.isVisible()
        await self.shoot("lost")
