"""Which ports of the machine do not answer: asked after a change and while something is wrong, of no other engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QApplication

from app.feeds.porttroubles import PortTroubles, _ask
from app.tasks import TaskScope
from backend.endpoint import Endpoint, UnixSocket
from backend.types.containers import ContainerId, ContainerSummary, Port
from vm.report import Published

pytestmark = pytest.mark.asyncio
HERE = UnixSocket("/machine/docker.sock")
PORTS = (Port(80, 8080, "0.0.0.0"), Port(80, 8080, "::"), Port(53, 53, "127.0.0.1", "udp"), Port(443))
ROWS = [ContainerSummary(id=ContainerId("a"), ports=PORTS)]


class Asked:
    """Says what it is told to."""

    def __init__(self) -> None:
        self.answer: tuple[Published, ...] | None = ()
        self.times = 0

    async def __call__(self, endpoint: Endpoint) -> tuple[Published, ...] | None:
        assert endpoint == HERE
        self.times += 1
        return self.answer


@pytest_asyncio.fixture
async def scope(qapp: QApplication) -> AsyncIterator[TaskScope]:
    failures: list[BaseException] = []
    found = TaskScope("test", lambda error, _name: failures.append(error))
    yield found
    await found.close()
    assert not failures


async def looked(feed: PortTroubles) -> None:
    feed._begin()
    assert feed._task is not None
    await asyncio.wait((feed._task,))


async def test_what_does_not_answer_is_told_until_it_does(scope: TaskScope) -> None:
    source, told = Asked(), []
    feed = PortTroubles(scope, source=source)
    feed.changed.connect(lambda: told.append(dict(feed.found)))
    feed.follow(HERE, ROWS)
    assert feed._timer.isActive()
    feed._timer.stop()
    source.answer = (
        Published("tcp", "0.0.0.0", 8080, "taken", "node (pid 7)"),
        Published("tcp", "::", 8080, "failed", words="odd"),
        Published("udp", "127.0.0.1", 53),
    )
    await looked(feed)
    assert list(feed.found) == [("tcp", "", 8080)]
    assert feed.found[("tcp", "", 8080)].startswith("node (pid 7) has port 8080/tcp")
    assert feed._timer.isActive()  # It may become free.
    feed._timer.stop()
    source.answer = (Published("tcp", "0.0.0.0", 8080), Published("udp", "127.0.0.1", 53))
    await looked(feed)
    assert not feed._timer.isActive()
    assert [len(each) for each in told] == [1, 0]


async def test_it_asks_again_while_the_machine_does_not_know_of_a_port_yet(scope: TaskScope) -> None:
    source = Asked()
    feed = PortTroubles(scope, source=source)
    feed.follow(HERE, ROWS)
    source.answer = (Published("tcp", "0.0.0.0", 8080),)
    feed._timer.stop()
    await looked(feed)
    assert feed._timer.isActive()


async def test_nothing_is_asked_of_another_engine_or_without_a_change(scope: TaskScope) -> None:
    source = Asked()
    feed = PortTroubles(scope, source=source)
    feed.follow(None, ROWS)
    assert not feed._timer.isActive()
    feed.follow(HERE, [])
    assert not feed._timer.isActive()
    feed.follow(HERE, ROWS)
    feed._timer.stop()
    feed.follow(HERE, list(ROWS))
    assert not feed._timer.isActive()
    source.answer = None
    await looked(feed)
    assert (source.times, feed.found, feed._timer.isActive()) == (1, {}, False)


async def test_another_engine_has_none_of_them(scope: TaskScope) -> None:
    source = Asked()
    source.answer = (Published("tcp", "0.0.0.0", 8080, "forbidden"),)
    feed = PortTroubles(scope, source=source)
    feed.follow(HERE, ROWS)
    await looked(feed)
    assert feed.found
    feed.follow(UnixSocket("/other.sock"), ROWS)
    assert not feed.found
    feed._timer.stop()


async def test_only_the_endpoint_of_the_machine_here_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_HOME", str(tmp_path))
    assert await _ask(HERE) is None
    from app import paths

    assert await _ask(UnixSocket(str(paths.runtime_dir() / "machine" / "docker.sock"))) == ()
