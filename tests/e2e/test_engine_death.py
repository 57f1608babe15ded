"""The engine is killed while logs stream and the list is open: what was on screen stays, and all of it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app.pages.containers.inspect import InspectTab
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.pages.containers.stats import StatsTab
from app.pages.images.page import ImagesPage
from app.session import Phase
from app.widgets.cells import Cell
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

COUNTS = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"
Docker = Callable[..., str]


async def prepared(daemon: Daemon, docker_cli: DockerCli) -> Docker:
    """An engine with a container that writes and one that rests, and its command line."""
    await asyncio.to_thread(daemon.start)

    def docker(*words: str, stdin: bytes | None = None) -> str:
        return docker_cli(*words, stdin=stdin, host=daemon.docker_host).strip()

    await asyncio.to_thread(docker, "import", "-", images.BUSYBOX, stdin=images.busybox_tar())
    for name, command in (("writes", COUNTS), ("rests", "sleep 600")):
        words = ("run", "-d", "--restart", "always", "--name", name, images.BUSYBOX, "sh", "-c", command)
        await asyncio.to_thread(docker, *words)
    return docker


def numbers(logs: LogsTab) -> list[int]:
    """The lines in the view as their numbers."""
    return [int(logs.buffer.raw(at).split()[-1]) for at in range(logs.buffer.first, logs.buffer.end)]


async def lost(person: Person, daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.kill)
    await person.until(lambda: person.desk.session.state.phase is Phase.LOST, "the loss to be seen")
    await person.until(person.window.banner.isVisible, "the banner")
    assert person.says("Engine not answering")


async def back(person: Person, daemon: Daemon) -> None:
    """The engine answers again, and the window knows."""
    await asyncio.to_thread(daemon.start)
    await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the connection again", 10)
    await person.until(lambda: not person.window.banner.isVisible(), "the banner to go")


async def test_logs_go_on_where_they_ended(qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli) -> None:
    await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.open_row(page.list.table, "writes")
        logs = await person.find(LogsTab, "the logs", lambda _tab: True)
        await person.until(lambda: len(logs.buffer) > 20, "lines")

        await lost(person, own_engine)
        seen = numbers(logs)
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        assert logs.isVisible()
        await person.sees("The log goes on when it is back.")

        await back(person, own_engine)
        assert numbers(logs)[: len(seen)] == seen
        await person.until(lambda: len(numbers(logs)) > len(seen) + 20, "the log to go on")
        found = numbers(logs)
        starts = [at for at, number in enumerate(found) if number == 1]
        last = found[starts[-1] :] if starts else found
        assert last == list(range(last[0], last[0] + len(last))), "a gap or a line twice after the return"
        assert not person.says("The log goes on when it is back.")


async def test_the_list_stays_and_follows_again(qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli) -> None:
    docker = await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        listing, store = page.list, person.desk.session.stores.containers
        await person.until(lambda: len(person.rows(listing.table)) == 2, "two rows")
        await person.type(listing.search, "w")
        await person.until(lambda: len(person.rows(listing.table)) == 1, "the one that matches")
        listing.table.set_current(person.key_of(listing.table, "writes"))
        chosen = listing.table.current_key
        listing.table.set_ticks([chosen])
        await person.until(lambda: any(strong for _words, strong in listing.topbar.totals._parts), "fresh totals")

        await lost(person, own_engine)
        assert store.stale
        listing._feeds.totals.changed.emit()  # A measure that was under way.
        cells = cast("tuple[Cell, ...]", listing.model.entry(listing.model.index_of(chosen).row()))
        assert {cell.token for cell in cells} == {"text-tertiary"}
        assert [texts for texts in person.rows(listing.table).values() if "writes" in texts]
        assert listing.topbar.totals.text.startswith("2 running")
        assert not any(strong for _words, strong in listing.topbar.totals._parts), "totals that are not sure"
        assert listing.table.isVisible()
        assert listing.search.text() == "w"
        assert listing.table.current_key == chosen
        assert listing.table.ticks.keys == {chosen}
        assert person.desk.operations.running == ()

        await back(person, own_engine)
        await person.until(lambda: not store.stale, "the list to be fresh")
        assert listing.table.current_key == chosen
        assert listing.table.ticks.keys == {chosen}
        await asyncio.to_thread(docker, "rename", "writes", "writes-on")
        await person.until(
            lambda: person.key_of(listing.table, "writes-on") == chosen, "what happened after the return"
        )


async def test_an_action_on_a_dead_engine_says_so(
    qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli
) -> None:
    await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.until(lambda: len(person.rows(page.list.table)) == 2, "two rows")
        rows = page.verbs.rows([person.key_of(page.list.table, "rests")])
        assert page.verbs.why_not("stop", rows) == ""
        await lost(person, own_engine)
        assert page.verbs.why_not("stop", rows) == "The engine does not answer"
        await person.press("Try now")
        assert person.window.banner.isVisible()
        await back(person, own_engine)
        await person.until(lambda: page.verbs.why_not("stop", page.verbs.rows([rows[0].id])) == "", "Stop again")


async def test_a_paused_container_does_not_outlive_its_engine(own_engine: Daemon, docker_cli: DockerCli) -> None:
    docker = await prepared(own_engine, docker_cli)
    await asyncio.to_thread(docker, "pause", "rests")
    await asyncio.to_thread(own_engine.kill)  # waits until everything in the engine's namespace has ended
    await asyncio.to_thread(own_engine.start)
    assert docker("inspect", "-f", "{{.State.Paused}}", "rests") == "false"


async def test_layers_that_could_not_be_read_come_with_the_engine(
    qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli
) -> None:
    await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        await person.until(lambda: person.desk.stores.images.values, "the image")
        person.window.resize(1280, 800)
        await lost(person, own_engine)
        page = cast("ImagesPage", await person.nav("images"))
        await person.sees("The layers could not be read")
        assert person.says("Nothing listens there.")
        await back(person, own_engine)
        await person.until(lambda: page.detail.model.rowCount() == 1, "its layer", 10)
        assert not person.says("The layers could not be read")


async def test_a_container_that_is_opened_meanwhile_says_so_and_is_read_after(
    qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli
) -> None:
    docker = await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        person.window.resize(1280, 800)
        page = cast("ContainersPage", await person.nav("containers"))
        await person.until(lambda: len(person.rows(page.list.table)) == 2, "two rows")
        await lost(person, own_engine)
        await person.open_row(page.list.table, "rests")
        await person.until(lambda: page.details is not None, "the details")
        details = page.details
        assert details is not None
        for key in ("logs", "inspect", "overview"):
            await person.tab(key)
            await person.sees("The container is read once it is back.")
        await person.tab("stats")
        await person.sees("The engine does not answer. Figures appear once it is back.")
        assert not person.says("Asking for its processes")
        assert not person.says("Every second")
        stats = await person.find(StatsTab, "the figures", lambda _tab: True)
        assert (details.header.state.word(), details.header.state._role) == ("Running", "neutral")

        await back(person, own_engine)
        await person.until(lambda: len(stats.history.points) > 1, "figures")
        await person.sees("Every second")
        assert not person.says("The engine does not answer")
        await person.until(lambda: stats.memory._limit is None, "no limit: it has none of its own")
        await person.until(lambda: details.header.state._role == "success", "the colour of a container that runs")
        await person.tab("inspect")
        tab = await person.find(InspectTab, "its JSON", lambda _tab: True)
        started = await asyncio.to_thread(docker, "inspect", "-f", "{{.State.StartedAt}}", "rests")
        await person.until(lambda: started in tab.tree.everything(), "what the engine says now")

        await person.tab("overview")
        await lost(person, own_engine)
        assert person.says("Environment"), "what was read stays"
        await person.until(lambda: details.header.state._role == "neutral", "the pill to fade")
