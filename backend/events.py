"""What happens at an engine, as it happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from backend.client import Engine
from backend.types.system import Event


def stream(
    engine: Engine, *, since: str = "", opened: Callable[[], None] | None = None, deadline: float = 10
) -> AsyncGenerator[Event, None]:
    """Events until the iterator is closed; `since` is Unix seconds with a fraction and brings back the past.

    `opened()` is called once the engine listens. Engines send the head of this answer at once; `deadline` is for it.
    """
    query = {"since": since or None}
    return engine.ndjson("GET", "/events", Event, query=query, deadline=deadline, opened=opened)
