"""The engine that was used last is used again: asked first, with its name and its certificates; else another is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app.pages.containers.page import ContainersPage
from app.session import Phase
from backend import discovery
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine
from tests.fakes.tls import make_keys, over_tls

pytestmark = pytest.mark.asyncio


async def shows(person: Person, name: str) -> None:
    """Waits until the engine in use is connected and its container is listed."""
    await person.until(
        lambda: (
            person.desk.session.state.phase is Phase.CONNECTED
            and [c.name for c in person.desk.stores.containers.values.values()] == [name]
        ),
        f"the container {name}",
    )


def engine_with(name: str) -> FakeEngine:
    fake = FakeEngine()
    fake.add_container(name)
    return fake


async def test_the_last_engine_comes_before_the_one_of_docker_host(qapp: QApplication) -> None:
    async with engine_with("first").serve() as first, engine_with("second").serve() as second:
        async with at_desk(first) as person:
            await shows(person, "first")
            person.desk.engines.use(second, "The second one")
            await shows(person, "second")
        async with at_desk(first) as person:
            await shows(person, "second")
            assert person.desk.session.state.label == "The second one"
            assert any("The second one" in b.text() for b in person.desk._buttons)


async def test_another_docker_host_than_last_time_comes_first(qapp: QApplication) -> None:
    async with engine_with("first").serve() as first, engine_with("second").serve() as second:
        async with at_desk(first) as person:
            await shows(person, "first")
        async with at_desk(second) as person:
            await shows(person, "second")


async def test_the_last_engine_is_asked_once_and_others_after_its_list(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, other = engine_with("mine"), engine_with("other")
    async with fake.serve() as where, other.serve() as elsewhere:
        async with at_desk(where) as person:
            await shows(person, "mine")
        fake.requests.clear()
        other.requests.clear()
        monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [("Docker", elsewhere.path)])
        async with at_desk(where) as person:
            await shows(person, "mine")
            await person.until(lambda: other.requests, "a look around")
        paths = [request.path for request in fake.requests]
        listed = next(at for at, path in enumerate(paths) if path.endswith("/containers/json"))
        assert [path for path in paths[:listed] if path in ("/_ping", "/version")] == ["/_ping", "/version"]


async def test_a_last_engine_that_is_gone_gives_way(qapp: QApplication) -> None:
    async with engine_with("first").serve() as first:
        async with engine_with("second").serve() as second, at_desk(first) as person:
            person.desk.engines.use(second, "The second one")
            await shows(person, "second")
        async with at_desk(first) as person:
            await shows(person, "first")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_keys(tmp_path_factory.mktemp("tls"))
    (folder / "ca.pem").symlink_to("cert.pem")
    return folder


async def test_certificates_that_a_person_gave_are_used_again(qapp: QApplication, keys: Path) -> None:
    async with engine_with("far").serve() as near, over_tls(far := engine_with("secret"), keys) as port:
        async with at_desk(near) as person:
            await shows(person, "far")
            await person.connect_to(f"tcp://127.0.0.1:{port}", keys)
            await shows(person, "secret")
        far.requests.clear()
        async with at_desk(near) as person:
            await shows(person, "secret")
    assert far.requests


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.03])
async def test_of_engines_chosen_in_a_hurry_the_last_one_is_used_alone(qapp: QApplication, pause: float) -> None:
    fakes = engine_with("first"), engine_with("second")
    async with fakes[0].serve() as first, fakes[1].serve() as second, at_desk(first) as person:
        await shows(person, "first")
        for turn in range(21):
            person.desk.engines.use((second, first)[turn % 2], "chosen")
            await asyncio.sleep(pause * (turn % 3))
        await shows(person, "second")
        await fakes[0].set_state("first", "exited", "die")
        fakes[0].drop_all()
        await fakes[1].set_state("second", "exited", "die")
        store = person.desk.stores.containers
        await person.until(lambda: [c.state for c in store.values.values()] == ["exited"], "what happens in it")
        assert [c.name for c in store.values.values()] == ["second"]
        assert person.desk.session.state.phase is Phase.CONNECTED
        assert person.desk.session.state.endpoint == second
        await person.until(
            lambda: len([t for t in asyncio.all_tasks() if t.get_name().endswith(": sync")]) == 1, "one to be followed"
        )


async def test_a_container_of_the_engine_before_is_not_called_removed(qapp: QApplication) -> None:
    async with engine_with("first").serve() as first, engine_with("second").serve() as second, at_desk(first) as person:
        await shows(person, "first")
        page = cast("ContainersPage", await person.nav("containers"))
        await person.open_row(page.list.table, "first")
        await person.until(lambda: page.details is not None, "the details")
        person.desk.engines.use(second, "The second one")
        await shows(person, "second")
        await person.row(page.list.table, "second")
        assert page.list.isVisible()
        assert page.details is None
        assert not person.says("Removed")
        await person.open_row(page.list.table, "second")
        await person.until(lambda: page.details is not None, "the details")
        await person.nav("images")
        person.desk.engines.use(first, "The first one")
        await shows(person, "first")
        assert person.window.place.page == "images"
        await person.nav("containers")
        await person.row(page.list.table, "first")
        assert page.list.isVisible()
