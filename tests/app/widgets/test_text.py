"""Text from outside shows literally, with nothing hidden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.text import PlainLabel, set_tooltip, tooltip, visible_name

EVIL = '<img src="http://127.0.0.1:9/x"><b>bold</b> & &amp;'


def test_a_label_shows_markup_as_text(theme: Theme) -> None:
    label = PlainLabel(theme, EVIL)
    assert label.text() == EVIL
    assert label.textFormat() == Qt.TextFormat.PlainText
    plain, other = PlainLabel(theme, "<b>x</b>"), PlainLabel(theme, "x")
    assert plain.sizeHint().width() > other.sizeHint().width() + 20


def test_an_ampersand_is_no_shortcut(theme: Theme) -> None:
    assert PlainLabel(theme, "a&b").sizeHint().width() > PlainLabel(theme, "ab").sizeHint().width()


def test_a_tool_tip_shows_markup_as_text(theme: Theme) -> None:
    widget = QWidget()
    set_tooltip(widget, EVIL)
    assert "<img" not in widget.toolTip()
    assert "&lt;img" in widget.toolTip()
    set_tooltip(widget, "Restart", "R")
    assert widget.toolTip() == "Restart\u2002R"


@given(st.text(max_size=120))
def test_a_tool_tip_never_holds_markup_of_others(text: str) -> None:
    shown = tooltip(text)
    if shown.startswith("<qt>") and shown.endswith("</qt>"):
        assert "<" not in shown[4:-5].replace("<br>", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web", "web"),
        ("Größe 日本 🐳", "Größe 日本 🐳"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\x1b[31m\n\t", "a\\u001b[31m\\n\\t"),
        ("212\u00a0MB", "212\u00a0MB"),
        ("\u3164", "\\u3164"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_names_hide_nothing(text: str, shown: str) -> None:
    assert visible_name(text) == shown


@given(st.text())
def test_visible_names_are_printable(text: str) -> None:
    assert visible_name(text).replace("\u00a0", "").replace("\u202f", "").isprintable()


def test_long_names_are_capped() -> None:
    assert len(visible_name("x" * 65536)) == 200


def test_wrapped_text_is_higher_when_narrow_and_keeps_to_the_line_grid(theme: Theme) -> None:
    label = PlainLabel(theme, "one two three four five six seven", wrap=True)
    assert label.heightForWidth(60) > label.heightForWidth(400) == theme.line("body")
    assert label.heightForWidth(60) % theme.line("body") == 0


def test_elided_text_has_the_whole_as_its_tool_tip(theme: Theme, window: QWidget) -> None:
    label = PlainLabel(theme, "a rather long sentence <b>", elide=Qt.TextElideMode.ElideRight, parent=window)
    label.setGeometry(0, 0, 60, 18)
    label.show()
    label.grab()
    assert "rather long" in label.toolTip()
    label.setText("a")
    label.grab()
    assert label.toolTip() == ""


def test_64_kb_of_text_is_no_trouble(theme: Theme, window: QWidget) -> None:
    label = PlainLabel(theme, "<b>x</b> " * 8000, elide=Qt.TextElideMode.ElideRight, parent=window)
    label.setGeometry(0, 0, 200, 18)
    label.show()
    assert not label.grab().isNull()


def lines_of_ink(label: PlainLabel) -> list[tuple[int, int]]:
    """First and last row of each line of words, as painted."""
    image = label.grab().toImage()
    paper = image.pixelColor(image.width() - 1, 0)
    found: list[tuple[int, int]] = []
    for y in range(image.height()):
        if any(abs(image.pixelColor(x, y).lightness() - paper.lightness()) > 90 for x in range(image.width())):
            if found and found[-1][1] == y - 1:
                found[-1] = (found[-1][0], y)
            else:
                found.append((y, y))
    return found


@pytest.mark.parametrize("type_name", ["mono", "body", "small"])
def test_words_that_can_be_selected_stand_where_others_do(theme: Theme, type_name: str) -> None:
    words = "PATH=/usr/bin\n" + "x" * 90 + "\n\nHx of LANG"
    plain, selectable = (PlainLabel(theme, words, type_name, wrap=True) for _ in range(2))
    selectable.set_selectable()
    for label in (plain, selectable):
        label.resize(210, label.heightForWidth(210))
    assert len(lines_of_ink(plain)) > 4
    assert lines_of_ink(selectable) == lines_of_ink(plain)
    for label in (plain, selectable):
        label.setText("Hx\n" + "x" * 60)
        label.resize(150, label.heightForWidth(150))
    assert lines_of_ink(selectable) == lines_of_ink(plain)
