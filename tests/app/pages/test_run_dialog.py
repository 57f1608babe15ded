"""The Run dialog as a person uses it, on an engine that keeps state."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.commands.run.checks import place_of
from app.commands.run.form import EnvRow, Extra, MountRow, PortRow, RunForm
from app.pages.run.dialog import RunDialog
from app.places import Place
from backend import errors
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio

LINE = (
    "docker run -d --name api -p 127.0.0.1:18080:80/udp -e A=1 -v data:/data:ro --mount type=bind,source=/x,target=/y "
    "--network host --restart on-failure:5 -m 512m --cpus 1.5 --pids-limit 9 -it --init -u 1000 -w /app --privileged "
    "--read-only --cap-add SYS_ADMIN --cap-drop ALL --health-cmd true --health-interval 30s --label a=b --platform "
    "linux/amd64 --pull never --entrypoint '' --sysctl a=b --dns 1.1.1.1 --dns 8.8.8.8 --network-alias n "
    "web:1 sh -c 'echo $x'"
)


@asynccontextmanager
async def dialog_on(fake: FakeEngine, form: RunForm | None = None) -> AsyncIterator[tuple[Person, RunDialog]]:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        person.window.go(Place("run", extra=form))
        yield person, await person.find(RunDialog, "the dialog", lambda _d: True)


def refusal(status: int, message: str) -> bytes:
    body = json.dumps({"message": message}).encode()
    head = f"HTTP/1.1 {status} No\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    made.add_image("web:1", exposed=["80/tcp", "53/udp"])
    made.add_container("taken", image="web:1")
    return made


async def test_a_pasted_line_goes_through_the_fields_and_comes_out_the_same(
    qapp: QApplication, fake: FakeEngine
) -> None:
    async with dialog_on(fake) as (person, dialog):
        await person.type(dialog.image, "x")
        assert dialog.read(LINE) == ""
        form = dialog.form()
        assert form == RunForm(
            image="web:1", name="api", command="sh -c 'echo $x'", entrypoint="", env=(EnvRow("A", "1"),),
            ports=(PortRow("18080", "80", "udp", "127.0.0.1"),),
            mounts=(
                MountRow("volume", "data", "/data", True, "-v"), MountRow("bind", "/x", "/y", False, "--mount"),
            ),
            network="host", aliases=("n",), restart="on-failure:5", memory="512m", cpus="1.5", pids_limit="9",
            tty=True, interactive=True, init=True, user="1000", workdir="/app", privileged=True, read_only=True,
            cap_add=("SYS_ADMIN",), cap_drop=("ALL",), health_cmd="true", health_interval="30s",
            labels=(EnvRow("a", "b"),), platform="linux/amd64", pull="never",
            extras=(Extra("--sysctl", "a=b"), Extra("--dns", "1.1.1.1"), Extra("--dns", "8.8.8.8")),
        )  # fmt: skip
        await person.until(dialog.danger.isVisible, "the warning")
        assert len(dialog.danger.sentences()) == 3
        assert not dialog.left.isVisible()


async def test_what_a_line_holds_besides_stays_in_view(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake) as (person, dialog):
        await person.press("Paste a docker run line…")
        QApplication.clipboard().setText("docker run --frob=1 -v $PWD:/x -e '<b>K</b>' web:1 | grep x")
        await person.keys(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        await person.press("Fill the form")
        await person.until(lambda: dialog.image.text() == "web:1", "the form to be filled")
        await person.until(lambda: not dialog._timer.isActive(), "the check")
        said = " ".join(dialog.left.sentences())
        for piece in ("--frob 1", "$PWD", "<b>K</b>", "| grep x"):
            assert piece in said
        assert dialog.left.isVisible()
        assert dialog.env.pairs() == [("<b>K</b>", "")]


async def test_a_line_that_is_none_is_said_in_its_dialog(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake) as (person, dialog):
        before = dialog.form()
        await person.press("Paste a docker run line…")
        QApplication.clipboard().setText("docker ps")
        await person.keys(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        await person.press("Fill the form")
        await person.sees("This is docker ps, not docker run")
        assert dialog.form() == before


async def test_a_line_pasted_as_the_image_fills_the_form(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake) as (person, dialog):
        dialog.image.setText("docker run --name n1 web:1 ls")
        assert (dialog.image.text(), dialog.name.text(), dialog.form().command) == ("web:1", "n1", "ls")
        await person.rest()


async def test_ports_of_the_image_are_offered_on_loopback_and_follow_the_switch(
    qapp: QApplication, fake: FakeEngine
) -> None:
    async with dialog_on(fake, RunForm(image="web:1")) as (person, dialog):
        await person.until(lambda: len(dialog.ports.lines) == 2, "the ports of the image")
        assert {(r.container, r.protocol, r.host_ip) for r in dialog.ports.rows()} == {
            ("80", "tcp", "127.0.0.1"),
            ("53", "udp", "127.0.0.1"),
        }
        await person.until(lambda: dialog.ports.lines[0].words.text() == "Free", "free")
        await person.click(dialog.ports.open)
        assert {r.host_ip for r in dialog.ports.rows()} == {""}
        await person.until(lambda: dialog.ports.lines[0].words.text() == "Free, open to the network", "open")


async def test_a_taken_port_names_its_holder_and_offers_the_next(qapp: QApplication, fake: FakeEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        form = RunForm(image="web:1", name="n1", ports=(PortRow(str(port), "80", "tcp", "127.0.0.1"),))
        async with dialog_on(fake, form) as (person, dialog):
            line = dialog.ports.lines[0]
            await person.until(lambda: line.words.text().startswith("Taken by "), "the holder")
            await person.sees("1\u00a0port is taken")
            await person.press("Run")
            assert line.host.hasFocus()
            await person.click(line.use)
            assert int(line.host.text()) > port
            await person.until(lambda: line.words.text() == "Free", "the next to be free")
            assert not dialog.check()


async def test_a_port_published_out_of_our_sight_offers_the_next_and_keeps_offering_it(
    qapp: QApplication, fake: FakeEngine
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    published = [{"PrivatePort": 80, "PublicPort": port, "Type": "tcp", "IP": "127.0.0.1"}]
    fake.add_container("holds-it", image="web:1", ports=published)
    form = RunForm(image="web:1", name="n1", ports=(PortRow(str(port), "80", "tcp", "127.0.0.1"),))
    async with dialog_on(fake, form) as (person, dialog):
        line = dialog.ports.lines[0]
        await person.until(lambda: line.words.text() == "Taken by holds-it", "the container's name")
        assert line.use.isVisible()
        dialog.ports.look()
        await person.rest()
        assert line.use.isVisible()
        dialog.ports.mark({0: f"Port {port} is taken"})
        assert (line.words.text(), line.use.isVisible()) == (f"Port {port} is taken", True)
        await person.click(line.use)
        assert int(line.host.text()) > port
        await person.until(lambda: line.words.text() == "Free", "the next to be free")


async def test_a_port_that_comes_free_is_seen_by_the_next_look(qapp: QApplication, fake: FakeEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        form = RunForm(image="web:1", ports=(PortRow(str(server.getsockname()[1]), "80", "tcp", "127.0.0.1"),))
        async with dialog_on(fake, form) as (person, dialog):
            line = dialog.ports.lines[0]
            await person.until(line.use.isVisible, "the offer")
            server.close()
            dialog.ports.look()
            await person.until(lambda: line.words.text() == "Free", "it to be free")
            assert not line.use.isVisible()


async def test_run_pressed_too_early_goes_to_the_first_problem(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake) as (person, dialog):
        await person.press("Run")
        assert dialog.image.hasFocus()
        await person.sees("Type the image")
        await person.type(dialog.image, "web:1")
        dialog.parts_of_form["resources"].fill(RunForm(memory="512"))
        await person.type(dialog.name, "taken")
        await person.sees("taken is taken")
        await person.press("Run")
        assert dialog.name.hasFocus()
        await person.type(dialog.name, "fine")
        await person.press("Run")
        assert dialog.tabs.current() == "resources"
        await person.sees("That is 512 bytes. Add a unit, such as 512m")
        assert not fake.asked("POST", "/containers/create")


async def test_restart_and_remove_when_it_exits_exclude_each_other(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake, RunForm(image="web:1", restart="always")) as (person, dialog):
        await person.click(dialog.basic.auto_remove)
        await person.sees("A container that is removed when it exits cannot restart")
        await person.press("Run")
        assert dialog.isVisible()
        assert not fake.asked("POST", "/create")


async def test_two_rows_for_one_port_or_path_are_said(qapp: QApplication, fake: FakeEngine) -> None:
    form = RunForm(
        image="web:1", ports=(PortRow("18081", "80"), PortRow("18081", "81", "tcp", "127.0.0.1")),
        mounts=(MountRow("volume", "data", "/d"), MountRow("tmpfs", "", "/d/")),
    )  # fmt: skip
    async with dialog_on(fake, form) as (_person, dialog):
        assert [(p.field, p.sentence) for p in dialog.check()] == [
            ("ports.1.host", "18081 is already in a row above"),
            ("mounts.1.target", "/d/ is already in a row above".replace("/d/", "/d")),
        ]


async def test_it_runs_and_opens_the_logs(qapp: QApplication, fake: FakeEngine) -> None:
    form = RunForm(image="web:1", name="new", env=(EnvRow("KEY", "hush"),), ports=(PortRow("0", "80"),))
    form = RunForm(image="web:1", name="new", env=form.env, mounts=(MountRow("volume", "data", "/d", flag="-v"),))
    async with dialog_on(fake, form) as (person, dialog):
        assert "hush" not in dialog.command.accessibleDescription()
        await person.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await person.until(lambda: not dialog._session.operations.running and fake.find("new"), "the container")
        made = fake.find("new")
        assert made is not None
        await person.until(lambda: person.window.place.id == made.id, "its page")
        assert person.window.place.tab == "logs"
        assert (made.state, made.env) == ("running", ["KEY=hush"])


async def test_create_only_creates(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake, RunForm(image="web:1", name="new")) as (person, dialog):
        dialog.open_logs.setChecked(False)
        await person.press("Create only")
        await person.done(person.last("Run"))
        made = fake.find("new")
        assert made is not None
        assert made.state == "created"
        assert not fake.asked("POST", "/start")
        await person.sees("Created new")
        await person.press("Open")
        assert person.window.place.id == made.id


async def test_a_missing_image_is_pulled_with_its_layers_and_can_be_cancelled(
    qapp: QApplication, fake: FakeEngine
) -> None:
    fake.pull_step = 0.3
    async with dialog_on(fake, RunForm(image="far/away:2", name="new")) as (person, dialog):
        await person.press("Run")
        await person.until(dialog.layers.isVisible, "the layers")
        await person.press("Cancel")
        await person.sees("Cancelled. Nothing was made.")
        assert dialog.isVisible()
        assert fake.find("new") is None
        fake.pull_step = 0
        await person.press("Run")
        await person.until(lambda: fake.find("new"), "the container")


@pytest.mark.parametrize(
    ("path", "status", "message", "tab", "words"),
    [
        (
            "/containers/create",
            409,
            'Conflict. The container name "/new" is already in use by container "abc".',
            "basic",
            "new",
        ),
        (
            "/start",
            500,
            "driver failed programming: Bind for 127.0.0.1:18082 failed: port is already allocated",
            "basic",
            "18082",
        ),
        (
            "/containers/create",
            400,
            'invalid mount config for type "bind": bind source path does not exist: /nope',
            "storage",
            "/nope",
        ),
        (
            "/containers/create",
            400,
            "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            "resources",
            "CPUs",
        ),
        ("/start", 404, "network nowhere not found", "network", "nowhere"),
        (
            "/start",
            400,
            'OCI runtime create failed: exec: "nope": executable file not found in $PATH: unknown',
            "advanced",
            "nope",
        ),
        ("/start", 400, "unable to find user nobody2: no matching entries in passwd file", "security", "nobody2"),
    ],
)
async def test_a_refusal_keeps_the_form_and_is_said_at_its_field(
    qapp: QApplication, fake: FakeEngine, path: str, status: int, message: str, tab: str, words: str
) -> None:
    form = RunForm(
        image="web:1", name="new", ports=(PortRow("18082", "80", "tcp", "127.0.0.1"),),
        mounts=(MountRow("volume", "data", "/d"),),
    )  # fmt: skip
    fake.fail(path, method="POST", raw=refusal(status, message))
    async with dialog_on(fake, form) as (person, dialog):
        before = dialog.form()
        await person.press("Run")
        await person.until(dialog.failure.isVisible, "the reason")
        assert dialog.form() == before
        assert dialog.tabs.current() == tab
        assert words in dialog.failure.accessibleName()
        assert fake.find("new") is None
        if path == "/start":
            assert "Removed the container that did not start" in dialog.failure.accessibleName()


async def test_an_env_file_is_read_and_an_unreadable_one_said(
    qapp: QApplication, fake: FakeEngine, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\nA=1\nexport B='two words'\n")
    async with dialog_on(fake, RunForm(image="web:1")) as (person, dialog):
        dialog.basic.read_env_file(str(file))
        assert dialog.env.pairs() == [("A", "1"), ("B", "two words")]
        dialog.basic.read_env_file(str(tmp_path / "none"))
        await person.rest()
        assert dialog.basic.env_field.error()


async def test_a_name_that_comes_to_be_taken_is_said(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake, RunForm(image="web:1", name="late")) as (person, _dialog):
        made = fake.add_container("late", image="web:1")
        await fake.emit("container", "create", made, name="late", image="web:1")
        await person.sees("late is taken")
        assert not fake.asked("POST", "/create")


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (errors.NameInUse(409, "x", name="a"), "name"),
        (errors.PortInUse(500, "x", port=81), "ports.1"),
        (errors.PortInUse(500, "x"), "ports.0"),
        (errors.RegistryDenied("a", "denied"), "image"),
        (errors.RateLimited("a", "429"), "image"),
        (errors.InvalidReference("A", "small letters only"), "image"),
        (errors.NotFound(404, "No such image: a"), "image"),
        (errors.BadRequest(400, "Minimum memory limit allowed is 6MB"), "memory"),
        (errors.EngineGone("create"), ""),
        (errors.EngineFault(500, "something else"), ""),
        (RuntimeError(), ""),
    ],
)
async def test_each_refusal_has_its_field(error: BaseException, field: str) -> None:
    assert place_of(error, RunForm(ports=(PortRow("80", "80"), PortRow("81", "80")))) == field


@pytest.mark.parametrize("size", [(1280, 800), (900, 600)])
async def test_the_tabs_keep_their_place_and_only_what_does_not_fit_scrolls(
    qapp: QApplication, fake: FakeEngine, size: tuple[int, int]
) -> None:
    async with dialog_on(fake, RunForm(image="far/away:2")) as (person, dialog):
        person.window.resize(*size)
        await person.rest()
        box = dialog.panel.geometry()
        for key in ("storage", "advanced", "network", "basic"):
            await person.choose(dialog.tabs, key)
            assert dialog.panel.geometry() == box, key
            fits = dialog.area.verticalScrollBar().maximum() == 0
            assert fits or key == "advanced", key
            assert dialog.area.verticalScrollBar().value() == 0
            if fits:
                bottom = dialog.command.mapTo(dialog.area.viewport(), dialog.command.rect().bottomLeft()).y()
                assert bottom < dialog.area.viewport().height(), key


async def test_more_cores_than_the_engine_has_are_said_at_their_field(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake, RunForm(image="web:1")) as (person, dialog):
        await person.choose(dialog.tabs, "resources")
        await person.sees("Of 2 on this engine")
        await person.type(await person.field("CPUs"), "2.5")
        await person.sees("This engine has 2\u00a0CPUs")
        await person.press("Run")
        assert dialog.isVisible()
        assert not person.desk.operations.items
        await person.type(await person.field("CPUs"), "2")
        await person.until(lambda: not dialog.resources.bound["cpus"].field.error(), "the field to be right")
