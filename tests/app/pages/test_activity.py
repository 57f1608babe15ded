"""The Activity page: how list and chosen action share the height, and what a search and a segment leave of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.commandline import CommandLine, Secret
from app.operation import Operation, Operations, OperationState, Part
from app.pages.activity.page import ROWS_KEPT, ActivityPage
from app.preferences import Preferences
from app.tasks import TaskScope
from app.theme import Theme


def test_the_list_keeps_rows_in_sight_beside_an_action_with_much_to_tell(qtbot: QtBot, tmp_path: Path) -> None:
    theme = Theme("light")
    operations = Operations(TaskScope("test", lambda _error, _name: None))
    pull = Operation("Pull", "nginx", CommandLine(("docker", "pull", "nginx")), operations)
    operations.items.append(pull)
    page = ActivityPage(theme, operations, Preferences(tmp_path), QWidget)
    qtbot.addWidget(page)
    page.resize(848, 600)
    page.show()
    few = page.table.viewport().height()
    for number in range(40):
        pull.parts[f"layer{number}"] = Part(f"layer{number}", "Downloading", number, 40)
    page.detail.refresh()
    qtbot.waitUntil(lambda: page.table.viewport().height() < few)
    assert page.table.viewport().height() >= ROWS_KEPT * theme.height("row")
    assert page.detail.parts.height() == 40 * theme.height("tree_row")


def test_a_segment_without_actions_says_so_and_shows_all_again(qtbot: QtBot, tmp_path: Path) -> None:
    operations = Operations(TaskScope("test", lambda _error, _name: None))
    pull = Operation("Pull", "nginx", CommandLine(("docker", "pull", "nginx")), operations)
    operations.items.append(pull)
    page = ActivityPage(Theme("light"), operations, Preferences(tmp_path), QWidget)
    qtbot.addWidget(page)
    page.show()
    page.segments.set_current("failed")
    page.segments.chosen.emit("failed")
    assert page.nothing.isVisible()
    assert not page.detail.isVisible()
    page.nothing.pressed.emit()
    assert page.table.isVisible()
    assert page.detail.isVisible()
    page.segments.set_current("running")
    page.segments.chosen.emit("running")
    assert page.table.isVisible()
    pull.end(OperationState.SUCCEEDED)
    operations.ended.emit(pull)
    assert page.nothing.isVisible()
    assert page.detail.isVisible()


def test_a_search_finds_actions_by_name_and_line_but_by_no_secret(qtbot: QtBot, tmp_path: Path) -> None:
    operations = Operations(TaskScope("test", lambda _error, _name: None))
    run = CommandLine(("docker", "run", "-e", Secret("TOKEN=", "hunter2"), "--name", "web", "nginx"))
    operations.items.extend(
        Operation(title, subject, line, operations)
        for title, subject, line in (
            ("Pull", "nginx", CommandLine(("docker", "pull", "nginx"))),
            ("Run", "web", run),
            ("Stop", "db", CommandLine(("docker", "stop", "db"))),
        )
    )
    page = ActivityPage(Theme("light"), operations, Preferences(tmp_path), QWidget)
    qtbot.addWidget(page)
    page.show()

    def search(words: str, found: int) -> None:
        page.focus_search()
        page.search.selectAll()
        QTest.keyClicks(page.search, words)
        qtbot.waitUntil(lambda: page.model.rowCount() == found)

    assert page.model.rowCount() == 3
    search("NGINX", 2)
    search("stop", 1)
    assert page.detail.title.text() == "Stop db"
    search("token=", 1)
    search("hunter2", 0)
    assert page.nothing.title.text() == "No actions match “hunter2”"
    assert not page.detail.isVisible()
    QTest.keyClick(page.search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: page.model.rowCount() == 3)
    search("hunter2", 0)
    page.nothing.pressed.emit()
    qtbot.waitUntil(lambda: page.model.rowCount() == 3)
    assert page.search.text() == ""
