"""Pasting into the table of names and values: a value stays a value, and a text of pairs becomes rows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.envtext import pairs_of, strays
from app.widgets.keyvalue import KeyValueEditor

KEY = "-----BEGIN KEY-----\nabc+/\nZGVm==\n-----END KEY-----"


def paste(cell: QLineEdit, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    QTest.keyClick(cell, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


@pytest.fixture
def editor(theme: Theme, window: QWidget) -> KeyValueEditor:
    made = KeyValueEditor(theme, parent=window, variables=True)
    made.show()
    return made


@pytest.mark.parametrize("value", ["mode=fast", "c2VjcmV0cGFzc3dk==", "c2VjcmV0cGFzc3dk==\n", KEY, f"a=b\n{KEY}"])
def test_what_is_pasted_into_a_value_stays_there(editor: KeyValueEditor, value: str) -> None:
    editor.set_pairs([("OPTS", "")])
    paste(editor._rows[0].value, value)
    [(name, held)] = editor.pairs()
    assert (name, held.strip()) == ("OPTS", value.strip())


def test_one_line_is_a_pair_only_in_the_name_of_an_empty_row(editor: KeyValueEditor) -> None:
    editor.add_link.click()
    paste(editor._rows[0].name, "A=x=y")
    assert editor.pairs() == [("A", "x=y")]
    paste(editor._rows[0].name, "B=1")
    assert [value for _name, value in editor.pairs()] == ["x=y"]


def test_several_pairs_pasted_into_a_value_become_rows(editor: KeyValueEditor) -> None:
    editor.set_pairs([("OPTS", "")])
    paste(editor._rows[0].value, "A=1\n# more\nB=2\n")
    assert editor.pairs() == [("OPTS", ""), ("A", "1"), ("B", "2")]


def test_lines_that_assign_nothing_are_named_and_left_out(editor: KeyValueEditor, qtbot: QtBot) -> None:
    editor.add_link.click()
    with qtbot.waitSignal(editor.strayed) as told:
        paste(editor._rows[0].name, "A=1\n\nnot this\nB=2\n")
    assert (editor.pairs(), told.args) == ([("A", "1"), ("B", "2")], [[3]])


def test_a_table_of_other_names_takes_every_line(theme: Theme, window: QWidget) -> None:
    editor = KeyValueEditor(theme, "Flag of docker run", parent=window)
    editor.show()
    editor.add_link.click()
    paste(editor._rows[0].name, "--dns=1.1.1.1\n=x\ncom.example/a=b\n")
    assert editor.pairs() == [("--dns", "1.1.1.1"), ("com.example/a", "b")]


@pytest.mark.parametrize(
    ("text", "pairs", "left"),
    [
        (f'A=1\nKEY="{KEY}"\nB=2', [("A", "1"), ("KEY", KEY), ("B", "2")], []),
        (f"export KEY='{KEY}'\r\n", [("KEY", KEY)], []),
        (f"KEY={KEY}", [("KEY", "-----BEGIN KEY-----"), ("ZGVm", "=")], [2, 4]),
        ('A="it\nB=\'x\'\nC="y"', [("A", '"it'), ("B", "x"), ("C", "y")], []),
        ("A='\nB=2", [("A", "'"), ("B", "2")], []),
        ("\ufeffA=1\nB=2", [("A", "1"), ("B", "2")], []),
    ],
)
def test_a_quoted_value_may_go_over_several_lines(text: str, pairs: list[tuple[str, str]], left: list[int]) -> None:
    assert (pairs_of(text), strays(text)) == (pairs, left)
