"""Canaries: values that must never be on disk, put everywhere a person can put them, then looked for in every file."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import crash, logbook, paths
from app.commands.run.form import EnvRow, RunForm
from app.operation import Operation
from app.pages.activity.page import ActivityPage
from app.pages.builds.page import BuildsPage
from app.pages.images.pulling import PullDialog
from app.pages.run.dialog import RunDialog
from app.places import PULL, RUN, Place
from backend.embedded import EmbeddedEngine, EmbeddedPaths
from backend.endpoint import UnixSocket
from backend.types.builds import Builder, BuildRequest
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

ENV, PASTED, ARG, LOGIN = "canary-env-7Qz1", "canary-pasted-8Rw2", "canary-arg-9Ts3", "canary-login-0Ux4"
KEY = "-----BEGIN canary-one-1Vy5\ncanary-two-2Wz6\n-----END canary-three-3Xa7"
REGISTRY = "127.0.0.1:9/canary:1"
NAME = "canary"
DOCKERFILE = """\
FROM {base}
ARG TOKEN
ARG KEY
ENV LEFT=$TOKEN
RUN echo "token $TOKEN"; echo "$KEY"; echo "$KEY" >&2
RUN sleep 0.1; echo failing with $TOKEN; echo "$KEY"; exit {code}
"""


def forms() -> list[bytes]:
    """Every canary as it is, and as encodings would write it."""
    plain = [ENV, PASTED, ARG, LOGIN, *KEY.split("\n")]
    login = base64.b64encode(f"someone:{LOGIN}".encode())
    header = base64.urlsafe_b64encode(json.dumps({"username": "someone", "password": LOGIN}).encode())
    packed = [base64.b64encode(word.encode())[:-4] for word in plain]
    return [*(word.encode() for word in plain), *packed, login, header.rstrip(b"=")]


def check_files(*folders: Path) -> list[Path]:
    """Nothing below the folders holds a canary or is open to others; returns the files."""
    files: list[Path] = []
    wanted = forms()
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
        for path in folder.rglob("*"):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if path.is_symlink() or path.is_socket():
                continue
            if path.is_dir():
                assert mode & 0o077 == 0, f"{path} is {mode:o}"
                continue
            assert mode == 0o600, f"{path} is {mode:o}"
            content = path.read_bytes()
            found = [word for word in wanted if word in content]
            assert not found, f"{path} holds {found}"
            files.append(path)
    return files


@pytest.fixture
def program_log(own_home: Path) -> Iterator[Path]:
    """The log and the recorder of crashes as main() opens them, with everything that is logged."""
    path = logbook.open_log(paths.log_dir())
    logging.getLogger("pilothouse").setLevel(logging.DEBUG)
    recorder = crash.CrashRecorder(paths.log_dir(), "test")
    try:
        yield path
    finally:
        recorder.close()
        logbook.close_log()


@pytest.fixture
def login(tmp_path: Path, buildx: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker configuration outside of our home, with a login and with buildx."""
    folder = tmp_path / "docker"
    (folder / "cli-plugins").mkdir(parents=True)
    (folder / "cli-plugins" / "docker-buildx").symlink_to(buildx)
    auth = base64.b64encode(f"someone:{LOGIN}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {"127.0.0.1:9": {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


@pytest.mark.parametrize("builder", list(Builder), ids=lambda b: b.name.lower())
async def test_values_of_build_arguments_are_not_kept(
    builder: Builder, qapp: QApplication, engine_host: UnixSocket, busybox_image: str, own_home: Path, tmp_path: Path,
    program_log: Path, login: Path,
) -> None:  # fmt: skip
    async with at_desk(engine_host) as person:
        for code in (0, 3):
            context = tmp_path / f"context-{code}"
            context.mkdir()
            (context / "Dockerfile").write_text(DOCKERFILE.format(base=busybox_image, code=code))
            arguments = (("TOKEN", ARG), ("KEY", KEY))
            request = BuildRequest(context, tag="canary:1", build_args=arguments, no_cache=True, builder=builder)
            page = cast("BuildsPage", await person.nav("builds"))
            page.open_dialog(request)
            await person.press("Build")
            operation = person.last("Build")
            await person.until(lambda op=operation: not op.running, "the build to end", 120)  # type: ignore[misc]
            assert operation.state.value == ("Done" if code == 0 else "Failed"), operation.error
            shown = page.view.output.text
            assert "failing with •••" in shown
            hidden(shown + (page.view.record.text if page.view.record else "") + "\n".join(person.words()))
            await on_screen(person, operation)
        check_files(own_home)
    files = check_files(own_home)
    assert any(path.suffix == ".sqlite3" for path in files)


async def test_values_of_variables_and_logins_are_not_kept(
    qapp: QApplication, engine_host: UnixSocket, busybox_image: str, own_home: Path, docker_cli: DockerCli,
    program_log: Path, login: Path,
) -> None:  # fmt: skip
    async with at_desk(engine_host) as person:
        form = RunForm(image=busybox_image, name=NAME, command="sleep 600", env=(EnvRow("KEY", KEY), EnvRow("A", ENV)))
        operation = await run(person, form)
        await person.done(operation)
        await on_screen(person, operation)
        found = json.loads(docker_cli("inspect", "-f", "{{json .Config.Env}}", NAME))
        assert {f"KEY={KEY}", f"A={ENV}", f"PASTED={PASTED}"} <= set(found)

        operation = await run(person, form, name="canary-two")
        await person.done(operation)
        docker_cli("rm", "-f", "canary-two")
        await pull(person)
        logbook.log.error("the window has a problem", exc_info=operation.error)
        check_files(own_home)
    docker_cli("rm", "-f", NAME)
    files = check_files(own_home)
    assert {"pilothouse.ini", "builds.sqlite3", "pilothouse.log"} <= {path.name for path in files}
    assert own_home in program_log.parents


@pytest.mark.skipif(os.getuid() != 0, reason="as root the engine starts directly")
async def test_variables_of_ours_reach_the_embedded_engine_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://someone:{LOGIN}@127.0.0.1:9")
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    home = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    engine = EmbeddedEngine(EmbeddedPaths(home / "e", home / "r"))
    try:
        await engine.start()
        pid = int((home / "r" / "docker.pid").read_text())
        inside = next(p for p in Path("/proc").glob("[0-9]*") if _is_inside(p, pid, home))
        variables = (inside / "environ").read_bytes().split(b"\0")
        assert f"HTTP_PROXY=http://someone:{LOGIN}@127.0.0.1:9".encode() in variables
        assert not [one for one in variables if one.startswith(b"DOCKER_HOST=")]
        files = [path for path in home.rglob("*") if path.is_file()]
        assert engine.paths.plan in files
        holding = [path for path in files if any(word in path.read_bytes() for word in forms())]
        assert not holding, holding
    finally:
        await engine.stop()
        shutil.rmtree(home)


def _is_inside(process: Path, pid: int, home: Path) -> bool:
    """Whether this is dockerd of `home`, which is process `pid` in its own namespace."""
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes()
        state = (process / "status").read_text()
        return str(home).encode() in words and f"\t{pid}\n" in state and "Name:\tdockerd" in state
    return False


async def run(person: Person, form: RunForm, name: str = "") -> Operation:
    """Runs a form from the dialog after pasting a line of an .env file into the editor."""
    person.window.go(Place(RUN, extra=form))
    dialog = await person.find(RunDialog, "the Run dialog", lambda _d: True)
    if name:
        await person.type(dialog.name, name)
    await person.press("Add variable")
    QApplication.clipboard().setText(f"PASTED={PASTED}\nMORE=1\n")
    await person.keys(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    await person.until(lambda: ("PASTED", PASTED) in dialog.env.pairs(), "what was pasted")
    hidden(dialog.command.accessibleDescription())
    await person.press("Run")
    return person.last("Run")


async def pull(person: Person) -> None:
    """A pull with a login, from a registry that does not answer."""
    person.window.go(Place(PULL, REGISTRY))
    dialog = await person.find(PullDialog, "the Pull dialog", lambda _d: True)
    await person.press("Pull")
    operation = person.last("Pull")
    await person.until(lambda: not operation.running, "the pull to fail", 60)
    assert operation.state.value == "Failed"
    hidden(str(operation.error) + "\n".join(person.words()))
    await on_screen(person, operation, covered=dialog)


async def on_screen(person: Person, operation: Operation, covered: PullDialog | None = None) -> None:
    """Activity shows its line without the values."""
    if covered is not None:
        covered.reject()
    page = cast("ActivityPage", await person.nav("activity"))
    await person.open_row(page.table, operation.subject)
    page.detail.command.set_open(True)
    hidden(page.detail.command.accessibleDescription() + page.detail.output.text + "\n".join(person.words()))
    hidden(os.linesep.join(operation.output) + operation.line.shown + operation.words)


def hidden(text: str) -> None:
    """No canary is in a text."""
    found = [word for word in (ENV, PASTED, ARG, LOGIN, *KEY.split("\n")) if word in text]
    assert not found, f"{found} in {text[-2000:]}"
