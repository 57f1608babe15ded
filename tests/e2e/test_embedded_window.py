"""The window and the embedded engine: what quitting asks, what is kept, and what the next start brings back."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app import paths
from app.engines import EMBEDDED
from app.widgets.choices import Checkbox
from backend import discovery
from backend.embedded import EmbeddedEngine, EmbeddedPaths
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio,
    pytest.mark.skipif(os.getuid() != 0, reason="test_rootless has the ordinary user's part"),
]
WAITS = "trap exit TERM; sleep 900 & wait"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short home for one embedded engine, which has ended when the test ends."""
    folder = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    monkeypatch.setenv("PILOTHOUSE_HOME", str(folder))
    monkeypatch.setenv("HOME", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def states(person: Person) -> dict[str, str]:
    return {c.name: c.state for c in person.desk.stores.containers.values.values()}


async def fill(person: Person, docker_cli: DockerCli) -> Callable[..., str]:
    """Starts the embedded engine as a person does, and runs three containers in it, one of them paused."""
    await person.press("Start engine")
    await person.connected(90)
    host = f"unix://{person.desk.embedded.paths.socket}"

    def docker(*words: str, stdin: bytes | None = None) -> str:
        return docker_cli(*words, stdin=stdin, host=host)

    await asyncio.to_thread(docker, "import", "-", images.BUSYBOX, stdin=images.busybox_tar())
    for name, policy in (("returns", "always"), ("ends", "no"), ("rests", "no")):
        words = ("run", "-d", "--restart", policy, "--name", name, images.BUSYBOX, "sh", "-c", WAITS)
        await asyncio.to_thread(docker, *words)
    await asyncio.to_thread(docker, "pause", "rests")
    await person.until(
        lambda: states(person) == {"returns": "running", "ends": "running", "rests": "paused"}, "three containers"
    )
    return docker


@asynccontextmanager
async def embedded() -> AsyncIterator[EmbeddedEngine]:
    """The embedded engine of this home, which has ended when the test ends."""
    engine = EmbeddedEngine(EmbeddedPaths.below(paths.data_dir(), paths.runtime_dir()))
    try:
        yield engine
    finally:
        await engine.stop()


async def test_what_is_kept_is_found_and_what_is_stopped_comes_back(
    qapp: QApplication, home: Path, docker_cli: DockerCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while another engine answers, which a first start would use."""
    fake = FakeEngine()
    fake.add_container("elsewhere")
    async with embedded() as engine:
        async with at_desk(None, connect=False) as person:
            docker = await fill(person, docker_cli)
            person.window.close()
            await person.sees("containers run in the embedded engine")
            for name in ("returns", "ends", "rests"):
                await person.sees(name)
            await person.press("Cancel")
            assert person.window.isVisible()
            assert not person.desk.quit_asked.done()
            person.window.close()
            await person.press("Keep running")
            await person.until(person.desk.quit_asked.done, "the end")
        kept = (await engine.status()).pid
        assert kept > 0

        async with fake.serve() as other:
            monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", other.path)])
            async with at_desk(None) as person:
                assert person.desk.session.state.label == EMBEDDED
                assert (await engine.status()).pid == kept
                await person.until(lambda: states(person).get("ends") == "running", "the containers")
                await asyncio.to_thread(docker, "unpause", "rests")
                person.window.close()
                await person.click(await person.find(Checkbox, "Remember my choice", lambda _box: True))
                await person.press("Stop them")
                await person.until(person.desk.quit_asked.done, "the end", 60)
            assert (await engine.status()).state == "stopped"

            async with at_desk(None, connect=False) as person:
                await person.sees("Start the embedded engine")
                await person.connected(60)
                assert person.desk.session.state.label == EMBEDDED
                await person.until(lambda: states(person).get("returns") == "running", "the one that comes back")
                assert states(person)["ends"] == "exited"
                person.window.close()
                await person.until(person.desk.quit_asked.done, "the end, without a question", 60)
            assert (await engine.status()).state == "stopped"


async def test_a_start_that_fails_again_is_told_and_gives_way(qapp: QApplication, home: Path) -> None:
    fake = FakeEngine()
    fake.add_container("elsewhere")
    async with fake.serve() as other:
        async with at_desk(other) as person:
            person.desk.preferences.set("engine/last", EMBEDDED)
            where = person.desk.embedded.paths
        where.home.mkdir(parents=True, exist_ok=True)
        where.data_root.write_text("no folder")
        async with at_desk(other, connect=False) as person:
            await person.connected(90)
            assert list(states(person)) == ["elsewhere"]
            assert [n.title for n in person.notices if "start" in n.title], person.notices


async def test_what_is_not_known_yet_is_not_stopped(qapp: QApplication, home: Path) -> None:
    """Left before the list is here, the engine goes on with what may run in it."""
    known: list[bool] = []
    async with embedded() as engine:
        async with at_desk(None, connect=False) as person:
            desk = person.desk

            def leave_at_once() -> None:
                if desk.engines.uses_embedded and not known:
                    known.append(desk.stores.containers.loaded)
                    desk.window.close()

            desk.session.state_changed.connect(leave_at_once)
            await person.press("Start engine")
            await person.until(desk.quit_asked.done, "the end", 90)
            assert known == [False]
        assert (await engine.status()).running
