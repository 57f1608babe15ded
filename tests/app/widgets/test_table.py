"""What a person does with a table: clicks, keys, ticks, folds, chips, columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.models.containers import COLUMNS as COLUMNS_OF_CONTAINERS
from app.models.rows import RowsModel
from app.preferences import Preferences
from app.theme import Theme
from app.widgets.cellpaint import SPARK_GAP, SPARK_WIDTH, chip_boxes, face_of, spark_width
from app.widgets.cells import MORE, Cell, Column, Group, Row, RowAction
from app.widgets.columns import ColumnChoices, widths
from app.widgets.selectionbar import SelectionBar
from app.widgets.table import Table

COLUMNS = (
    Column("name", "Name", 120, min_width=60, stretch=1),
    Column("image", "Image", 180, stretch=2, hide_below=1000),
    Column("ports", "Ports", 128),
)
ACTIONS = (RowAction("stop", "square", "Stop", "S"), MORE)
KEY, NO = Qt.Key, Qt.KeyboardModifier.NoModifier


def row(key: str) -> Row:
    return Row(key, (Cell(key), Cell("nginx"), Cell(chips=("8080", "8443"))))


def groups() -> list[Group]:
    return [
        Group("shop", (row("api"), row("db")), name="shop", words="2 of 2 running"),
        Group("rest", (row("web"), row("zoo")), name="Standalone"),
    ]


@pytest.fixture
def table(theme: Theme, window: QWidget, qtbot: QtBot) -> Table:
    model = RowsModel(COLUMNS, window)
    made = Table(theme, model, name="Containers", actions=lambda _key: ACTIONS, parent=window)
    made.setGeometry(0, 0, 900, 500)
    model.set_rows(groups())
    made.show()
    return made


def at(table: Table, key: str, x: int = 60) -> QPoint:
    index = table.model().index_of(key)  # type: ignore[attr-defined]
    return QPoint(x, table.visualRect(index.siblingAtColumn(1)).center().y())


def click(table: Table, key: str, x: int = 60, keys: Qt.KeyboardModifier = NO) -> None:
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, keys, at(table, key, x))


def test_a_click_opens_and_a_heading_folds(table: Table, qtbot: QtBot) -> None:
    with qtbot.waitSignal(table.opened) as opened:
        click(table, "db")
    assert opened.args == ["db"]
    click(table, "group:shop")
    assert table.model().rowCount() == 4
    with qtbot.waitSignal(table.folded):
        click(table, "group:shop")
    assert table.model().rowCount() == 6


def test_ticks_by_box_by_shift_and_by_key(table: Table) -> None:
    click(table, "api", 22)
    assert table.ticks.keys == {"api"}
    click(table, "web", 60, Qt.KeyboardModifier.ShiftModifier)
    assert table.ticks.keys == {"api", "db", "web"}
    table.setFocus()
    QTest.keyClick(table, KEY.Key_Escape)
    assert not table.ticks.keys
    QTest.keyClick(table, KEY.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert table.ticks.keys == {"api", "db", "web", "zoo"}


def test_shift_down_grows_a_range_over_a_heading(table: Table) -> None:
    table.set_current("db")
    QTest.keyClick(table, KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert table.ticks.keys == {"db", "web"}
    assert table.current_key == "web"


def test_keys_fold_open_and_ask_for_the_menu(table: Table, qtbot: QtBot) -> None:
    table.set_current("db")
    with qtbot.waitSignal(table.opened):
        QTest.keyClick(table, KEY.Key_Return)
    with qtbot.waitSignal(table.menu_wanted) as menu:
        QTest.keyClick(table, KEY.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    assert menu.args is not None
    assert menu.args[0] == ["db"]
    QTest.keyClick(table, KEY.Key_Left)
    QTest.keyClick(table, KEY.Key_Left)
    assert table.model().rowCount() == 4
    QTest.keyClick(table, KEY.Key_Right)
    assert table.model().rowCount() == 6


def test_chips_and_actions_are_pressed_on_their_own(table: Table, qtbot: QtBot) -> None:
    section = next(s for s in table.delegate.sections if s.column.key == "ports")
    with qtbot.waitSignal(table.chip_pressed) as pressed, qtbot.assertNotEmitted(table.opened):
        click(table, "web", section.x + 70)
    assert pressed.args == ["web", "ports", 1]
    right = table.viewport().width()
    with qtbot.waitSignal(table.action) as action:
        click(table, "web", right - 16 - 42)
    assert action.args == ["web", "stop"]
    with qtbot.waitSignal(table.menu_wanted):
        click(table, "web", right - 16 - 14)


@pytest.mark.parametrize(
    ("chips", "more", "shown"),
    [(("80", "443"), 3, 2), (("8080", "8443"), 0, 2), (("20035", "20036"), 0, 2), (("20035", "20036"), 2, 1)],
)
def test_chips_leave_room_for_the_count_of_the_others(
    table: Table, chips: tuple[str, ...], more: int, shown: int
) -> None:
    assert len(chip_boxes(table.delegate.ink, Cell(chips=chips, more=more), 0, 128)) == shown


@pytest.mark.parametrize("text", ["0.1\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%", "12,800\N{NO-BREAK SPACE}%"])
def test_a_number_is_never_cut_for_its_sparkline(table: Table, text: str) -> None:
    column = next(column for column in COLUMNS_OF_CONTAINERS if column.key == "cpu")
    ink, cell = table.delegate.ink, Cell(text, spark=(0.5,) * 30)
    room = column.width - column.pad
    spark = spark_width(ink, cell, room)
    assert SPARK_WIDTH / 3 < spark <= SPARK_WIDTH
    assert ink.width(text, face_of(cell)) <= room - spark - SPARK_GAP


def test_the_place_stays_while_rows_come_and_go(table: Table, qtbot: QtBot) -> None:
    model = table.model()
    assert isinstance(model, RowsModel)
    table.set_current("web")
    table.set_ticks({"web", "db"})
    first, second = groups()
    with qtbot.assertNotEmitted(table.current):
        model.set_rows([Group("new", (row("x"), row("y")), name="new"), first, second])
    assert table.current_key == "web"
    with qtbot.waitSignal(table.ticked):
        model.set_rows([second])
    assert table.ticks.keys == {"web"}


def test_scrolled_rows_do_not_move_when_others_come_above(table: Table) -> None:
    model = table.model()
    assert isinstance(model, RowsModel)
    model.set_rows([Group("", tuple(row(f"c{i:03}") for i in range(300)))])
    table.scrollTo(model.index_of("c150"), Table.ScrollHint.PositionAtTop)
    before = at(table, "c150").y()
    model.set_rows([Group("", (*(row(f"a{i}") for i in range(20)), *(row(f"c{i:03}") for i in range(300))))])
    assert at(table, "c150").y() == before


def test_every_state_paints(table: Table, theme: Theme) -> None:
    table.set_ticks({"api"})
    table.set_current("db")
    table.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.mouseMove(table.viewport(), at(table, "web"))
    theme.set_choice("dark")
    assert not table.grab().isNull()


def test_sorting_and_widths_are_remembered(theme: Theme, window: QWidget, qtbot: QtBot, tmp_path: Path) -> None:
    kept = Preferences(tmp_path)
    model = RowsModel(COLUMNS, window)
    table = Table(theme, model, name="Containers", preferences=kept, memory="c", parent=window)
    header = table.layout_of_columns.header
    with qtbot.waitSignal(table.sorted) as told:
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, NO, QPoint(70, 10))
    assert told.args == ["name", False]
    table.sort_by("name", True)
    table.layout_of_columns.set_shown("ports", False)
    again = Table(theme, model, name="Containers", preferences=Preferences(tmp_path), memory="c", parent=window)
    assert (again.sort_column, again.descending) == ("name", True)
    assert "ports" not in {s.column.key for s in again.delegate.sections}


def test_spare_width_goes_one_to_two_and_names_shrink_first() -> None:
    assert widths(COLUMNS, ColumnChoices(), 1280, 428 + 90) == {"name": 150, "image": 240, "ports": 128}
    assert widths(COLUMNS, ColumnChoices(), 900, 208) == {"name": 80, "ports": 128}


def test_a_bar_takes_no_room_of_the_number_before_it() -> None:
    columns = (Column("memory", "Memory", 128, 76, bar_width=52, bar_below=1000), Column("ports", "Ports", 128, 40))
    assert widths(columns, ColumnChoices(), 1080, 200) == {"memory": 128, "ports": 72}
    assert widths(columns, ColumnChoices(), 999, 200) == {"memory": 76, "ports": 124}


def test_the_selection_bar_floats_and_tells_what_was_pressed(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    bar = SelectionBar(theme, window, [RowAction("stop", "square", "Stop"), RowAction("remove", "trash-2", "Remove…")])
    bar.show_for("2 selected", "CPU 7 %")
    assert bar.isVisible()
    bar.set_enabled("stop", "None of them runs")
    assert not bar.buttons["stop"].isEnabled()
    with qtbot.waitSignal(bar.pressed) as pressed:
        QTest.mouseClick(bar.buttons["remove"], Qt.MouseButton.LeftButton)
    assert pressed.args == ["remove"]
    bar.show_for("")
    assert not bar.isVisible()
