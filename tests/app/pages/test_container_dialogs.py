"""The question before a removal: it says what goes with its box as it stands."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

from app.pages.containers.dialogs import ask_remove
from app.theme import Theme
from app.widgets.confirm import Confirm
from app.widgets.text import PlainLabel
from backend.types.containers import ContainerId, ContainerSummary, Mount


def said(dialog: Confirm) -> list[str]:
    return [label.text() for label in dialog.findChildren(PlainLabel) if label.isVisible()]


def test_what_is_said_of_anonymous_volumes_follows_their_box(qapp: QApplication) -> None:
    theme = Theme("light", qapp)
    theme.apply(qapp)
    window = QWidget()
    window.resize(900, 600)
    window.show()
    rows = [
        ContainerSummary(
            id=ContainerId(letter * 64), names=(f"/{letter}",), state="exited",
            mounts=(Mount(type="volume", name=letter * 64, destination="/data"),),
        )
        for letter in "ab"
    ]  # fmt: skip
    told: list[bool] = []
    dialog = ask_remove(theme, window, rows, {}, "", told.append)
    box = dialog._boxes["volumes"]
    for ticked in (False, True, False, True):
        assert box.isChecked() == ticked
        end = "goes too" if ticked else "stays"
        other = "stays" if ticked else "goes too"
        assert f"volume {'a' * 12}, mounted at /data, {end}" in said(dialog)
        assert f"volume {'b' * 12}, mounted at /data, {end}" in said(dialog)
        assert not any(words.endswith(other) for words in said(dialog))
        volumes = " and 2\u00a0volumes" if ticked else ""
        assert dialog.act.text() == f"Remove 2\u00a0containers{volumes}"
        box.click()
    box.setChecked(True)
    dialog.act.click()
    assert told == [True]
    window.deleteLater()
