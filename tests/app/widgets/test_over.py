"""What lies over a window: dialogs, questions, toasts, menus; and the rest of the small widgets."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.commandline import CommandLine, Secret
from app.operation import Part
from app.theme import Theme
from app.widgets.banners import Banner
from app.widgets.buttons import Button, IconButton, LinkButton
from app.widgets.cards import Card, DropZone, Hairline, InsetPanel
from app.widgets.cells import RowAction
from app.widgets.chips import Chip, FilterChip, PortChip, StateChip
from app.widgets.commandbox import CommandBox, tinted
from app.widgets.confirm import Confirm
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit
from app.widgets.logpill import LogPill
from app.widgets.menus import Menu
from app.widgets.overlay import is_covered
from app.widgets.selectionbar import SelectionBar
from app.widgets.states import EmptyState, PartsProgress, ProgressBar, Ring, Skeleton
from app.widgets.toasts import Toasts


def ring_of(window: QWidget) -> QWidget | None:
    return window.findChild(QWidget, "focus-ring")


def test_the_ring_is_for_the_keyboard_only(theme: Theme, window: QWidget) -> None:
    button = Button(theme, "Run…", kind="primary", parent=window)
    button.setGeometry(20, 20, 80, 30)
    button.show()
    button.setFocus(Qt.FocusReason.MouseFocusReason)
    ring = ring_of(window)
    assert ring is None or ring.isHidden()
    button.clearFocus()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    ring = ring_of(window)
    assert ring is not None
    assert ring.geometry() == button.geometry().adjusted(-4, -4, 4, 4)
    button.move(40, 40)
    assert ring.geometry() == button.geometry().adjusted(-4, -4, 4, 4)
    button.clearFocus()
    assert ring.isHidden()


def test_a_busy_button_takes_no_click(theme: Theme, window: QWidget) -> None:
    button = Button(theme, "Pull", parent=window)
    button.show()
    pressed: list[bool] = []
    button.clicked.connect(lambda: pressed.append(True))
    button.set_busy(True)
    assert button.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    button.set_busy(False)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(pressed) == 1


def test_every_button_has_a_name(theme: Theme) -> None:
    icon = IconButton(theme, "ellipsis", "More", "M")
    assert icon.accessibleName() == "More"
    assert icon.toolTip() == "More\u2002M"
    assert LinkButton(theme, "Cancel").text() == "Cancel"


@pytest.mark.parametrize("size", [(900, 600), (1280, 800)])
def test_a_dialog_fits_its_window_and_keeps_the_focus(theme: Theme, window: QWidget, size: tuple[int, int]) -> None:
    window.resize(*size)
    outside = Button(theme, "Outside", parent=window)
    outside.show()
    outside.setFocus()
    dialog = Dialog(theme, window, "Run a container")
    edits = [LineEdit(theme, f"field {number}") for number in range(30)]
    for edit in edits:
        dialog.body.addWidget(edit)
    done: list[bool] = []
    dialog.finished.connect(done.append)
    dialog.add_button("Cancel", "ghost", dialog.reject)
    dialog.add_button("Run", "primary", dialog.accept)
    dialog.open()
    assert is_covered(window)
    assert window.rect().contains(dialog.panel.geometry())
    assert edits[0].hasFocus()
    for _step in range(40):
        QTest.keyClick(QApplication.focusWidget() or dialog, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        assert dialog.isAncestorOf(focused)
    QTest.keyClick(edits[0], Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert done == [True]
    assert outside.hasFocus()


def test_esc_closes_a_dialog_once(theme: Theme, window: QWidget) -> None:
    dialog = Dialog(theme, window, "Pull an image")
    edit = LineEdit(theme, "Image")
    dialog.body.addWidget(edit)
    done: list[bool] = []
    dialog.finished.connect(done.append)
    dialog.open()
    QTest.keyClick(edit, Qt.Key.Key_Escape)
    dialog.close()
    assert done == [False]
    window.resize(1000, 700)


def test_a_small_dialog_is_only_as_high_as_its_content(theme: Theme, window: QWidget) -> None:
    dialog = Dialog(theme, window, "Rename", 376)
    dialog.body.addWidget(LineEdit(theme, "Name"))
    dialog.add_button("Rename", "primary")
    dialog.open()
    assert dialog.panel.height() < 200


def test_a_question_keeps_by_default_and_hands_over_the_options(theme: Theme, window: QWidget, qtbot: QtBot) -> None:
    ask = Confirm(
        theme,
        window,
        "Remove <b>x</b>?",
        "It holds data.",
        act="Remove",
        options=[("v", "Volumes too", False)],
        goes=["a"],
    )
    ask.open()
    assert ask.keep.hasFocus()
    ask._boxes["v"].click()
    with qtbot.waitSignal(ask.chosen) as told:
        ask.act.click()
    assert told.args == [{"v": True}]
    other = Confirm(theme, window, "Remove?", act="Remove")
    other.open()
    with qtbot.waitSignal(other.cancelled):
        QTest.keyClick(other.keep, Qt.Key.Key_Escape)


def test_at_most_three_toasts_and_errors_stay(theme: Theme, window: QWidget) -> None:
    toasts = Toasts(theme, window)
    toasts.show_notice("error", "Could not remove nginx")
    for number in range(4):
        toasts.show_notice("success", f"Stopped {number}")
    shown = [toast.title.text() for toast in toasts.shown()]
    assert shown == ["Could not remove nginx", "Stopped 2", "Stopped 3"]
    boxes = [toast.geometry() for toast in toasts.shown()]
    assert boxes[-1].right() == window.width() - 17
    assert boxes[-1].bottom() == window.height() - 17
    assert boxes[0].bottom() < boxes[1].top() < boxes[2].top()


@pytest.mark.parametrize("size", [(900, 600), (1280, 800)])
@pytest.mark.parametrize("toast_first", [True, False])
def test_toasts_stay_off_the_footer_of_a_dialog(
    theme: Theme, window: QWidget, size: tuple[int, int], toast_first: bool
) -> None:
    window.resize(*size)
    toasts = Toasts(theme, window)
    dialog = Dialog(theme, window, "Run a container")
    for number in range(30):
        dialog.body.addWidget(LineEdit(theme, f"field {number}"))
    run = dialog.add_button("Run", "primary", dialog.accept)
    if not toast_first:
        dialog.open()
    for number in range(3):
        toasts.show_notice("error", f"Could not start {number}", "It has no command.")
    if toast_first:
        corner = toasts.shown()[-1].geometry()
        dialog.open()
        assert toasts.shown()[-1].geometry() != corner
    for height in (size[1], size[1] + 40, size[1]):
        window.resize(size[0], height)
        footer = dialog.footer.rect().translated(dialog.footer.mapTo(window, QPoint(0, 0)))
        assert footer.contains(run.rect().translated(run.mapTo(window, QPoint(0, 0))))
        for toast in toasts.shown():
            assert not toast.geometry().intersects(footer)
            assert window.rect().contains(toast.geometry())
            assert window.childAt(toast.geometry().center()) in (toast, *toast.findChildren(QWidget))
    dialog.reject()
    assert toasts.shown()[-1].geometry().bottomRight() == window.rect().bottomRight() - QPoint(16, 16)


def test_toasts_stay_off_the_bar_of_the_ticked_rows(theme: Theme, window: QWidget) -> None:
    window.resize(900, 600)
    bar = SelectionBar(theme, window, [RowAction("stop", "square", "Stop"), RowAction("remove", "trash-2", "Remove…")])
    toasts = Toasts(theme, window)
    toast = toasts.show_notice("error", "Started 1 of 2 containers", "taker: its port is taken")
    corner = toast.geometry()
    bar.show_for("2 selected", "CPU 4.2 % · 212 MB of memory in all of them together")
    assert bar.geometry().intersects(corner)
    assert not bar.geometry().intersects(toast.geometry())
    bar.show_for("")
    assert toast.geometry() == corner


def test_toasts_stay_off_what_a_paused_log_offers(theme: Theme, window: QWidget) -> None:
    window.resize(900, 600)
    view = QScrollArea(window)
    view.setGeometry(0, 0, 900, 600)
    view.show()
    pill = LogPill(theme, view)
    toasts = Toasts(theme, window)
    toast = toasts.show_notice("success", "Restarted web")
    corner = toast.geometry()
    pill.set_waiting(231, shown=True)
    assert pill.geometry().intersects(corner)
    assert not pill.geometry().intersects(toast.geometry())
    pill.set_waiting(231, shown=False)
    assert toast.geometry() == corner


def test_toasts_keep_their_corner_beside_a_dialog_that_leaves_it_free(theme: Theme, window: QWidget) -> None:
    window.resize(1280, 800)
    toasts = Toasts(theme, window)
    ask = Confirm(theme, window, "Remove web?")
    ask.open()
    toast = toasts.show_notice("success", "Stopped worker")
    assert toast.geometry().bottomRight() == window.rect().bottomRight() - QPoint(16, 16)
    ask.reject()


def test_a_toast_acts_once_and_leaves(theme: Theme, window: QWidget) -> None:
    toasts = Toasts(theme, window)
    acts: list[int] = []
    toast = toasts.show_notice("success", "Stopped worker", "Calm.", "Start", lambda: acts.append(1))
    assert toast.link is not None
    toast.link.click()
    assert acts == [1]
    assert toasts.shown() == []


def test_a_menu_shows_text_literally_and_picks(theme: Theme, window: QWidget) -> None:
    menu = Menu(theme, window)
    picked: list[str] = []
    menu.add("play", "Start & <b>go</b>", "S", lambda: picked.append("start"))
    menu.separator()
    blocked = menu.add(
        "trash-2", "Remove…", "Del", lambda: picked.append("remove"), enabled=False, why="It runs", danger=True
    )
    menu.popup_at(QPoint(10, 10))
    assert not menu.grab().isNull()
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert picked == ["start"]
    assert blocked.toolTip() == "It runs"


def test_a_choice_with_an_icon_of_its_own_is_marked(theme: Theme, window: QWidget) -> None:
    menu = Menu(theme, window)
    engine = menu.add("server", "far", checked=False)
    menu.popup_at(QPoint(10, 10))
    without = menu.grab().toImage()
    engine.setChecked(True)
    assert menu.grab().toImage() != without


def test_the_command_box_copies_the_whole_and_shows_the_masked(theme: Theme, window: QWidget) -> None:
    box = CommandBox(theme, open_=True, parent=window)
    box.setFixedWidth(400)
    box.set_line(CommandLine.docker("run", "-d", "-e", Secret("KEY=", "s3cret"), "nginx"))
    box.show()
    assert "s3cret" not in box.accessibleDescription()
    box.copy.click()
    assert "KEY=s3cret" in QGuiApplication.clipboard().text()
    high = box.height()
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert box.height() < high
    assert not box.grab().isNull()


def test_a_command_line_is_tinted() -> None:
    assert tinted("docker run -d 'a b' nginx") == [
        ("docker", "text"),
        ("run", "text"),
        ("-d", "syn-keyword"),
        ("'a b'", "syn-string"),
        ("nginx", "syn-string"),
    ]
    assert tinted("A=0 docker build --pull .") == [
        ("A=0", "text"),
        ("docker", "text"),
        ("build", "text"),
        ("--pull", "syn-keyword"),
        (".", "syn-string"),
    ]
    assert tinted("docker logs web > '/a b' 2>&1")[2:] == [
        ("web", "text"),
        (">", "text"),
        ("'/a b'", "syn-string"),
        ("2>&1", "text"),
    ]


def everything(theme: Theme) -> list[QWidget]:
    bar = ProgressBar(theme)
    bar.set(38, 62, "38 of 62 MB")
    parts = PartsProgress(theme)
    parts.set_parts([Part("a1b2", "Downloading", 3, 10), Part("c3d4", "Waiting")])
    skeleton = Skeleton(theme, 4)
    skeleton.show_now()
    return [
        bar,
        parts,
        skeleton,
        Ring(theme),
        EmptyState(theme, "hard-drive", "No volumes yet", "They keep data.", "Create volume…"),
        Banner(theme, "error", "Engine not answering", "Trying again", "Try now"),
        StateChip(theme, "dot", "Running", "success"),
        PortChip(theme, "8080"),
        Chip(theme, "dev"),
        Chip(theme, "Ctrl K", key=True),
        FilterChip(theme, "status: running"),
        Card(theme),
        InsetPanel(theme),
        Hairline(theme),
        DropZone(theme, "folder", "Drop a folder here"),
    ]


def test_everything_draws_in_both_modes_and_survives_the_switch(
    theme: Theme, window: QWidget, qapp: QApplication
) -> None:
    widgets = everything(theme)
    for widget in widgets:
        widget.setParent(window)
        widget.show()
    before = window.grab().toImage()
    theme.set_choice("dark")
    assert window.grab().toImage() != before
    for widget in widgets:
        widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    theme.set_choice("light")
    assert not window.grab().isNull()
