"""Charts: the axis, gaps, the crosshair; and the JSON tree: search, copy, hidden values."""

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.chart import Chart, Mark, Series, nice_top
from app.widgets.jsontree import JsonTree, path_text, read


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (-1, 1), (float("nan"), 1), (0.34, 0.4), (9.5, 20), (100, 150), (480, 600), (1100, 2000)]
)
def test_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert nice_top(value) == pytest.approx(top)


def chart(theme: Theme) -> Chart:
    made = Chart(theme, "CPU", lambda v: "–" if v is None else f"{v:.2f}", 0.05)
    made.resize(500, 194)
    made.set_series([Series("CPU", "chart-1", ((0, 0.1), (1, 0.2), (2, None), (30, 0.3)))], 0, 60)
    made.set_head("0.30", "of 2 cores")
    made.set_limit(0.35, "Limit")
    made.set_marks([Mark(10, "Out of memory", "danger"), Mark(12, "Restarted")], words=True)
    return made


def test_a_gap_has_no_value(theme: Theme) -> None:
    series = chart(theme).series[0]
    assert series.at(1.2) == 0.2
    assert series.at(2) is None
    assert series.at(15) is None
    assert Series("x", "chart-1").at(0) is None


def test_paints_with_and_without_data(theme: Theme) -> None:
    made = chart(theme)
    assert not made.grab().isNull()
    made.set_crosshair(1.0)
    assert not made.grab().isNull()
    made.set_series([], 0, 0)
    made.set_marks([Mark(0.5, "x" * 100)], words=False)
    assert not made.grab().isNull()


def test_a_value_that_was_last_known_is_quieter_than_one_of_now(theme: Theme) -> None:
    made = chart(theme)
    now = made.grab().toImage()
    made.set_faded(True)
    assert made.grab().toImage() != now
    made.set_faded(False)
    assert made.grab().toImage() == now


def test_pointer_and_keys_move_the_crosshair(theme: Theme) -> None:
    made = chart(theme)
    made.show()
    told: list[float] = []
    made.hovered.connect(told.append)
    QTest.mouseMove(made, QPoint(made.width() // 2, 100))
    QTest.keyClick(made, Qt.Key.Key_Left)
    assert told[-1] == pytest.approx(59)
    made.set_crosshair(30)
    QTest.keyClick(made, Qt.Key.Key_Right)
    assert told[-1] == pytest.approx(31)


DOCUMENT = {"Id": "abc", "Config": {"Env": ["A=secret", "B=2"], "Tty": False, "a b": None}, "N": 12, "M": 21}


def tree(theme: Theme) -> JsonTree:
    def hide(path: tuple[str | int, ...], text: str) -> str:
        return text.partition("=")[0] + "=•" if "Env" in path else text

    made = JsonTree(theme, hide)
    made.set_json(json.dumps(DOCUMENT).encode())
    return made


def test_paths() -> None:
    assert path_text(("Config", "Env", 0)) == ".Config.Env[0]"
    assert path_text(("Config", "a b")) == '.Config["a b"]'
    assert path_text(()) == "."


def test_the_copy_key_copies_the_value_as_it_is_shown(qtbot: QtBot, theme: Theme) -> None:
    made = tree(theme)
    qtbot.addWidget(made)
    made.show()
    copied: list[str] = []
    made.copied.connect(copied.append)
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.tree.setFocus()
    for words in ("abc", "A="):
        made.search(words)
        QTest.keyClick(made.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied == ["abc", "A=•"]


def test_a_match_is_marked_from_edge_to_edge(theme: Theme) -> None:
    made = tree(theme)
    made.resize(600, 300)
    made.search("Config")
    view = made.tree
    row = view.visualRect(made.model.index_of(made.model.root.children[1]))
    picture = view.viewport().grab().toImage()
    left, right = (picture.pixelColor(x, row.bottom() - 2) for x in (2, view.viewport().width() - 12))
    assert left == right == theme.color("match-current")


def test_search_finds_keys_and_values_and_goes_round(theme: Theme) -> None:
    made = tree(theme)
    told: list[tuple[int, int]] = []
    made.found.connect(lambda at, count: told.append((at, count)))
    made.search("env")
    assert told == [(1, 1)]
    made.search("2")
    assert told[-1] == (1, 2)
    made.step(1)
    made.step(1)
    assert told[-1] == (1, 2)
    colour = Qt.ItemDataRole.BackgroundRole
    assert made.tree.currentIndex().data(colour) == theme.color("match-current")
    assert made.tree.currentIndex().data(Qt.ItemDataRole.ForegroundRole) == theme.color("on-match")
    made.search("nowhere")
    assert told[-1] == (0, 0)
    assert made.tree.currentIndex().data(colour) is None


def test_hidden_values_are_neither_shown_nor_found_nor_copied(theme: Theme) -> None:
    made = tree(theme)
    told: list[int] = []
    made.found.connect(lambda _at, count: told.append(count))
    made.search("secret")
    assert told == [0]
    assert "secret" not in made.everything()
    made.set_hidden(False)
    made.search("secret")
    assert told[-1] == 1
    assert json.loads(made.everything()) == DOCUMENT


def test_what_was_open_stays_open(theme: Theme) -> None:
    made = tree(theme)
    made.expand_all(True)
    made.set_json(json.dumps({**DOCUMENT, "New": 1}).encode())
    config = next(node for node in made.model.root.walk() if node.path == ("Config", "Env"))
    assert made.tree.isExpanded(made.model.index_of(config))


def test_deep_documents_are_read_without_recursion(qapp: QApplication) -> None:
    value: object = 1
    for _ in range(5000):
        value = [value]
    assert sum(1 for _ in read(value).walk()) == 5001
