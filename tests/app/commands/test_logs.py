"""A log that is saved: exact, for this person alone, whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.commands.logs import SAVE_LOG, LogFile
from app.operation import Operation, OperationState
from backend.errors import NotFound, ProtocolError
from backend.saving import NotSaved
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine
from tests.fakes.nouns import LogLine

pytestmark = pytest.mark.asyncio
LINES = [b"one\r\n", b"\x1b[31mred\x1b[0m caf\xc3\xa9 \xff\0\n", b"x" * 16384, b"y end\n", b"no end"]


class Saving:
    """A desk with a container `web` that wrote LINES, and a file to be written."""

    def __init__(self, person: Person, fake: FakeEngine, path: Path) -> None:
        self.person, self.fake, self.path = person, fake, path

    def start(self, *, times: bool = False, tty: bool = False, name: str = "web") -> Operation:
        made = self.fake.find(name)
        target = LogFile(made.id if made else "0" * 64, name, tty, self.path, times)
        return self.person.desk.session.run(SAVE_LOG, target)

    async def ended(self, operation: Operation) -> OperationState:
        await self.person.until(lambda: not operation.running, "the save to end")
        return operation.state

    def files(self) -> list[str]:
        return [found.name for found in self.path.parent.iterdir()]


@asynccontextmanager
async def saving(folder: Path, *, tty: bool = False) -> AsyncIterator[Saving]:
    fake = FakeEngine()
    fake.add_container("web", logs=LINES, tty=tty)
    (folder / "kept").mkdir()
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        yield Saving(person, fake, folder / "kept" / "web.log")


@pytest.mark.parametrize("tty", [False, True])
async def test_every_byte_and_nobody_else(qapp: QApplication, tmp_path: Path, tty: bool) -> None:
    async with saving(tmp_path, tty=tty) as scene:
        (scene.path.parent / "web.log.part").write_bytes(b"of a crash, for everybody to read" * 9000)
        (scene.path.parent / "web.log.part").chmod(0o644)
        operation = scene.start(tty=tty)
        assert await scene.ended(operation) is OperationState.SUCCEEDED
        assert scene.path.read_bytes() == b"".join(LINES)
        assert stat.S_IMODE(scene.path.stat().st_mode) == 0o600
        assert scene.files() == ["web.log"]
        assert operation.line.copied == f"docker logs web > {scene.path} 2>&1"


async def test_both_streams_in_their_order_with_times(qapp: QApplication, tmp_path: Path) -> None:
    async with saving(tmp_path) as scene:
        made = scene.fake.find("web")
        assert made is not None
        made.logs = [LogLine(1.5, 1, b"out\n"), LogLine(2.25, 2, b"err\n"), LogLine(3, 1, b"out again\n")]
        operation = scene.start(times=True)
        assert await scene.ended(operation) is OperationState.SUCCEEDED
        assert scene.path.read_text().splitlines() == [
            "1970-01-01T00:00:01.500000000Z out",
            "1970-01-01T00:00:02.250000000Z err",
            "1970-01-01T00:00:03.000000000Z out again",
        ]
        assert operation.line.argv == ["docker", "logs", "--timestamps", "web"]
        assert operation.line.shown == f"docker logs --timestamps web > {scene.path} 2>&1"


async def test_cancelled_leaves_what_was_there(qapp: QApplication, tmp_path: Path) -> None:
    async with saving(tmp_path) as scene:
        scene.path.write_bytes(b"an older one")
        scene.fake.fail("/logs", drip=0.01)
        operation = scene.start()
        await scene.person.until(lambda: "web.log.part" in scene.files(), "the file beside")
        operation.cancel()
        assert await scene.ended(operation) is OperationState.CANCELLED
        assert scene.files() == ["web.log"]
        assert scene.path.read_bytes() == b"an older one"


async def test_a_pipe_is_not_replaced(qapp: QApplication, tmp_path: Path) -> None:
    async with saving(tmp_path) as scene:
        os.mkfifo(scene.path)
        assert await scene.ended(operation := scene.start()) is OperationState.FAILED
        assert isinstance(operation.error, FileExistsError)
        assert scene.path.is_fifo()
        assert scene.files() == ["web.log"]
        assert scene.person.notices[-1].detail.endswith(f"Something other than a file is there already ({scene.path}).")


async def test_a_log_that_breaks_off_is_not_kept_as_whole(qapp: QApplication, tmp_path: Path) -> None:
    async with saving(tmp_path) as scene:
        scene.fake.fail("/logs", raw=b"HTTP/1.0 200 OK\r\n\r\n\x01\0\0\0\0\0\0\x09half")
        operation = scene.start()
        assert await scene.ended(operation) is OperationState.FAILED
        assert isinstance(operation.error, ProtocolError)
        assert scene.files() == []
        assert scene.person.notices


async def test_no_container_and_no_folder(qapp: QApplication, tmp_path: Path) -> None:
    async with saving(tmp_path) as scene:
        gone = scene.start(name="gone")
        assert await scene.ended(gone) is OperationState.FAILED
        assert isinstance(gone.error, NotFound)
        assert scene.files() == []
        scene.path = scene.path.parent / "no folder" / "web.log"
        nowhere = scene.start()
        await scene.ended(nowhere)
        assert isinstance(nowhere.error, NotSaved)
        told = scene.person.notices[-1]
        assert told.title == "Could not save log web"
        assert told.detail.startswith(f"The folder {scene.path.parent} does not exist. Choose another one")
        assert "part" not in told.detail.replace(str(tmp_path), "")
