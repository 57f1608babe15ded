"""Folders, Dockerfiles and names that cannot be: said at their field or with the build, and what was typed stays."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication

from app.pages.builds.dialog import BuildDialog
from app.pages.builds.page import BuildsPage
from app.pages.images.pulling import PullDialog
from app.places import BUILD, PULL, Place
from backend.types.builds import Builder
from tests.e2e.desk import Person, at_desk
from tests.e2e.test_faults_start import ticking
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def build_dialog(fake: FakeEngine) -> AsyncIterator[tuple[Person, BuildDialog]]:
    async with fake.serve() as where, at_desk(where) as person:
        person.window.go(Place(BUILD))
        yield person, await person.find(BuildDialog, "the Build dialog", lambda _d: True)


def folder(tmp_path: Path, dockerfile: bytes | None = b"FROM scratch\nCOPY . /\n") -> Path:
    made = tmp_path / "context"
    made.mkdir()
    if dockerfile is not None:
        (made / "Dockerfile").write_bytes(dockerfile)
    return made


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        (None, "There is no file Dockerfile in it"),
        (b"", "It has no instructions"),
        (b"FROM scratch\nRUNN x\n", "Line 2"),
        (b"\x00\x01\x02" * 10, "It is not usable"),
        (b"RUN before-from\n", "FROM"),
        (b"x" * 3_000_000, "It is not usable"),
        (b"FROM scratch\nCOPY --from=\n", "Line 2"),
    ],
    ids=["missing", "empty", "wrong word", "binary", "no FROM", "huge", "cut"],
)
async def test_a_dockerfile_that_cannot_be_is_said_at_its_field(
    qapp: QApplication, tmp_path: Path, dockerfile: bytes | None, words: str
) -> None:
    context = folder(tmp_path, dockerfile)
    fake = FakeEngine()
    async with build_dialog(fake) as (person, dialog):
        await person.type(dialog.context, str(context))
        await person.type(dialog.tag, "mine:1")
        await person.press("Build")
        assert words in dialog.fields["file"].error()
        assert dialog.isVisible()
        assert (dialog.context.text(), dialog.tag.text()) == (str(context), "mine:1")
        assert not fake.asked("POST", "/build")
        await person.keys(Qt.Key.Key_Escape)


async def test_a_folder_of_nobody_is_said_at_its_field(qapp: QApplication, tmp_path: Path) -> None:
    context = folder(tmp_path)
    async with build_dialog(FakeEngine()) as (person, dialog):
        for text in ("~nobody-of-that-name", "/" + "x" * 300):
            await person.type(dialog.context, text)
            await person.press("Build")
            assert dialog.fields["context"].error() == "There is no such folder"
        await person.type(dialog.context, str(context))
        await person.type(dialog.file, "~nobody-of-that-name")
        await person.press("Build")
        assert dialog.fields["file"].error() == "There is no file ~nobody-of-that-name in it"
        await person.keys(Qt.Key.Key_Escape)


async def test_what_is_dropped_may_have_a_name_that_no_file_has(qapp: QApplication, tmp_path: Path) -> None:
    async with build_dialog(FakeEngine()) as (person, dialog):
        dropped = QMimeData()
        dropped.setUrls([QUrl.fromLocalFile(f"{tmp_path}/{'x' * 300}")])
        copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        dialog.dropEvent(QDropEvent(QPointF(5, 5), copy, dropped, left, none))
        assert (dialog.context.text(), dialog.file.text()) == (str(tmp_path), "x" * 300)
        await person.keys(Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    "tag", ["Has Space", "UPPER:1", "a:b:c/", "-x", "x@sha256:" + "0" * 64, "a" * 300, "../x", "x:%2f"]
)
async def test_an_invalid_name_is_said_at_its_field(qapp: QApplication, tmp_path: Path, tag: str) -> None:
    context = folder(tmp_path)
    async with build_dialog(FakeEngine()) as (person, dialog):
        await person.type(dialog.context, str(context))
        await person.type(dialog.tag, tag)
        await person.press("Build")
        assert dialog.fields["tag"].error()
        assert dialog.isVisible()
        assert dialog.tag.text() == tag
        await person.keys(Qt.Key.Key_Escape)


async def test_a_folder_that_is_missing_is_said_at_its_field(qapp: QApplication, tmp_path: Path) -> None:
    async with build_dialog(FakeEngine()) as (person, dialog):
        for wrong in (tmp_path / "none", tmp_path / ("n" * 300), Path("/dev/null"), Path("/proc/1/mem")):
            await person.type(dialog.context, str(wrong))
            await person.press("Build")
            assert dialog.fields["context"].error()
            assert dialog.context.text() == str(wrong)
        await person.keys(Qt.Key.Key_Escape)


@asynccontextmanager
async def built(fake: FakeEngine, context: Path) -> AsyncIterator[tuple[Person, BuildsPage]]:
    """A build of a folder was asked for with the classic builder, whatever came of it."""
    fake.build_messages = [{"stream": "Step 1/2 : FROM scratch\n"}, {"aux": {"ID": "sha256:" + "1" * 64}}]
    async with build_dialog(fake) as (person, dialog):
        await person.type(dialog.context, str(context))
        await person.type(dialog.tag, "mine:1")
        dialog.builder.set_value(Builder.CLASSIC.value)
        await person.press("Build")
        await person.until(lambda: not person.window.dialogs_open(), "the build to begin")
        yield person, cast("BuildsPage", person.window.page("builds"))


async def ended(person: Person, page: BuildsPage) -> str:
    await person.until(lambda: page.history.records and page.history.records[0].state != "running", "the end")
    return page.history.records[0].state


async def test_loops_of_links_and_odd_files_are_sent_as_they_are(qapp: QApplication, tmp_path: Path) -> None:
    context = folder(tmp_path)
    (context / "loop").symlink_to(context)
    (context / "self").symlink_to("self")
    os.mkfifo(context / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(context / "s")) if len(str(context / "s")) < 100 else None
        fake = FakeEngine()
        async with built(fake, context) as (person, page):
            assert await ended(person, page) == "succeeded"
            sent = fake.asked("POST", "/build")[0].body
            assert b"loop" in sent
            assert len(sent) < 1_000_000


async def test_a_file_that_cannot_be_read_is_named_and_the_form_comes_back(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the system's refusal is given by a stand-in."""
    context = folder(tmp_path)
    secret = context / "secret"
    secret.write_bytes(b"s")
    real = os.listdir

    def refuse(path: object = ".") -> object:
        if str(path) == str(context / "closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)  # type: ignore[call-overload]

    (context / "closed").mkdir()
    monkeypatch.setattr(os, "listdir", refuse)
    async with built(FakeEngine(), context) as (person, page):
        assert await ended(person, page) == "failed"
        assert str(context / "closed") in page.history.records[0].error
        assert "cannot be read (permission denied)" in page.view.output.text
        assert person.says(str(context / "closed"))
        await person.press("Build again…")
        assert page.dialog is not None
        assert (page.dialog.context.text(), page.dialog.tag.text()) == (str(context), "mine:1")
        await person.keys(Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("write /var/lib/docker/tmp/x: no space left on device", "no space left on device"),
        (
            "pull access denied for nothing, repository does not exist or may require 'docker login'",
            "pull access denied",
        ),
        ("<img src=x><b>COPY failed</b>", "<b>COPY failed</b>"),
    ],
)
async def test_an_error_in_the_last_line_is_a_failure(
    qapp: QApplication, tmp_path: Path, message: str, words: str
) -> None:
    fake = FakeEngine()
    async with fake.serve() as where, at_desk(where) as person:
        fake.build_messages = [
            {"stream": "Step 1/2 : FROM scratch\n"},
            {"errorDetail": {"message": message}, "error": message},
        ]
        person.window.go(Place(BUILD))
        dialog = await person.find(BuildDialog, "the Build dialog", lambda _d: True)
        await person.type(dialog.context, str(folder(tmp_path)))
        await person.type(dialog.tag, "mine:1")
        dialog.builder.set_value(Builder.CLASSIC.value)
        await person.press("Build")
        page = cast("BuildsPage", person.window.page("builds"))
        assert await ended(person, page) == "failed"
        assert words in page.history.records[0].error, page.history.records[0]
        record = page.history.records[0]
        assert record.error_line or words in page.view.output.text


@pytest.mark.parametrize("fault", [{"cut_after": 150}, {"raw": b"\x00garbage\r\n\r\n"}], ids=["cut", "garbage"])
async def test_a_stream_that_breaks_is_a_failure(qapp: QApplication, tmp_path: Path, fault: dict[str, object]) -> None:
    fake = FakeEngine()
    fake.fail("/build", **fault)
    async with built(fake, folder(tmp_path)) as (person, page):
        assert await ended(person, page) == "failed"
        words = page.history.records[0].error
        assert words.startswith("The ")
        assert "/build" not in words
        async with ticking(person):
            pass


async def test_a_huge_folder_to_a_silent_engine_can_be_cancelled(qapp: QApplication, tmp_path: Path) -> None:
    context = folder(tmp_path)
    with (context / "huge").open("wb") as sparse:
        sparse.truncate(1 << 40)

    fake = FakeEngine()
    async with built(fake, context) as (person, page):
        await person.until(lambda: page.history.records, "the record")
        async with ticking(person):
            pass
        await person.nav("builds")
        page.open(page.history.records[0].id)
        if page.history.records[0].state == "running":
            await person.press("Cancel build")
        assert await ended(person, page) in ("cancelled", "failed")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", "disk is full"),
        ("toomanyrequests: You have reached your pull rate limit", "asks to wait"),
        ("pull access denied for x, repository does not exist", "was not found"),
        ("filesystem layer verification failed for digest sha256:0", "verification failed"),
        ("Get https://registry: dial tcp: lookup registry: no such host", "does not answer"),
    ],
)
async def test_a_pull_that_fails_says_why_at_its_field(qapp: QApplication, message: str, words: str) -> None:
    fake = FakeEngine()
    fake.pulls["far/away:1"] = [{"errorDetail": {"message": message}, "error": message}]
    async with fake.serve() as where, at_desk(where) as person:
        person.window.go(Place(PULL))
        dialog = await person.find(PullDialog, "the pull dialog", lambda _d: True)
        await person.type(dialog.reference, "far/away:1")
        await person.press("Pull")
        await person.until(dialog.field.error, "the reason")
        assert words in dialog.field.error()
        assert dialog.reference.text() == "far/away:1"
        await person.press("Cancel")
