"""Refusals of a real engine, each at its field of the Run dialog, which stays as it was typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from app import ports
from app.commands.run.form import Extra, PortRow, RunForm
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.test_run import dialog_on

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

NAME, OTHER = "refused", "holds-it"
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "folder": ({"workdir": "relative"}, "advanced", "relative"),
    "image": ({"image": "UPPER/x"}, "basic", "lower"),
    "device": ({"extras": (Extra("--device", "/dev/nope"),)}, "advanced", "/dev/nope"),
    "runtime": ({"extras": (Extra("--runtime", "nope"),)}, "advanced", "nope"),
    "log driver": ({"extras": (Extra("--log-driver", "nope"),)}, "advanced", "nope"),
    "sysctl": ({"extras": (Extra("--sysctl", "kernel.nope=1"),)}, "advanced", "kernel.nope"),
    "health": ({"health_cmd": "true", "health_interval": "1us"}, "health", "less than 1ms"),
    "network": ({"network": "container:nope"}, "network", "nope"),
    "graphics": ({"extras": (Extra("--gpus", "all"),)}, "advanced", "device driver"),
}


@pytest.fixture(autouse=True)
def clean(docker_cli: DockerCli) -> Iterator[None]:
    yield
    docker_cli("rm", "-f", "-v", NAME, OTHER, check=False)


@pytest.mark.parametrize("case", CASES)
async def test_what_the_engine_refuses_is_said_and_marked(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str, case: str
) -> None:
    values, tab, words = CASES[case]
    form = replace(RunForm(image=busybox_image, name=NAME, command="sleep 60"), **values)
    async with dialog_on(engine_host, form) as (person, dialog):
        await person.press("Run")
        await person.until(lambda: dialog._operation is None and not dialog._timer.isActive(), "the end", 60)
        assert dialog.isVisible()
        assert dialog.tabs.current() == tab
        assert any(bound.field.error() for bound in dialog.parts_of_form[tab].bound.values())
        assert person.says(words)
        if person.desk.operations.items:
            assert dialog.failure.isVisible()
        assert dialog.form() == form
        assert NAME not in (await asyncio.to_thread(docker_cli, "ps", "-a", "--format", "{{.Names}}")).split()


async def test_a_range_with_a_port_that_a_container_publishes_says_which(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    first = free_range(3)
    held = ("-d", "--name", OTHER, "-p", f"127.0.0.1:{first + 1}:80", busybox_image, "sleep", "60")
    await asyncio.to_thread(docker_cli, "run", *held)
    row = PortRow(f"{first}-{first + 2}", "80-82", "tcp", "127.0.0.1")
    form = RunForm(image=busybox_image, name=NAME, command="sleep 60", ports=(row,))
    async with dialog_on(engine_host, form) as (person, dialog):
        line = dialog.ports.lines[0]
        await person.until(lambda: line.words.text() == f"{first + 1} is taken by {OTHER}", "the port")
        await person.press("Run")
        assert line.host.hasFocus()
        await person.type(line.host, f"{first + 1}-{first + 2}")
        await person.type(line.inside, "80")
        await person.until(lambda: line.words.text() == "Free", "one of the two")
        await person.press("Run")
        await person.done(person.last("Run"))
    assert await asyncio.to_thread(docker_cli, "port", NAME) == f"80/tcp -> 127.0.0.1:{first + 2}\n"


def free_range(length: int) -> int:
    """The first of some ports in a row that nobody holds."""
    starts = range(20_000, 30_000, length)
    return next(s for s in starts if all(ports.check(port, "").free for port in range(s, s + length)))
