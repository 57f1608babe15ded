"""The composition root: makes the engine, the stores and the window, owns the loop and the order of quitting."""

from __future__ import annotations

from app import binding  # noqa: F401 - the first, see there

# isort: split

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

import qasync
from PySide6.QtWidgets import QApplication

from app import crash, logbook, paths
from app.collector import Collector
from app.desk import Desk
from app.theme import FOLDER
from app.version import VERSION

ICON_SECONDS = 0.3
"""The icon of the window is drawn when the window is."""
SETTLED_SECONDS = 2.0
QUIT_LIMIT = 2.0
"""Seconds that each part of quitting may take."""
LOST_DISPLAY = 1
"""The exit code when the display went away; it is what Qt itself ends with."""


def main() -> int:
    """Opens the window; returns the exit code of the process."""
    problem = paths.settle()
    logbook.open_log(paths.log_dir())
    app = QApplication([*sys.argv[:1], "-style", "Fusion"])
    recorder = crash.CrashRecorder(paths.log_dir(), VERSION)  # after Qt, which aborts where there is no display
    app.setApplicationName("Pilothouse")
    app.setDesktopFileName("pilothouse")
    app.setQuitOnLastWindowClosed(False)
    at_loss: list[Callable[[], object]] = []

    def stop() -> None:
        recorder.close()
        logbook.close_log()

    try:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            whole = _run(app, problem, at_loss)
            try:
                runner.run(whole)
            except RuntimeError:
                if getattr(whole, "cr_frame", None) is not None:  # Qt ended the loop below it.
                    logbook.log.warning("the display went away")
                    _end_at_once([*at_loss, stop])
                raise
    except BaseException as error:
        recorder.record(type(error), error.__traceback__)
        raise
    finally:
        stop()
    return 0


def _end_at_once(last: Sequence[Callable[[], object]]) -> NoReturn:
    """Ends the process without another word to Qt, whose windows have lost their display and crash when they go."""
    for work in last:
        with suppress(Exception):
            work()
    os._exit(LOST_DISPLAY)


def _set_icon(app: QApplication) -> None:
    from PySide6.QtGui import QIcon

    app.setWindowIcon(QIcon(str(FOLDER / "app-icon.svg")))


async def _run(app: QApplication, problem: str, at_loss: list[Callable[[], object]]) -> None:
    """The whole run. `at_loss` takes what is still to be done when the display goes away and nothing can be asked."""
    desk = Desk(app, problem)
    at_loss.append(desk.preferences.save)
    loop = asyncio.get_running_loop()
    loop.call_later(SETTLED_SECONDS, Collector(app).settle)
    loop.call_later(ICON_SECONDS, _set_icon, app)
    with suppress(NotImplementedError):
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):  # The last when its terminal goes; Windows has none.
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), desk.quit_now)
    undo = logbook.catch_all(desk.tell_error, loop)
    try:
        await desk.open()
        await desk.quit_asked
    finally:
        undo()
        await desk.close(QUIT_LIMIT)
