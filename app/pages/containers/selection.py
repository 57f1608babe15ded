"""ContainerSelection: what can be done with the ticked containers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.cells import RowAction
from app.widgets.selectionbar import SelectionBar

ACTIONS = (
    RowAction("start", "play", "Start"),
    RowAction("stop", "square", "Stop"),
    RowAction("restart", "rotate-cw", "Restart"),
    RowAction("pause", "pause", "Pause"),
    RowAction("resume", "play", "Resume"),
    RowAction("rename", "pencil", "Rename…"),
    RowAction("kill", "zap", "Kill"),
    RowAction("remove", "trash-2", "Remove…"),
)
WHERE_THEY_APPLY = frozenset(("resume", "kill"))
"""Seldom wanted, so they take no room while they cannot be pressed."""
OF_ONE = frozenset(("rename",))


class ContainerSelection(SelectionBar):
    """Shown while something is ticked."""

    def __init__(self, theme: Theme, host: QWidget) -> None:
        super().__init__(theme, host, ACTIONS, dangers=2)

    def show_selection(self, count: int, words: str, why_not: Callable[[str], str]) -> None:
        """Shows it for `count` rows; buttons that do not apply say why."""
        left_out = set() if count == 1 else set(OF_ONE)
        for verb in self.buttons:
            why = why_not(verb)
            self.set_enabled(verb, why)
            if why and verb in WHERE_THEY_APPLY:
                left_out.add(verb)
        self.show_for(f"{count:,} selected" if count else "", words, frozenset(left_out))
