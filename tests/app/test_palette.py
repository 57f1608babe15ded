"""The command palette: what it offers, how it is driven by keys, and what it does with hostile names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import places
from app.pages.containers.page import ContainersPage
from app.pages.images.dialogs import CleanUpDialog
from app.pages.images.page import ImagesPage
from app.pages.images.pulling import PullDialog
from app.pages.run.dialog import RunDialog
from app.places import Place
from app.widgets.dialogs import Dialog
from app.widgets.entries import Entry
from app.widgets.palette import ROWS, TOP, WIDTH, Palette, spoken
from app.widgets.table import Table
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

HOSTILE = "<img src=x>\u202efdp.web"
CTRL = Qt.KeyboardModifier.ControlModifier


class Scene:
    """A person at the Containers page, who can open the palette."""

    def __init__(self, person: Person, fake: FakeEngine) -> None:
        self.person, self.fake, self.window = person, fake, person.window
        self.page = cast("ContainersPage", person.window.page(places.CONTAINERS))

    async def open(self, typed: str = "") -> Palette:
        QTest.keyClick(self.window, Qt.Key.Key_K, CTRL)
        palette = await self.person.find(Palette, "the palette", lambda _p: True)
        QTest.keyClicks(palette.field, typed)
        return palette

    async def pick(self, typed: str) -> None:
        palette = await self.open(typed)
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        await self.person.rest()

    async def focus(self, table: Table, name: str) -> None:
        await self.person.row(table, name)
        table.setFocus()
        table.set_current(self.person.key_of(table, name))

    def state(self, name: str) -> str:
        made = self.fake.find(name)
        return made.state if made is not None else "gone"


@asynccontextmanager
async def scene_now(many: int = 0) -> AsyncIterator[Scene]:
    fake = FakeEngine()
    fake.add_container("shop-web-1", project="shop")
    fake.add_container("shop-db-1", project="shop", image="postgres:16")
    fake.add_container("old", "exited")
    fake.add_container(HOSTILE, "exited")
    for n in range(many):
        fake.add_container(f"worker-{n}", "exited")
    fake.add_image("shop-api:dev")
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        await person.nav("containers")
        scene = Scene(person, fake)
        await person.until(lambda: len(person.desk.stores.containers.values) == 4 + many, "the containers")
        yield scene


def words(palette: Palette) -> list[str]:
    return [f"{entry.text} {entry.subject}".strip() for entry in palette.rows.entries]


pytestmark = pytest.mark.asyncio


async def test_what_is_in_hand_comes_first(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.focus(scene.page.list.table, "shop-web-1")
        palette = await scene.open()
        assert words(palette)[:3] == ["Logs shop-web-1", "Stats shop-web-1", "Inspect shop-web-1"]
        stop = next(e for e in palette.rows.entries if e.text == "Stop")
        start = next(e for e in palette.rows.entries if e.text == "Start")
        assert (stop.key, stop.why, start.key, start.why) == ("S", "", "", "It is already running")
        assert {"Run…", "Pull…", "Build…", "Go to Settings", "Switch engine…", "Load again", "Keys"} <= set(
            words(palette)
        )
        assert {"Clean up… images", "Colours: Dark", "Quit", "old", "shop-api:dev"} <= set(words(palette))


async def test_it_offers_what_the_menu_of_the_page_offers(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.focus(scene.page.list.table, "shop-web-1")
        key = scene.page.list.table.current_key
        menu = scene.page.verbs.menu([key], QPoint(0, 0))
        assert menu is not None
        shown = [action.text().partition("\t")[0] for action in menu.actions() if action.text()]
        menu.close()
        palette = await scene.open()
        assert [entry.text for entry in palette.rows.entries[: len(shown)]] == shown


async def test_a_part_of_a_name_and_a_verb(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.pick("db stop")
        await scene.person.until(lambda: scene.state("shop-db-1") == "exited", "the stop")
        assert scene.state("shop-web-1") == "running"
        assert scene.person.last("Stop").subject == "shop-db-1"


async def test_what_cannot_be_done_says_why_and_is_not_done(qapp: QApplication) -> None:
    async with scene_now() as scene:
        palette = await scene.open("stop old")
        entry = palette.current
        assert entry is not None
        assert (entry.text, entry.subject, entry.why) == ("Stop", "old", "It is not running")
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert palette.isVisible()
        assert not list(scene.person.desk.operations.items)


async def test_what_cannot_be_undone_asks(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.pick("remove web")
        await scene.person.sees("It is running and is killed first.")
        await scene.person.press("Keep it")
        assert scene.state("shop-web-1") == "running"
        await scene.pick("remove web")
        await scene.person.press("Remove container")
        await scene.person.until(lambda: scene.state("shop-web-1") == "gone", "the removal")


async def test_it_goes_to_things_and_pages(qapp: QApplication) -> None:
    async with scene_now() as scene:
        await scene.pick("shop-db")
        await scene.person.until(lambda: scene.page.details is not None, "the details")
        assert scene.page.details is not None
        assert scene.page.details._row.name == "shop-db-1"
        palette = await scene.open("save")
        assert "Save to file…" in words(palette)
        palette.reject()
        await scene.pick("shop-api")
        assert scene.window.place == Place(places.IMAGES, "shop-api:dev")
        await scene.pick("settings")
        assert scene.window.place.page == places.SETTINGS
        await scene.pick("dark")
        assert scene.person.desk.theme.choice == "dark"
        assert scene.person.desk.preferences.get("look/theme", "") == "dark"


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("run", RunDialog), ("pull", PullDialog), ("prune", CleanUpDialog), ("shop-api run", RunDialog)],
)
async def test_it_opens_dialogs(qapp: QApplication, typed: str, kind: type[Dialog]) -> None:
    async with scene_now() as scene:
        await scene.pick(typed)
        made = await scene.person.find(kind, typed, lambda _d: True)
        assert scene.window.dialogs_open() == [made]
        if isinstance(made, RunDialog):
            assert made.image.text() == ("shop-api:dev" if "shop" in typed else "")


async def test_several_ticked_containers(qapp: QApplication) -> None:
    async with scene_now() as scene:
        table = scene.page.list.table
        table.set_ticks([scene.person.key_of(table, name) for name in ("shop-web-1", "shop-db-1")])
        await scene.pick("stop 2")
        await scene.person.until(lambda: scene.state("shop-web-1") == scene.state("shop-db-1") == "exited", "both")
        assert len(scene.fake.asked("POST", "/stop")) == 2


async def test_images_in_hand(qapp: QApplication) -> None:
    async with scene_now() as scene:
        page = cast("ImagesPage", await scene.person.nav("images"))
        await scene.focus(page.table, "shop-api")
        palette = await scene.open()
        assert words(palette)[:4] == [f"{verb} shop-api:dev" for verb in ("Run…", "Tag…", "Save…", "Remove…")]
        assert next(e.key for e in palette.rows.entries if e.text == "Pull…") == "Ctrl N"


async def test_keys_move_and_close(qapp: QApplication) -> None:
    async with scene_now(many=300) as scene:
        table = scene.page.list.table
        table.setFocus()
        palette = await scene.open("work")
        key = QTest.keyClick
        assert palette.current is palette.rows.entries[0]
        key(palette.field, Qt.Key.Key_Down)
        assert palette.current is palette.rows.entries[1]
        key(palette.field, Qt.Key.Key_PageDown)
        assert palette.current is palette.rows.entries[1 + ROWS]
        key(palette.field, Qt.Key.Key_PageUp)
        key(palette.field, Qt.Key.Key_Up)
        key(palette.field, Qt.Key.Key_Up)
        assert palette.current is palette.rows.entries[-1]
        assert palette.field.accessibleDescription().endswith("100 of 100")
        key(palette.field, Qt.Key.Key_Escape)
        assert not scene.window.dialogs_open()
        assert QApplication.focusWidget() is table
        palette = await scene.open()
        key(palette.field, Qt.Key.Key_K, CTRL)
        assert not scene.window.dialogs_open()
        palette = await scene.open()
        QTest.mouseClick(palette, Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
        assert not scene.window.dialogs_open()


async def test_a_click_picks(qapp: QApplication) -> None:
    async with scene_now() as scene:
        palette = await scene.open("activity")
        row = palette.list.visualRect(palette.rows.index(0, 0))
        await scene.person.click(palette.list.viewport(), row.center())
        assert scene.window.place.page == places.ACTIVITY


async def test_its_place(qapp: QApplication) -> None:
    async with scene_now(many=300) as scene:
        for size in ((1280, 800), (900, 600)):
            scene.window.resize(*size)
            palette = await scene.open("work")
            box = palette.panel.geometry()
            assert (box.top(), box.width()) == (TOP, WIDTH)
            assert palette.list.viewport().height() == ROWS * 34
            assert box.bottom() < size[1] - 24
            QTest.keyClicks(palette.field, " zzz")
            assert palette.nothing.text() == "Nothing matches “work zzz”"
            assert palette.panel.height() < 120
            palette.reject()


async def test_what_changes_while_it_is_open_keeps_the_entry(qapp: QApplication) -> None:
    async with scene_now() as scene:
        palette = await scene.open("old")
        QTest.keyClick(palette.field, Qt.Key.Key_Down)
        before = palette.current
        assert before is not None
        await scene.fake.emit("container", "create", scene.fake.add_container("old-2"))
        await scene.person.until(lambda: "old-2" in words(palette), "the new one")
        assert palette.current is not None
        assert (palette.current.text, palette.current.subject) == (before.text, before.subject)


async def test_hostile_names_are_plain(qapp: QApplication) -> None:
    async with scene_now() as scene:
        palette = await scene.open("fdp")
        assert palette.current is not None
        assert palette.current.subject == HOSTILE
        told = palette.rows.data(palette.rows.index(0, 0))
        assert "\\u202e" in told
        assert "\u202e" not in told + palette.field.accessibleDescription()
        palette.field.setText("<b>\u202e")
        assert palette.nothing.text() == "Nothing matches “<b>\\u202e”"
        assert palette.nothing.textFormat() == Qt.TextFormat.PlainText
        why = Entry("Stop", lambda: None, why="<img src=http://127.0.0.1/x>")
        palette.rows.set_entries([why])
        tip = palette.rows.data(palette.rows.index(0, 0), Qt.ItemDataRole.ToolTipRole)
        assert "<img" not in tip
        palette.grab()


async def test_what_a_screen_reader_says(qapp: QApplication) -> None:
    entry = Entry("Stop", lambda: None, "square", "S", "It is not running", "web")
    assert spoken(entry) == "Stop web, not now: It is not running, S"
    assert spoken(Entry("", lambda: None, subject="web", detail="Running")) == "web, Running"
    assert spoken(Entry("Colours:", lambda: None, subject="Dark", checked=True)) == "Colours: Dark, chosen"


async def test_without_an_engine_it_says_so(qapp: QApplication) -> None:
    async with at_desk(None, connect=False) as person:
        person.window.show_onboarding(True)
        await person.until(person.window.isActiveWindow, "the window to be in front")
        QTest.keyClick(person.window, Qt.Key.Key_K, CTRL)
        palette = await person.find(Palette, "the palette", lambda _p: True)
        why = {entry.text: entry.why for entry in palette.rows.entries}
        assert why["Run…"] == why["Pull…"] == why["Build…"] == why["Clean up…"] == "No engine is in use"
        assert why["Search this page"] == "There is nothing to search here"
        assert not why["Switch engine…"]
        QTest.keyClicks(palette.field, "settings")
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        assert person.window.place.page == places.SETTINGS


async def test_a_start_does_not_load_it() -> None:
    code = "import sys, app.desk; print([m for m in sys.modules if 'palette' in m or m == 'app.widgets.match'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
