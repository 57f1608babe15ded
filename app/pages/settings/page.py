"""The Settings page: every choice takes effect at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.pages.settings.colours import THEMES, choose_colours
from app.preferences import Preferences
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.cards import Hairline
from app.widgets.fields import Select, row_of
from app.widgets.focus import ScrollArea
from app.widgets.forms import Field
from app.widgets.segments import Segments
from app.widgets.text import PlainLabel
from app.widgets.topbar import TopBar

QUIT_CHOICES = (("ask", "Ask me"), ("keep", "Keep it running"), ("stop", "Stop it"))
WIDTH = 760


@dataclass(frozen=True, slots=True)
class AboutView:
    """What the page says of the program and of where its files are."""

    version: str
    folders: tuple[tuple[str, str], ...]


class SettingsPage(QWidget):
    """Signal: `folder_pressed(path)`."""

    folder_pressed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        preferences: Preferences,
        about: AboutView,
        engine_button: Callable[[], QWidget],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._preferences = theme, preferences
        self.topbar = TopBar(theme, "Settings")
        scroll = ScrollArea(theme)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Settings")
        holder = QWidget()
        holder.setMaximumWidth(WIDTH)
        self._column = QVBoxLayout(holder)
        self._column.setContentsMargins(16, 20, 16, 20)
        self._column.setSpacing(0)
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(holder, 100)
        row.addStretch(1)
        scroll.setWidget(inner)
        self._appearance()
        self._engine(engine_button)
        self._about(about)
        self._column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.topbar)
        whole.addWidget(scroll, 1)

    def _heading(self, text: str) -> None:
        if self._column.count():
            self._column.addSpacing(24)
            self._column.addWidget(Hairline(self._theme))
            self._column.addSpacing(20)
        self._column.addWidget(PlainLabel(self._theme, text, "heading"))
        self._column.addSpacing(12)

    def _appearance(self) -> None:
        self._heading("Appearance")
        self.appearance = Segments(self._theme, THEMES)
        self.appearance.set_current(self._theme.choice)
        self.appearance.chosen.connect(lambda key: choose_colours(self._theme, self._preferences, key))
        self._theme.changed.connect(lambda: self.appearance.set_current(self._theme.choice))
        self._column.addWidget(
            Field(self._theme, "Colours", self.appearance, "System follows light and dark as it changes")
        )

    def _engine(self, engine_button: Callable[[], QWidget]) -> None:
        self._heading("Engine")
        self._column.addWidget(
            Field(self._theme, "In use", row_of(engine_button(), left=True), "Other engines are in its menu")
        )
        self._column.addSpacing(16)
        self.on_quit = Select(self._theme, QUIT_CHOICES)
        self.on_quit.set_value(self._preferences.get("engine/on-quit", "ask"))
        self.on_quit.setFixedWidth(224)
        self.on_quit.setAccessibleName("When I quit")
        self.on_quit.changed.connect(lambda value: self._preferences.set("engine/on-quit", value))
        self._column.addWidget(
            Field(
                self._theme, "When I quit", row_of(self.on_quit, left=True),
                "What happens to the embedded engine while containers run in it",
            )
        )  # fmt: skip

    def _about(self, about: AboutView) -> None:
        theme = self._theme
        self._heading("About")
        self._column.addWidget(PlainLabel(theme, f"Pilothouse {about.version}", "body_medium"))
        self._column.addSpacing(4)
        self._column.addWidget(
            PlainLabel(
                theme,
                "Apache-2.0. Inter and JetBrains Mono are under the SIL Open Font License, Lucide icons under ISC, "
                "Qt for Python under the LGPL.",
                "small", "text-secondary", wrap=True,
            )
        )  # fmt: skip
        self._column.addSpacing(16)
        for name, path in about.folders:
            row = QHBoxLayout()
            row.setSpacing(0)
            row.addStrut(36)
            label = PlainLabel(theme, name, "body_medium")
            label.setFixedWidth(120)
            where = PlainLabel(theme, path, "mono", "text-secondary", elide=Qt.TextElideMode.ElideMiddle)
            button = Button(theme, "Open", "folder-open", small=True)
            button.setAccessibleName(f"Open the folder of {name.lower()}")
            button.clicked.connect(lambda _checked=False, p=path: self.folder_pressed.emit(p))
            row.addWidget(label)
            row.addWidget(where, 1)
            row.addWidget(button)
            self._column.addLayout(row)
