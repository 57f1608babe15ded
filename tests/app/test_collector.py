"""Garbage with Qt objects in it ends on the window's thread, whoever allocates."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.collector import Collector

PROGRAM = """
import os, signal, sys, threading, time
from app import cli, main

ended = []

class Knot:
    def __init__(self):
        self.me = self
    def __del__(self):
        ended.append(threading.current_thread() is threading.main_thread())

def work():
    time.sleep(main.SETTLED_SECONDS + 0.5)
    limit = time.monotonic() + 20
    while len(ended) < 200 and time.monotonic() < limit:
        Knot()
        held = [[] for _ in range(5000)]
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=work).start()
code = cli.main([])
print(code, len(ended) >= 200, all(ended[:200]))
"""


class Knot(QObject):
    """A Qt object that only the collector can free; it says on which thread that happened."""

    def __init__(self, tell: Callable[[threading.Thread], None]) -> None:
        super().__init__()
        self.me, self.tell = self, tell

    def __del__(self) -> None:
        self.tell(threading.current_thread())


@pytest.fixture
def collecting() -> Iterator[None]:
    """Whatever the test does to Python's collector is undone."""
    was, before = gc.isenabled(), gc.get_threshold()
    yield
    gc.set_threshold(*before)
    (gc.enable if was else gc.disable)()


def _allocate_beside() -> list[list[int]]:
    """A worker thread allocates far more than Python lets pass without collecting, and hands it over."""
    held: list[list[int]] = []
    worker = threading.Thread(target=lambda: held.extend([] for _ in range(100_000)))
    worker.start()
    worker.join()
    assert len(held) == 100_000
    return held


@pytest.mark.usefixtures("qapp", "collecting")
def test_python_alone_frees_on_the_thread_that_allocates() -> None:
    """The reason for all this; when it fails, the collector of ours is no longer needed."""
    gc.collect()
    gc.enable()
    ended: list[threading.Thread] = []
    plain = type("Plain", (), {"__del__": lambda _self: ended.append(threading.current_thread())})
    made = plain()
    made.me = made
    del made
    _allocate_beside()
    assert ended
    assert ended[0] is not threading.main_thread()


@pytest.mark.usefixtures("collecting")
def test_a_knot_of_qt_objects_ends_on_the_windows_thread(qapp: QApplication, qtbot: QtBot) -> None:
    gc.enable()
    collector = Collector(qapp)
    ended: list[threading.Thread] = []
    Knot(ended.append)
    held = _allocate_beside()
    assert not ended
    collector.start()
    qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
    assert ended == [threading.main_thread()]
    assert held
    collector.stop()
    collector.deleteLater()


@pytest.mark.slow
def test_the_whole_program_frees_on_the_windows_thread() -> None:
    """Threads make knots while the window is open; it ends by a signal when two hundred are freed."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["0", "True", "True"], done.stdout + done.stderr
