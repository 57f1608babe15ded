"""Every key of the program, pressed: what it does, that it rests while somebody types, and that the sheet lists it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from app import keysheet, places
from app.keysheet import KeySheet
from app.operation import OperationState
from app.pages.builds.dialog import BuildDialog
from app.pages.builds.page import BuildsPage
from app.pages.containers.inspect import InspectTab
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.pages.images.page import ImagesPage
from app.pages.images.pulling import PullDialog
from app.pages.run.dialog import RunDialog
from app.places import Place
from app.stores.builds import FAILED, SUCCEEDED, BuildRecord
from app.widgets.dialogs import Dialog
from app.widgets.menus import Menu
from app.widgets.palette import Palette
from app.widgets.shortcuts import key_name
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio
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
        """Until there is one, then away with it by Esc."""
        made = await self.person.find(kind, name, lambda _d: True)
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


# Anywhere


async def test_pages_and_back(qapp: QApplication) -> None:
    async with scene_now() as scene:
        for number, page in enumerate((places.CONTAINERS, places.IMAGES, places.BUILDS, places.ACTIVITY), 1):
            await scene.press(Key(Key.Key_0 + number), CTRL)
            assert scene.window.place.page == page
        await scene.press(Key.Key_Comma, CTRL)
        assert scene.window.place.page == places.SETTINGS
        await scene.press(Key.Key_Left, ALT)
        assert scene.window.place.page == places.ACTIVITY


async def test_what_opens(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.press(Key.Key_K, CTRL)
        await scene.dialog(Palette, "the palette")
        await scene.press(Key.Key_F1)
        await scene.dialog(KeySheet, "the keys")
        await scene.press(Key.Key_N, CTRL)
        await scene.dialog(RunDialog, "the Run dialog")
        await scene.person.nav("images")
        await scene.press(Key.Key_N, CTRL)
        await scene.dialog(PullDialog, "the Pull dialog")
        await scene.person.nav("builds")
        await scene.press(Key.Key_N, CTRL)
        await scene.dialog(BuildDialog, "the Build dialog")
        await scene.person.nav("activity")
        await scene.press(Key.Key_B, CTRL)
        await scene.dialog(BuildDialog, "the Build dialog")


async def test_search_goes_to_the_field_of_the_page(qapp: QApplication) -> None:
    async with scene_now() as scene:
        add_builds(cast("BuildsPage", scene.window.page(places.BUILDS)))
        for page in ("containers", "images", "builds"):
            shown = cast("Any", await scene.person.nav(page))
            await scene.press(Key.Key_F, CTRL)
            field = shown.list.search if page == "containers" else shown.search
            assert QApplication.focusWidget() is field


async def test_reload_asks_the_engine_anew(qapp: QApplication) -> None:
    async with scene_now() as scene:
        web = scene.fake.find("web")
        assert web is not None
        del scene.fake.containers[web.id]
        await scene.press(Key.Key_F5)
        await scene.person.until(lambda: len(scene.person.rows(scene.table)) == 2, "two rows")


@pytest.mark.parametrize("where", ["list", "details"])
async def test_engines_open_from_everywhere(qapp: QApplication, where: str) -> None:
    async with scene_now() as scene:
        if where == "details":
            await scene.details()
        await scene.press(Key.Key_E, CTRL)
        await scene.person.until(scene.menus, "the menu of engines")
        (menu,) = scene.menus()
        assert any("Connect to another engine" in action.text() for action in menu.actions())
        menu.close()


async def test_quit_is_asked_for_also_over_a_dialog(qapp: QApplication) -> None:
    async with scene_now() as scene:
        asked: list[bool] = []
        scene.window.close_asked.disconnect()
        scene.window.close_asked.connect(lambda: asked.append(True))
        await scene.press(Key.Key_F1)
        await scene.press(Key.Key_Q, CTRL)
        assert asked == [True]


async def test_keys_of_the_window_rest_below_a_dialog(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.press(Key.Key_N, CTRL)
        dialog = await scene.person.find(RunDialog, "the dialog", lambda _d: True)
        for key in (Key.Key_2, Key.Key_Comma, Key.Key_E, Key.Key_B, Key.Key_K, Key.Key_F):
            await scene.press(key, CTRL)
        assert scene.window.place.page == places.CONTAINERS
        assert not scene.menus()
        assert scene.window.dialogs_open() == [dialog]


# Lists


async def test_a_list_by_keys(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.focus("db")
        await scene.press(Key.Key_Down)
        assert scene.table.current_key == scene.person.key_of(scene.table, "web")
        await scene.press(Key.Key_Up)
        await scene.press(Key.Key_Space)
        assert scene.table.ticks.keys == {scene.person.key_of(scene.table, "db")}
        await scene.press(Key.Key_Down, SHIFT)
        assert len(scene.table.ticks.keys) == 2
        await scene.press(Key.Key_Escape)
        assert not scene.table.ticks.keys
        await scene.press(Key.Key_A, CTRL)
        assert len(scene.table.ticks.keys) == 3
        await scene.press(Key.Key_Escape)
        await scene.press(Key.Key_F10, SHIFT)
        (menu,) = scene.menus()
        menu.close()
        await scene.press(Key.Key_Menu)
        (menu,) = scene.menus()
        menu.close()
        await scene.focus("db")
        await scene.press(Key.Key_Left)
        await scene.press(Key.Key_Left)
        assert len(scene.person.rows(scene.table)) == 1
        await scene.press(Key.Key_Right)
        assert len(scene.person.rows(scene.table)) == 3
        await scene.focus("web")
        await scene.press(Key.Key_Return)
        assert scene.page.details is not None


async def test_a_page_gives_its_list_the_keyboard(qapp: QApplication) -> None:
    async with scene_now() as scene:
        scene.page.verbs.run("restart", [scene.person.key_of(scene.table, "web")])
        add_builds(cast("BuildsPage", scene.window.page(places.BUILDS)))
        for page in ("images", "builds", "activity", "containers"):
            shown = cast("Any", await scene.person.nav(page))
            table = scene.table if page == "containers" else shown.table
            assert table.hasFocus()
            await scene.press(Key.Key_Down)
            assert table.currentIndex().isValid()


async def test_del_asks_before_it_removes_images(qapp: QApplication) -> None:
    async with scene_now() as scene:
        page = cast("ImagesPage", await scene.person.nav("images"))
        page.table.setFocus()
        page.table.set_current(next(row.key for row in page._rows if row.reference == "shop-api:dev"))
        await scene.press(Key.Key_Delete)
        await scene.person.sees("Remove shop-api:dev")
        await scene.press(Key.Key_Escape)
        assert any("shop-api:dev" in image.tags for image in scene.person.desk.session.stores.images.values.values())


# Containers


@pytest.mark.parametrize("where", ["list", "details"])
async def test_a_container_by_letters(qapp: QApplication, where: str) -> None:
    async with scene_now() as scene:
        opened: list[str] = []
        scene.page.verbs._open_url = opened.append
        await scene.focus("web")
        if where == "details":
            await scene.press(Key.Key_Return)
            await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found, "details")
        await scene.press(Key.Key_P)
        await scene.state("web", "paused")
        await scene.press(Key.Key_P)
        await scene.state("web", "running")
        await scene.press(Key.Key_R)
        await scene.person.until(lambda: any(o.title == "Restart" for o in scene.person.desk.operations.items))
        await scene.person.until(lambda: scene.person.last("Restart").state is OperationState.SUCCEEDED)
        await scene.press(Key.Key_O)
        assert opened == ["http://localhost:8080"]
        await scene.press(Key.Key_C, CTRL | SHIFT)
        assert QGuiApplication.clipboard().text() == "docker stop web"
        await scene.press(Key.Key_Delete)
        await scene.person.sees("It is running and is killed first.")
        await scene.press(Key.Key_Escape)
        await scene.press(Key.Key_S)
        await scene.state("web", "exited")
        await scene.press(Key.Key_S)
        await scene.state("web", "running")
        await scene.press(Key.Key_I)
        await scene.person.until(lambda: scene.page.details is not None and scene.page.details._tab == "inspect")
        await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found)
        await scene.press(Key.Key_L)
        assert scene.page.details is not None
        assert scene.page.details._tab == "logs"


async def test_letters_are_typed_into_fields(qapp: QApplication) -> None:
    async with scene_now() as scene:

        async def typed(field: QLineEdit) -> None:
            field.setFocus()
            await scene.person.rest()
            for letter in "srploi":
                await scene.press(Key(ord(letter.upper())))
            assert field.text() == "srploi"
            await scene.press(Key.Key_Home)
            await scene.press(Key.Key_Delete)
            assert field.text() == "rploi"
            await scene.press(Key.Key_End)
            await scene.press(Key.Key_Backspace)
            assert field.text() == "rplo"
            field.clear()

        await scene.focus("web")
        await typed(scene.page.list.search)
        await scene.details()
        logs = await scene.person.find(LogsTab, "the log", lambda _t: True)
        await typed(logs.field.edit)
        await scene.details("inspect")
        inspect = await scene.person.find(InspectTab, "the tree", lambda _t: True)
        await typed(inspect.search)
        assert not [o for o in scene.person.desk.operations.items]
        assert scene.page.details is not None
        assert scene.page.details._tab == "inspect"
        assert not scene.window.dialogs_open()


async def test_letters_act_while_the_tree_of_inspect_has_the_keyboard(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.details("inspect")
        inspect = await scene.person.find(InspectTab, "the tree", lambda _t: True)
        inspect.tree.setFocus()
        await scene.press(Key.Key_S)
        await scene.state("web", "exited")
        await scene.press(Key.Key_L)
        assert scene.page.details is not None
        assert scene.page.details._tab == "logs"


# Logs, details, dialogs


async def test_the_log_by_keys(qapp: QApplication, tmp_path: Path) -> None:
    async with scene_now() as scene:
        await scene.focus("web")
        await scene.press(Key.Key_L)
        tab = await scene.person.find(LogsTab, "the log", lambda _t: True)
        await scene.person.until(lambda: len(tab.buffer) == len(LINES), "the lines")
        await scene.press(Key.Key_F, CTRL)
        assert QApplication.focusWidget() is tab.field.edit
        QTest.keyClicks(tab.field.edit, "line 5")
        await scene.person.until(lambda: len(tab.search.lines) == 11, "matches")
        await scene.press(Key.Key_F3)
        first = tab.search.current
        await scene.press(Key.Key_F3)
        assert tab.search.current == first + 1
        await scene.press(Key.Key_F3, SHIFT)
        assert tab.search.current == first
        for key, button in (
            (Key.Key_R, tab.regex),
            (Key.Key_C, tab.case),
            (Key.Key_T, tab.times),
            (Key.Key_W, tab.wrap),
        ):
            before = button.isChecked()
            await scene.press(key, ALT)
            assert button.isChecked() is not before
        assert tab.field.edit.text() == "line 5"
        await scene.press(Key.Key_Escape)
        assert tab.field.edit.text() == ""
        tab.view.pause()
        await scene.press(Key.Key_End)
        assert tab.view.following
        await scene.press(Key.Key_S, CTRL)
        chooser = await scene.person.find(QFileDialog, "the file dialog", lambda _d: True)
        chooser.reject()
        await scene.back_to_window()
        tab.view.setFocus()
        await scene.press(Key.Key_Escape)
        assert scene.page.details is None


async def test_ctrl_tab_goes_through_tabs(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.focus("web")
        await scene.press(Key.Key_Return)
        await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found, "details")
        details = scene.page.details
        assert details is not None
        await scene.press(Key.Key_Tab, CTRL)
        assert details._tab == "stats"
        await scene.press(Key.Key_Tab, CTRL | SHIFT)
        assert details._tab == "logs"
        await scene.press(Key.Key_Escape)
        page = cast("ImagesPage", await scene.person.nav("images"))
        await scene.press(Key.Key_Tab, CTRL)
        assert page.detail.tabs.current() == "overview"
        await scene.person.nav("containers")
        await scene.press(Key.Key_N, CTRL)
        dialog = await scene.person.find(RunDialog, "the dialog", lambda _d: True)
        await scene.press(Key.Key_Tab, CTRL)
        assert dialog.tabs.current() == "storage"
        await scene.press(Key.Key_Tab, CTRL | SHIFT)
        assert dialog.tabs.current() == "basic"
        await scene.press(Key.Key_Return, CTRL)
        assert dialog.isVisible()
        assert QApplication.focusWidget() is dialog.image  # the first thing that is missing


# Builds


def add_builds(page: BuildsPage) -> None:
    now = time.time()
    for key, state, line in (("good", SUCCEEDED, 0), ("bad", FAILED, 2)):
        record = BuildRecord(
            id=key, started=now, finished=now, tag=f"{key}:dev", context="/src", state=state,
            text="FROM scratch\nCOPY --form=x y z\n", error="No such flag" if line else "", error_line=line,
        )  # fmt: skip
        page.history.put(record, "#1 first\n#1 second\n")


async def test_a_build_by_keys(qapp: QApplication, tmp_path: Path) -> None:
    async with scene_now() as scene:
        page = cast("BuildsPage", await scene.person.nav("builds"))
        add_builds(page)
        await scene.person.open_row(page.table, "bad:dev")
        await scene.person.until(page.view.isVisible, "the build")
        await scene.press(Key.Key_F8)
        assert QApplication.focusWidget() is page.view.code
        await scene.press(Key.Key_J, CTRL)
        assert not page.view.output.isVisible()
        await scene.press(Key.Key_J, CTRL)
        assert page.view.output.isVisible()
        await scene.press(Key.Key_S, CTRL)
        chooser = await scene.person.find(QFileDialog, "the file dialog", lambda _d: True)
        chooser.fileSelected.emit(str(tmp_path / "out.log"))
        chooser.reject()
        await scene.back_to_window()
        await scene.person.done(scene.person.last("Save output"))
        assert (tmp_path / "out.log").read_text() == "#1 first\n#1 second\n"
        assert (tmp_path / "out.log").stat().st_mode & 0o777 == 0o600
        await scene.press(Key.Key_Escape)
        assert page.table.isVisible()


async def test_ctrl_dot_cancels_a_build_that_runs(qapp: QApplication) -> None:
    async with scene_now() as scene:
        page = cast("BuildsPage", await scene.person.nav("builds"))
        add_builds(page)
        cancelled: list[str] = []
        page.view.cancelled.connect(cancelled.append)
        page.open("good")
        await scene.press(Key.Key_Period, CTRL)
        assert not cancelled  # it has ended
        page.view.cancel.setVisible(True)
        await scene.press(Key.Key_Period, CTRL)
        assert cancelled == ["good"]


# The sheet


def named(text: str) -> list[str]:
    return [key for title, keys in keysheet.SECTIONS if title == text for key, _does in keys]


async def test_the_sheet_lists_what_is_bound(qapp: QApplication) -> None:
    async with scene_now() as scene:
        anywhere = named("Anywhere")
        numbers = {f"Ctrl {n}" for n in range(1, 5)}
        bound = {entry.key for entry in scene.window.entries() if entry.key} - numbers
        assert bound | {"Ctrl K", "Ctrl N", "Ctrl 1 to 4"} == set(anywhere)
        await scene.details()
        assert scene.page.details is not None
        keys = {entry.key for entry in scene.page.in_hand() if entry.key}
        listed = {key for _title, section in keysheet.SECTIONS for key, _does in section}
        assert keys <= listed
        assert {entry.key for entry in cast("BuildsPage", scene.window.page(places.BUILDS)).view.entries()} <= listed


async def test_every_key_of_the_sheet_is_one(qapp: QApplication) -> None:
    for _title, section in keysheet.SECTIONS:
        for key, does in section:
            if " to " not in key and key not in ("Up Down", "Left Right", "Shift Up Down"):
                assert not QKeySequence(key.replace(" ", "+")).isEmpty(), key
            assert does


async def test_keys_have_the_names_of_the_system(qapp: QApplication) -> None:
    assert key_name("Ctrl Shift C", macos=True) == "Cmd Shift C"
    assert key_name("Ctrl 1 to 4", macos=True) == "Cmd 1 to 4"
    assert key_name("Ctrl Tab", macos=True) == "Ctrl Tab"
    assert key_name("Ctrl F", macos=False) == "Ctrl F"
    assert key_name("Alt R", macos=True) == "Alt R"
