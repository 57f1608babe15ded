"""The window where no engine can be used: missing, closed, of another age, garbled, silent, oddly addressed."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.keysheet import KeySheet
from app.pages.containers.page import ContainersPage
from app.widgets.enginebutton import EngineButton
from backend import discovery, endpoint
from backend.embedded import requirements
from backend.endpoint import UnixSocket
from tests.e2e.desk import Person, at_desk, environment
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def only_what_the_test_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine of this computer is not found."""
    monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", "/nowhere/docker.sock")])


@asynccontextmanager
async def ticking(person: Person) -> AsyncIterator[None]:
    """Inside, Qt's own timer goes on and buttons and keys answer, whatever the engine does."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(10)
    yield
    before = ticks
    await person.until(lambda: ticks > before + 3, "Qt's timer to go on")
    await person.nav("activity")
    await person.nav("images")
    await person.nav("containers")
    await person.keys(Qt.Key.Key_F1)
    await person.find(KeySheet, "the keys", lambda _sheet: True)
    await person.keys(Qt.Key.Key_Escape)
    await person.until(lambda: not person.window.dialogs_open(), "the keys to go")
    timer.stop()


@asynccontextmanager
async def scripted(path: Path, answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[UnixSocket]:
    """A socket that gives `answer` to whoever connects, and counts nothing."""
    tasks: set[asyncio.Task[Any]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await reader.read(10)
            await answer(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_unix_server(talk, str(path))
    try:
        yield UnixSocket(str(path))
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A socket's path that is short enough."""
    return tmp_path_factory.mktemp("s") / "s"


async def test_a_wrong_path_is_named_and_the_engine_used_once_it_comes(qapp: QApplication, short: Path) -> None:
    fake = FakeEngine()
    fake.add_container("late")
    async with at_desk(UnixSocket(str(short)), connect=False) as person:
        async with ticking(person):
            await person.sees("No engine is running yet")
            await person.sees(f"{short} is missing")
            assert any("No engine is running there" in n.title for n in person.notices)
            await person.button("Start engine")
            await person.button("Connect…")
            await person.press("Look again")
            await person.sees(f"{short} is missing")
        async with fake.serve(str(short)):
            await person.connected(seconds=10)
            page = cast("ContainersPage", await person.nav("containers"))
            await person.row(page.list.table, "late")


def install_programs(folder: Path) -> None:
    """Programs of an engine's names, that are found but never started."""
    for name in {*requirements.ROOT_PROGRAMS, *requirements.ROOTLESS_PROGRAMS}:
        (folder / name).touch(0o700)


async def test_a_forbidden_socket_names_the_group_and_offers_the_embedded_engine(
    qapp: QApplication, short: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever runs this may be root, whom no mode stops: the refusal is given by the loop."""
    monkeypatch.setattr(requirements, "search_path", lambda: str(tmp_path))
    install_programs(tmp_path)
    fake = FakeEngine()
    loop = type(asyncio.get_running_loop())
    tried: list[object] = []

    async def refuse(_self: object, _protocol: object, path: object = None, **_more: object) -> object:
        tried.append(path)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    async with fake.serve(str(short)) as where:
        short.chmod(0o660)
        monkeypatch.setattr(loop, "create_unix_connection", refuse)
        async with at_desk(where, connect=False) as person, ticking(person):
            await person.sees("No engine is running yet")
            await person.sees(f"Members of the group {endpoint.group_name(where.path)} may; that group equals root.")
            await person.sees("The embedded engine needs no group.")
            await person.button("Start engine")
            notice = next(n for n in person.notices if n.title == "You may not use this engine")
            assert notice.step is not None
            assert notice.step.act == "start-embedded"
        assert str(short) in tried


async def test_where_the_system_is_not_known_no_list_of_commands_is_called_one(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(requirements, "search_path", lambda: str(tmp_path))
    monkeypatch.setattr(requirements, "install_steps", lambda: requirements.INSTALL)
    async with at_desk(None, connect=False) as person:
        await person.sees("dockerd is not installed")
        assert not person.says("Copy install command")
        await person.press("Copy")
        assert "\nFedora: sudo dnf" in QGuiApplication.clipboard().text()


async def test_without_a_program_the_command_that_installs_it_is_offered(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(requirements, "search_path", lambda: str(tmp_path))
    monkeypatch.setattr(requirements, "install_steps", lambda: (("", requirements.INSTALL[0][1]),))
    async with at_desk(None, connect=False) as person, ticking(person):
        await person.sees("dockerd is not installed")
        await person.button("Connect…")
        assert not person.says("Start engine")
        await person.press("Copy install command")
        assert QGuiApplication.clipboard().text() == requirements.INSTALL[0][1]
        await person.sees("Copied")
        install_programs(tmp_path)  # somebody typed it
        await person.press("Look again")
        await person.until(lambda: not person.says("dockerd is not installed"), "the new look")
        start = await person.button("Start engine")
        assert start.isEnabled() is person.desk.engines.findings.can_embed


@pytest.mark.parametrize(
    ("api", "oldest", "words"), [("1.24", "1.12", "This engine is too old"), ("1.99", "1.98", "This engine is too new")]
)
async def test_an_engine_of_another_age_is_told(qapp: QApplication, api: str, oldest: str, words: str) -> None:
    fake = FakeEngine(api=api, oldest=oldest)
    async with fake.serve() as where, at_desk(where, connect=False) as person, ticking(person):
        await person.sees(words)
        await person.sees("Pilothouse needs")
        await person.sees("No engine is running yet")
        assert {r.path for r in fake.requests} == {"/_ping", "/version"}, "nothing is asked in a tongue it has not"


async def test_something_that_is_no_engine_is_told(qapp: QApplication, short: Path) -> None:
    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\x00\xff<b>hello</b>\r\n\r\n" * 100)
        await writer.drain()

    async with scripted(short, garbage) as where, at_desk(where, connect=False) as person, ticking(person):
        await person.sees("Is this address really a container engine's?")
        await person.sees("No engine is running yet")
        assert person.desk.session.engine is None
        assert not [words for words in person.words() if "hello" in words], "foreign bytes are shown as words"


async def test_headers_without_end_are_told(qapp: QApplication, short: Path) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"y" * 60_000 + b"\r\n")
            await writer.drain()

    async with scripted(short, endless) as where, at_desk(where, connect=False) as person, ticking(person):
        await person.sees("The engine's answer was too large")
        await person.sees("No engine is running yet")
        assert person.desk.session.engine is None


async def test_silence_is_told_and_another_engine_can_be_chosen_meanwhile(qapp: QApplication, short: Path) -> None:
    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    fake = FakeEngine()
    fake.add_container("other")
    async with (
        scripted(short, silence) as where,
        fake.serve() as other,
        at_desk(where, connect=False) as person,
    ):
        async with ticking(person):
            await person.sees("The engine did not answer in time")
            await person.sees("No engine is running yet")
        assert person.desk.session.engine is None
        await person.connect_to(endpoint.text(other))
        await person.connected()
        page = cast("ContainersPage", await person.nav("containers"))
        await person.row(page.list.table, "other")
        assert fake.asked("GET", "/containers/json")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("tcp://", "the host is missing"),
        ("npipe://", "npipe://"),
        ("ssh://-oProxyCommand=touch", "ssh://-oProxyCommand=touch is not an address of an engine"),
        ("ssh://someone@no-such-host.invalid", "No host named no-such-host.invalid was found"),
        ("unix://relative", "unix://relative is not an address of an engine"),
        ("ftp://127.0.0.1:1", "is not an address of an engine"),
        ("<img src=x>", "<img src=x> is not an address of an engine"),
        ("tcp://192.0.2.1:2375", "without TLS"),
    ],
)
async def test_an_odd_docker_host_is_told(qapp: QApplication, host: str, words: str) -> None:
    with environment(DOCKER_HOST=host):
        async with at_desk(None, connect=False) as person:
            await person.sees("No engine is running yet")
            low = words.lower()
            await person.until(lambda: any(low in said.lower() for said in person.words()), words)
            assert person.desk.session.engine is None
            button = await person.find(EngineButton, "the engine button", lambda _b: True)
            assert button.isEnabled()


async def test_a_docker_host_without_its_certificates_is_told(qapp: QApplication, tmp_path: Path) -> None:
    with environment(DOCKER_HOST="tcp://127.0.0.1:1", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(tmp_path / "none")):
        async with at_desk(None, connect=False) as person, ticking(person):
            await person.sees("No engine is running yet")
            await person.until(lambda: person.notices, "a notice")
            assert str(tmp_path / "none" / "ca.pem") in person.notices[-1].detail
            assert person.desk.session.engine is None


async def test_proxies_of_the_environment_are_not_asked(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_container("web")
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    proxy = "http://{}:{}".format(*server.sockets[0].getsockname())
    with environment(HTTP_PROXY=proxy, http_proxy=proxy, ALL_PROXY=proxy, HTTPS_PROXY=proxy, all_proxy=proxy):
        async with server, fake.serve() as where, at_desk(where) as person:
            page = cast("ContainersPage", await person.nav("containers"))
            await person.row(page.list.table, "web")
            assert fake.asked("GET", "/containers/json")
            assert asked == []


async def test_a_wrong_docker_host_is_told_though_another_engine_answers(
    qapp: QApplication, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEngine()
    async with fake.serve() as other:
        monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", other.path)])
        async with at_desk(UnixSocket(str(short)), connect=False) as person:
            await person.connected()
            assert person.desk.session.state.label == "Docker"
            assert any(str(short) in n.detail for n in person.notices)
