"""Logs of a real engine under misfortune: damaged and lost files, floods, drivers that keep nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.feeds.logs import LogPhase
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

COUNTS = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"
FLOODS = "seq 1 99999999"
MEGABYTE = 1_000_000


class Docker:
    """Containers of one test, removed after it."""

    def __init__(self, cli: DockerCli, image: str) -> None:
        self.cli, self.image = cli, image
        self.made: list[str] = []

    async def run(self, name: str, script: str, *options: str) -> None:
        self.made.append(name)
        words = ("run", "-d", "--name", name, "--network", "none", *options, self.image, "sh", "-c", script)
        await asyncio.to_thread(self.cli, *words)

    def log_file(self, name: str) -> Path:
        """The json-file of a container, on this host."""
        found = Path(self.cli("inspect", "-f", "{{.LogPath}}", name).strip())
        assert found.stat().st_size > 0
        return found


@pytest.fixture
def docker(docker_cli: DockerCli, busybox_image: str) -> Iterator[Docker]:
    made = Docker(docker_cli, busybox_image)
    yield made
    for name in made.made:
        docker_cli("rm", "-f", name, check=False)


@asynccontextmanager
async def at_containers(engine: UnixSocket) -> AsyncIterator[tuple[Person, ContainersPage]]:
    async with at_desk(engine) as person:
        yield person, cast("ContainersPage", await person.nav("containers"))


async def log_of(person: Person, page: ContainersPage, name: str) -> LogsTab:
    """Opens the log of a container from the list."""
    await person.nav("containers")
    await person.open_row(page.list.table, name)
    return await person.find(LogsTab, f"the log of {name}", lambda tab: tab._name == name)


def numbers(tab: LogsTab) -> list[int]:
    """The lines in view as their numbers."""
    return [int(tab.buffer.raw(at).split()[-1]) for at in range(tab.buffer.first, tab.buffer.end)]


async def more(person: Person, tab: LogsTab, lines: int = 20) -> None:
    """Until so many lines have come."""
    before = tab.buffer.end
    await person.until(lambda: tab.buffer.end >= before + lines, f"{lines} lines of {tab._name}")


async def test_an_emptied_log_goes_on(qapp: QApplication, engine_host: UnixSocket, docker: Docker) -> None:
    await docker.run("emptied", COUNTS)
    async with at_containers(engine_host) as (person, page):
        tab = await log_of(person, page, "emptied")
        await more(person, tab, 40)
        file = docker.log_file("emptied")
        size = file.stat().st_size
        os.truncate(file, 0)
        assert file.stat().st_size < size
        await more(person, tab, 60)
        found = numbers(tab)
        assert found == list(range(1, len(found) + 1))


async def test_damage_is_told_passed_over_and_harms_no_other(
    qapp: QApplication, engine_host: UnixSocket, docker: Docker
) -> None:
    """So much damage at the end of a log that dockerd gives up (it tries again 20,000 times)."""
    await docker.run("damaged", COUNTS)
    await docker.run("whole", COUNTS)
    async with at_containers(engine_host) as (person, page):
        tab = await log_of(person, page, "damaged")
        await more(person, tab, 40)
        file = docker.log_file("damaged")
        with file.open("r+b") as damaged:
            damaged.seek(0, os.SEEK_END)
            damaged.write(b"{\n" * 20 * MEGABYTE)
        assert file.stat().st_size > 40 * MEGABYTE
        phases: list[LogPhase] = []
        tab.feed.state_changed.connect(lambda state: phases.append(state.phase))
        await person.until(lambda: LogPhase.LOST in phases, "the engine to give up", 60)
        await more(person, tab)
        await person.sees("A part of this log could not be read and is missing here. Error grabbing logs")
        found = numbers(tab)
        assert found == sorted(set(found)), "a line came twice"
        other = await log_of(person, page, "whole")
        await more(person, other)
        assert numbers(other) == list(range(1, len(other.buffer) + 1))
        assert not other.note.isVisible()


async def test_a_lost_file_is_told_and_what_was_read_stays(
    qapp: QApplication, engine_host: UnixSocket, docker: Docker, tmp_path: Path
) -> None:
    await docker.run("lost", COUNTS)
    async with at_containers(engine_host) as (person, page):
        tab = await log_of(person, page, "lost")
        await more(person, tab, 40)
        docker.log_file("lost").unlink()
        tab.feed.close()
        tab.feed.open()
        seen = len(tab.buffer)
        await person.sees("The log broke off and is tried again. Error grabbing logs")
        await person.sees("no such file or directory")
        for _ in range(40):
            assert tab.note.isVisible(), "it fell silent about the loss"
            await asyncio.sleep(0.1)
        assert len(tab.buffer) == seen
        # In one try of two dockerd ends the answer without a word (daemon/logs.go selects at random).
        for attempt in range(20):
            tab.save_to(tmp_path / f"saved-{attempt}.log")
            saving = person.last("Save log")
            await person.until(lambda saving=saving: not saving.running, "the save to end")  # type: ignore[misc]
            if saving.state.value == "Failed":
                break
        assert saving.state.value == "Failed"
        assert not list(tmp_path.glob(f"saved-{attempt}*"))
        assert any("no such file or directory" in f"{n.title} {n.detail}" for n in person.notices)


@pytest.mark.parametrize("hidden", [1, 60], ids=["let go while hidden", "read while hidden"])
async def test_a_flood_is_bounded_alive_and_without_a_gap(
    qapp: QApplication, engine_host: UnixSocket, docker: Docker, hidden: int
) -> None:
    """As many lines as the engine gives: hidden and shown, the memory is capped, and what was dropped is counted."""
    await docker.run("floods", FLOODS)
    async with at_containers(engine_host) as (person, page):
        tab = await log_of(person, page, "floods")
        tab.buffer.cap = 20 * MEGABYTE
        tab._rest.setInterval(hidden * 1000)
        first: list[int] = []
        dropped: list[int] = []
        tab.feed.grew.connect(lambda: first.append(numbers(tab)[0]) if not first else None)
        await person.until(lambda: tab.buffer.dropped > 0, "the cap to be reached", 60)
        await alive(person)
        before = resident()
        for _ in range(2):
            await person.tab("stats")
            await asyncio.sleep(3)
            assert (tab.feed.state.phase is LogPhase.CLOSED) is (hidden == 1)
            dropped.append(tab.buffer.dropped)
            await person.tab("logs")
            await more(person, tab, 100_000)
            await person.sees("older lines were dropped to save memory. A saved file has them all.")
            assert tab.buffer.size <= tab.buffer.cap + MEGABYTE
        await asyncio.to_thread(docker.cli, "kill", "floods")
        found = numbers(tab)
        assert found == list(range(found[0], found[0] + len(found))), "a gap or a line twice"
        assert found[0] - first[0] == tab.buffer.dropped, "what was dropped was not counted"
        assert tab.buffer.dropped > dropped[-1] > 0
        assert resident() - before < 100 * MEGABYTE


async def alive(person: Person) -> None:
    """Qt's own timer goes on."""
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(10)
    await person.until(lambda: len(ticks) > 20, "Qt's timer to go on")
    timer.stop()


def resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_what_a_driver_keeps_is_said(
    qapp: QApplication, engine_process: Daemon, engine_host: UnixSocket, docker: Docker
) -> None:
    where = engine_process.root / "syslog"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(where))
        syslog.setblocking(False)
        told: list[bytes] = []
        asyncio.get_running_loop().add_reader(syslog, lambda: told.append(syslog.recv(4096)))
        to_syslog = ("--log-driver", "syslog", "--log-opt", f"syslog-address=unixgram://{where}")
        await docker.run("keeps-none", COUNTS, "--log-driver", "none")
        await docker.run("to-syslog", COUNTS, *to_syslog, "--log-opt", "cache-disabled=true")
        await docker.run("copied", COUNTS, *to_syslog)
        await docker.run("hurries", COUNTS, "--log-opt", "mode=non-blocking")
        async with at_containers(engine_host) as (person, page):
            none = await log_of(person, page, "keeps-none")
            await person.sees("This container keeps no log: its log driver is none.")
            assert not len(none.buffer)
            await log_of(person, page, "to-syslog")
            await person.sees("This log goes to syslog and cannot be read here.")
            copied = await log_of(person, page, "copied")
            await more(person, copied)
            assert not copied.note.isVisible()
            hurries = await log_of(person, page, "hurries")
            await more(person, hurries)
            await person.sees("lines may be missing where it wrote fast")
        assert any(b"line 1" in message for message in told)
        for name in docker.made:
            await asyncio.to_thread(docker.cli, "rm", "-f", name)
        asyncio.get_running_loop().remove_reader(syslog)


async def test_a_container_removed_while_its_log_is_followed_is_gone(
    qapp: QApplication, engine_host: UnixSocket, docker: Docker
) -> None:
    async with at_containers(engine_host) as (person, page):
        for number in range(3):
            name = f"removed-{number}"
            await docker.run(name, COUNTS)
            tab = await log_of(person, page, name)
            await more(person, tab)
            await asyncio.to_thread(docker.cli, "rm", "-f", name)
            await person.sees("The container is gone. What was read stays here.")
            assert not tab.follow_button.isEnabled()
            await person.rest(50)
            assert person.says("The container is gone. What was read stays here.")
            assert numbers(tab)[0] == 1
