"""The guest's clock: after this computer slept, and now and then, it is asked for the time and put right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.guestlink import GuestLink

LOOK_EVERY = 2.0
ASK_EVERY = 60.0
JUMP = 1.5
"""Seconds that the wall clock may move against the steady one before it is taken for a sleep or a correction."""
DRIFT = 1.5
SECONDS = 20.0


async def follow(link: GuestLink, log: Callable[[str], None]) -> None:
    """Until it is cancelled."""
    asked, apart = time.monotonic(), time.time() - time.monotonic()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        now = time.time() - time.monotonic()
        jumped, apart = abs(now - apart) > JUMP, now
        if not jumped and time.monotonic() - asked < ASK_EVERY:
            continue
        asked = time.monotonic()
        try:
            await put_right(link, log)
        except (SshError, ChannelRefused, ValueError) as error:
            log(f"clock: {error}")


async def put_right(link: GuestLink, log: Callable[[str], None]) -> float:
    """Ask, and set it where it is off; how far it was off. Raises SshError, ChannelRefused, ValueError."""
    before = time.time()
    _, said, _ = await link.session.run("date +%s", deadline=SECONDS)
    after = time.time()
    off = int(said) - after if int(said) > after else min(0.0, int(said) + 1 - before)
    if abs(off) > DRIFT:
        log(f"clock: off by {off:.1f} s")
        await link.session.run(f"pilothouse clock {round(time.time())}", deadline=SECONDS)
    return off
