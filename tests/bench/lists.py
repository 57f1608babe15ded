"""Two hundred containers from the engine into the table of the real window.

Run as `python -m tests.bench.lists SOCKET`; writes rows as JSON lists to its standard output.
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import qasync
from PySide6.QtWidgets import QApplication

from app import places
from app.desk import Desk
from app.pages.containers.page import ContainersPage
from app.session import Phase
from backend import containers

ROUNDS = 45
ALL = 200


def raw(path: str) -> int:
    """Reads the list over a bare socket and does nothing with it; its size in bytes."""
    size = 0
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(b"GET /v1.41/containers/json?all=1 HTTP/1.0\r\nHost: docker\r\n\r\n")
        while part := line.recv(1 << 20):
            size += len(part)
    return size


def docker_ps() -> int:
    """Lists with the docker command line, as a whole process."""
    return len(subprocess.run(["docker", "ps", "-a"], check=True, capture_output=True).stdout)


def timed(work: Callable[[], int]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    assert work() > 1000
    return (time.perf_counter() - began) * 1000


async def measure(app: QApplication, path: str) -> list[tuple[str, float, str, float, float | None]]:
    """Each round: the bare socket, the docker command line, ours; in turns."""
    desk = Desk(app)
    await desk.open()
    desk.window.resize(1280, 800)
    async with asyncio.timeout(30):
        while desk.session.state.phase is not Phase.CONNECTED or len(desk.stores.containers.values) < ALL:
            await asyncio.sleep(0.05)
    page = desk.window.page(places.CONTAINERS)
    assert isinstance(page, ContainersPage)
    engine = desk.session.engine
    assert engine is not None
    # The list alone is measured: no streams beside it.
    page.list.live.set_on(False)
    desk.feeds.totals.set_active(False)
    floors, peers, filled, painted, cpu = [], [], [], [], []
    for turn in range(ROUNDS + 2):
        desk.stores.containers.clear()
        await asyncio.sleep(0.1)
        floor, peer = timed(lambda: raw(path)), timed(docker_ps)
        await asyncio.sleep(0.05)
        used, began = time.process_time(), time.perf_counter()
        desk.stores.containers.replace(await containers.list_(engine))
        assert page.list.model.rowCount() >= ALL
        now = time.perf_counter()
        page.list.table.viewport().repaint()
        shown = time.perf_counter()
        if turn >= 2:
            floors.append(floor)
            peers.append(peer)
            filled.append((now - began) * 1000)
            painted.append((shown - began) * 1000)
            cpu.append((time.process_time() - used) * 1000)
    desk.quit_now()
    await desk.close(2)
    floor, peer, ours, seen, own = (statistics.median(v) for v in (floors, peers, filled, painted, cpu))
    return [
        ("200 containers, engine to filled model / raw socket", ours, "ms", floor, 1.75),
        ("200 containers, engine to filled model / docker ps -a", ours, "ms", peer, 0.9),
        ("200 containers, engine to painted / raw socket", seen, "ms", floor, None),
        ("200 containers, CPU of ours / raw socket's time", own, "ms", floor, None),
    ]


def main() -> None:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        for row in runner.run(measure(app, sys.argv[1])):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
