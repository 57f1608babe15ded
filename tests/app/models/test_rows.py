"""RowsModel keeps identities through every kind of change, also with ten thousand rows."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.rows import RowsModel
from app.widgets.cells import CELL_ROLE, GROUP_ROLE, ROW_KEY_ROLE, Cell, Column, Group, Row

COLUMNS = (Column("name", "Name", 120, stretch=1), Column("cpu", "CPU", 80, align_right=True))


def rows(*keys: str, cpu: str = "0 %") -> tuple[Row, ...]:
    return tuple(Row(key, (Cell(key), Cell(cpu))) for key in keys)


def flat(model: RowsModel) -> list[str]:
    return [model.key(i) for i in range(model.rowCount())]


def watched(model: RowsModel) -> QAbstractItemModelTester:
    return QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)


def test_headings_are_rows_and_folding_takes_rows_out(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS)
    watched(model)
    model.set_rows([Group("shop", rows("api", "db"), name="shop"), Group("", rows("web"))])
    assert flat(model) == ["group:shop", "api", "db", "web"]
    model.set_folded("shop", True)
    assert flat(model) == ["group:shop", "web"]
    assert model.all_keys() == ("api", "db", "web")
    model.set_rows([Group("shop", rows("api", "db", "mq"), name="shop"), Group("", rows("web"))])
    assert flat(model) == ["group:shop", "web"]
    model.set_folded("shop", False)
    assert flat(model) == ["group:shop", "api", "db", "mq", "web"]


def test_cells_speak_and_headings_say_what_they_are(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS)
    group = Group("shop", rows("api"), name="shop", words="1 of 1 running", sums={"cpu": Cell("4 %")})
    model.set_rows([group])
    head, row = model.index(0, 0), model.index(1, 1)
    assert head.data(GROUP_ROLE) is True
    assert head.data(Qt.ItemDataRole.AccessibleTextRole) == "shop 1 of 1 running"
    assert model.index(0, 2).data(CELL_ROLE) == Cell("4 %")
    assert model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Name: api, CPU: 0 %"
    assert row.data(ROW_KEY_ROLE) == "api"
    assert row.data(Qt.ItemDataRole.AccessibleTextRole) == "Name: api"


def test_one_tick_is_one_signal(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS)
    model.set_rows([Group("", rows("a", "b", "c", "d"))])
    told: list[tuple[int, int, int, int]] = []
    model.dataChanged.connect(lambda a, b: told.append((a.row(), a.column(), b.row(), b.column())))
    model.update_cells({"b": {"cpu": Cell("3 %")}, "d": {"cpu": Cell("4 %")}, "gone": {"cpu": Cell("1 %")}})
    assert told == [(1, 2, 3, 2)]
    model.update_cells({"b": {"cpu": Cell("3 %")}})
    assert len(told) == 1


def test_same_rows_tell_nothing(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS)
    model.set_rows([Group("", rows("a", "b"))])
    with qtbot.assertNotEmitted(model.dataChanged), qtbot.assertNotEmitted(model.layoutChanged):
        model.set_rows([Group("", rows("a", "b"))])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefghij"), unique=True), min_size=2, max_size=5))
def test_whatever_comes_next_the_rows_are_right(qapp: QApplication, steps: list[list[str]]) -> None:
    model = RowsModel(COLUMNS)
    watched(model)
    for step in steps:
        kept = {model.key(i): QPersistentModelIndex(model.index(i, 0)) for i in range(model.rowCount())}
        model.set_rows([Group("", rows(*step))])
        assert flat(model) == step
        for key, index in kept.items():
            assert index.isValid() == (key in step)
            if index.isValid():
                assert model.key(index.row()) == key


def test_ten_thousand_rows_sort_filter_and_tick(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS)
    keys = [f"c{i:05}" for i in range(10_000)]
    model.set_rows([Group("", rows(*keys))])
    place = QPersistentModelIndex(model.index(model.index_of("c05000").row(), 0))
    shuffled = random.Random(7).sample(keys, len(keys))
    model.set_rows([Group("", rows(*shuffled))])
    assert flat(model) == shuffled
    assert model.key(place.row()) == "c05000"
    model.update_cells({key: {"cpu": Cell("9 %")} for key in keys})
    assert model.cell("c09999", "cpu") == Cell("9 %")
    few = [key for key in shuffled if key.endswith("7")]
    model.set_rows([Group("", rows(*few))])
    assert flat(model) == few
    model.set_rows([Group("g", rows(*keys), name="all")])
    assert model.rowCount() == 10_001
