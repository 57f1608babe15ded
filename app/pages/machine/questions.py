"""What the machine's page explains and asks in dialogs of its own."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.dialogs import Dialog
from app.widgets.text import PlainLabel


class Explained(Dialog):
    """A title and what is behind it; the words can be selected."""

    def __init__(self, theme: Theme, window: QWidget, title: str, words: str) -> None:
        super().__init__(theme, window, title, 520)
        label = PlainLabel(theme, words, "body", "text-secondary", wrap=True)
        label.set_selectable()
        self.body.addWidget(label)
        self.add_button("Close", "primary", self.accept)
