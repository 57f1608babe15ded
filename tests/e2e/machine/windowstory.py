"""What a person does with the machine in the window; run by test_window as an ordinary user, prints one line of JSON.

Arguments: a folder that holds the built images, the port to publish, the busybox root file system as a tar.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

from app import binding  # noqa: F401 - the first, see there

# isort: split

import qasync
from PySide6.QtWidgets import QApplication

from app import places
from app.commands.run.form import PortRow, RunForm
from app.pages.run.dialog import RunDialog
from app.places import Place
from backend import discovery
from backend.errors import EngineTimeout
from tests.e2e import images
from tests.e2e.desk import Person, at_desk
from vm import images as machine_images

BOOT_SECONDS = 1500.0
PATIENCE = 300.0
SERVE = "sh -c 'mkdir -p /www && echo ahoy > /www/index.html && exec httpd -f -p 80 -h /www'"


def docker(socket: Path, *words: str) -> str:
    done = subprocess.run(
        ["docker", "-H", f"unix://{socket}", *words], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout.strip()


async def fetched(port: int) -> str:
    """What the port answers, once it does."""

    def ask() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
            return str(answer.read().decode())

    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await asyncio.to_thread(ask)
            except (OSError, urllib.error.URLError):
                await asyncio.sleep(0.5)


async def story(built: Path, port: int, tar: Path) -> dict[str, object]:
    machine_images.BUILT = built
    discovery.usual_sockets = lambda environment: []
    told: dict[str, object] = {}
    async with at_desk(None, connect=False) as person:
        await person.press("Start the machine")
        seen: set[str] = set()
        wanted = ("Checking the image", "Looking for QEMU", "Booting", "Waiting for its engine")

        def all_seen() -> bool:
            seen.update(words for words in wanted if person.says(words))
            return person.desk.session.engine is not None

        await person.until(all_seen, "the machine's engine in use", BOOT_SECONDS)
        told["seen"] = sorted(seen)
        await person.connected(PATIENCE)
        told["label"] = person.desk.session.state.label
        socket = person.desk.machine.session.machine.paths.socket
        await asyncio.to_thread(docker, socket, "import", str(tar), images.BUSYBOX)
        await run(person, port)
        told["page"] = await fetched(port)
        person.window.go(Place(places.MACHINE))
        await person.sees(f"127.0.0.1:{port}/tcp", PATIENCE)
        await person.sees("QEMU runs as process")
    async with at_desk(None, connect=False) as person:
        await person.connected(PATIENCE)
        told["found again"] = person.desk.session.state.label
        names = [one.name for one in person.desk.stores.containers.values.values()]
        told["names"] = names
    told["engine"] = await asyncio.to_thread(docker, socket, "ps", "--format", "{{.Names}} {{.Ports}}")
    return told


async def run(person: Person, port: int) -> None:
    """A container by the Run dialog."""
    form = RunForm(
        image=images.BUSYBOX, name="web", ports=(PortRow(str(port), "80", "tcp", "127.0.0.1"),), command=SERVE
    )
    person.window.go(Place("run", extra=form))
    await person.find(RunDialog, "the dialog", lambda _dialog: True)
    await person.press("Run")
    operation = person.last("Run")
    await person.until(lambda: not operation.running, "the end of it", PATIENCE)
    # An emulated guest on a busy computer may take longer than the window waits; the engine goes on.
    assert operation.error is None or isinstance(operation.error, EngineTimeout), operation.error
    containers = person.desk.stores.containers
    await person.until(
        lambda: [one.state for one in containers.values.values()] == ["running"], "the container", PATIENCE
    )


def main(words: list[str]) -> None:
    app = QApplication(["pilothouse", "-style", "Fusion"])
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        told = runner.run(story(Path(words[0]), int(words[1]), Path(words[2])))
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
