"""What happens to the embedded engine when the program is left while containers run in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.presentation.units import plural
from app.theme import Theme
from app.widgets.choices import Checkbox
from app.widgets.dialogs import Dialog
from app.widgets.text import PlainLabel, visible_name

_MOST = 8


class QuitDialog(Dialog):
    """Names what runs, and asks. `decided(choice, remember)` with choice keep or stop; closing it changes nothing."""

    decided = Signal(str, bool)

    def __init__(self, theme: Theme, window: QWidget, running: Sequence[str]) -> None:
        super().__init__(theme, window, "Quit Pilothouse?", 520)
        self.count = PlainLabel(theme, wrap=True)
        self.names = PlainLabel(theme, "", "body_medium", wrap=True)
        self.body.addWidget(self.count)
        self.body.addWidget(self.names)
        self.set_running(running)
        self.body.addWidget(
            PlainLabel(
                theme,
                "Kept running, they go on without the window, and the next start finds them. "
                "Stopped, they are asked to end; those with a restart policy come back at the next start.",
                "body", "text-secondary", wrap=True,
            )
        )  # fmt: skip
        self.remember = Checkbox(theme, "Remember my choice")
        self.body.addWidget(self.remember)
        self.add_button("Cancel", "ghost", self.reject)
        self.stop = self.add_button("Stop them", "default", lambda: self._decide("stop"))
        self.keep = self.add_button("Keep running", "primary", lambda: self._decide("keep"))

    def set_running(self, running: Sequence[str]) -> None:
        """Names what runs now."""
        names = [visible_name(name, 60) for name in running[:_MOST]]
        if len(running) > _MOST:
            names.append(plural(len(running) - _MOST, "more", "more"))
        self.count.setText(f"{plural(len(running), 'container runs', 'containers run')} in the embedded engine:")
        self.names.setText(", ".join(names))

    def _decide(self, choice: str) -> None:
        self.decided.emit(choice, self.remember.isChecked())
        self.accept()
