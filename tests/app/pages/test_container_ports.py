"""A container's ports that do not answer on this computer, in front of a person."""

from __future__ import annotations

import pytest

from app.places import Place
from app.widgets.cells import Cell
from backend.endpoint import Endpoint
from tests.app.pages.test_containers import Scene, in_scene
from vm.report import Published

pytestmark = pytest.mark.asyncio


@in_scene
async def test_a_port_of_the_machine_that_does_not_answer_is_told_at_the_row_and_in_the_details(scene: Scene) -> None:
    ports = scene.page._feeds.ports
    told = [Published("tcp", "0.0.0.0", 8080, "taken", "node (pid 4121)")]

    async def asked(_endpoint: Endpoint) -> tuple[Published, ...]:
        return tuple(told)

    ports._source = asked
    web = scene.person.key_of(scene.table, "web")

    def chips() -> Cell:
        return scene.list.model._cells[web][5]

    one = {"PrivatePort": 53, "PublicPort": 53, "Type": "udp", "IP": "127.0.0.1"}
    scene.fake.containers[scene.fake.find("db").id].ports = [one]  # type: ignore[union-attr]
    told.append(Published("udp", "127.0.0.1", 53))
    await scene.fake.set_state("db", "running", "start")  # The machine is asked when what is published has changed.
    await scene.person.until(lambda: chips().bad_chips == (True,), "the port to be marked")
    assert "node (pid 4121)" in chips().tooltip
    scene.person.window.go(Place("containers", web, "overview"))
    await scene.person.sees("node (pid 4121) has port 8080/tcp of this computer")
    told[:] = [Published("tcp", "0.0.0.0", 8080)]
    await scene.person.until(lambda: not ports.found, "the port to answer")
    scene.person.window.go(Place("containers"))
    await scene.person.until(lambda: chips().bad_chips == (False,), "the mark to go")
