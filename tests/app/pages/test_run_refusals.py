"""What the Run dialog says when a text or an engine's refusal fits no field, or comes late."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.commands.run.checks import check, place_of
from app.commands.run.form import Extra, PortRow, RunForm
from app.pages.images.dialogs import CleanUpDialog
from app.pages.run.tabs import StorageTab
from backend import errors
from tests.app.pages.test_run_dialog import dialog_on, refusal
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    made.add_image("web:1")
    return made


async def test_the_reason_stands_at_the_field_itself(qapp: QApplication, fake: FakeEngine) -> None:
    message = "OCI runtime create failed: unable to find user bob: no matching entries in passwd file: unknown"
    fake.fail("/start", method="POST", raw=refusal(400, message))
    async with dialog_on(fake, RunForm(image="web:1", name="new", user="bob")) as (person, dialog):
        await person.press("Run")
        await person.until(dialog.failure.isVisible, "the reason")
        assert dialog.failure.title.text() == "Could not run new"
        field = dialog.parts_of_form["security"].bound["user"].field
        reason = "Unable to find user bob: no matching entries in passwd file."
        await person.until(lambda: field.error() == reason and field.isVisible(), "the reason at the field")
        assert not dialog.failure.step.isVisible()


async def test_the_next_step_of_a_refusal_lies_over_the_form(qapp: QApplication, fake: FakeEngine) -> None:
    fake.fail("/containers/create", method="POST", raw=refusal(500, "mkdir /x: no space left on device"), times=1)
    async with dialog_on(fake, RunForm(image="web:1", name="new")) as (person, dialog):
        await person.press("Run")
        await person.until(dialog.failure.isVisible, "the reason")
        form = dialog.form()
        await person.press("Clean up…")
        await person.find(CleanUpDialog, "the clean-up", lambda _d: True)
        await person.press("Cancel")
        await person.until(lambda: person.window.dialogs_open() == [dialog], "the form again")
        await person.press("Run")
        await person.until(lambda: fake.find("new"), "the container")
        assert form.name == "new"


async def test_lines_of_a_file_that_assign_nothing_are_named(
    qapp: QApplication, fake: FakeEngine, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nKEY=-----BEGIN KEY-----\nab+/\n-----END KEY-----\nB='one\ntwo'\n")
    async with dialog_on(fake, RunForm(image="web:1")) as (person, dialog):
        dialog.basic.read_env_file(str(file))
        assert dialog.env.pairs() == [("A", "1"), ("KEY", "-----BEGIN KEY-----"), ("B", "one\ntwo")]
        words = "Lines 3, 4 are no NAME=value and were left out"
        await person.until(lambda: not dialog._timer.isActive(), "the check")
        assert dialog.basic.env_field.error() == words
        file.write_text("A=2\n")
        dialog.basic.read_env_file(str(file))
        assert dialog.basic.env_field.error() == ""


async def test_a_refusal_that_fits_no_field_is_said_until_the_form_differs(
    qapp: QApplication, fake: FakeEngine
) -> None:
    fake.fail("/containers/create", method="POST", raw=refusal(400, "the moon is in the wrong house"), times=2)
    async with dialog_on(fake, RunForm(image="web:1", name="new")) as (person, dialog):
        for _again in range(2):
            await person.press("Run")
            await person.until(lambda: dialog._operation is None and person.desk.operations.items, "the end")
            dialog.check()
            await person.sees("The moon is in the wrong house")
            assert dialog.failure.isVisible()
            assert dialog.run_button.isEnabled()
        await person.type(dialog.name, "newer")
        await person.until(lambda: not dialog.failure.isVisible(), "the reason to go")
        await person.press("Run")
        await person.until(lambda: fake.find("newer"), "the container")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("the working directory 'relative' is invalid, it needs to be an absolute path", "workdir"),
        ("Interval in Healthcheck cannot be less than 1ms", "health_interval"),
        ("Timeout in Healthcheck cannot be less than 1ms", "health_timeout"),
        ("StartPeriod in Healthcheck cannot be less than 1ms", "health_start_period"),
        ("invalid reference format: repository name must be lowercase", "image"),
        ("No such container: nope", "network"),
        ("Error starting userland proxy: listen tcp4 192.0.2.7:81: bind: cannot assign requested address", "ports.1"),
        ("Bind for 127.0.0.1:8081 failed: port is already allocated", "ports.0"),
        ('error gathering device information while adding custom device "/dev/two": no such file', "extras.3"),
        ("Unknown runtime specified nope", "extras.0"),
        ('error looking up logging plugin nope: plugin "nope" not found', "extras.1"),
        ("write sysctl key kernel.nope: open /proc/sys/kernel/nope: no such file or directory: unknown", "extras.4"),
        ('invalid CapDrop: unknown capability: "CAP_NOPE"', "cap_drop"),
        ("OCI runtime create failed: error during container init: sethostname: invalid argument: unknown", "hostname"),
        ("a container may not use web.internal", "extras.5"),
    ],
)
async def test_a_refusal_finds_its_field(message: str, field: str) -> None:
    rows = (
        Extra("--runtime", "nope"), Extra("--log-driver", "nope"), Extra("--device", "/dev/one"),
        Extra("--device", "/dev/two"), Extra("--sysctl", "kernel.nope=1"), Extra("--add-host", "web.internal:1.1.1.1"),
    )  # fmt: skip
    published = (PortRow("8080-8082", "80-82"), PortRow("81", "81", "tcp", "192.0.2.7"))
    form = RunForm(network="container:nope", extras=rows, ports=published)
    port = re.search(r":(\d+) failed", message)
    error = errors.PortInUse(500, message, port=int(port[1])) if port else errors.BadRequest(400, message)
    assert place_of(error, form) == field


async def test_a_name_that_this_form_took_and_gave_back_is_not_called_taken(
    qapp: QApplication, fake: FakeEngine
) -> None:
    fake.fail("/start", method="POST", raw=refusal(400, "the moon is in the wrong house"))
    async with dialog_on(fake, RunForm(image="web:1", name="new")) as (person, dialog):
        await person.press("Run")
        await person.until(dialog.failure.isVisible, "the reason")
        made = fake.add_container("new", image="web:1")  # what the store hears of late
        await fake.emit("container", "create", made, name="new", image="web:1")
        await person.until(lambda: "new" in dialog._names(), "the store to list it")
        assert not any(p.field == "name" for p in dialog.check())
        del fake.containers[made]
        await fake.emit("container", "destroy", made, name="new", image="web:1")
        await person.until(lambda: "new" not in dialog._names(), "the store to drop it")
        await fake.emit("container", "create", fake.add_container("new", image="web:1"), name="new", image="web:1")
        await person.sees("new is taken")


async def test_an_unnamed_volume_is_not_made_read_only(qapp: QApplication, fake: FakeEngine) -> None:
    async with dialog_on(fake) as (person, dialog):
        assert dialog.read("docker run --name new -v /anon web:1") == ""
        await person.choose(dialog.tabs, "storage")
        tab = dialog.parts_of_form["storage"]
        assert isinstance(tab, StorageTab)
        [line] = tab.mounts.lines
        await person.click(line.read_only)
        await person.sees("A new volume without a name cannot be read-only")
        await person.press("Run")
        assert line.source.hasFocus()
        assert not fake.asked("POST", "/create")
        await person.type(line.source, "data")
        await person.press("Run")
        await person.until(lambda: fake.find("new"), "the container")
        asked = json.loads(fake.asked("POST", "/create")[0].body)
        assert asked["HostConfig"]["Binds"] == ["data:/anon:ro"]


async def test_ranges_of_ports_and_addresses_are_looked_at(qapp: QApplication, fake: FakeEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        rows = (
            PortRow(f"{port - 1}-{port + 1}", "80-82", "tcp", "127.0.0.1"), PortRow("8123", "83", "tcp", "192.0.2.7"),
        )  # fmt: skip
        async with dialog_on(fake, RunForm(image="web:1", name="new", ports=rows)) as (person, dialog):
            held, absent = dialog.ports.lines
            await person.until(lambda: held.words.text().startswith(f"{port} is taken by "), "the port of the range")
            await person.until(lambda: absent.words.text() == "This computer has no address 192.0.2.7", "the address")
            await person.sees("2\u00a0problems")
            await person.press("Run")
            assert held.host.hasFocus()
            assert not fake.asked("POST", "/create")
            await person.type(absent.host, "")
            await person.type(held.inside, "80")
            await person.until(lambda: held.words.text() == "Free", "one of the range")


async def test_a_port_in_the_range_of_a_row_above_is_said(qapp: QApplication, fake: FakeEngine) -> None:
    rows = (PortRow("8000-8002", "80-82"), PortRow("8002", "90"), PortRow("8001-8005", "91"))
    problems = check(RunForm(image="web:1", ports=rows))
    assert [(p.field, p.sentence) for p in problems] == [("ports.1.host", "8002 is already in a row above")]


@pytest.mark.parametrize("odd", ["²", "٣", "9" * 5000])
async def test_what_is_no_port_in_one_row_does_not_hinder_the_look_at_another(
    qapp: QApplication, fake: FakeEngine, odd: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        async with dialog_on(fake, RunForm(image="web:1", name="new", ports=(PortRow("", "80"),))) as (person, dialog):
            assert dialog.read(f"docker run -p {odd}:80 -p 127.0.0.1:{port}:81 --name new web:1") == ""
            wrong, held = dialog.ports.lines
            await person.until(lambda: wrong.words.text() == "Use 1 to 65535", "what is wrong with the first")
            await person.until(lambda: held.words.text().startswith("Taken by "), "the holder")
            await person.press("Run")
            assert wrong.host.hasFocus()
            assert not fake.asked("POST", "/create")


async def test_a_port_of_an_image_that_is_none_is_not_offered(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_image("odd:1", exposed=["²/tcp", f"{'9' * 5000}/tcp", "81/tcp"])
    async with dialog_on(fake, RunForm(image="odd:1")) as (person, dialog):
        await person.until(lambda: [r.container for r in dialog.ports.rows()] == ["81"], "the one port")
