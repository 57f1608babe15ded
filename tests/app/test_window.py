"""The window makes pages when they are first shown, keeps its way back, and becomes narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app import places
from app.places import Place
from app.preferences import Preferences
from app.theme import Theme
from app.window import MainWindow


class Yard:
    """A window whose pages are empty, and what was asked of it."""

    def __init__(self, app: QApplication, folder: Path) -> None:
        self.made: list[str] = []
        self.opened: list[Place] = []
        theme = Theme("light", app)
        theme.apply(app)
        self.preferences = Preferences(folder)
        keys = (*places.PAGES, places.ONBOARDING)
        self.window = MainWindow(
            theme,
            self.preferences,
            {key: lambda key=key: self._page(key) for key in keys},  # type: ignore[misc]
            {places.RUN: self.opened.append},
        )

    def _page(self, key: str) -> QWidget:
        self.made.append(key)
        return QWidget()


@pytest.fixture
def yard(qapp: QApplication, tmp_path: Path, qtbot: QtBot) -> Yard:
    made = Yard(qapp, tmp_path)
    qtbot.addWidget(made.window)
    made.window.show_start()
    made.window.show()
    made.window.activateWindow()
    return made


def test_pages_are_made_when_first_shown(yard: Yard) -> None:
    assert yard.made == [places.CONTAINERS]
    QTest.keyClick(yard.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(yard.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(yard.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert yard.made == [places.CONTAINERS, places.IMAGES]
    QTest.keyClick(yard.window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert yard.window.place == Place(places.CONTAINERS)


def test_a_dialog_leaves_the_page_where_it_is(yard: Yard) -> None:
    yard.window.go(Place(places.RUN, "nginx"))
    assert yard.opened == [Place(places.RUN, "nginx")]
    assert yard.window.place.page == places.CONTAINERS


def test_without_an_engine_the_pages_that_need_one_give_way(yard: Yard) -> None:
    yard.window.show_onboarding(True)
    assert yard.window.stack.currentWidget() is yard.window.page(places.ONBOARDING)
    yard.window.go(Place(places.SETTINGS))
    assert yard.window.stack.currentWidget() is yard.window.page(places.SETTINGS)
    yard.window.go(Place(places.CONTAINERS))
    yard.window.show_onboarding(False)
    assert yard.window.stack.currentWidget() is yard.window.page(places.CONTAINERS)


def test_the_last_page_comes_back(yard: Yard) -> None:
    yard.window.go(Place(places.ACTIVITY))
    assert yard.preferences.get("window/page", "") == places.ACTIVITY


def test_closing_is_asked_for(yard: Yard, qtbot: QtBot) -> None:
    with qtbot.waitSignal(yard.window.close_asked):
        yard.window.close()
    assert yard.window.isVisible()


def test_f1_shows_the_keys_and_esc_takes_them_away(yard: Yard) -> None:
    QTest.keyClick(yard.window, Qt.Key.Key_F1)
    (sheet,) = yard.window.dialogs_open()
    assert sheet.grab().width() > 0
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not yard.window.dialogs_open()
