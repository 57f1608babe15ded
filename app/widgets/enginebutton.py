"""EngineButton: which engine is in use, and a menu to use another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.menus import Menu
from app.widgets.text import set_tooltip, visible_name

_LONGEST = 28


class EngineChoice(Struct, frozen=True):
    """One line of the menu; `why` says why it cannot be used, empty when it can."""

    text: str
    on_pick: Callable[[], object]
    icon: str = ""
    checked: bool | None = None
    why: str = ""
    separated: bool = False


class EngineButton(Button):
    """Shows the label of the engine in use; the choices are asked for when the menu opens."""

    def __init__(
        self,
        theme: Theme,
        choices: Callable[[], Sequence[EngineChoice]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "No engine", "server", trailing="chevrons-up-down", parent=parent)
        self._theme = theme
        self._choices = choices
        self.clicked.connect(self.open_menu)
        self.set_engine("No engine", "No engine is in use")

    def set_engine(self, label: str, detail: str) -> None:
        """What stands on the button, and what its tooltip says (address, version, state)."""
        shown = visible_name(label, 200)
        self.setText(shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…")
        self.setAccessibleName(f"Engine: {label}")
        set_tooltip(self, detail, "Ctrl E")
        self.updateGeometry()

    def open_menu(self) -> None:
        """Opens the menu under the button."""
        engine_menu(self._theme, self, self._choices()).popup_under(self, right=True)


def engine_menu(theme: Theme, parent: QWidget, choices: Sequence[EngineChoice]) -> Menu:
    """The menu of engines, to be opened once."""
    menu = Menu(theme, parent, once=True)
    for choice in choices:
        if choice.separated:
            menu.separator()
        menu.add(
            choice.icon, choice.text, on_pick=choice.on_pick, enabled=not choice.why, why=choice.why,
            checked=choice.checked,
        )  # fmt: skip
    return menu
