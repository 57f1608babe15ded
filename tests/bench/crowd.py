"""An engine with 200 containers, 50 of them running, none on a network."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend import containers
from backend.client import Engine
from backend.endpoint import UnixSocket
from tests.bench import machine
from tests.e2e import images
from tests.e2e.daemon import Daemon

CREATED, RUNNING = 150, 50
AT_ONCE = 8


@dataclass(frozen=True)
class Crowd:
    """The engine, and an environment in which programs of a person without any settings find it."""

    daemon: Daemon
    home: Path

    @property
    def endpoint(self) -> UnixSocket:
        return self.daemon.endpoint

    @property
    def environment(self) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("DOCKER_", "PYTHONDONTWRITE"))}
        env |= {"QT_QPA_PLATFORM": "offscreen", "DOCKER_HOST": self.daemon.docker_host}
        env |= {"HOME": str(self.home), "PILOTHOUSE_HOME": str(self.home / "pilothouse")}
        # A program that is installed has its modules compiled; these are compiled by the first run, which is not taken.
        return env | {"DOCKER_CONFIG": str(self.home / "docker"), "PYTHONPYCACHEPREFIX": str(self.home / "pycache")}

    def engine_pids(self) -> list[int]:
        """dockerd and containerd."""
        return machine.named(machine.tree(self.daemon.pid), frozenset({"dockerd", "containerd"}))


@contextmanager
def crowd() -> Iterator[Crowd]:
    """Starts everything; removes everything."""
    daemon = Daemon()
    with tempfile.TemporaryDirectory(prefix="ph-bench-", dir="/tmp") as home:
        try:
            daemon.start()
            found = Crowd(daemon, Path(home))
            subprocess.run(
                ["docker", "import", "--change", 'CMD ["/bin/sh"]', "-", images.BUSYBOX],
                input=images.busybox_tar(), env=found.environment, check=True, capture_output=True,
            )  # fmt: skip
            asyncio.run(_fill(daemon.endpoint))
            yield found
        finally:
            daemon.close()


async def _fill(endpoint: UnixSocket) -> None:
    engine = Engine(endpoint)
    await engine.open(deadline=30)
    gate = asyncio.Semaphore(AT_ONCE)
    body = {"Image": images.BUSYBOX, "Cmd": ["sleep", "1d"], "HostConfig": {"NetworkMode": "none"}}

    async def one(number: int) -> None:
        async with gate:
            runs = number < RUNNING
            made = await containers.create(engine, dict(body), name=f"{'busy' if runs else 'idle'}-{number:03}")
            if runs:
                await containers.start(engine, made.id)

    try:
        await asyncio.gather(*(one(number) for number in range(CREATED + RUNNING)))
    finally:
        await engine.close()
