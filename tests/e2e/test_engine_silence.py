"""The engine is stopped in its tracks (SIGSTOP): it is there and says nothing, and the window lives on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app.feeds.logs import LogPhase
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.session import Phase
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import at_desk
from tests.e2e.test_engine_death import numbers, prepared
from tests.e2e.test_faults_start import ticking

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


def suspended(daemon: Daemon) -> bool:
    """Whether the system says that dockerd is stopped."""
    return Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(") ")[2].startswith("T")


async def test_reads_time_out_and_all_goes_on_after(
    qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli
) -> None:
    docker = await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.until(lambda: len(person.rows(page.list.table)) == 2, "two rows")
        store = person.desk.session.stores.containers
        own_engine.suspend()
        try:
            await person.until(lambda: suspended(own_engine), "the system to stop it")
            assert await asyncio.to_thread(own_engine.answers) is False
            async with ticking(person):
                await person.until(lambda: person.desk.session.state.phase is Phase.LOST, "the silence to be seen")
            await person.sees("Engine not answering")
            assert [texts for texts in person.rows(page.list.table).values() if "writes" in texts]
            rows = page.verbs.rows([person.key_of(page.list.table, "rests")])
            assert page.verbs.why_not("stop", rows) == "The engine does not answer"
            await person.press("Try now")
            assert store.stale
        finally:
            own_engine.resume()
        await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the connection again", 30)
        await person.until(lambda: not store.stale, "the list to be fresh")
        await asyncio.to_thread(docker, "rename", "writes", "writes-on")
        await person.until(lambda: person.key_of(page.list.table, "writes-on"), "what happened after the silence")


async def test_an_action_in_the_silence_ends_once_it_speaks(
    qapp: QApplication, own_engine: Daemon, docker_cli: DockerCli
) -> None:
    """Asked before anybody knows of the silence: it waits, can be cancelled, and the truth is the engine's."""
    docker = await prepared(own_engine, docker_cli)
    async with at_desk(own_engine.endpoint) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.open_row(page.list.table, "writes")
        logs = await person.find(LogsTab, "the log", lambda _tab: True)
        await person.until(lambda: len(logs.buffer) > 20, "lines")
        own_engine.suspend()
        try:
            await person.until(lambda: suspended(own_engine), "the system to stop it")
            page.verbs.run("pause", [logs._id])
            asked = person.last("Pause")
            assert asked.running
            await person.rest()
            asked.cancel()
            await person.until(lambda: not asked.running, "the cancelled action to end")
            seen = len(logs.buffer)
            await asyncio.sleep(1)
            assert len(logs.buffer) == seen
        finally:
            own_engine.resume()
        await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the connection", 30)
        row = person.desk.session.stores.containers.get(logs._id)
        state = docker("inspect", "-f", "{{.State.Status}}", "writes")
        assert row is not None
        await person.until(
            lambda: person.desk.session.stores.containers.values[logs._id].state == state, f"the row to say {state}"
        )
        if state == "paused":
            await asyncio.to_thread(docker, "unpause", "writes")
        await person.until(lambda: len(logs.buffer) > seen + 20, "the log to go on")
        assert logs.feed.state.phase is LogPhase.LIVE
        found = numbers(logs)
        assert found == list(range(found[0], found[0] + len(found)))
