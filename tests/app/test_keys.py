"""Every key of the window and of its lists, pressed: what it does, and that the sheet lists it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication

from app import keysheet, places
from app.keysheet import KeySheet
from app.pages.builds.dialog import BuildDialog
from app.pages.builds.page import BuildsPage
from app.pages.images.page import ImagesPage
from app.pages.images.pulling import PullDialog
from app.pages.run.dialog import RunDialog
from app.widgets.palette import Palette
from app.widgets.shortcuts import key_name
from tests.app.keyscene import ALT, CTRL, SHIFT, Key, add_builds, scene_now

pytestmark = pytest.mark.asyncio


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
        assert set(scene.person.rows(scene.table)) == set(scene.fake.containers)


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
