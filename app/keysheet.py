"""KeySheet: every key of the program in one dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.chips import Chip
from app.widgets.dialogs import Dialog
from app.widgets.text import PlainLabel

Keys = tuple[tuple[str, str], ...]
SECTIONS: tuple[tuple[str, Keys], ...] = (
    (
        "Anywhere",
        (
            ("Ctrl K", "Find a command"),
            ("Ctrl 1 to 4", "Go to a page"),
            ("Ctrl ,", "Settings"),
            ("Ctrl F", "Search"),
            ("Ctrl N", "Run or pull"),
            ("Ctrl B", "Build an image"),
            ("Ctrl E", "Switch engines"),
            ("F5", "Load again"),
            ("Alt Left", "Back"),
            ("F1", "This list"),
            ("Ctrl Q", "Quit"),
        ),
    ),
    (
        "Details and dialogs",
        (
            ("Esc", "Close"),
            ("Ctrl Enter", "The main button"),
            ("Ctrl Tab", "Next tab"),
            ("Ctrl Shift Tab", "Tab before"),
        ),
    ),
    (
        "Lists",
        (
            ("Up Down", "Move"),
            ("Left Right", "Fold and unfold"),
            ("Enter", "Open"),
            ("Space", "Tick"),
            ("Shift Up Down", "Tick a range"),
            ("Ctrl A", "Tick all"),
            ("Esc", "Untick"),
            ("Del", "Remove…"),
            ("Shift F10", "Menu of the row"),
        ),
    ),
    (
        "A build",
        (
            ("Ctrl .", "Cancel it"),
            ("F8", "Next error"),
            ("Ctrl S", "Save its output"),
            ("Ctrl J", "Fold its output"),
        ),
    ),
    (
        "A container",
        (
            ("S", "Start or stop"),
            ("R", "Restart"),
            ("P", "Pause or resume"),
            ("L", "Logs"),
            ("I", "Inspect"),
            ("O", "Open its port"),
            ("F2", "Rename…"),
            ("Del", "Remove…"),
            ("Ctrl Shift C", "Copy its command"),
        ),
    ),
    (
        "Logs",
        (
            ("F3", "Next match"),
            ("Shift F3", "Match before"),
            ("Alt R", "Regular expression"),
            ("Alt C", "Match case"),
            ("Alt T", "Times"),
            ("Alt W", "Wrap long lines"),
            ("End", "Follow"),
            ("Ctrl S", "Save to a file"),
        ),
    ),
)
COLUMNS = 3


class KeySheet(Dialog):
    """Three columns of keys and what they do."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Keys", 760)
        columns = QHBoxLayout()
        columns.setSpacing(24)
        for at in range(0, len(SECTIONS), len(SECTIONS) // COLUMNS):
            column = QVBoxLayout()
            column.setSpacing(12)
            for title, keys in SECTIONS[at : at + len(SECTIONS) // COLUMNS]:
                column.addWidget(PlainLabel(theme, title, "body_strong"))
                column.addLayout(_grid(theme, keys))
            column.addStretch(1)
            columns.addLayout(column, 1)
        self.body.addLayout(columns)
        self.add_button("Close", "primary", self.accept)


def _grid(theme: Theme, keys: Keys) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnMinimumWidth(0, 96)
    grid.setColumnStretch(1, 1)
    for row, (key, does) in enumerate(keys):
        grid.addWidget(Chip(theme, key, key=True), row, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(PlainLabel(theme, does), row, 1)
    return grid
