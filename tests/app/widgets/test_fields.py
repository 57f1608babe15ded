"""Fields, choices, search, segments and the editor of names and values, used as a person does."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.envtext import is_secret, looks_like_pairs, pairs_of
from app.widgets.fields import (
    Checkbox,
    ComboEdit,
    Field,
    LineEdit,
    Radio,
    SecretEdit,
    Select,
    SpinEdit,
    Switch,
    TextEdit,
)
from app.widgets.keyvalue import KeyValueEditor
from app.widgets.search import SearchField
from app.widgets.segments import Segments, Tabs


def test_a_field_says_what_is_wrong_and_takes_it_back(theme: Theme) -> None:
    edit = LineEdit(theme)
    field = Field(theme, "Host port", edit, "1 to 65535")
    before = edit.sizeHint()
    field.set_error("Use 1 to 65535")
    assert field.error() == "Use 1 to 65535"
    assert edit.has_error()
    assert edit.accessibleDescription() == "Use 1 to 65535"
    assert edit.sizeHint() == before
    field.set_error("")
    assert field.error() == ""
    assert edit.accessibleName() == "Host port"


def test_a_select_tells_only_what_the_person_does(theme: Theme, window: QWidget) -> None:
    select = Select(theme, [("no", "Never"), ("always", "Always")], window)
    told: list[str] = []
    select.changed.connect(told.append)
    select.set_value("always")
    assert (select.value(), told) == ("always", [])
    select.show()
    QTest.keyClick(select, Qt.Key.Key_Up)
    assert (select.value(), told) == ("no", ["no"])
    select.set_value("unknown")
    assert select.value() == "no"


def test_choices_take_a_click_on_their_words(theme: Theme, window: QWidget) -> None:
    for choice in (
        Checkbox(theme, "Tick me", parent=window),
        Radio(theme, "One", parent=window),
        Switch(theme, "n", "On"),
    ):
        choice.resize(choice.sizeHint())
        choice.show()
        QTest.mouseClick(choice, Qt.MouseButton.LeftButton, pos=choice.rect().center())
        assert choice.isChecked()
        assert not choice.grab().isNull()


def test_search_tells_after_a_moment_and_esc_empties(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    field = SearchField(theme, "Search containers", parent=window)
    field.setFixedWidth(240)
    field.show()
    with qtbot.waitSignal(field.changed) as told:
        QTest.keyClicks(field, "web")
    assert told.args == ["web"]
    with qtbot.waitSignal(field.changed) as told:
        QTest.keyClick(field, Qt.Key.Key_Escape)
    assert told.args == [""]


def test_segments_and_tabs_move_by_keys_and_clicks(theme: Theme, window: QWidget) -> None:
    for made in (Segments, Tabs):
        row = made(theme, [("a", "All"), ("r", "Running"), ("s", "Stopped")], window)
        row.resize(row.sizeHint())
        row.show()
        told: list[str] = []
        row.chosen.connect(told.append)
        QTest.keyClick(row, Qt.Key.Key_Right)
        QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.boxes()[2][2].center())
        QTest.keyClick(row, Qt.Key.Key_Right)
        assert told == ["r", "s", "a"]
        row.set_counts({"a": 1204})
        row.set_current("s")
        assert (row.current(), told) == ("s", ["r", "s", "a"])
        assert not row.grab().isNull()


def test_all_suggestions_are_offered_by_the_button(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    combo = ComboEdit(theme, "Image", [f"web:{n}" for n in range(60)], parent=window)
    combo.setFixedWidth(300)
    window.show()
    combo.setText("web:7")
    picked: list[str] = []
    combo.picked.connect(picked.append)
    QTest.mouseClick(combo._more, Qt.MouseButton.LeftButton)
    offered = combo.completer().popup()
    assert offered is not None
    qtbot.waitUntil(offered.isVisible)
    rows = offered.model()
    assert rows is not None
    assert rows.rowCount() == 60
    QTest.keyClick(offered, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    offered.setCurrentIndex(rows.index(59, 0))
    QTest.keyClick(offered, Qt.Key.Key_Return)
    assert (combo.text(), picked) == ("web:59", ["web:59"])


def test_other_fields_draw(theme: Theme, window: QWidget) -> None:
    secret, combo, spin = SecretEdit(theme), ComboEdit(theme, "Image", ["a", "b"]), SpinEdit(theme, 0, 9, 3, "MB")
    text = TextEdit(theme, "FROM scratch")
    text.setText("<b>x</b>")
    assert text.text() == "<b>x</b>"
    for widget in (secret, combo, spin, text):
        widget.setParent(window)
        widget.show()
        assert not widget.grab().isNull()
    QTest.keyClick(spin, Qt.Key.Key_Up)
    assert spin.value() == 4


def test_env_text_is_read_as_docker_does() -> None:
    text = "# c\n\nA=1\nexport B='x y'\nC=a=b\nD\n"
    assert pairs_of(text) == [("A", "1"), ("B", "x y"), ("C", "a=b"), ("D", "")]
    assert looks_like_pairs("A=1")
    assert not looks_like_pairs("http://x/?a=1")
    assert is_secret("STRIPE_KEY")
    assert not is_secret("KEYBOARD_LAYOUT")


def test_pairs_come_and_go(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    editor = KeyValueEditor(theme, file_link="From .env file…", parent=window)
    editor.setFixedWidth(500)
    editor.show()
    editor.set_pairs([("A", "1"), ("API_TOKEN", "s3cret")])
    hidden = editor._rows[1]
    assert hidden.value.displayText() != "s3cret"
    hidden.eye.click()
    assert hidden.value.displayText() == "s3cret"
    with qtbot.waitSignal(editor.changed):
        editor._rows[0].cross.click()
    assert editor.pairs() == [("API_TOKEN", "s3cret")]
    editor.add_link.click()
    QGuiApplication.clipboard().setText("API_TOKEN=new\nB=2")
    QTest.keyClick(editor._rows[-1].name, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert editor.pairs() == [("API_TOKEN", "new"), ("B", "2")]
    last = editor._rows[-1]
    last.value.setText("two")
    QGuiApplication.clipboard().setText("C=3\r\nB=4\n")
    last.value.paste()  # what Paste in the menu of a field does
    assert editor.pairs() == [("API_TOKEN", "new"), ("B", "4"), ("C", "3")]
    editor.add_link.click()
    QGuiApplication.clipboard().setText("# more\nD='5'\n")
    editor._rows[-1].name.paste()
    assert editor.pairs()[-1] == ("D", "5")
    assert editor._rows[-1].name.text() == "D"
    with qtbot.waitSignal(editor.file_wanted):
        editor.file_link.click()
