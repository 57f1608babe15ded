"""The Logs tab in front of an engine: searching, levels, following, keys, clearing and copying."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.widgets.logselection import COPY_LINES
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio
CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
LINES = [b"INFO line %d\n" % n for n in range(194)] + [
    b"ERROR it broke\n", b"  at the same place\n", b"WARN careful\n", b"DEBUG detail\n", b"plain\n", b"INFO last\n",
]  # fmt: skip


class Scene:
    """A person at the log of `web`."""

    def __init__(self, person: Person, fake: FakeEngine, tab: LogsTab) -> None:
        self.person, self.fake, self.tab = person, fake, tab
        self.view, self.field = tab.view, tab.field

    async def search(self, words: str) -> None:
        await self.person.type(self.field.edit, words)

    async def count(self, words: str) -> None:
        await self.person.until(lambda: self.field._count.text() == words, f"the count {words}")

    def shown(self) -> list[str]:
        return [self.view.lines.get(line).text for _, _, line, part in self.view.visible() if part == 0]

    def current(self) -> list[str]:
        found = []
        for _, _, number, _ in self.view.visible():
            text = self.view.lines.get(number).text
            found += [text for _, _, now in self.tab.search.matches(number, text) if now]
        return found


@asynccontextmanager
async def at_log() -> AsyncIterator[Scene]:
    fake = FakeEngine()
    fake.add_container("web", logs=LINES)
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.open_row(page.list.table, "web")
        tab = await person.find(LogsTab, "the log", lambda _tab: True)
        await person.until(lambda: len(tab.buffer) == 200, "200 lines")
        yield Scene(person, fake, tab)


async def test_search_counts_and_steps(qapp: QApplication) -> None:
    async with at_log() as scene:
        await scene.search("line 19")
        await scene.count("5")
        tab = scene.tab
        QTest.keyClick(scene.field.edit, Qt.Key.Key_Return)
        await scene.count("2 of 5" if tab.search.current == 1 else "1 of 5")
        first = tab.search.current
        await scene.person.keys(Qt.Key.Key_F3)
        assert tab.search.current == first + 1
        assert len(scene.current()) == 1
        await scene.person.keys(Qt.Key.Key_F3, SHIFT)
        assert tab.search.current == first
        for _ in range(5):
            QTest.keyClick(scene.field.edit, Qt.Key.Key_Return, SHIFT)
        assert tab.search.current == first
        await scene.search("LINE 19")
        await scene.count("5")
        await scene.person.click(tab.case)
        await scene.count("No matches")
        QTest.keyClick(scene.field.edit, Qt.Key.Key_Escape)
        await scene.count("")
        assert not tab.search.active
        assert QApplication.focusWidget() is scene.view


async def test_a_regular_expression_and_what_is_wrong_with_it(qapp: QApplication) -> None:
    async with at_log() as scene:
        await scene.person.keys(Qt.Key.Key_R, ALT)
        assert scene.tab.regex.isChecked()
        await scene.search(r"^info line \d$")
        await scene.count("10")
        await scene.search("(")
        await scene.person.sees("Not a regular expression: missing )")
        assert "missing )" in scene.field.edit.toolTip()
        assert scene.field._count.text() == "Not valid"
        await scene.search("la(s|x)t")
        await scene.count("1")
        assert not scene.person.says("Not a regular expression")
        assert "missing" not in scene.field.edit.toolTip()


async def test_levels(qapp: QApplication) -> None:
    async with at_log() as scene:
        chips = scene.tab.chips
        await scene.person.until(lambda: chips[3].accessibleName() == "Info, 195 lines", "the levels")
        assert [chips[level].accessibleName().split(", ")[1] for level in (1, 2, 4)] == ["1 lines"] * 3
        await scene.person.click(chips[1])
        await scene.person.until(lambda: scene.view.count == 2, "the error and what belongs to it")
        await scene.person.click(chips[2])
        await scene.person.until(lambda: scene.view.count == 3, "the warning too")
        await scene.person.click(chips[1])
        await scene.person.click(chips[2])
        await scene.person.until(lambda: scene.view.count == 200, "all lines")


async def test_a_level_that_is_pressed_stays_in_a_window_without_room_for_it(qapp: QApplication) -> None:
    async with at_log() as scene:
        person, debug = scene.person, scene.tab.chips[4]
        person.window.resize(1280, 800)
        await person.click(debug)
        await person.until(lambda: scene.view.count == 1, "the one line of that level")
        person.window.resize(900, 600)
        await person.until(lambda: scene.tab.width() < 900, "the narrow window")
        info = scene.tab.chips[3]
        assert debug.isVisible()
        assert not info.isVisible(), "there is room for three"
        await person.click(debug)
        await person.until(lambda: scene.view.count == 200, "all lines")
        await person.until(info.isVisible, "the level that matters more")
        assert not debug.isVisible()


async def test_a_search_steps_through_the_levels_in_view(qapp: QApplication) -> None:
    async with at_log() as scene:
        chips = scene.tab.chips
        await scene.search("a")
        await scene.count("8")
        await scene.person.click(chips[2])
        await scene.count("2")
        for _ in range(3):
            await scene.person.keys(Qt.Key.Key_F3)
            assert scene.current() == ["WARN careful"]
        await scene.person.click(chips[2])
        await scene.count("8")


async def test_times_and_wrapping_by_keys_are_remembered(qapp: QApplication) -> None:
    async with at_log() as scene:
        assert (scene.view.painter.times, scene.view.wrap) == (True, False)
        await scene.person.keys(Qt.Key.Key_T, ALT)
        await scene.person.keys(Qt.Key.Key_W, ALT)
        assert (scene.view.painter.times, scene.view.wrap) == (False, True)
        assert scene.tab._preferences.get("logs/times", True) is False
        assert scene.tab._preferences.get("logs/wrap", False) is True


async def test_pause_and_follow(qapp: QApplication) -> None:
    async with at_log() as scene:
        assert scene.view.following
        await scene.person.press("Pause")
        top = scene.shown()[0]
        await scene.fake.log("web", b"more\n")
        await scene.person.until(lambda: scene.view.pill.words == "Paused: 1 new line", "the line that waits")
        assert scene.shown()[0] == top
        await scene.person.press("Follow")
        assert scene.view.following
        assert scene.shown()[-1] == "more"
        scene.view.setFocus()
        await scene.person.keys(Qt.Key.Key_PageUp)
        assert scene.tab.follow_button.text() == "Follow"
        await scene.person.keys(Qt.Key.Key_End)
        assert scene.tab.follow_button.text() == "Pause"


async def test_a_log_to_which_nothing_comes_cannot_be_paused_and_says_why(qapp: QApplication) -> None:
    async with at_log() as scene:
        button = scene.tab.follow_button
        assert button.isEnabled()
        assert not button.toolTip()
        await scene.fake.set_state("web", "exited", "die", exitCode="0")
        await scene.person.until(lambda: not button.isEnabled(), "Pause to be off")
        assert (button.text(), button.toolTip()) == ("Pause", "It does not run, so no lines come")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert scene.view.following
        await scene.fake.set_state("web", "running", "start")
        await scene.person.until(button.isEnabled, "Pause to be on again")
        assert not button.toolTip()
        await scene.person.press("Pause")
        assert not scene.view.following


async def test_cleared_lines_come_back_on_request(qapp: QApplication) -> None:
    async with at_log() as scene:
        await scene.search("broke")
        await scene.count("1")
        scene.tab._on_menu_wanted(scene.view.mapToGlobal(scene.view.rect().center()))
        await scene.person.pick("Clear the view")
        await scene.person.sees("cleared from view")
        assert scene.view.count == 0
        assert scene.field._count.text() == "No matches"
        assert scene.tab.chips[1].accessibleName() == "Error, 0 lines"
        await scene.fake.log("web", b"after\n")
        await scene.person.until(lambda: scene.shown() == ["after"], "what came after")
        await scene.person.press("Show them again")
        await scene.person.until(lambda: scene.view.count == 201 and scene.shown()[-1] == "after", "every line")
        assert not scene.person.says("cleared from view")
        await scene.count("1")


async def test_a_copy_that_is_cut_says_so(qapp: QApplication) -> None:
    async with at_log() as scene:
        scene.view.setFocus()
        await scene.person.keys(Qt.Key.Key_A, CONTROL)
        await scene.person.keys(Qt.Key.Key_C, CONTROL)
        assert QGuiApplication.clipboard().text().splitlines()[-1] == "INFO last"
        assert not scene.person.notices
        count = COPY_LINES
        scene.tab.buffer.append(b"x\n" * count, [2] * count, b"2026-01-31T14:31:58.204000000Z" * count, b"\1" * count)
        scene.tab.feed.tell()
        await scene.person.keys(Qt.Key.Key_A, CONTROL)
        await scene.person.keys(Qt.Key.Key_C, CONTROL)
        assert QGuiApplication.clipboard().text().count("\n") == count
        assert [notice.title for notice in scene.person.notices] == ["Copied the first 50,000 lines"]


def refusal(code: int, why: str) -> bytes:
    body = b'{"message":"%s"}' % why.encode()
    return b"HTTP/1.0 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (code, len(body)) + body


@asynccontextmanager
async def refused_log() -> AsyncIterator[tuple[FakeEngine, str, Person, LogsTab]]:
    """An open log that its engine refuses, as it does while it removes the container."""
    fake = FakeEngine()
    web = fake.add_container("web")
    fake.fail("/logs", raw=refusal(409, "can not get logs from container which is dead or marked for removal"))
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.open_row(page.list.table, "web")
        yield fake, web, person, await person.find(LogsTab, "the log", lambda _tab: True)


async def test_a_container_that_goes_while_its_log_is_followed_is_gone(qapp: QApplication) -> None:
    async with refused_log() as (fake, web, person, tab):
        await person.sees("The log cannot be read here. Can not get logs")
        assert tab.follow_button.isEnabled()
        del fake.containers[web]
        await fake.emit("container", "destroy", web)
        await person.sees("The container is gone. What was read stays here.")
        assert not tab.follow_button.isEnabled()


async def test_a_log_refused_at_the_removal_of_its_container_is_never_called_unreadable(qapp: QApplication) -> None:
    async with refused_log() as (fake, web, person, tab):
        told: list[str] = []
        tab.feed.state_changed.connect(lambda state: told.append(state.phase.value))
        await person.until(lambda: fake.asked("GET", "/logs"), "the log to be asked for")
        await person.rest(30)
        del fake.containers[web]
        await fake.emit("container", "destroy", web)
        await person.sees("The container is gone. What was read stays here.")
        assert "unreadable" not in told


async def test_says_that_a_log_cannot_be_read(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_container("web")
    fake.fail("/logs", raw=refusal(501, "configured logging driver does not support reading"))
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.open_row(page.list.table, "web")
        await person.sees("The log cannot be read here. Configured logging driver does not support reading.")
        tab = await person.find(LogsTab, "the log", lambda _tab: True)
        asked = len(fake.asked("GET", "/logs"))
        await person.rest(50)
        assert len(fake.asked("GET", "/logs")) == asked, "what cannot be read is not asked for again and again"
        assert not len(tab.buffer)
