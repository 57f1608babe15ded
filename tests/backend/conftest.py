"""What several tests of the backend get: a client that is connected to their own `fake`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from backend.client import Engine
from tests.fakes.engine import FakeEngine


@pytest_asyncio.fixture
async def engine(fake: FakeEngine) -> AsyncIterator[Engine]:
    async with fake.serve() as endpoint:
        made = Engine(endpoint)
        await made.open()
        yield made
        await made.close()
