"""The Import and Pull dialogs in front of an engine: what is typed, what is given up, and what breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.operation import OperationState
from app.pages.images.dialogs import ImportDialog
from app.pages.images.pulling import PullDialog
from app.places import PULL, Place
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def import_dialog(fake: FakeEngine) -> AsyncIterator[tuple[Person, ImportDialog]]:
    async with fake.serve() as where, at_desk(where) as person:
        dialog = ImportDialog(person.window._theme, person.window, person.desk.session)
        dialog.open()
        yield person, dialog


def archive(folder: Path) -> Path:
    made = folder / "root.tar"
    made.write_bytes(b"x" * 1000)
    return made


async def test_a_path_that_no_file_can_have_is_said_at_its_field(qapp: QApplication) -> None:
    async with import_dialog(FakeEngine()) as (person, dialog):
        for text in ("/" + "x" * 300, "~nobody-of-that-name/x"):
            await person.type(dialog.path, text)
            assert dialog.path_field.error() == "There is no such file"
            await person.type(dialog.reference, "base:1")
            await person.press("Import")
            assert dialog.path_field.error() == "Choose an archive"


async def test_the_home_folder_may_be_typed_as_a_shell_has_it(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    archive(tmp_path)
    fake = FakeEngine()
    async with import_dialog(fake) as (person, dialog):
        await person.type(dialog.path, "~/root.tar")
        await person.type(dialog.reference, "base:1")
        await person.press("Import")
        await person.until(lambda: fake.find_image("base:1"), "the image")
        assert not person.window.dialogs_open()


async def test_cancel_stops_an_import_and_keeps_what_was_typed(qapp: QApplication, tmp_path: Path) -> None:
    fake = FakeEngine()
    fault = fake.fail("/images/create", hang=True, times=1)
    async with import_dialog(fake) as (person, dialog):
        await person.type(dialog.path, str(archive(tmp_path)))
        await person.type(dialog.reference, "base:1")
        await person.press("Import")
        await person.until(lambda: fault.seen, "the engine to be asked")
        operation = person.last("Import")
        await person.press("Cancel")
        await person.until(lambda: not operation.running, "the import to end")
        assert operation.state is OperationState.CANCELLED
        await person.until(lambda: fake.hangups, "the engine to be let go")
        assert dialog.isVisible()
        assert not dialog.bar.isVisible()
        assert dialog.reference.text() == "base:1"
        assert fake.find_image("base:1") is None
        await person.press("Import")
        await person.until(lambda: fake.find_image("base:1"), "the image of the second time")


async def test_an_import_that_is_hidden_goes_on(qapp: QApplication, tmp_path: Path) -> None:
    fake = FakeEngine()
    fault = fake.fail("/images/create", delay=0.3)
    async with import_dialog(fake) as (person, dialog):
        await person.type(dialog.path, str(archive(tmp_path)))
        await person.type(dialog.reference, "base:1")
        await person.press("Import")
        await person.until(lambda: fault.seen, "the engine to be asked")
        await person.press("Hide")
        assert not person.window.dialogs_open()
        await asyncio.wait_for(person.done(person.last("Import")), 60)
        assert fake.find_image("base:1") is not None


async def test_an_engine_that_goes_is_not_the_archives_fault_and_forgotten_once_it_is_back(
    qapp: QApplication, tmp_path: Path
) -> None:
    fake = FakeEngine()
    fault = fake.fail("/images/create", cut_after=0, times=1)
    async with import_dialog(fake) as (person, dialog):
        await person.type(dialog.path, str(archive(tmp_path)))
        await person.type(dialog.reference, "base:1")
        await person.press("Import")
        await person.until(lambda: fault.seen, "the engine to be asked")
        await person.sees("The connection to the engine broke")
        assert dialog.path_field.error() == ""
        assert dialog.reference.text() == "base:1"
        fake.drop_all()
        await person.until(lambda: not person.says("The connection to the engine broke"), "the note to go")
        await person.connected()
        await person.press("Import")
        await person.until(lambda: fake.find_image("base:1"), "the image")


async def test_an_engine_that_goes_during_a_pull_is_not_the_fault_of_the_name(qapp: QApplication) -> None:
    fake = FakeEngine()
    fault = fake.fail("/images/create", cut_after=0, times=1)
    async with fake.serve() as where, at_desk(where) as person:
        person.window.go(Place(PULL))
        dialog = await person.find(PullDialog, "the dialog", lambda _d: True)
        await person.type(dialog.reference, "web:1")
        await person.press("Pull")
        await person.until(lambda: fault.seen, "the engine to be asked")
        await person.sees("The connection to the engine broke")
        assert dialog.field.error() == ""
        await person.press("Pull")
        await person.until(lambda: fake.find_image("web:1"), "the image")
