"""Builds with a real engine: both builders, failures at their line, cancelling, a big context in little memory."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import resource
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.notices import notice_for
from app.operation import Operations
from app.pages.builds.page import BuildsPage
from app.places import Place
from app.preferences import Preferences
from app.session import Phase, Session
from app.stores.builds import BuildHistory
from app.stores.stores import Stores
from app.tasks import TaskScope
from app.theme import Theme
from app.widgets.lineedit import LineEdit
from backend import build_context, builds, images
from backend.client import Engine
from backend.endpoint import UnixSocket
from backend.errors import BuildFailed
from backend.types.builds import Builder, BuildEvent, BuildRequest, StepChanged, StepOutput, StepState
from tests.e2e.desk import at_desk

pytestmark = [pytest.mark.slow]
DockerCli = Callable[..., str]


@pytest.fixture(params=list(Builder), ids=lambda b: b.name.lower())
def builder(request: pytest.FixtureRequest, buildx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    plugins = tmp_path / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    found: Builder = request.param
    return found


def folder(tmp_path: Path, dockerfile: str, **files: str) -> Path:
    context = tmp_path / "context"
    context.mkdir()
    for name, text in {"Dockerfile": dockerfile, **files}.items():
        (context / name).write_text(text)
    return context


async def run(host: UnixSocket, request: BuildRequest, events: list[BuildEvent]) -> str:
    engine = Engine(host)
    try:
        await engine.open()
        return await builds.build(engine, request, events.append)
    finally:
        await engine.close()


def states(events: list[BuildEvent]) -> dict[int, StepState]:
    return {e.step.line: e.step.state for e in events if isinstance(e, StepChanged) and e.step.number}


def output(events: list[BuildEvent]) -> str:
    return "".join(e.text for e in events if isinstance(e, StepOutput))


@pytest.mark.asyncio
async def test_builds_and_takes_from_cache(
    engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path, docker_cli: DockerCli
) -> None:
    text = f"FROM {busybox_image} AS one\nARG WORD\nCOPY . /in\nRUN echo said-$WORD && ls /in\nCMD true\n"
    context = folder(tmp_path, text, keep="k", drop="d")
    (context / ".dockerignore").write_text("drop\n")
    tag = f"pilothouse-test/built:{builder.name.lower()}"
    request = BuildRequest(context, tag=tag, build_args=(("WORD", "hello"),), builder=builder)
    events: list[BuildEvent] = []
    image = await run(engine_host, request, events)
    assert docker_cli("image", "inspect", "-f", "{{.Id}}", tag).strip().startswith(image[:19])
    assert "said-hello" in output(events)
    assert set(docker_cli("run", "--rm", tag, "ls", "-A", "/in").split()) >= {"keep"}
    assert "drop" not in docker_cli("run", "--rm", tag, "ls", "-A", "/in")
    again: list[BuildEvent] = []
    await run(engine_host, request, again)
    assert states(again)[3] is StepState.CACHED
    assert states(again)[4] is StepState.CACHED


@pytest.mark.asyncio
async def test_a_failing_step_has_its_line(
    engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path
) -> None:
    context = folder(tmp_path, f"FROM {busybox_image}\n\nENV A=b\nRUN true\nRUN echo oh && \\\n  exit 7\nRUN true\n")
    events: list[BuildEvent] = []
    with pytest.raises(BuildFailed) as caught:
        await run(engine_host, BuildRequest(context, tag="pilothouse-test/no:1", builder=builder), events)
    assert (caught.value.line, caught.value.code) == (5, 7)
    assert "RUN echo oh && exit 7 ended with exit code 7." in notice_for(caught.value).detail
    assert states(events)[5] is StepState.FAILED
    assert "oh" in output(events)


@pytest.mark.asyncio
async def test_cancel_stops_the_step_in_the_engine(
    engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path
) -> None:
    context = folder(tmp_path, f"FROM {busybox_image}\nRUN echo begun && sleep 98761\n")
    events: list[BuildEvent] = []
    request = BuildRequest(context, tag="pilothouse-test/no:2", no_cache=True, builder=builder)
    task = asyncio.create_task(run(engine_host, request, events))
    async with asyncio.timeout(60):
        while "begun" not in output(events):
            await asyncio.sleep(0.05)
    assert sleeping()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while sleeping():
            await asyncio.sleep(0.1)


def sleeping() -> bool:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"sleep\x0098761\0"):
                return True
        except OSError:
            continue
    return False


@pytest.mark.asyncio
async def test_a_big_context_needs_little_memory(engine_host: UnixSocket, busybox_image: str, tmp_path: Path) -> None:
    context = folder(tmp_path, f"FROM {busybox_image}\nCOPY Dockerfile /\n")
    with (context / "big").open("wb") as file:
        file.truncate(300_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    request = BuildRequest(context, tag="pilothouse-test/big:1", builder=Builder.CLASSIC)
    await run(engine_host, request, [])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
    engine = Engine(engine_host)
    await engine.open()
    await images.remove(engine, "pilothouse-test/big:1")
    await engine.close()


@pytest.mark.asyncio
async def test_from_the_dialog_to_the_history(
    qtbot: QtBot, engine_host: UnixSocket, busybox_image: str, builder: Builder, tmp_path: Path, docker_cli: DockerCli
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    scope = TaskScope("test", lambda error, name: None)
    session = Session(scope, Operations(scope), Stores())
    session.use(engine_host, "test")
    theme = Theme("light")
    history = BuildHistory(data)
    places: list[Place] = []
    window = QWidget()
    qtbot.addWidget(window)
    page = BuildsPage(theme, session, Preferences(data), places.append, lambda: QWidget(), history, window)
    page.resize(1000, 700)
    window.resize(1000, 700)
    window.show()
    await until(lambda: session.state.phase is Phase.CONNECTED)
    context = folder(tmp_path, f"FROM {busybox_image}\nARG TOKEN\nRUN echo got $TOKEN\nRUN exit 3\n")
    tag = f"pilothouse-test/dialog:{builder.name.lower()}"
    page.build.click()
    dialog = page.dialog
    assert dialog is not None
    dialog.build.click()
    assert dialog.isVisible()
    dialog.context.setText(str(context))
    dialog.tag.setText(tag)
    dialog.args.set_pairs([("TOKEN", "canary-4711")])
    dialog.builder.set_value(builder.value)
    assert "canary" not in dialog.command.accessibleDescription()
    fields = [field for field in dialog.findChildren(LineEdit) if not dialog.args.isAncestorOf(field)]
    assert not any(field.acceptDrops() for field in fields)
    dialog.build.click()
    await until(lambda: history.records[0].state != "running")
    assert (history.records[0].state, history.records[0].error_line) == ("failed", 4)
    assert "got •••" in page.view.output.text
    (context / "Dockerfile").write_text(f"FROM {busybox_image}\nARG TOKEN\nRUN echo got $TOKEN\n")
    page.view.again.click()
    assert page.dialog is not None
    assert page.dialog.tag.text() == tag
    assert page.dialog.args.pairs() == [("TOKEN", "canary-4711")]
    page.dialog.build.click()
    await until(lambda: history.records[0].state != "running")
    assert history.records[0].state == "succeeded"
    page.view.run.click()
    assert places == [Place("run", id=tag)]
    assert docker_cli("image", "inspect", "-f", "{{.Id}}", tag).strip()
    assert len(session.operations.items) == 2
    history.close()
    for path in data.rglob("*"):
        assert path.is_dir() or b"canary-4711" not in path.read_bytes()
    page.view.show_record(history.records[1])
    await session.leave()
    await scope.close()


@pytest.mark.asyncio
async def test_a_build_of_an_earlier_run_asks_for_its_values_anew(
    qapp: QApplication, engine_host: UnixSocket, busybox_image: str, tmp_path: Path, docker_cli: DockerCli
) -> None:
    text = f"FROM {busybox_image}\nARG PORT=80\nARG WORD=none\nLABEL port=$PORT word=$WORD\n"
    context, tag = folder(tmp_path, text), "pilothouse-test/again:1"

    async def labels() -> str:
        return (await asyncio.to_thread(docker_cli, "inspect", "-f", "{{json .Config.Labels}}", tag)).strip()

    async with at_desk(engine_host) as person:
        page = cast("BuildsPage", await person.nav("builds"))
        page.open_dialog(BuildRequest(context, tag=tag, build_args=(("PORT", "81"), ("WORD", "one"))))
        await person.press("Build")
        await person.done(person.last("Build"))
        assert await labels() == '{"port":"81","word":"one"}'
    async with at_desk(engine_host) as person:
        page = cast("BuildsPage", await person.nav("builds"))
        await person.open_row(page.table, tag)
        await person.press("Build again…")
        dialog = page.dialog
        assert dialog is not None
        assert person.says("Values are not kept. Type them again; one left empty is not passed.")
        assert dialog.args.pairs() == [("PORT", ""), ("WORD", "")]
        dialog.args.set_pairs([("PORT", ""), ("WORD", "two")])
        await person.press("Build")
        await person.done(person.last("Build"))
        assert await labels() == '{"port":"80","word":"two"}'
    await asyncio.to_thread(docker_cli, "rmi", tag)


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "ignore", ["*.log\nDockerfile\n**/skip\nout\n!out/keep\n", "*\n!**/b.log\n!out/keep\n!s*/in/b.log\n"]
)
async def test_the_tar_is_that_of_the_docker_command_line(tmp_path: Path, ignore: str) -> None:
    """The command line's classic builder sends its context to a listener of ours, which answers nothing."""
    context = folder(tmp_path, "FROM scratch\n", **{"a.txt": "a", "b.log": "b", "ü": ""})
    (context / ".dockerignore").write_text(ignore)
    for name in ("sub/skip/x", "sub/in/b.log", "out/keep", "out/drop"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(name)
    (context / "sub/loop").symlink_to("..")
    (context / "dangling").symlink_to("/nowhere")
    os.mkfifo(context / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(context / "socket"))
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"POST"):
                    while size := int((await reader.readline()).strip(), 16):
                        got.extend(await reader.readexactly(size))
                        await reader.readexactly(2)
                    await reader.readexactly(2)
                body = b'{"ApiVersion":"1.41"}'
                ping = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\n"
                writer.write(ping + b"Content-Length: %d\r\n\r\n" % len(body))
                writer.write(b"" if head.startswith(b"HEAD") else body)
        writer.close()

    path = str(tmp_path / "s")
    async with await asyncio.start_unix_server(serve, path):
        env = {**os.environ, "DOCKER_HOST": f"unix://{path}", "DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(tmp_path)}
        process = await asyncio.create_subprocess_exec(
            "docker", "build", str(context), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        await asyncio.wait_for(process.wait(), 30)
    ours = b"".join(build_context.pieces(build_context.prepare(context, context / "Dockerfile")))
    assert listing(ours) == listing(bytes(got))
    assert "out/keep" in {name for name, *_ in listing(ours)}


def listing(raw: bytes) -> list[tuple[str, bytes, int, int, int, str, int]]:
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return sorted((m.name, m.type, m.size, m.uid, m.mode & 0o7777, m.linkname, int(m.mtime)) for m in tar)
