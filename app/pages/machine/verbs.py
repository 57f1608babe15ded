"""The verbs of the machine for its page, its menu and the command palette, with what they ask first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.commands.machine import DELETE, RESTART, START, STOP, MachineCommand
from app.machinesession import MachineSession
from app.presentation.units import plural
from app.session import Session
from app.theme import Theme
from app.widgets.confirm import Confirm
from app.widgets.entries import Entry

ALL_GOES = "All that is in it goes: its images, containers and volumes. There is no copy, and it cannot be undone."


class MachineVerbs(QObject):
    """Offers what can be done, and asks before what cannot be undone, or what ends running containers."""

    def __init__(self, theme: Theme, window: QWidget, machine: MachineSession, session: Session) -> None:
        super().__init__(window)
        self._theme, self._window, self._machine, self._session = theme, window, machine, session

    def main(self) -> Entry:
        """The one that fits best now."""
        if self._machine.state.doing in ("start", "restart"):
            return Entry("Cancel", self._machine.cancel, "x")
        up = self._machine.state.word in ("running", "unresponsive")
        return self._entry(STOP, self.stop) if up else self._entry(START, self._machine.start)

    def entries(self) -> dict[str, Entry]:
        """All of them by name, in the order of the menu."""
        return {
            "start": self._entry(START, self._machine.start),
            "stop": self._entry(STOP, self.stop),
            "restart": self._entry(RESTART, self.restart),
            "delete": replace(self._entry(DELETE, self.delete), danger=True, apart=True),
        }

    def stop(self) -> None:
        """Stops it, and asks first while containers run in it."""
        self._ask_if_running("Stop the machine?", "Stop it", partial(self._machine.run, STOP, None))

    def restart(self) -> None:
        """The same for a restart."""
        self._ask_if_running("Restart the machine?", "Restart it", partial(self._machine.run, RESTART, None))

    def delete(self) -> None:
        """Throws it away, once the person has said so."""
        ask = Confirm(self._theme, self._window, "Delete the machine?", ALL_GOES, "Keep it", "Delete machine")
        ask.chosen.connect(lambda _options: self._machine.run(DELETE, None))
        ask.open()

    def _ask_if_running(self, title: str, act: str, done: Callable[[], object]) -> None:
        running = self.running()
        if not running:
            done()
            return
        words = (
            f"{plural(len(running), 'container runs', 'containers run')} in it. Those with a restart policy come back."
        )
        ask = Confirm(self._theme, self._window, title, words, "Cancel", act, goes=running, danger=False)
        ask.chosen.connect(lambda _options: done())
        ask.open()

    def running(self) -> list[str]:
        """Names of the containers that run in it, as far as its engine is the one in use."""
        where = getattr(self._session.state.endpoint, "path", "")
        if where != str(self._machine.machine.paths.socket):
            return []
        found = self._session.stores.containers.values.values()
        return sorted(one.name for one in found if one.state in ("running", "paused", "restarting"))

    def _entry(self, command: MachineCommand[Any], done: Callable[[], object]) -> Entry:
        return Entry(
            command.title, done, command.icon, why=command.why_not(self._machine.state), also="machine virtual vm"
        )
