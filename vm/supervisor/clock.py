"""The guest's clock: after this computer slept, and now and then, it is asked for the time and put right."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.guestlink import GuestLink

LOOK_EVERY = 1.0
ASK_EVERY = 60.0
JUMP = 1.0
"""Seconds that the wall clock may move against the steady one before it is taken for a sleep or a correction."""
LATE = 10.0
"""Where the steady clock goes on during sleep, a look that comes so late is one after it."""
DRIFT = 0.5
SECONDS = 20.0
AHEAD = 0.2
"""The guest's clock is set in whole seconds: it waits for the next one that it is sure to meet."""


async def follow(link: GuestLink, log: Callable[[str], None]) -> None:
    """Until it is cancelled."""
    steady = asked = time.monotonic()
    apart = time.time() - steady
    due = False
    while True:
        await asyncio.sleep(LOOK_EVERY)
        now = time.monotonic()
        offset = time.time() - now
        due = due or woke(now - steady, offset - apart) or now - asked > ASK_EVERY
        steady, apart = now, offset
        if not due:
            continue
        try:
            await put_right(link, log)
        except (SshError, ChannelRefused, ValueError) as error:
            log(f"clock: {error}")
        else:
            asked, due = time.monotonic(), False


def woke(steady: float, apart: float) -> bool:
    """Whether this computer slept, or its clock was set, since the last look `steady` seconds ago."""
    return abs(apart) > JUMP or steady > LATE


async def put_right(link: GuestLink, log: Callable[[str], None]) -> float:
    """Ask, and set it where it is off by more than the way takes; how far it was off.

    Raises SshError, ChannelRefused, ValueError.
    """
    before = time.time()
    _, said, _ = await link.session.run("echo $EPOCHREALTIME", deadline=SECONDS)
    after = time.time()
    way = (after - before) / 2
    off = float(said) - (before + way)
    if abs(off) > DRIFT + way:
        log(f"clock: off by {off:.1f} s")
        then = math.ceil(time.time() + way + AHEAD)
        wait = max(0.0, then - time.time() - way)
        await link.session.run(f"usleep {wait * 1e6:.0f}; pilothouse clock {then}", deadline=SECONDS)
    return off
