"""Files of ours and of docker that are empty, cut, binary, strange or not writable: it starts anyway, and says so."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import paths
from app.pages.containers.page import ContainersPage
from app.preferences import FILE_NAME
from app.stores import builds
from backend import discovery
from tests.e2e.desk import at_desk
from tests.e2e.test_process import WITH_SCRIPT, home, program
from tests.fakes.engine import FakeEngine

__all__ = ["home"]
pytestmark = pytest.mark.asyncio
GOOD = b'[window]\npage="\\"images\\""\n'


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    made.add_container("web")
    return made


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", False),
        (GOOD[:-4], False),
        (b'[window]\npage=9\nunheard="{}"\n[newer]\nformat="99"\n', False),
        (b"\x00\xff\x13\x88" * 500, True),
        ("[window]\npage=\u202e\n".encode(), True),
    ],
    ids=["empty", "cut", "newer", "binary", "strange"],
)
async def test_settings_that_are_broken(qapp: QApplication, fake: FakeEngine, content: bytes, said: bool) -> None:
    path = paths.config_dir() / FILE_NAME
    path.write_bytes(content)
    async with fake.serve() as where, at_desk(where) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.row(page.list.table, "web")
        await person.rest()
        assert any(n.title == "The settings could not be read" for n in person.notices) is said
        if said:
            assert path.with_suffix(".ini.broken").read_bytes() == content
    assert b"containers" in path.read_bytes()


async def test_a_folder_where_the_settings_should_be(qapp: QApplication, fake: FakeEngine) -> None:
    (paths.config_dir() / FILE_NAME / "x").mkdir(parents=True)
    async with fake.serve() as where, at_desk(where) as person:
        await person.until(lambda: person.notices, "a word about it")
        assert person.notices[0].title == "The settings could not be read"


@pytest.mark.parametrize("content", [b"nothing of a database" * 50, b"SQLite format 3\0" + b"\xff" * 4000])
async def test_a_history_that_is_broken(qapp: QApplication, fake: FakeEngine, content: bytes) -> None:
    (paths.data_dir() / builds.FILE).write_bytes(content)
    async with fake.serve() as where, at_desk(where) as person:
        await person.until(lambda: person.notices, "a word about it")
        assert person.notices[0].title == "The history of builds could not be read"
        assert Path(person.desk.builds.set_aside).read_bytes() == content


@pytest.mark.parametrize(
    "content", [b'{"currentCont', b"\x00\xff" * 100, b"[" * 100_000, b'{"currentContext": 7}', b"[]"]
)
async def test_a_docker_configuration_that_is_broken(
    qapp: QApplication, fake: FakeEngine, own_home: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    folder = own_home / "docker"
    meta = folder / "contexts" / "meta" / "ab"
    meta.mkdir(parents=True)
    (folder / "config.json").write_bytes(content)
    (meta / "meta.json").write_bytes(content)
    async with fake.serve() as where:
        monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", where.path)])
        async with at_desk(None, connect=False) as person:
            await person.connected()
            await person.until(lambda: person.notices, "a word about it")
            assert person.notices[0].title == "Docker's own configuration cannot be used"
            assert f"{folder}/config.json" in person.notices[0].detail
    assert (folder / "config.json").read_bytes() == content


async def test_a_docker_configuration_that_says_nothing_is_none(
    qapp: QApplication, fake: FakeEngine, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docker takes it, too."""
    (own_home / "docker").mkdir()
    (own_home / "docker" / "config.json").write_bytes(b"")
    async with fake.serve() as where:
        monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", where.path)])
        async with at_desk(None, connect=False) as person:
            await person.connected()
            await person.rest()
            assert person.notices == []


async def test_a_chosen_context_that_does_not_exist_is_told(
    qapp: QApplication, fake: FakeEngine, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "docker").mkdir()
    (own_home / "docker" / "config.json").write_text('{"currentContext": "gone"}')
    async with fake.serve() as where:
        monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", where.path)])
        async with at_desk(None, connect=False) as person:
            await person.connected()
            assert any("gone" in n.title + n.detail for n in person.notices)


TELLING = """
def script(desk):
    from app.widgets.toasts import Toast
    toasts = desk.window.findChildren(Toast)
    print("TOLD", desk.session.state.phase.value, [t.title.text() for t in toasts], flush=True)
    desk.quit_now()
"""


@pytest.mark.slow
async def test_folders_that_cannot_be_made(fake: FakeEngine, home: Path) -> None:
    (home / "file").write_text("in the way")
    async with fake.serve() as where, program(home / "file", where, WITH_SCRIPT.format(script=TELLING)) as running:
        assert await running.ended() == 0, running.said
        told = next(line for line in running.said if line.startswith("TOLD"))
        assert "connected" in told
        assert "The folders of Pilothouse cannot be used" in told
        assert "Traceback" not in "".join(running.said), running.said


@contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """As on a full disk: no file of this process or of a child can grow. Only in a test's body: pytest writes too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.getsignal(signal.SIGXFSZ)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.slow
async def test_a_full_disk_at_home(fake: FakeEngine, home: Path) -> None:
    with nothing_can_be_written():
        async with fake.serve() as where, program(home, where, WITH_SCRIPT.format(script=TELLING)) as running:
            code, said = await running.ended(), list(running.said)
    assert code == 0, said
    told = next(line for line in said if line.startswith("TOLD"))
    assert "connected" in told
    assert "The history of builds is not kept" in told, told


async def test_settings_that_cannot_be_written(qapp: QApplication, fake: FakeEngine) -> None:
    with nothing_can_be_written():
        async with fake.serve() as where, at_desk(where) as person:
            person.desk.preferences.set("a/b", "c" * 5000)
            person.desk.preferences.save()
            await person.keys(Qt.Key.Key_F5)
            kept = person.desk.preferences.get("a/b", "")
    assert kept.startswith("c")
