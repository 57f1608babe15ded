"""Two windows and the docker command line change the same containers at once, and end with the engine's own list."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app.pages.containers.page import ContainersPage
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]
NAMES = ("shared-0", "shared-1", "shared-2")


def shown(person: Person) -> dict[str, str]:
    """The shared containers as this window knows them."""
    rows = person.desk.session.stores.containers.values.values()
    return {row.name: row.state for row in rows if row.name.startswith("shared-")}


async def test_all_converge(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    async def docker(*words: str) -> str:
        return await asyncio.to_thread(docker_cli, *words, check=False)

    async def truth() -> dict[str, str]:
        listed = await docker("ps", "-a", "--filter", "name=shared-", "--format", "{{.Names}} {{.State}}")
        return dict(cast("tuple[str, str]", tuple(line.split())) for line in listed.splitlines())

    for name in NAMES:
        await docker("run", "-d", "--name", name, busybox_image, "sleep", "600")
    try:
        async with at_desk(engine_host) as one, at_desk(engine_host) as other:
            pages = [cast("ContainersPage", await person.nav("containers")) for person in (one, other)]
            for person in (one, other):
                await person.until(lambda p=person: shown(p) == dict.fromkeys(NAMES, "running"), "all three")  # type: ignore[misc]
            ids = [row.id for row in one.desk.session.stores.containers.values.values() if row.name in NAMES]
            for verb in ("kill", "start", "restart", "kill"):
                for page in pages:
                    page.verbs.run(verb, ids)
                await asyncio.gather(docker("restart", "-t", "0", NAMES[0]), docker("kill", NAMES[1]))
                for person in (one, other):
                    await person.until(lambda p=person: not p.desk.operations.running, "the actions to end")  # type: ignore[misc]
            await docker("rm", "-f", NAMES[2])
            await docker("rename", NAMES[1], "shared-renamed")
            last = await truth()
            assert set(last) == {NAMES[0], "shared-renamed"}
            for person in (one, other):
                await person.until(lambda p=person: shown(p) == last, f"what the engine says: {last}")  # type: ignore[misc]
            assert await truth() == last
    finally:
        await docker("rm", "-f", *NAMES, "shared-renamed")
