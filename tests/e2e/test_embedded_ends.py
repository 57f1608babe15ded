"""The embedded engine ends while the window is open; and the question before quitting says what is so."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.engines import EMBEDDED
from app.findings import engine_choices
from app.pages.settings.quitting import QuitDialog
from app.session import Phase
from backend.embedded import EmbeddedEngine
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk
from tests.e2e.test_embedded_window import WAITS, embedded, fill, home, states

__all__ = ["home"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio,
    pytest.mark.skipif(os.getuid() != 0, reason="test_rootless has the ordinary user's part"),
]


async def kill(engine: EmbeddedEngine) -> None:
    os.kill((await engine.status()).pid, signal.SIGKILL)


async def ended(person: Person) -> None:
    await person.sees("The embedded engine has ended")
    assert person.desk.session.state.phase is Phase.LOST


async def test_one_that_ended_is_started_from_the_banner(qapp: QApplication, home: Path, docker_cli: DockerCli) -> None:
    async with embedded() as engine, at_desk(None, connect=False) as person:
        docker = await fill(person, docker_cli)
        await kill(engine)
        await ended(person)
        assert set(states(person)) == {"returns", "ends", "rests"}
        offered = engine_choices(person.desk.engines, person.desk.session.state, lambda: None)
        (start,) = [c for c in offered if c.text == "Start the embedded engine"]
        assert not start.why
        await person.press("Start engine")
        await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the engine", 60)
        assert person.desk.session.state.label == EMBEDDED
        await person.until(lambda: not person.window.banner.isVisible(), "the banner to go")
        await person.until(lambda: states(person).get("returns") == "running", "the one that comes back")
        assert "returns" in await asyncio.to_thread(docker, "ps", "--format", "{{.Names}}")


async def test_the_question_before_quitting_stays_true(qapp: QApplication, home: Path, docker_cli: DockerCli) -> None:
    async with embedded() as engine, at_desk(None, connect=False) as person:
        docker = await fill(person, docker_cli)
        person.window.close()
        dialog = await person.find(QuitDialog, "the question", lambda _d: True)
        person.window.close()
        await person.keys(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
        assert len(person.window.findChildren(QuitDialog)) == 1
        await asyncio.to_thread(docker, "rm", "-f", "ends", "rests")
        await person.until(lambda: dialog.names.text() == "returns", "the one that is left")
        assert dialog.count.text() == "1\u00a0container runs in the embedded engine:"
        await asyncio.to_thread(docker, "run", "-d", "--name", "late", images.BUSYBOX, "sh", "-c", WAITS)
        await person.until(lambda: "late" in dialog.names.text(), "the new one")
        await kill(engine)
        await ended(person)
        await person.until(lambda: not person.window.dialogs_open(), "the question to go")
        person.window.close()
        await person.until(person.desk.quit_asked.done, "the end, without a question")
