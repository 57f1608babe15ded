"""The Activity page: how list and chosen action share the height."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.commandline import CommandLine
from app.operation import Operation, Operations, OperationState, Part
from app.pages.activity.page import ROWS_KEPT, ActivityPage
from app.tasks import TaskScope
from app.theme import Theme


def test_the_list_keeps_rows_in_sight_beside_an_action_with_much_to_tell(qtbot: QtBot) -> None:
    theme = Theme("light")
    operations = Operations(TaskScope("test", lambda _error, _name: None))
    pull = Operation("Pull", "nginx", CommandLine(("docker", "pull", "nginx")), operations)
    operations.items.append(pull)
    page = ActivityPage(theme, operations, QWidget)
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


def test_a_segment_without_actions_says_so_and_shows_all_again(qtbot: QtBot) -> None:
    operations = Operations(TaskScope("test", lambda _error, _name: None))
    pull = Operation("Pull", "nginx", CommandLine(("docker", "pull", "nginx")), operations)
    operations.items.append(pull)
    page = ActivityPage(Theme("light"), operations, QWidget)
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
