"""`python -m tests.tour [FOLDER]`: pictures into build/tour, and those that README shows into packaging/screenshots."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

import qasync
from PySide6.QtWidgets import QApplication

from tests.e2e.desk import at_desk
from tests.tour.scenes import Tour
from tests.tour.world import World

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("containers", "logs", "stats", "run", "build", "images")
"""The pictures of README."""


def main() -> int:
    """Makes the world, walks through it, and cleans up."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "tour"
    home = Path(tempfile.mkdtemp(prefix="pilothouse-tour-"))
    world = World(home)
    os.environ.update(HOME=str(home), DOCKER_CONFIG=str(home / ".docker"), PILOTHOUSE_HOME=str(home / ".pilothouse"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        os.environ.pop(name, None)
    app = QApplication(sys.argv[:1])
    try:
        world.start()
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            runner.run(_walk(world, folder))
    finally:
        world.close()
        shutil.rmtree(home, ignore_errors=True)
    if len(sys.argv) == 1:
        _show(folder)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return 0


async def _walk(world: World, folder: Path) -> None:
    async with at_desk(None) as person:
        await Tour(person, world, folder).walk()


def _show(folder: Path) -> None:
    target = ROOT / "packaging" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    for name in SHOWN:
        for look in ("light", "dark"):
            shutil.copyfile(folder / f"{name}-{look}.png", target / f"{name}-{look}.png")


if __name__ == "__main__":
    sys.exit(main())
