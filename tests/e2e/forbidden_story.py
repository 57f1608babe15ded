"""What an ordinary user sees of an engine that he may not use; run by test_forbidden as that user, prints JSON."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys

from app import binding  # noqa: F401 - the first, see there

# isort: split

import qasync
from PySide6.QtWidgets import QApplication

from tests.e2e.desk import Person, at_desk


def refused(path: str) -> str:
    """What the system says to somebody who tries."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(path)
        except OSError as error:
            return type(error).__name__
    return ""


def status() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "engine", "status", "--json"], capture_output=True, text=True, timeout=60
    )
    found: dict[str, object] = json.loads(done.stdout)
    return {**found, "code": done.returncode}


async def look(told: dict[str, object]) -> None:
    async with at_desk(None, connect=False) as person:
        await person.sees("Members of the group")
        told["words"] = person.words()
        told["notices"] = [f"{n.title}. {n.detail} [{n.step.label if n.step else ''}]" for n in person.notices]
        await person.press("Start engine")
        await person.connected(90)
        told["engine"] = person.desk.session.state.product
        told["status"] = await asyncio.to_thread(status)
        await stop(person)


async def stop(person: Person) -> None:
    await person.desk.session.leave()
    await person.desk.engines.stop_embedded()


def main() -> None:
    path = os.environ["DOCKER_HOST"].removeprefix("unix://")
    told: dict[str, object] = {"refused": refused(path), "before": status()}
    app = QApplication([])
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        runner.run(look(told))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
