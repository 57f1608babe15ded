"""Changes of watched folders, told to the guest, whose kernel sees only what goes through itself.

Opt-in for each folder: a watch costs memory for every folder in it. What the guest itself changed is not told again, so
that a program which writes when something changes does not run in circles.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from backend.ssh.errors import SshError
from backend.ssh.link import ChannelRefused
from vm.guestlink import GuestLink
from vm.shares.places import Share, guest_path

GATHER_MS = 60
OWN_SECONDS = 2.0
"""How long a change is taken for the guest's own after it wrote there."""
AGAIN = 1.0
MOST = 500
"""Changes told at once; of more, like those of another branch being checked out, the folders are told."""


class Watching:
    """Watches folders, and tells the guest which files changed."""

    def __init__(self, link: GuestLink, log: Callable[[str], None]) -> None:
        self._link, self._log = link, log
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._own: dict[bytes, float] = {}
        self._teller: asyncio.StreamWriter | None = None
        self.failed: dict[str, str] = {}

    def watch(self, shares: Iterable[Share]) -> None:
        """Watch those of these that ask for it, and no others."""
        wanted = {share.path for share in shares if share.watch}
        for path in [each for each in self._watches if each not in wanted]:
            self._watches.pop(path).cancel()
            self.failed.pop(path, None)
        for path in wanted - self._watches.keys():
            self._watches[path] = asyncio.ensure_future(self._follow(path))

    def on_guest_changed(self, path: bytes) -> None:
        """The guest changed what lies at this path there; from any thread."""
        if self._watches:
            self._own[path] = time.monotonic()

    async def close(self) -> None:
        """Watch nothing any more."""
        watches = list(self._watches.values())
        self.watch(())
        await asyncio.gather(*watches, return_exceptions=True)
        if self._teller is not None:
            self._teller.close()

    async def _follow(self, path: str) -> None:
        from watchfiles import awatch  # Late: few ask for it.

        try:
            async for changes in awatch(path, debounce=GATHER_MS, step=GATHER_MS // 2, recursive=True):
                await self._tell(self._lines({changed for _, changed in changes}))
        except (OSError, RuntimeError) as error:  # Most often: the system's limit of watches.
            self.failed[path] = str(error)
            self._log(f"watching {path}: {error}")

    def _lines(self, changed: set[str]) -> list[str]:
        """What is told: a file with its time; where one went, its folder."""
        now = time.monotonic()
        self._own = {path: when for path, when in self._own.items() if now - when < OWN_SECONDS}
        if len(changed) > MOST:
            changed = {os.path.dirname(each) for each in changed}
        lines = []
        for path in sorted(changed):
            if "\n" in path or guest_path(path).encode("utf-8", "surrogateescape") in self._own:
                continue
            for place in (path, os.path.dirname(path)):
                with suppress(OSError):
                    lines.append(f"{int(os.lstat(place).st_mtime)}\t{guest_path(place)}\n")
                    break
        return lines

    async def _tell(self, lines: list[str]) -> None:
        if not lines:
            return
        content = "".join(lines).encode("utf-8", "surrogateescape")
        for _ in range(2):  # The program there ends with a connection that breaks.
            try:
                if self._teller is None or self._teller.is_closing():
                    stream = await self._link.session.open_program("pilothouse changed")
                    _, self._teller = await asyncio.open_connection(sock=stream)
                self._teller.write(content)
                await self._teller.drain()
                return
            except (SshError, ChannelRefused, OSError) as error:
                self._log(f"watching: {error!r}")
                self._teller = None
                await asyncio.sleep(AGAIN)
