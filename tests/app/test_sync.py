"""What is told to let go of its engine ends, and writes nothing of it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
from PySide6.QtWidgets import QApplication

from app.stores.stores import Stores
from app.sync import Sync
from app.tasks import TaskScope
from backend import events
from backend.client import Engine
from backend.types.system import Event
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


async def test_one_closed_as_its_subscription_opens_ends_and_writes_nothing(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribing: asyncio.Queue[Callable[[], None]] = asyncio.Queue()

    async def stream(_engine: Engine, opened: Callable[[], None]) -> AsyncGenerator[Event, None]:
        subscribing.put_nowait(opened)
        await asyncio.Event().wait()
        yield Event()

    monkeypatch.setattr(events, "stream", stream)
    fake = FakeEngine()
    fake.add_container("web")
    async with fake.serve() as endpoint:
        engine, stores, scope = Engine(endpoint), Stores(), TaskScope("test", lambda _error, _name: None)
        sync = Sync(engine, stores, scope)
        told: list[str] = []
        sync.connected.connect(lambda: told.append("connected"))
        sync.start()
        opened = await subscribing.get()
        await asyncio.sleep(0)
        opened()
        await asyncio.wait_for(sync.close(), 10)
        assert not [task for task in asyncio.all_tasks() if task.get_name().endswith(": sync")]
        assert not told
        assert not stores.containers.loaded
        await engine.close()
        await scope.close(5)
