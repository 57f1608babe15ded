"""Names: a container renamed and an image tagged, what is wrong with one, and an engine that goes meanwhile."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.pages.containers.dialogs import RenameDialog
from app.pages.images.dialogs import TagDialog
from tests.app.pages.test_containers import Scene, in_scene
from tests.app.pages.test_images import page_now

pytestmark = pytest.mark.asyncio


@in_scene
async def test_rename_checks_and_keeps_the_words(scene: Scene) -> None:
    await scene.person.menu(scene.table, "web", "Rename…")
    dialog = await scene.person.find(RenameDialog, "the dialog", lambda _d: True)
    await scene.person.type(dialog.name, "db")
    await scene.person.press("Rename")
    assert dialog.field.error() == "Another container has this name"
    await scene.person.type(dialog.name, "front")
    assert dialog.command is not None
    await scene.person.press("Rename")
    await scene.person.until(lambda: "front" in scene.names(), "the new name")


@in_scene
async def test_rename_by_key_and_by_the_bar_of_one(scene: Scene) -> None:
    person, table = scene.person, scene.table

    async def rename(name: str) -> None:
        dialog = await person.find(RenameDialog, "the dialog", lambda _d: True)
        await person.type(dialog.name, name)
        await person.press("Rename")
        await person.until(lambda: name in scene.names(), "the new name")
        await person.until(lambda: person.key_of(table, name), "its row")

    table.set_current(person.key_of(table, "web"))
    table.setFocus()
    await person.keys(Qt.Key.Key_F2)
    await rename("front")
    bar = scene.list.selection
    table.set_ticks([person.key_of(table, "front"), person.key_of(table, "db")])
    await person.until(bar.isVisible, "the bar")
    assert not bar.buttons["rename"].isVisible()
    await person.keys(Qt.Key.Key_F2)
    assert not person.window.dialogs_open(), "several have no name in common"
    table.set_ticks([person.key_of(table, "db")])
    await person.click(bar.buttons["rename"])
    await rename("store")


@in_scene
async def test_an_engine_that_goes_is_not_the_fault_of_the_new_name(scene: Scene) -> None:
    scene.fake.fail("/rename", method="POST", cut_after=0, times=1)
    await scene.person.menu(scene.table, "web", "Rename…")
    dialog = await scene.person.find(RenameDialog, "the dialog", lambda _d: True)
    await scene.person.type(dialog.name, "front")
    await scene.person.press("Rename")
    await scene.person.sees("The connection to the engine broke")
    assert dialog.field.error() == ""
    await scene.person.press("Rename")
    await scene.person.until(lambda: "front" in scene.names(), "the new name")


async def test_an_engine_that_goes_is_not_the_fault_of_the_new_tag(qapp: QApplication) -> None:
    async with page_now() as (person, fake, page):
        fake.fail("/tag", method="POST", cut_after=0, times=1)
        page.verbs.run("tag", page._rows[:1])
        dialog = await person.find(TagDialog, "the dialog", lambda _d: True)
        await person.type(dialog.reference, "shop:2")
        await person.press("Tag")
        await person.sees("The connection to the engine broke")
        assert dialog.field.error() == ""
        await person.press("Tag")
        await person.until(lambda: fake.find_image("shop:2"), "the new tag")
