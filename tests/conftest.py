"""What every test gets: a home of its own, one QApplication, async tests on the right loop, and no leftovers."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

import pytest
from PySide6.QtWidgets import QAbstractItemView, QApplication

from app.collector import collect

gc.disable()  # as the program does: garbage that holds Qt objects ends on the main thread, between tests

QT_FIXTURES = frozenset({"qapp", "qtbot", "theme", "session", "window"})


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has an empty home: nothing of this user's settings, contexts or data is read or written."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PILOTHOUSE_HOME", str(home))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "docker"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """A thread that outlives its test fails it (pools of asyncio end with their loop)."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
    left = [t.name for t in set(threading.enumerate()) - before if t.is_alive() and not t.daemon]
    assert not left, f"threads left behind: {left}"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Tests that touch Qt run on the program's own kind of loop, all others on plain asyncio."""
    del config
    names = frozenset(getattr(item, "fixturenames", ()))
    if names & QT_FIXTURES:
        return {"qasync": _qt_loop}
    return {"asyncio": asyncio.new_event_loop}


def _qt_loop() -> asyncio.AbstractEventLoop:
    import qasync

    app = QApplication.instance() or QApplication([])
    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(app, already_running=False)
    return loop


@pytest.fixture(autouse=True)
def no_widgets_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Windows of one test do not live on in the next one."""
    yield
    app = QApplication.instance()
    if isinstance(app, QApplication):
        for widget in app.topLevelWidgets():
            widget.hide()
            if not isinstance(widget, QAbstractItemView):  # A completer deletes its list itself; twice is a crash.
                widget.deleteLater()
        app.sendPostedEvents(None, 52)  # QEvent.Type.DeferredDelete
    if request.node.get_closest_marker("slow"):
        gc.collect()
    else:
        collect()
