"""The Dockerfile view, the steps and the output."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.codeview import CodeView, pieces
from app.widgets.outputview import MOST, OutputView
from app.widgets.steps import StepGroup, StepRow, StepsView


def test_colours() -> None:
    assert pieces("# x") == [("# x", "syn-comment")]
    found = dict(pieces('COPY --from=a "b" $C AS d'))
    assert found["COPY"] == "syn-keyword"
    assert found["--from"] == "syn-variable"
    assert found['"b"'] == "syn-string"
    assert "".join(p for p, _ in pieces("RUN a=1 <b>x</b>")) == "RUN a=1 <b>x</b>"


def test_error_has_a_row_under_its_line(qtbot: QtBot) -> None:
    view = CodeView(Theme("light"))
    qtbot.addWidget(view)
    view.resize(400, 100)
    view.set_text("FROM a\n" * 50)
    view.show()
    view.set_error(40, "it failed", "FROM")
    assert view.accessibleDescription() == "Line 40: it failed"
    assert 0 <= view.row_rect(40).top() < view.viewport().height()
    view.set_error(99, "nowhere")
    assert view.accessibleDescription() == ""
    view.grab()


def test_steps_are_chosen_by_key(qtbot: QtBot) -> None:
    view = StepsView(Theme("dark"))
    qtbot.addWidget(view)
    view.resize(300, 200)
    rows = tuple(
        StepRow(str(n), str(n), f"RUN {n}", "check", "success", "1 s", 0.5 if n == 1 else None) for n in range(3)
    )
    view.set_groups([StepGroup("one", "base", "2 s", rows)])
    view.show()
    view.grab()
    chosen: list[str] = []
    view.chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(view, key)
    assert chosen == ["0", "1", "0"]


def test_output_is_bounded_and_follows_its_end(qtbot: QtBot) -> None:
    view = OutputView(Theme("light"))
    qtbot.addWidget(view)
    view.resize(300, 100)
    view.show()
    view.add_lines(f"#1 0.{n} line" for n in range(MOST + 10))
    bar = view.verticalScrollBar()
    assert view.text.count("\n") == MOST - 1
    assert bar.value() == bar.maximum() > 0
    view.resize(300, 60)
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    view.add_lines(["more"])
    assert bar.value() == 0
    view.grab()
