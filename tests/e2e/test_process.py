"""The program as a process: it ends when told to, leaves nothing behind, and speaks of its last crash."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.crash import left_reports
from backend.endpoint import UnixSocket, text
from tests.fakes.engine import FakeEngine

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
ROOT = Path(__file__).parents[2]
SECONDS = 60.0

AS_IT_IS = "import sys; from app.main import main; sys.exit(main())"
WITH_SCRIPT = """
import asyncio, os, sys, threading
from app import desk as desks, main
from app.desk import Desk
from PySide6.QtCore import QTimer
{script}
old = Desk.open
async def opened(self):
    await old(self)
    QTimer.singleShot(1500, lambda: script(self))
Desk.open = opened
sys.exit(main.main())
"""


@dataclass
class Program:
    """A running Pilothouse."""

    process: asyncio.subprocess.Process
    home: Path
    said: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        path = self.home / "log" / "pilothouse.log"
        return path.read_text() if path.exists() else ""

    async def until(self, true: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                while not true():
                    assert self.process.returncode is None, f"ended with {self.process.returncode}: {self.said}"
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"waited for {what}: {self.said} {self.log}") from None

    async def ended(self) -> int:
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found]

    def reports(self) -> list[Path]:
        return list((self.home / "log").glob("crash-*.txt"))


@asynccontextmanager
async def program(
    home: Path, engine: UnixSocket | None, code: str = AS_IT_IS, display: str = ""
) -> AsyncIterator[Program]:
    """Pilothouse without a screen, or on an X display, killed at the end where it lives on."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PILOTHOUSE_HOME": str(home)}
    if display:
        environment |= {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
    if engine is not None:
        environment["DOCKER_HOST"] = text(engine)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    made = Program(process, home)

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            made.said.append(line.decode(errors="replace"))

    reading = asyncio.ensure_future(read())
    try:
        yield made
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name)
async def test_a_signal_ends_it_well(home: Path, how: signal.Signals) -> None:
    fake = FakeEngine()
    fake.add_container("web")
    async with fake.serve() as where, program(home, where) as running:
        await running.until(lambda: fake.asked("GET", "/events"), "the window to follow the engine")
        before = running.children()
        running.process.send_signal(how)
        assert await running.ended() == 0, running.said
        assert [pid for pid in before if Path(f"/proc/{pid}").exists()] == []
        assert running.reports() == []
        assert "Traceback" not in "".join(running.said), running.said
        assert "ERROR" not in running.log


async def test_a_signal_ends_it_while_no_engine_answers(home: Path) -> None:
    async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)

    asked: list[asyncio.StreamWriter] = []
    path = home / "s"
    server = await asyncio.start_unix_server(silence, str(path))
    try:
        async with program(home, UnixSocket(str(path))) as running:
            await running.until(lambda: asked, "a question to the engine")
            running.process.send_signal(signal.SIGTERM)
            assert await running.ended() == 0, running.said
            assert "Traceback" not in "".join(running.said), running.said
    finally:
        for writer in asked:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


FIFTY = """
from pathlib import Path
from app.commands.builds import BUILD
from app.places import Place
from backend import containers, events
from backend.types.builds import Builder, BuildRequest
async def follow(engine, cid):
    async for _ in containers.stats_stream(engine, cid):
        pass
def script(desk):
    engine = desk.session.engine
    for cid in list(desk.session.stores.containers.values)[:50]:
        desk.scope.start(follow(engine, cid), name="follow")
    page = desk.window.page("builds")
    desk.window.go(Place("builds"))
    page.start(BuildRequest(context=Path(%r), tag="big:1", builder=Builder.CLASSIC), "FROM scratch\\n")
"""


async def test_quitting_with_fifty_streams_and_a_build_ends_all(home: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / "big").write_bytes(b"x" * 20_000_000)
    fake = FakeEngine()
    for n in range(50):
        fake.add_container(f"c{n}")
    fake.fail("/build", hang=True)
    code = WITH_SCRIPT.format(script=FIFTY % str(tmp_path))
    async with fake.serve() as where, program(home, where, code) as running:
        await running.until(lambda: len({r.path for r in fake.asked("GET", "/stats")}) == 50, "fifty streams")
        await running.until(lambda: fake.asked("POST", "/build"), "the build")
        before = running.children()
        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == 0, running.said
        assert [pid for pid in before if Path(f"/proc/{pid}").exists()] == []
        assert "did not end in time" not in running.log
        assert "Traceback" not in "".join(running.said), running.said
        assert running.reports() == []


THROWING = """
def script(desk):
    told = []
    show = desk.window.toasts.show_notice
    desk.window.toasts.show_notice = lambda *a, **k: (told.append(a), show(*a, **k))
    def slot():
        raise KeyError("in a slot")
    def worker():
        raise ZeroDivisionError("in a thread")
    async def task():
        raise LookupError("in a task")
    def callback():
        raise FloatingPointError("in a callback")
    QTimer.singleShot(0, slot)
    threading.Thread(target=worker).start()
    desk.scope.start(task(), name="throws")
    asyncio.get_event_loop().call_soon(callback)
    def finish():
        print("TOLD", sorted(a[2] for a in told), flush=True)
        desk.quit_now()
    QTimer.singleShot(1500, finish)
"""


async def test_what_nobody_catches_is_logged_and_told(home: Path) -> None:
    fake = FakeEngine()
    async with fake.serve() as where, program(home, where, WITH_SCRIPT.format(script=THROWING)) as running:
        assert await running.ended() == 0, running.said
        told = next(line for line in running.said if line.startswith("TOLD"))
        for kind, words in (
            ("KeyError", "in a slot"), ("ZeroDivisionError", "in a thread"), ("LookupError", "in a task"),
            ("FloatingPointError", "in a callback"),
        ):  # fmt: skip
            assert kind in told, told
            assert words in told
            assert kind in running.log, running.log
        assert running.log.count("Traceback") >= 4


CRASHING = """
def script(desk):
    import ctypes
    ctypes.string_at(0)
"""
LOOKING = """
from app.pages.settings.reports import CrashReportDialog
def script(desk):
    found = desk.window.findChildren(CrashReportDialog)
    print("OFFERED", [d.text.text() for d in found if d.isVisible()], flush=True)
    {then}
    desk.quit_now()
"""


async def test_a_crash_is_offered_at_each_start_until_it_was_seen(home: Path) -> None:
    fake = FakeEngine()
    async with fake.serve() as where:
        async with program(home, where, WITH_SCRIPT.format(script=CRASHING)) as running:
            assert await running.ended() == -signal.SIGSEGV, running.said
            (report,) = running.reports()
            assert "Segmentation fault" in report.read_text()
            assert report.stat().st_mode & 0o777 == 0o600
        for then, is_offered in (("pass", True), ("found[0].reject()", True), ("pass", False)):  # until it was seen
            script = LOOKING.format(then=then)
            async with program(home, where, WITH_SCRIPT.format(script=script)) as running:
                assert await running.ended() == 0, running.said
                offered = next(line for line in running.said if line.startswith("OFFERED"))
                assert ("Segmentation fault" in offered) is is_offered, offered


async def test_a_signal_that_kills_from_outside_leaves_a_report(home: Path) -> None:
    fake = FakeEngine()
    async with fake.serve() as where, program(home, where) as running:
        await running.until(lambda: fake.asked("GET", "/events"), "the window to follow the engine")
        running.process.send_signal(signal.SIGSEGV)
        assert await running.ended() == -signal.SIGSEGV
        (report,) = running.reports()
        assert "Segmentation fault" in report.read_text()


async def test_a_display_that_dies_is_no_crash_of_ours(home: Path) -> None:
    if (server := shutil.which("Xvnc")) is None:
        pytest.skip("Xvnc is not installed: make test installs it")
    told, tell = os.pipe()
    words = ("-displayfd", str(tell), "-SecurityTypes", "None", "-localhost", "-rfbport", "-1", "-nolisten", "tcp")
    screen = await asyncio.create_subprocess_exec(
        server, *words, "-rfbunixpath", str(home / "rfb"), pass_fds=(tell,), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    os.close(tell)
    fake = FakeEngine()
    try:
        number = (await asyncio.to_thread(os.read, told, 16)).decode().strip()
        assert number, "Xvnc found no display"
        async with fake.serve() as where, program(home, where, display=f":{number}") as running:
            await running.until(lambda: fake.asked("GET", "/events"), "the window to follow the engine")
            screen.terminate()  # by a kill it would leave its lock
            assert await running.ended() == 1, running.said
            assert [report.text for report in left_reports(home / "log")] == [], running.said
    finally:
        os.close(told)
        if screen.returncode is None:
            screen.terminate()
        await screen.wait()


async def test_no_display_at_all_is_no_crash_of_ours(home: Path) -> None:
    async with program(home, None, display=":65000") as running:
        assert await running.ended() != 0
        assert "display" in "".join(running.said)
        assert left_reports(home / "log") == []


ENDING = """
from PySide6.QtWidgets import QApplication
def script(desk):
    QApplication.exit(1)
"""
RAISING = """
def script(desk):
    desk.quit_asked.set_exception(RuntimeError("of ours"))
"""


@pytest.mark.parametrize(("script", "reports"), [(ENDING, 0), (RAISING, 1)], ids=["by Qt", "by us"])
async def test_only_an_end_by_our_own_fault_is_a_crash(home: Path, script: str, reports: int) -> None:
    fake = FakeEngine()
    async with fake.serve() as where, program(home, where, WITH_SCRIPT.format(script=script)) as running:
        assert await running.ended() == 1, running.said
        assert len(running.reports()) == reports, running.said
        assert ("the display went away" in running.log) is not bool(reports)
