"""A theme that the application wears, and a window to put things in."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme("light", qapp)
    made.apply(qapp)
    return made


@pytest.fixture
def window(theme: Theme) -> QWidget:
    made = QWidget()
    made.resize(900, 600)
    made.show()
    made.activateWindow()
    return made
