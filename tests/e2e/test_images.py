"""Images by hand: import, tag, look at layers, save, remove, load, clean up, and a pull that fails with words."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app import paths
from app.commands.images import IMPORT, LOAD, SAVE, Importing, Saving
from app.models.images import Freed, freed, unused
from app.operation import OperationState
from app.pages.images.dialogs import CleanUpDialog, ImportDialog, TagDialog
from app.pages.images.page import ImagesPage
from app.pages.images.pulling import PullDialog
from app.places import PULL, Place
from app.presentation import bytes_text
from app.widgets.confirm import Confirm
from app.widgets.text import PlainLabel
from backend import builds
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.types.builds import Builder, BuildRequest
from backend.types.images import Pruned
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def page_of(person: Person) -> ImagesPage:
    person.window.resize(1280, 800)
    return cast("ImagesPage", await person.nav("images"))


async def test_import_tag_save_remove_load(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, tmp_path: Path
) -> None:
    tar, saved = tmp_path / "root.tar", tmp_path / "saved.tar"
    tar.write_bytes(images.busybox_tar())

    async def engine(*words: str) -> str:
        return await asyncio.to_thread(docker_cli, *words, check=False)

    async with at_desk(engine_host) as person:
        page = await page_of(person)
        await person.click(page.more)
        await person.pick("Import a root file system…")
        form = await person.find(ImportDialog, "the import dialog", lambda _d: True)
        await person.type(form.path, str(tar))
        await person.type(form.reference, "hand-made:1")
        await person.press("Import")
        await person.done(person.last("Import"))
        assert json.loads(await engine("image", "inspect", "hand-made:1"))[0]["RepoTags"] == ["hand-made:1"]

        await person.open_row(page.table, "hand-made")
        await person.until(lambda: page.detail.title.text() == "hand-made:1", "the details")
        await person.until(lambda: page.detail.model.rowCount() == 1, "its one layer")

        await person.press("Tag…")
        tagging = await person.find(TagDialog, "the tag dialog", lambda _d: True)
        await person.type(tagging.reference, "UPPER")
        await person.press("Tag")
        assert tagging.field.error()
        await person.type(tagging.reference, "hand-made:2")
        await person.press("Tag")
        await person.done(person.last("Tag"))
        found = json.loads(await engine("image", "inspect", "hand-made:2"))
        assert sorted(found[0]["RepoTags"]) == ["hand-made:1", "hand-made:2"]

        operation = person.desk.session.run(SAVE, Saving(("hand-made:1", "hand-made:2"), saved))
        await person.done(operation)
        assert saved.stat().st_size > 100_000

        for left, thing in ((1, "Remove name"), (0, "Remove image")):
            await person.until(lambda: person.key_of(page.table, "hand-made"), "the row")
            await person.open_row(page.table, "hand-made")
            await person.press("Remove…")
            question = await person.find(Confirm, "the question", lambda _d: True)
            assert any("hand-made" in label.text() for label in question.findChildren(PlainLabel))
            await person.press(thing)
            await person.done(person.last("Remove"))
            assert person.window.dialogs_open() == []
            assert len((await engine("image", "ls", "-q", "hand-made")).split()) == left
        await person.until(lambda: not person.key_of(page.table, "hand-made"), "the rows to go")
        assert "No such image" in await engine("image", "inspect", "hand-made:1")

        await person.done(person.desk.session.run(LOAD, saved))
        await person.until(lambda: person.key_of(page.table, "hand-made"), "the loaded image")
        assert len(json.loads(await engine("image", "inspect", "hand-made:2"))) == 1
        await engine("rmi", "hand-made:1", "hand-made:2")


async def test_an_image_in_use_is_kept_and_the_person_told_why(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli
) -> None:
    await asyncio.to_thread(docker_cli, "import", "--message", "used", "-", "in-use:1", stdin=images.busybox_tar())
    await asyncio.to_thread(docker_cli, "run", "-d", "--name", "user-of-it", "in-use:1", "sleep", "600")
    try:
        async with at_desk(engine_host) as person:
            page = await page_of(person)
            await person.open_row(page.table, "in-use")
            await person.press("Remove…")
            await person.sees("used by user-of-it")
            await person.press("Remove image")
            operation = person.last("Remove")
            await person.until(lambda: not operation.running, "the removal to end")
            assert operation.state is OperationState.FAILED
            await person.sees("Could not remove in-use:1")
            assert person.says("user-of-it is running from it")
            assert person.key_of(page.table, "in-use")
        assert json.loads(await asyncio.to_thread(docker_cli, "image", "inspect", "in-use:1"))
        names = await asyncio.to_thread(docker_cli, "ps", "--format", "{{.Names}}")
        assert "user-of-it" in names
    finally:
        await asyncio.to_thread(docker_cli, "rm", "-f", "user-of-it", check=False)
        await asyncio.to_thread(docker_cli, "rmi", "in-use:1", check=False)


async def test_a_pull_that_cannot_be_keeps_the_form(qapp: QApplication, engine_host: UnixSocket) -> None:
    async with at_desk(engine_host) as person:
        person.window.go(Place(PULL))
        dialog = await person.find(PullDialog, "the pull dialog", lambda _d: True)
        await person.type(dialog.reference, "not a name")
        await person.press("Pull")
        assert dialog.field.error()
        await person.type(dialog.reference, "localhost:1/nobody/there:1")
        await person.press("Pull")
        await person.until(dialog.field.error, "the reason at the field")
        assert dialog.isVisible()
        assert dialog.reference.text() == "localhost:1/nobody/there:1"
        assert dialog.reference.isEnabled()
        await person.press("Cancel")


async def test_a_clean_up_shows_what_goes_and_does_that(qapp: QApplication, own_engine: Daemon) -> None:
    await asyncio.to_thread(own_engine.start)
    async with at_desk(own_engine.endpoint) as person:
        page = await page_of(person)
        for content in (b"one", b"two"):
            await person.done(person.desk.session.run(IMPORT, root_of(content)))
        await person.until(lambda: page.model.rowCount() == 2, "the untagged image and its successor")
        await person.press("Clean up…")
        dialog = await person.find(CleanUpDialog, "the clean-up dialog", lambda _d: True)
        await person.sees("1\u00a0image with no name and no container will be gone")
        assert dialog.apply.isEnabled()
        await person.press("Remove 1\u00a0image")
        await person.until(lambda: not person.window.dialogs_open(), "the clean-up to begin")
        await person.done(person.last("Clean up"))
        await person.until(lambda: page.model.rowCount() == 1, "the untagged image to go")
        assert [i.tags for i in person.desk.stores.images.values.values()] == [("again:1",)]


async def test_a_clean_up_says_what_it_frees_and_frees_that(
    qapp: QApplication, own_engine: Daemon, tmp_path: Path
) -> None:
    await asyncio.to_thread(own_engine.start)
    await asyncio.to_thread(_import_base, own_engine)
    for size in (
        3_000_000,
        2_000_000,
    ):  # The second takes the name of the first; both lie on base:1 and a layer of 5 MB.
        text = "FROM base:1\nRUN head -c 5000000 /dev/urandom > /common\nENV A=b\n"
        (tmp_path / "Dockerfile").write_text(f"{text}RUN head -c {size} /dev/urandom > /own\n")
        engine = Engine(own_engine.endpoint)
        await engine.open()
        await builds.build(engine, BuildRequest(tmp_path, tag="made:1", builder=Builder.CLASSIC), lambda _event: None)
        await engine.close()
    async with at_desk(own_engine.endpoint) as person:
        page = await page_of(person)
        await person.press("Clean up…")
        dialog = await person.find(CleanUpDialog, "the clean-up dialog", lambda _d: True)
        await person.until(lambda: "This frees 3\u00a0MB. The rest is" in dialog.words.text(), "what it frees")
        every = list(person.desk.stores.images.values.values())
        expected = freed(unused(every, {}, dangling=True), every, page.holdings.stacks)
        await person.choose(dialog.choice, "unused")
        base = next(image for image in every if image.tags == ("base:1",)).size
        assert bytes_text(base + 10_000_000) in dialog.words.text()
        await person.choose(dialog.choice, "dangling")
        await person.press("Remove 1\u00a0image")
        await person.until(lambda: not person.window.dialogs_open(), "the clean-up to begin")
        await person.done(operation := person.last("Clean up"))
        assert expected == Freed(cast("Pruned", operation.result).space_reclaimed) == Freed(3_000_000)


def _import_base(engine: Daemon) -> None:
    words = ["docker", "-H", engine.docker_host, "import", "-", "base:1"]
    subprocess.run(words, input=images.busybox_tar(), check=True, capture_output=True)


def root_of(content: bytes) -> Importing:
    path = paths.data_dir() / "root.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return Importing(path, "again:1")
