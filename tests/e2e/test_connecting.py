"""Another engine by its address: the one in use stays until it answers, and the one of last time is not forgotten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.findings import engine_choices
from app.pages.onboarding.connecting import ConnectDialog
from app.session import Phase
from backend import discovery, endpoint
from backend.endpoint import UnixSocket
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


def engine_with(name: str) -> FakeEngine:
    fake = FakeEngine()
    fake.add_container(name)
    return fake


def choices(person: Person) -> list[str]:
    """What the menu of engines offers."""
    return [c.text for c in engine_choices(person.desk.engines, person.desk.session.state, lambda: None)]


def names(person: Person) -> set[str]:
    return {c.name for c in person.desk.stores.containers.values.values()}


async def test_a_wrong_address_leaves_the_engine_in_use_and_what_was_typed(qapp: QApplication, tmp_path: Path) -> None:
    async with engine_with("mine").serve() as here, at_desk(here) as person:
        await person.until(lambda: names(person) == {"mine"}, "the list")
        address = f"unix://{tmp_path}/wrong.sock"
        dialog = await person.connect_to(address)
        await person.sees("No engine is running there")
        assert person.says(f"{tmp_path}/wrong.sock is missing") or person.says(f"{address} is missing")
        assert dialog.address.text() == address
        assert dialog.connect_button.isEnabled()
        assert names(person) == {"mine"}
        assert person.desk.session.state.phase is Phase.CONNECTED
        assert person.desk.preferences.get("engine/last", "") == endpoint.text(here)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (None, "There is no such folder"),
        ((), "Neither ca.pem nor cert.pem is in it"),
        (("ca.pem", "cert.pem"), "key.pem is missing in it"),
        (("key.pem",), "cert.pem is missing in it"),
    ],
)
async def test_a_folder_that_lacks_a_tls_file_is_said_at_its_field(
    qapp: QApplication, tmp_path: Path, files: tuple[str, ...] | None, words: str
) -> None:
    folder = tmp_path / "tls"
    for name in files or ():
        folder.mkdir(exist_ok=True)
        (folder / name).touch()
    if files == ():
        folder.mkdir()
    async with engine_with("mine").serve() as here, at_desk(here) as person:
        dialog = await person.connect_to("tcp://127.0.0.1:1", folder)
        assert dialog.folder_field.error() == words
        assert person.has_keys(dialog.folder)
        assert person.desk.session.state.endpoint == here


async def test_the_folder_of_tls_files_may_be_below_home_as_a_shell_has_it(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "tls").mkdir()
    async with engine_with("mine").serve() as here, at_desk(here) as person:
        dialog = await person.connect_to("tcp://127.0.0.1:1", Path("~/tls"))
        assert dialog.folder_field.error() == "Neither ca.pem nor cert.pem is in it"
        await person.type(dialog.folder, "~nobody-of-that-name")
        await person.press("Connect")
        assert dialog.folder_field.error() == "There is no such folder"
        assert person.desk.session.state.endpoint == here


async def test_waiting_for_an_answer_can_be_given_up(qapp: QApplication, tmp_path: Path) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side ends
        writer.close()

    silent = await asyncio.start_unix_server(silence, tmp_path / "silent")
    async with silent, engine_with("mine").serve() as here, at_desk(here) as person:
        dialog = await person.connect_to(f"unix://{tmp_path}/silent")
        await person.sees("Waiting for its answer")
        assert not dialog.address_field.isEnabled()
        await person.keys(Qt.Key.Key_Escape)
        await person.until(lambda: not person.window.dialogs_open(), "the dialog to close")
        connecting = person.desk.engines._connecting
        assert connecting is not None
        await person.until(connecting.done, "the question to end")
        assert person.desk.session.state.endpoint == here


async def test_the_engine_of_last_time_is_named_while_it_is_away_and_used_when_it_comes(
    qapp: QApplication, own_engine: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(own_engine.start)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    async with at_desk(None, connect=False) as person:
        await person.connect_to(own_engine.docker_host)
        await person.until(lambda: person.desk.session.engine is not None, "the engine")
        version = person.desk.session.state.version
    await asyncio.to_thread(own_engine.kill)
    async with at_desk(None, connect=False) as person:
        await person.sees(own_engine.docker_host)
        await person.sees(f"Nothing answers at {own_engine.docker_host}")
        await asyncio.to_thread(own_engine.start)
        await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the engine to be used")
        assert person.desk.session.state.endpoint == own_engine.endpoint
        assert person.desk.session.state.version == version


async def test_another_engine_is_used_with_a_word_and_the_next_start_asks_the_first_again(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    other = UnixSocket(str(tmp_path / "other"))
    monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", other.path)])
    first, second = engine_with("first"), engine_with("second")
    mine = str(tmp_path / "mine")
    async with second.serve(other.path):
        async with first.serve(mine), at_desk(None, connect=False) as person:
            await person.connect_to(f"unix://{mine}")
            await person.until(lambda: names(person) == {"first"}, "the first")
        async with at_desk(None, connect=False) as person:
            await person.until(lambda: names(person) == {"second"}, "the second")
            assert any(mine in notice.detail for notice in person.notices)
            await person.until(lambda: any(mine in words for words in choices(person)), "the first in the menu")
        async with first.serve(mine), at_desk(None, connect=False) as person:
            await person.until(lambda: names(person) == {"first"}, "the first again")


async def test_the_dialog_asks_for_an_address(qapp: QApplication) -> None:
    async with engine_with("mine").serve() as here, at_desk(here) as person:
        person.desk._open_connect()
        dialog = await person.find(ConnectDialog, "the dialog", lambda _d: True)
        await person.press("Connect")
        assert dialog.address_field.error() == "Type an address"
        assert person.has_keys(dialog.address)
