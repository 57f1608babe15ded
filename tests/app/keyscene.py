"""A window whose keys are pressed: a person, two containers of a project, a stopped one, and an image."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import places
from app.pages.builds.page import BuildsPage
from app.pages.containers.page import ContainersPage
from app.places import Place
from app.stores.builds import FAILED, SUCCEEDED, BuildRecord
from app.widgets.dialogs import Dialog
from app.widgets.menus import Menu
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

CTRL, SHIFT, ALT, NONE = (
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.NoModifier,
)  # fmt: skip
Key = Qt.Key
LINES = [b"INFO line %d\n" % n for n in range(60)]


class Scene:
    """A person in front of two containers of a project, a stopped one, and an image."""

    def __init__(self, person: Person, fake: FakeEngine) -> None:
        self.person, self.fake, self.window = person, fake, person.window
        self.page = cast("ContainersPage", person.window.page(places.CONTAINERS))
        self.table = self.page.list.table

    async def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        await self.person.keys(key, modifiers)

    async def focus(self, name: str) -> None:
        await self.person.row(self.table, name)
        self.table.setFocus()
        self.table.set_current(self.person.key_of(self.table, name))

    async def state(self, name: str, state: str) -> None:
        """Until the engine has it so, and the window knows."""

        def known() -> bool:
            made = self.fake.find(name)
            rows = self.person.desk.session.stores.containers.values.values()
            return (made.state if made else "gone") == state and any(r.name == name and r.state == state for r in rows)

        await self.person.until(known, f"{name} to be {state}")

    async def details(self, tab: str = "logs") -> None:
        self.window.go(Place(places.CONTAINERS, self.person.key_of(self.table, "web"), tab))
        await self.person.until(lambda: self.page.details is not None and self.page.details._found, "the details")
        await self.person.rest()

    async def dialog(self, kind: type[Dialog], name: str) -> None:
        """Until there is one and no other, then away with it by Esc."""
        made = await self.person.find(kind, name, lambda _d: True)
        assert self.window.dialogs_open() == [made]
        QTest.keyClick(made, Key.Key_Escape)
        await self.person.until(lambda: not self.window.dialogs_open(), f"{name} to go")

    async def back_to_window(self) -> None:
        """As a window manager does when a window of its own closes."""
        self.window.activateWindow()
        await self.person.rest(10)

    def menus(self) -> list[Menu]:
        return [menu for menu in QApplication.topLevelWidgets() if isinstance(menu, Menu) and menu.isVisible()]


@asynccontextmanager
async def scene_now() -> AsyncIterator[Scene]:
    fake = FakeEngine()
    tcp = [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp", "IP": "0.0.0.0"}]
    fake.add_container("web", project="shop", ports=tcp, logs=LINES)
    fake.add_container("db", project="shop", image="postgres:16")
    fake.add_container("old", "exited")
    fake.add_image("shop-api:dev")
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        await person.nav("containers")
        scene = Scene(person, fake)
        await person.until(lambda: len(person.rows(scene.table)) == 3, "three rows")
        yield scene


def add_builds(page: BuildsPage) -> None:
    now = time.time()
    for key, state, line in (("good", SUCCEEDED, 0), ("bad", FAILED, 2)):
        record = BuildRecord(
            id=key, started=now, finished=now, tag=f"{key}:dev", context="/src", state=state,
            text="FROM scratch\nCOPY --form=x y z\n", error="No such flag" if line else "", error_line=line,
        )  # fmt: skip
        page.history.put(record, "#1 first\n#1 second\n")
