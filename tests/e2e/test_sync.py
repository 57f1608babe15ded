"""The stores follow a real engine: its events, its death and its return."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from app.operation import Operations
from app.session import Phase, Session
from app.stores.stores import Stores
from app.tasks import TaskScope
from backend import containers
from backend.endpoint import UnixSocket
from tests.e2e import images
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def use(session: Session, where: UnixSocket) -> None:
    session.use(where, "test")
    await until(lambda: session.state.phase is Phase.CONNECTED)


@asynccontextmanager
async def session_now() -> AsyncIterator[Session]:
    failures: list[str] = []
    scope = TaskScope("test", lambda error, name: failures.append(f"{name}: {error!r}"))
    session = Session(scope, Operations(scope), Stores())
    yield session
    await session.leave()
    assert await scope.close() == ()
    assert failures == []


def in_session(story: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Coroutine[Any, Any, None]]:
    """A test whose session lives in its own body: between a fixture and its test Qt works while no loop runs."""
    wanted = [p for p in inspect.signature(story).parameters.values() if p.name != "session"]
    qapp = inspect.Parameter("qapp", inspect.Parameter.POSITIONAL_OR_KEYWORD)

    async def run(qapp: QApplication, **fixtures: Any) -> None:
        async with session_now() as session:
            await story(session=session, **fixtures)

    run.__name__, run.__doc__ = story.__name__, story.__doc__
    run.__signature__ = inspect.Signature([qapp, *wanted])  # type: ignore[attr-defined]
    return run


@in_session
async def test_what_the_command_line_does_is_seen(
    session: Session, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    await use(session, engine_host)
    assert session.state.version

    def names() -> dict[str, str]:
        return {c.name: c.state for c in session.stores.containers.values.values()}

    await asyncio.to_thread(docker_cli, "run", "-d", "--name", "seen", busybox_image, "sleep", "600")
    await until(lambda: names().get("seen") == "running")
    await asyncio.to_thread(docker_cli, "pause", "seen")
    await until(lambda: names().get("seen") == "paused")
    await asyncio.to_thread(docker_cli, "rename", "seen", "renamed")
    await until(lambda: names().get("renamed") == "paused" and "seen" not in names())
    await asyncio.to_thread(docker_cli, "rm", "-f", "renamed")
    await until(lambda: "renamed" not in names())

    await asyncio.to_thread(docker_cli, "tag", busybox_image, "seen:2")
    await until(lambda: any("seen:2" in i.tags for i in session.stores.images.values.values()))
    await asyncio.to_thread(docker_cli, "rmi", "seen:2")
    await until(lambda: not any("seen:2" in i.tags for i in session.stores.images.values.values()))
    await asyncio.to_thread(docker_cli, "volume", "create", "seen-volume")
    await until(lambda: session.stores.volumes.get("seen-volume") is not None)
    await asyncio.to_thread(docker_cli, "volume", "rm", "seen-volume")
    await until(lambda: session.stores.volumes.get("seen-volume") is None)


@in_session
async def test_containers_that_end_at_once_are_seen_as_ended(
    session: Session, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    await use(session, engine_host)
    names = [f"brief-{number}" for number in range(12)]

    async def run(name: str) -> None:
        await asyncio.to_thread(
            docker_cli, "run", "-d", "--name", name, busybox_image, "sh", "-c", "exit 3", check=False
        )

    def states() -> list[str]:
        return [c.state for c in session.stores.containers.values.values() if c.name in names]

    await asyncio.gather(*(run(name) for name in names))
    try:
        await until(lambda: states() == ["exited"] * len(names))
    finally:
        await asyncio.to_thread(docker_cli, "rm", "-f", *names)


@in_session
async def test_a_killed_engine_leaves_stale_rows_and_comes_back(session: Session, own_engine: Daemon) -> None:
    await asyncio.to_thread(own_engine.start)
    await use(session, own_engine.endpoint)
    engine = session.engine
    assert engine is not None
    tar = images.busybox_tar()

    async def body() -> AsyncIterator[bytes]:
        yield tar

    async with engine.stream(
        "POST", "/images/create", query={"fromSrc": "-", "repo": "stays", "tag": "1"}, content=body()
    ) as answer:
        await answer.body()
    await containers.create(engine, {"Image": "stays:1", "Cmd": ["sleep", "600"]}, name="stays")
    await until(lambda: [c.name for c in session.stores.containers.values.values()] == ["stays"])

    await asyncio.to_thread(own_engine.kill)
    await until(lambda: session.state.phase is Phase.LOST and session.stores.containers.stale)
    assert [c.name for c in session.stores.containers.values.values()] == ["stays"]
    assert session.state.error is not None

    await asyncio.to_thread(own_engine.start)
    await until(lambda: session.state.phase is Phase.CONNECTED)
    assert not session.stores.containers.stale
    assert [c.name for c in session.stores.containers.values.values()] == ["stays"]


@in_session
async def test_a_stopped_engine_is_called_lost_and_recovers(session: Session, own_engine: Daemon) -> None:
    await asyncio.to_thread(own_engine.start)
    await use(session, own_engine.endpoint)
    await asyncio.to_thread(own_engine.suspend)
    try:
        await until(lambda: session.state.phase is Phase.LOST)
    finally:
        await asyncio.to_thread(own_engine.resume)
    await until(lambda: session.state.phase is Phase.CONNECTED)


def listed_as(session: Session, name: str, state: str) -> bool:
    return any(c.name == name and c.state == state for c in session.stores.containers.values.values())


@in_session
async def test_what_died_before_the_first_list_is_not_shown_as_running(
    session: Session, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    """An engine tells of a death before its list knows it: who asks in between hears of it no more."""
    await use(session, engine_host)
    await session.leave()
    for number in range(4):
        name = f"brief-{number}"
        docker_cli("run", "-d", "--name", name, busybox_image, "true")
        await use(session, engine_host)
        await until(partial(listed_as, session, name, "exited"), 5)
        await session.leave()
        docker_cli("rm", "-f", name)


@in_session
async def test_what_is_killed_while_paused_or_restarting_is_shown_as_ended(
    session: Session, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    """An engine lists the one as paused for a moment after its death, and tells nothing at all of the other's end."""
    names = ("ends-paused", "ends-trying")
    await asyncio.to_thread(docker_cli, "rm", "-f", *names, check=False)
    await use(session, engine_host)
    run = partial(docker_cli, "run", "-d", "--name")
    await asyncio.to_thread(run, "ends-trying", "--restart", "always", busybox_image, "false")
    try:
        for _ in range(4):
            await asyncio.to_thread(run, "ends-paused", busybox_image, "sleep", "600")
            await asyncio.to_thread(docker_cli, "pause", "ends-paused")
            await until(partial(listed_as, session, "ends-paused", "paused"))
            await asyncio.to_thread(docker_cli, "kill", "ends-paused")
            await until(partial(listed_as, session, "ends-paused", "exited"), 10)
            await asyncio.to_thread(docker_cli, "rm", "-f", "ends-paused")
        await until(partial(listed_as, session, "ends-trying", "restarting"))
        await asyncio.sleep(5)  # Between its tries are seconds by now, so that it is killed while it waits.
        await until(partial(listed_as, session, "ends-trying", "restarting"))
        await asyncio.to_thread(docker_cli, "kill", "ends-trying")
        await until(partial(listed_as, session, "ends-trying", "exited"), 10)
    finally:
        await asyncio.to_thread(docker_cli, "rm", "-f", *names, check=False)
