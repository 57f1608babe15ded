"""`python -m vm.supervisor HOME RUNTIME`: take the lock (75 when another has it) and live the machine's life."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from vm import local
from vm.paths import MachinePaths
from vm.qemu.logs import fresh
from vm.supervisor import LOCKED
from vm.supervisor.core import Supervisor


def main(words: list[str]) -> int:
    """Returns the exit code."""
    os.umask(0o077)
    paths = MachinePaths(Path(words[0]), Path(words[1]))
    if local.take_lock(paths.lock) is None:
        return LOCKED
    fresh(paths.log)
    log = os.open(paths.log, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
    os.dup2(log, 2)
    os.close(log)
    return asyncio.run(_live(paths))


async def _live(paths: MachinePaths) -> int:
    supervisor = Supervisor(paths)
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()
    local.when_asked_to_end(lambda: stopping.add(loop.create_task(supervisor.stop())))
    return await supervisor.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
