"""Blocking work beside the loop, in threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

R = TypeVar("R")


async def in_thread(work: Callable[[], R], drop: Callable[[R], object] = lambda _result: None) -> R:
    """What blocking work gives, in a thread of its own that nobody waits for when the caller is cancelled.

    `drop` gets the result that comes too late. A pool would be joined at the end of the program, and a name that is
    being looked up cannot be hurried.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def give(result: R | None, error: BaseException | None) -> None:
        if done.cancelled():
            if error is None:
                drop(result)  # type: ignore[arg-type]
        elif error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def body() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:
            error = caught
        try:
            loop.call_soon_threadsafe(give, result, error)
        except RuntimeError:  # The loop has ended meanwhile.
            if error is None:
                with suppress(OSError):
                    drop(result)  # type: ignore[arg-type]

    threading.Thread(target=body, name="ssh", daemon=True).start()
    return await done
