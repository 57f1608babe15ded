"""Containers of a real engine, handled from the window: every verb is checked with the engine, not with the window."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.pages.containers.dialogs import RenameDialog
from app.pages.containers.inspect import InspectTab
from app.pages.containers.page import ContainersPage
from app.pages.containers.stats import StatsTab
from app.presentation.units import DASH
from app.widgets.chart import Chart
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

ENDS = "trap exit TERM; while :; do sleep 0.1; done"
NAMES = ("cont-one", "cont-two", "cont-three", "cont-new", "cont-oom")
PROJECT = "com.docker.compose.project=cont"


class Scene:
    """A person at the Containers page, and the docker command line beside it."""

    def __init__(self, person: Person, cli: DockerCli, image: str) -> None:
        self.person, self._cli, self.image = person, cli, image
        self.page = cast("ContainersPage", person.window.page("containers"))
        self.table = self.page.list.table

    async def docker(self, *words: str, check: bool = True) -> str:
        return (await asyncio.to_thread(self._cli, *words, check=check)).strip()

    async def state(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(await self.docker("inspect", "-f", "{{json .State}}", name)))

    async def run(self, name: str, *flags: str, command: str = ENDS) -> str:
        made = await self.docker(
            "run", "-d", "--name", name, "--label", PROJECT, *flags, self.image, "sh", "-c", command
        )
        await self.person.row(self.table, name)
        return made

    async def shows(self, name: str, word: str) -> None:
        """Until the row of `name` says `word` as its state."""
        await self.person.until(
            lambda: word in self.person.rows(self.table).get(self.person.key_of(self.table, name), []),
            f"{name} to be shown as {word}",
        )

    async def key(self, name: str, key: Qt.Key) -> None:
        await self.person.row(self.table, name)
        self.table.setFocus()
        self.table.set_current(self.person.key_of(self.table, name))
        await self.person.keys(key)


@asynccontextmanager
async def scene_now(engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str) -> AsyncIterator[Scene]:
    await asyncio.to_thread(docker_cli, "rm", "-f", "-v", *NAMES, check=False)
    async with at_desk(engine_host) as person:
        await person.nav("containers")
        yield Scene(person, docker_cli, busybox_image)
    await asyncio.to_thread(docker_cli, "rm", "-f", "-v", *NAMES, check=False)


def in_scene(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """A test whose scene is set and struck in its own body, see at_desk."""

    async def run(qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str) -> None:
        async with scene_now(engine_host, docker_cli, busybox_image) as scene:
            await story(scene)

    run.__name__, run.__doc__, run.__module__ = story.__name__, story.__doc__, story.__module__
    return run


@in_scene
async def test_stop_start_restart_pause_resume_kill(scene: Scene) -> None:
    await scene.run("cont-one")
    await scene.shows("cont-one", "Running")
    await scene.key("cont-one", Qt.Key.Key_S)
    await scene.shows("cont-one", "Exited 0")
    assert (await scene.state("cont-one"))["Running"] is False
    await scene.key("cont-one", Qt.Key.Key_S)
    await scene.shows("cont-one", "Running")
    before = (await scene.state("cont-one"))["StartedAt"]
    await scene.key("cont-one", Qt.Key.Key_R)
    await scene.person.until(lambda: scene.person.last("Restart"), "the operation")
    await scene.person.done(scene.person.last("Restart"))
    assert (await scene.state("cont-one"))["StartedAt"] != before
    await scene.key("cont-one", Qt.Key.Key_P)
    await scene.shows("cont-one", "Paused")
    assert (await scene.state("cont-one"))["Paused"] is True
    await scene.key("cont-one", Qt.Key.Key_P)
    await scene.shows("cont-one", "Running")
    await scene.person.menu(scene.table, "cont-one", "Kill")
    await scene.shows("cont-one", "Exited 137")
    assert (await scene.state("cont-one"))["ExitCode"] == 137


@in_scene
async def test_rename_to_a_taken_name_then_to_a_free_one(scene: Scene) -> None:
    made = await scene.run("cont-one")
    await scene.person.menu(scene.table, "cont-one", "Rename…")
    dialog = await scene.person.find(RenameDialog, "the dialog", lambda _d: True)
    await scene.person.type(dialog.name, "cont-new")
    await scene.person.press("Rename")
    await scene.person.row(scene.table, "cont-new")
    assert await scene.docker("inspect", "-f", "{{.Name}}", made) == "/cont-new"


@in_scene
async def test_remove_says_what_goes_and_takes_it(scene: Scene) -> None:
    await scene.run("cont-one", "-v", "/data", command=f"dd if=/dev/zero of=/big bs=1M count=5; {ENDS}")
    volume = await scene.docker("inspect", "-f", "{{(index .Mounts 0).Name}}", "cont-one")
    while "5242880" not in await scene.docker("exec", "cont-one", "sh", "-c", "stat -c %s /big", check=False):
        await asyncio.sleep(0.1)
    await scene.key("cont-one", Qt.Key.Key_Delete)
    await scene.person.sees("Its writable layer holds 5\u00a0MB")
    await scene.person.sees(volume[:12])
    await scene.person.sees("mounted at /data, stays")
    await scene.person.press("Remove 1\u00a0anonymous volume too")
    await scene.person.sees("mounted at /data, goes too")
    await scene.person.press("Remove container and volume")
    await scene.person.until(lambda: not scene.person.key_of(scene.table, "cont-one"), "the row to go")
    await scene.person.done(scene.person.last("Remove"))
    assert "cont-one" not in await scene.docker("ps", "-a", "--format", "{{.Names}}")
    assert volume not in await scene.docker("volume", "ls", "-q")


@in_scene
async def test_the_question_follows_what_happens_elsewhere(scene: Scene) -> None:
    await scene.docker("create", "--name", "cont-one", "-v", "/data", scene.image, "sh", "-c", ENDS)
    volume = await scene.docker("inspect", "-f", "{{(index .Mounts 0).Name}}", "cont-one")
    await scene.run("cont-two", "--volumes-from", "cont-one")
    await scene.shows("cont-two", "Running")
    await scene.key("cont-one", Qt.Key.Key_Delete)
    await scene.person.sees("at /data, stays: cont-two uses it")
    assert not scene.person.says("killed first")
    await scene.docker("start", "cont-one")
    await scene.person.sees("It is running and is killed first.")
    await scene.docker("rm", "-f", "cont-one")
    await scene.person.until(lambda: not scene.person.window.dialogs_open(), "the question to close")
    scene.table.set_ticks([scene.person.key_of(scene.table, "cont-two")])
    await scene.key("cont-two", Qt.Key.Key_Delete)
    await scene.person.sees("mounted at /data, stays")
    await scene.person.press("Remove 1\u00a0anonymous volume too")
    await scene.person.press("Remove container and volume")
    await scene.person.until(lambda: not scene.person.key_of(scene.table, "cont-two"), "the row to go")
    await scene.person.done(scene.person.last("Remove"))
    assert volume not in await scene.docker("volume", "ls", "-q")


@in_scene
async def test_several_are_stopped_together(scene: Scene) -> None:
    for name in ("cont-one", "cont-two", "cont-three"):
        await scene.run(name)
        await scene.shows(name, "Running")
    scene.table.set_ticks([scene.person.key_of(scene.table, n) for n in ("cont-one", "cont-two", "cont-three")])
    await scene.person.until(scene.page.list.selection.isVisible, "the selection")
    await scene.person.press("Stop")
    await scene.person.until(lambda: scene.person.notices, "the notice")
    assert scene.person.notices[-1].title == "Stopped 3\u00a0containers"
    for name in ("cont-one", "cont-two", "cont-three"):
        assert (await scene.state(name))["Running"] is False


@in_scene
async def test_what_the_command_line_does_is_seen(scene: Scene) -> None:
    await scene.run("cont-one")
    await scene.shows("cont-one", "Running")
    await scene.docker("pause", "cont-one")
    await scene.shows("cont-one", "Paused")
    await scene.docker("rm", "-f", "cont-one")
    await scene.person.until(lambda: not scene.person.key_of(scene.table, "cont-one"), "the row to go")
    assert not scene.person.desk.operations.items, "the window did something by itself"
    assert not scene.person.notices


@in_scene
async def test_inspect_follows_the_networks_of_its_container(scene: Scene) -> None:
    await scene.docker("network", "rm", "cont-net", check=False)
    await scene.docker("network", "create", "cont-net")
    await scene.run("cont-one")
    await scene.person.open_row(scene.table, "cont-one")
    await scene.person.tab("inspect")
    tab = await scene.person.find(InspectTab, "the tab", lambda tab: '"Networks"' in tab.tree.everything())
    assert "cont-net" not in tab.tree.everything()
    await scene.docker("network", "connect", "cont-net", "cont-one")
    await scene.person.until(lambda: '"cont-net"' in tab.tree.everything(), "the network that it joined")
    await scene.docker("network", "disconnect", "cont-net", "cont-one")
    await scene.person.until(lambda: '"cont-net"' not in tab.tree.everything(), "the network to go")
    assert "cont-net" not in await scene.docker("inspect", "cont-one")
    await scene.docker("network", "rm", "cont-net")


@in_scene
async def test_live_use_and_processes(scene: Scene) -> None:
    await scene.run("cont-one", "--memory", "64m", command="while :; do :; done")
    key = scene.person.key_of(scene.table, "cont-one")

    def busy() -> bool:
        cell = scene.page.list.model.cell(key, "cpu")
        return cell is not None and len(cell.spark) > 1 and any((value or 0) > 0.2 for value in cell.spark)

    await scene.person.until(busy, "a busy sparkline")
    memory = scene.page.list.model.cell(key, "memory")
    assert memory is not None
    assert memory.bar is not None
    await scene.person.open_row(scene.table, "cont-one")
    await scene.person.tab("stats")
    details = scene.page.details
    assert details is not None
    tab = details._made["stats"]
    assert isinstance(tab, StatsTab)
    await scene.person.until(lambda: any((p.cpu or 0) > 0.2 for p in tab.history.points), "a busy chart")
    await scene.person.until(lambda: tab.model.rowCount() > 0, "the processes")
    assert any("while" in cell.text for cell in tab.model.entry(0))  # type: ignore[union-attr]
    chart = await scene.person.find(Chart, "the memory chart", lambda c: c.accessibleName() == "Memory")
    assert "67\u00a0MB" in chart._detail
    assert scene.person.says("Every second")
    await scene.docker("kill", "cont-one")
    await scene.person.until(lambda: chart._value == DASH, "no figure of a container that has ended")
    assert not scene.person.says("Every second")
    await scene.docker("start", "cont-one")
    await scene.person.until(lambda: chart._value != DASH, "figures again")
    await scene.person.sees("Every second")
    await scene.person.nav("images")
    await scene.person.until(lambda: not tab.history.active, "the sampling to end")


@in_scene
async def test_out_of_memory_is_said(scene: Scene) -> None:
    eats = "x=a; while :; do x=$x$x; done"
    await scene.docker("run", "-d", "--name", "cont-oom", "--memory", "8m", scene.image, "sh", "-c", eats)
    state: dict[str, Any] = {}
    for _ in range(300):
        state = await scene.state("cont-oom")
        if not state["Running"]:
            break
        await asyncio.sleep(0.1)
    assert not state["Running"], "it was to run out of memory"
    if not state["OOMKilled"]:
        pytest.skip("this kernel does not tell the engine that memory ran out")
    await scene.shows("cont-oom", "out of memory")
