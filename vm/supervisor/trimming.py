"""Giving room back: a while after images, containers or volumes went, the disk is trimmed, and its file shrinks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from backend import events
from backend.client import Engine
from backend.errors import BackendError
from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.guestlink import GuestLink

QUIET = 10.0
"""Seconds without such an event; a prune brings many."""
AGAIN = 5.0
SECONDS = 600.0
GOING = frozenset(("delete", "destroy", "prune", "untag"))


async def follow(engine: Engine, link: GuestLink, log: Callable[[str], None]) -> None:
    """Until it is cancelled."""
    gone = asyncio.Event()
    trimming = asyncio.ensure_future(_trim(link, gone, log))
    try:
        while True:
            try:
                async with aclosing(events.stream(engine)) as stream:
                    async for event in stream:
                        if event.action in GOING:
                            gone.set()
            except BackendError as error:
                log(f"trim: {error}")
            await asyncio.sleep(AGAIN)
    finally:
        trimming.cancel()
        await asyncio.gather(trimming, return_exceptions=True)


async def _trim(link: GuestLink, gone: asyncio.Event, log: Callable[[str], None]) -> None:
    while True:
        await gone.wait()
        while gone.is_set():
            gone.clear()
            await asyncio.sleep(QUIET)
        try:
            # What was just deleted is free only once the file system has written that down.
            _, said, _ = await link.session.run("sync; pilothouse trim", deadline=SECONDS)
            log(f"trim: {said.decode(errors='replace').strip()}")
        except (SshError, ChannelRefused) as error:
            log(f"trim: {error}")
