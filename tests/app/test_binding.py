"""Why PySide6 is pinned below 6.12: on Python 3.11 that release loses a reference to None at each call."""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication, QLabel


def test_ten_thousand_calls_keep_the_references_to_none(qapp: QApplication) -> None:
    label = QLabel()
    label.setText("warm up")
    before = sys.getrefcount(None)
    for number in range(10_000):
        label.setText(str(number))
    assert abs(sys.getrefcount(None) - before) < 50
