"""The idle saver: who is connected to the machine's socket, and when nobody needs the machine any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from backend import containers
from backend.client import Engine
from backend.errors import BackendError

LOOK_EVERY = 5.0
BUSY = frozenset(("running", "restarting", "paused", "removing"))
"""States of a container that lives, or is about to."""


class Callers:
    """Connections that came through the machine's socket and have not ended."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._last = time.monotonic()

    def come(self) -> Callable[[], None]:
        """One came; the caller calls what this returns when it has ended, once, from any thread."""
        self._count += 1

        def gone() -> None:
            self._count -= 1
            self._last = time.monotonic()

        def ended() -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(gone)

        return ended

    @property
    def quiet(self) -> float:
        """Seconds since the last one ended; 0 while there is one."""
        return 0.0 if self._count else time.monotonic() - self._last


async def idle(engine: Engine, callers: Callers, minutes: Callable[[], int], log: Callable[[str], None]) -> None:
    """Returns when for so many minutes there was no connection, and no container lives; 0 minutes: never."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        limit = minutes() * 60
        if not limit or min(callers.quiet, time.monotonic() - began) < limit:
            continue
        try:
            lives = any(each.state in BUSY for each in await containers.list_(engine))
        except BackendError as error:
            log(f"idle: {error}")
            lives = True
        if lives:
            began = time.monotonic()  # Asked again after as long a while.
        elif callers.quiet >= limit:
            return
