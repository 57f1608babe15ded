"""StartPanel: how far a start is, requirement by requirement, and what helps when it failed."""

from __future__ import annotations

from msgspec import Struct
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.theme import Theme
from app.widgets.banners import Banner
from app.widgets.buttons import Button, LinkButton
from app.widgets.cards import InsetPanel
from app.widgets.checklist import CheckList, CheckRow
from app.widgets.foldedtext import FoldedText
from app.widgets.text import PlainLabel

CHECK = "Check the machine"


class StartView(Struct, frozen=True):
    """What the panel shows. `going`: it can be cancelled; `slow` is a caution; `failure` says why it did not start.

    `help` are the words of the button that helps, `console` the last lines of the serial console.
    """

    title: str = ""
    going: bool = False
    rows: tuple[CheckRow, ...] = ()
    slow: str = ""
    failure: str = ""
    help: str = ""
    again: bool = False
    console: tuple[str, ...] = ()


class StartPanel(InsetPanel):
    """`cancel_pressed()`, `help_pressed()`, `again_pressed()`, `check_pressed()`."""

    cancel_pressed = Signal()
    help_pressed = Signal()
    again_pressed = Signal()
    check_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent=parent)
        self.view = StartView()
        self.title = PlainLabel(theme, "", "body_strong", elide=Qt.TextElideMode.ElideRight)
        self.cancel = LinkButton(theme, "Cancel")
        self.cancel.clicked.connect(self.cancel_pressed)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.cancel)
        head.addStrut(20)
        self.slow = Banner(theme, "warning", rounded=True)
        self.rows = CheckList(theme)
        self.failure = PlainLabel(theme, "", "body", "danger", wrap=True)
        self.failure.set_selectable()
        self.help = Button(theme, "", kind="primary")
        self.help.clicked.connect(self.help_pressed)
        self.again = Button(theme, "Try again")
        self.again.clicked.connect(self.again_pressed)
        self.check = Button(theme, CHECK, kind="ghost")
        self.check.clicked.connect(self.check_pressed)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.help)
        buttons.addWidget(self.again)
        buttons.addWidget(self.check)
        buttons.addStretch(1)
        self.console = FoldedText(theme, "Last lines of the serial console")
        self.body.setSpacing(12)
        self.body.addLayout(head)
        for part in (self.slow, self.rows, self.failure):
            self.body.addWidget(part)
        self.body.addLayout(buttons)
        self.body.addWidget(self.console)
        self.show_view(StartView())

    def show_view(self, view: StartView) -> None:
        """Shows what is known now; nothing at all for an empty view."""
        self.view = view
        self.setVisible(bool(view.title))
        self.title.setText(view.title)
        self.cancel.setVisible(view.going)
        self.slow.set("warning", view.slow, "Every instruction is translated")
        self.slow.setVisible(bool(view.slow))
        self.rows.set_rows(view.rows)
        self.rows.setVisible(bool(view.rows))
        self.failure.setText(view.failure)
        self.failure.setVisible(bool(view.failure))
        self.help.setText(view.help)
        self.help.setVisible(bool(view.help))
        self.again.setVisible(view.again)
        self.check.setVisible(bool(view.failure) and view.help != CHECK)
        self.again.set_kind("default" if view.help else "primary")
        self.console.set_lines(view.console)
