"""Collector: cyclic garbage is collected on the window's thread alone.

Python collects in whichever thread happens to allocate. A Qt object that lies in a cycle would end there, off its own
thread, and take the program with it: seen as a segmentation fault while a worker thread imported httpx.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer

EVERY_MS = 1000


class Collector(QObject):
    """Takes the collector over from Python for good; make it on the window's thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(collect)

    def start(self) -> None:
        """From now on collects what is due, once in a while."""
        self._timer.start()

    def settle(self) -> None:
        """Starts, and never again looks at what there is now: what was loaded stays."""
        gc.freeze()
        self.start()

    def stop(self) -> None:
        """Collects no more; Python does not begin again."""
        self._timer.stop()


def collect() -> None:
    """Collects the oldest generation that Python would collect now."""
    due = -1
    for generation, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
        if count <= limit:
            break
        due = generation
    if due >= 0:
        gc.collect(due)
