"""The main job, by hand: build a web server, run it, read its log, look at its use, stop it, remove it."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.request
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.pages.builds.page import BuildsPage
from app.pages.containers.details import ContainerPage
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.pages.containers.stats import StatsTab
from app.pages.run.dialog import RunDialog
from app.widgets.confirm import Confirm
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

TAG = "pilothouse-test/apache:1"
NAME = "story-apache"
PAGE = "<h1>Hello from the story</h1>\n"
DOCKERFILE = """\
FROM {base}
RUN apt-get update && apt-get install -y --no-install-recommends apache2 && rm -rf /var/lib/apt/lists/*
RUN ln -sf /dev/stdout /var/log/apache2/access.log && ln -sf /dev/stderr /var/log/apache2/error.log
COPY index.html /var/www/html/index.html
EXPOSE 80
CMD ["apachectl", "-D", "FOREGROUND"]
"""


@pytest.fixture
def context(tmp_path: Path, debian_image: str) -> Path:
    folder = tmp_path / "apache"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=debian_image))
    (folder / "index.html").write_text(PAGE)
    return folder


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return cast("int", line.getsockname()[1])


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return cast("str", answer.read().decode())


async def test_build_run_fetch_read_stop_remove(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, context: Path
) -> None:
    async def engine(*words: str) -> str:
        return (await asyncio.to_thread(docker_cli, *words)).strip()

    async with at_desk(engine_host) as person:
        await build(person, context)
        assert json.loads(await engine("image", "inspect", "-f", "{{json .Config.ExposedPorts}}", TAG)) == {
            "80/tcp": {}
        }

        port = free_port()
        details = await run(person, port)
        assert await engine("inspect", "-f", "{{.State.Running}}", NAME) == "true"
        assert await engine("port", NAME) == f"80/tcp -> 127.0.0.1:{port}"

        assert await fetched(f"http://127.0.0.1:{port}/?story") == PAGE
        await read_the_log(person, details)
        assert "GET /?story" in await engine("logs", NAME)

        await look_at_use(person)

        await person.click(details.header.stop)
        await person.done(person.last("Stop"))
        assert await engine("inspect", "-f", "{{.State.Status}}", NAME) == "exited"
        await person.until(lambda: details.header.stop.text() == "Start", "the header to offer Start")

        await remove(person)
        assert await engine("ps", "-aq", "--filter", f"name={NAME}") == ""
    await engine("rmi", TAG)


async def build(person: Person, context: Path) -> None:
    """Builds in the Build dialog, and waits for the end on the page that it opens."""
    page = cast("BuildsPage", await person.nav("builds"))
    await person.press("Build…")
    dialog = page.dialog
    assert dialog is not None
    await person.type(dialog.context, str(context))
    await person.type(dialog.tag, TAG)
    await person.press("Build")
    await person.done(person.last("Build"), 600)
    await person.until(lambda: page.view.run.isVisible(), "the offer to run it")


async def run(person: Person, port: int) -> ContainerPage:
    """Runs the image that was built from its page, and comes to the container's logs."""
    await person.press("Run…")
    dialog = await person.find(RunDialog, "the Run dialog", lambda _d: True)
    assert dialog.image.text() == TAG
    await person.until(lambda: [line.inside.text() for line in dialog.ports.lines] == ["80"], "the port of EXPOSE")
    assert dialog.ports.rows()[0].host_ip == "127.0.0.1"
    await person.type(dialog.name, NAME)
    await person.type(dialog.ports.lines[0].host, str(port))
    await person.until(lambda: dialog.ports.lines[0].words.text() == "Free", "the port to be called free")
    await person.press("Run")
    await person.done(person.last("Run"))
    return await person.find(ContainerPage, "its page", lambda page: page.header.name.text() == NAME)


async def fetched(url: str) -> str:
    """The page, once the server has started."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncio.to_thread(fetch, url)
            except OSError:
                await asyncio.sleep(0.2)


async def read_the_log(person: Person, details: ContainerPage) -> None:
    """The request stands in the Logs tab, and is found by searching."""
    await person.tab("logs")
    logs = await person.find(LogsTab, "the logs", lambda _tab: True)
    buffer = logs.buffer

    def lines() -> list[bytes]:
        return [buffer.raw(at) for at in range(buffer.first, buffer.end)]

    await person.until(lambda: any(b'"GET /?story HTTP/1.1" 200' in line for line in lines()), "the request in the log")
    await person.type(logs.field.edit, "?story")
    await person.until(lambda: len(logs.search.lines) == 1, "one line that matches")
    await person.until(lambda: logs.view.count > 0, "lines on screen")
    assert details.isVisible()


async def look_at_use(person: Person) -> None:
    """Memory and processes in the Stats tab."""
    await person.tab("stats")
    stats = await person.find(StatsTab, "the statistics", lambda _tab: True)
    await person.until(lambda: stats.history.latest is not None and stats.history.latest.memory, "memory above zero")
    assert stats.history.latest is not None
    assert (stats.history.latest.memory or 0) > 1_000_000
    await person.until(
        lambda: any("apache2" in " ".join(t) for t in person.rows(stats.table).values()), "its processes"
    )


async def remove(person: Person) -> None:
    """Removes it from the list by its menu, after the question."""
    page = cast("ContainersPage", await person.nav("containers"))
    await person.until(page.list.isVisible, "the list")
    await person.menu(page.list.table, NAME, "Remove…")
    confirm = await person.find(Confirm, "the question", lambda _c: True)
    assert person.says(f"Remove {NAME}?")
    await person.press("Remove container")
    assert confirm is not None
    await person.done(person.last("Remove"))
    await person.until(lambda: not person.key_of(page.list.table, NAME), "the row to go")


async def test_what_buildkit_made_is_among_the_images(
    qapp: QApplication, engine_host: UnixSocket, busybox_image: str, buildx: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, docker_cli: DockerCli,
) -> None:  # fmt: skip
    plugins = tmp_path / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(plugins.parent))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {busybox_image}\nRUN echo made > /made\n")
    async with at_desk(engine_host) as person:
        page = cast("BuildsPage", await person.nav("builds"))
        await person.press("Build…")
        dialog = page.dialog
        assert dialog is not None
        assert dialog.builder.value() == "BuildKit"
        await person.type(dialog.context, str(folder))
        await person.type(dialog.tag, "pilothouse-test/kit:1")
        await person.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await person.until(lambda: page.view.isVisible() and person.has_keys(page.view), "the build to have the keys")
        await person.done(person.last("Build"))
        assert person.has_keys(page.view)
        store = person.desk.session.stores.images
        await person.until(
            lambda: any("pilothouse-test/kit:1" in image.tags for image in store.values.values()), "the image", 10
        )
    await asyncio.to_thread(docker_cli, "rmi", "pilothouse-test/kit:1")
