"""The Containers page in front of an engine: what is shown, pressed, asked and told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.pages.containers.inspect import InspectTab
from app.pages.containers.page import ContainersPage
from app.pages.containers.stats import StatsTab
from app.widgets.buttons import Button
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio
NO = b'HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"message":"no way"}'


class Scene:
    """A person at the page, and the engine behind it."""

    def __init__(self, person: Person, fake: FakeEngine) -> None:
        self.person, self.fake = person, fake
        self.page = cast("ContainersPage", person.window.page("containers"))
        self.list = self.page.list
        self.table = self.page.list.table

    def names(self) -> list[str]:
        return [texts[1] for texts in self.person.rows(self.table).values()]

    async def focus(self, name: str) -> None:
        await self.person.row(self.table, name)
        self.table.setFocus()
        self.table.set_current(self.person.key_of(self.table, name))

    def shown_as(self, key: str, state: str) -> bool:
        return self.list._store.values[key].state == state

    async def state(self, name: str, state: str) -> None:
        def same() -> bool:
            made = self.fake.find(name)
            return made is not None and made.state == state

        await self.person.until(same, f"{name} to be {state}")


@asynccontextmanager
async def scene_now() -> AsyncIterator[Scene]:
    fake = FakeEngine()
    tcp = [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp", "IP": "0.0.0.0"}]
    fake.add_container("web", project="shop", ports=tcp)
    fake.add_container("db", project="shop", image="postgres:16")
    fake.add_container("old", "exited")
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        await person.nav("containers")
        found = Scene(person, fake)
        await person.until(lambda: len(found.names()) == 3, "three rows")
        yield found


def in_scene(
    story: Callable[[Scene], Coroutine[Any, Any, None]],
) -> Callable[[QApplication], Coroutine[Any, Any, None]]:
    """A test whose scene is set and struck in its own body, see at_desk."""

    async def run(qapp: QApplication) -> None:
        async with scene_now() as scene:
            await story(scene)

    run.__name__, run.__doc__, run.__module__ = story.__name__, story.__doc__, story.__module__
    return run


@in_scene
async def test_rows_are_grouped_and_counted(scene: Scene) -> None:
    assert [scene.list.model.key(i).partition(":")[0] for i in range(2)] == ["group", scene.fake.find("db").id]  # type: ignore[union-attr]
    assert scene.names() == ["db", "web", "old"]
    assert scene.list.topbar.totals.text.startswith("2 running")


@in_scene
async def test_segments_and_search(scene: Scene) -> None:
    await scene.person.choose(scene.list.segments, "stopped")
    assert scene.names() == ["old"]
    await scene.person.choose(scene.list.segments, "all")
    await scene.person.type(scene.list.search, "ngnix")
    await scene.person.sees("No containers match “ngnix”")
    await scene.person.press("Clear search")
    assert len(scene.names()) == 3


@in_scene
async def test_keys_stop_and_start_the_focused_row(scene: Scene) -> None:
    await scene.focus("web")
    await scene.person.keys(Qt.Key.Key_S)
    await scene.state("web", "exited")
    await scene.person.until(
        lambda: scene.list._store.values[scene.person.key_of(scene.table, "web")].state == "exited"
    )
    await scene.person.keys(Qt.Key.Key_S)
    await scene.state("web", "running")
    assert scene.person.last("Start").line.shown == "docker start web"


@in_scene
async def test_pause_and_resume(scene: Scene) -> None:
    await scene.focus("db")
    await scene.person.keys(Qt.Key.Key_P)
    await scene.state("db", "paused")
    key = scene.person.key_of(scene.table, "db")
    await scene.person.until(lambda: scene.list._store.values[key].state == "paused")
    await scene.person.keys(Qt.Key.Key_P)
    await scene.state("db", "running")
    asked = [r.path.rsplit("/", 1)[-1] for r in scene.fake.requests if r.method == "POST"]
    assert asked == ["pause", "unpause"]


@in_scene
async def test_several_at_once_with_each_failure_told(scene: Scene) -> None:
    db = scene.fake.find("db")
    assert db is not None
    scene.fake.fail(f"{db.id}/stop", raw=NO)
    scene.table.set_ticks([scene.person.key_of(scene.table, name) for name in ("web", "db")])
    await scene.person.until(scene.list.selection.isVisible)
    await scene.person.press("Stop")
    await scene.state("web", "exited")
    await scene.person.until(lambda: scene.person.notices, "a notice")
    (told,) = scene.person.notices
    assert told.title.replace("\u00a0", " ") == "Stopped 1 of 2 containers"
    assert "db" in told.detail
    assert told.step is not None


@in_scene
async def test_keys_act_on_the_ticked_rows_as_their_menu_says(scene: Scene) -> None:
    await scene.focus("old")
    keys = [scene.person.key_of(scene.table, name) for name in ("web", "db")]
    scene.table.set_ticks(keys)
    bar = scene.list.selection
    await scene.person.until(bar.isVisible, "the selection")
    for act, state in ((Qt.Key.Key_P, "paused"), (Qt.Key.Key_P, "running"), (Qt.Key.Key_S, "exited")):
        shown = {e.text: e.key for e in scene.page.verbs.entries(keys) if e.key in ("S", "P")}
        assert shown == {"Stop": "S", "Resume" if act is Qt.Key.Key_P and state == "running" else "Pause": "P"}
        await scene.person.keys(act)
        for name in ("web", "db"):
            await scene.state(name, state)
        for key in keys:
            await scene.person.until(partial(scene.shown_as, key, state), f"a row that is {state}")
        assert bar.buttons["resume"].isVisible() is (state == "paused")
        assert bar.buttons["kill"].isVisible() is (state != "exited")
    old = scene.fake.find("old")
    assert old is not None
    assert not [r for r in scene.fake.requests if r.method == "POST" and old.id in r.path]


@in_scene
async def test_a_key_stands_at_one_verb_and_the_bar_has_resume_and_kill(scene: Scene) -> None:
    await scene.fake.set_state("db", "paused", "pause")
    keys = [scene.person.key_of(scene.table, name) for name in ("web", "db", "old")]
    await scene.person.until(lambda: scene.list._store.values[keys[1]].state == "paused", "db to be paused")
    shown = [(e.text, e.key) for e in scene.page.verbs.entries(keys) if not e.why]
    assert shown[:6] == [("Start", ""), ("Stop", "S"), ("Restart", "R"), ("Pause", "P"), ("Resume", ""), ("Kill", "")]
    scene.table.set_ticks(keys)
    await scene.person.press("Resume")
    await scene.state("db", "running")
    await scene.person.until(lambda: scene.list._store.values[keys[1]].state == "running", "db to run")
    await scene.person.press("Kill")
    await scene.state("web", "exited")
    await scene.state("db", "exited")


@in_scene
async def test_a_container_is_looked_at_again_after_a_command_of_which_no_event_tells(scene: Scene) -> None:
    await scene.focus("web")
    web = scene.fake.find("web")
    assert web is not None
    sync = scene.person.desk.session._sync
    await scene.person.until(lambda: sync is not None and not sync._fresh, "the second list after the first")
    web.state = "exited"
    scene.fake.fail(f"{web.id}/pause", raw=NO)
    await scene.person.keys(Qt.Key.Key_P)
    await scene.person.until(lambda: scene.list._store.values[web.id].state == "exited", "the state that it is in")


@in_scene
async def test_what_does_not_apply_says_why(scene: Scene) -> None:
    rows = scene.page.verbs.rows([scene.person.key_of(scene.table, "old")])
    assert scene.page.verbs.why_not("stop", rows) == "It is not running"
    scene.page.verbs.run("stop", [rows[0].id])
    assert not [o for o in scene.person.desk.operations.items if o.title == "Stop"]


@in_scene
async def test_remove_asks_and_kills_what_runs(scene: Scene) -> None:
    await scene.focus("web")
    await scene.person.keys(Qt.Key.Key_Delete)
    await scene.person.sees("It is running and is killed first.")
    await scene.person.press("Keep it")
    assert scene.fake.find("web") is not None
    await scene.focus("web")
    await scene.person.keys(Qt.Key.Key_Delete)
    await scene.person.press("Remove container")
    await scene.person.until(lambda: scene.fake.find("web") is None, "web to go")
    await scene.person.until(lambda: "web" not in scene.names(), "the row to go")
    assert scene.person.last("Remove").line.shown == "docker rm --force web"


@in_scene
async def test_port_opens_the_browser(scene: Scene) -> None:
    opened: list[str] = []
    scene.page.verbs._open_url = opened.append
    await scene.focus("web")
    await scene.person.keys(Qt.Key.Key_O)
    assert opened == ["http://localhost:8080"]


@in_scene
async def test_copy_docker_command(scene: Scene) -> None:
    await scene.focus("web")
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    await scene.person.keys(Qt.Key.Key_C, both)
    assert QGuiApplication.clipboard().text() == "docker stop web"


@in_scene
async def test_streams_are_open_only_for_what_is_on_screen(scene: Scene) -> None:
    stats = scene.person.desk.feeds.stats
    await scene.person.until(lambda: stats.open == 2, "two streams")
    await scene.person.until(
        lambda: all("–" not in t for t in list(scene.person.rows(scene.table).values())[:2]), "use"
    )
    before = scene.fake.hangups
    await scene.person.nav("images")
    await scene.person.until(lambda: stats.open == 0, "no stream")
    await scene.person.until(lambda: scene.fake.hangups >= before + 2, "the engine to see them end")
    asked = len(scene.fake.asked("GET", "/stats"))
    await scene.person.rest(20)
    assert len(scene.fake.asked("GET", "/stats")) == asked


@in_scene
async def test_totals_say_their_age_once_no_row_on_screen_is_sampled(scene: Scene) -> None:
    person, page, feeds = scene.person, scene.list, scene.person.desk.feeds
    page._ages.stop()  # What follows is not to wait for the next quarter of a minute.
    await person.until(lambda: feeds.totals.at and feeds.stats.open == 2, "a round over all, and streams")
    await person.until(lambda: "CPU" in page.topbar.totals.text, "the totals of now")
    assert "ago" not in page.topbar.totals.text
    await person.choose(page.segments, "stopped")
    await person.until(lambda: feeds.stats.open == 0, "no stream")
    await person.until(lambda: page.topbar.totals.text.endswith(" ago"), "the age of the totals")
    await person.choose(page.segments, "all")
    await person.until(lambda: "ago" not in page.topbar.totals.text, "the totals of now")


@in_scene
async def test_details_show_every_tab(scene: Scene) -> None:
    await scene.person.open_row(scene.table, "web")
    await scene.person.until(lambda: scene.page.details is not None, "the details")
    details = scene.page.details
    assert details is not None
    await scene.person.until(lambda: "logs" in details._made, "the log")
    await scene.person.tab("inspect")
    await scene.person.tab("overview")
    await scene.person.sees("Environment")
    await scene.person.tab("stats")
    tab = details._made["stats"]
    assert isinstance(tab, StatsTab)
    await scene.person.until(lambda: len(tab.history.points) > 1, "points")
    assert tab.memory._value.endswith("B")
    await scene.person.press("Pause")
    await scene.person.until(lambda: not tab.history.active, "a pause")
    await scene.person.press("Back to the list")
    assert scene.page.details is None
    assert scene.list.isVisible()


@in_scene
async def test_a_container_that_goes_leaves_its_page_readable(scene: Scene) -> None:
    await scene.person.open_row(scene.table, "web")
    await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found, "the details")
    web = scene.fake.find("web")
    assert web is not None
    del scene.fake.containers[web.id]
    await scene.fake.emit("container", "destroy", web.id)
    assert scene.page.details is not None
    header = scene.page.details.header
    await scene.person.until(lambda: header.state.word() == "Removed", "the word")
    assert not header.stop.isEnabled()


@in_scene
async def test_an_open_container_is_read_again_when_it_joins_a_network(scene: Scene) -> None:
    db, web = scene.fake.find("db"), scene.fake.find("web")
    assert db is not None
    assert web is not None
    await scene.person.open_row(scene.table, "web")
    await scene.person.until(lambda: scene.page.details is not None and scene.page.details._found, "the details")
    await scene.person.until(lambda: not scene.page.details._ask_again.isActive(), "the questions to rest")  # type: ignore[union-attr]
    await scene.person.rest()
    for action in ("connect", "disconnect"):
        before = len(scene.fake.asked("GET", f"{web.id}/json"))
        await scene.fake.emit("network", action, "n2", container=db.id, name="n2")
        await scene.fake.emit("network", action, "n2", container=web.id, name="n2")
        await scene.person.until(
            lambda before=before: len(scene.fake.asked("GET", f"{web.id}/json")) > before,  # type: ignore[misc]
            f"a question after a {action}",
        )
    assert not scene.fake.asked("GET", f"{db.id}/json")


@in_scene
async def test_a_container_that_could_not_be_read_says_why_and_is_tried_again(scene: Scene) -> None:
    web = scene.fake.find("web")
    assert web is not None
    fault = scene.fake.fail(f"{web.id}/json", raw=NO)
    await scene.person.open_row(scene.table, "web")
    await scene.person.sees("No way.")
    await scene.person.tab("inspect")
    assert scene.person.says("Could not show web")
    await scene.person.until(lambda: fault.seen == 2, "the question that follows when it is shown")
    scene.fake.faults.clear()
    await scene.person.press("Try again")
    tab = await scene.person.find(InspectTab, "its JSON", lambda _tab: True)
    assert web.id in tab.tree.everything()


@in_scene
async def test_columns_and_grouping_are_chosen_by_menus(scene: Scene) -> None:
    await scene.person.click(scene.list.grouping)
    await scene.person.pick("No groups")
    assert not [
        k for k in (scene.list.model.key(i) for i in range(scene.list.model.rowCount())) if k.startswith("group:")
    ]
    await scene.person.click(scene.list.columns)
    await scene.person.pick("Image")


@in_scene
async def test_the_bar_of_a_paused_row_fits_a_narrow_window(scene: Scene) -> None:
    scene.person.window.resize(900, 600)
    await scene.focus("web")
    await scene.person.menu(scene.table, "web", "Pause")
    bar = scene.list.selection
    scene.table.set_ticks([scene.person.key_of(scene.table, "web")])
    await scene.person.until(bar.buttons["resume"].isVisible, "what only a paused one has")
    shown = [button for button in bar.buttons.values() if button.isVisible()]
    assert bar.buttons["start"] not in shown, "what cannot be done gives way"
    assert bar.buttons["rename"] in shown
    assert all(button.width() >= button.sizeHint().width() for button in shown), "no word is cut"


@in_scene
async def test_escape_unticks(scene: Scene) -> None:
    await scene.focus("web")
    QTest.keyClick(scene.table, Qt.Key.Key_Space)
    await scene.person.until(scene.list.selection.isVisible)
    assert scene.table.ticks.keys == {scene.person.key_of(scene.table, "web")}
    await scene.person.keys(Qt.Key.Key_Escape)
    await scene.person.until(lambda: not scene.list.selection.isVisible(), "no bar")
    assert not scene.table.ticks.keys


async def test_no_containers_yet(qapp: QApplication) -> None:
    fake = FakeEngine()
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        await person.nav("containers")
        await person.sees("No containers yet")
        assert isinstance(await person.button("Run…"), Button)
