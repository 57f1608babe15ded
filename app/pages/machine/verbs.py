"""The verbs of the machine for its page, its menu and the command palette, with what they ask first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.checkwordings import CONSEQUENCES, REPAIRS
from app.commands.machine import (
    BUNDLE,
    CHANGE,
    DELETE,
    MOVE,
    REPAIR,
    RESET,
    RESTART,
    ROLLBACK,
    SHARE,
    START,
    STOP,
    SUSPEND,
    UNSHARE,
    UPDATE,
    USE_CONTEXT,
    MachineCommand,
)
from app.machinesession import MachineSession
from app.preferences import Preferences
from app.presentation.units import plural
from app.session import Session
from app.theme import Theme
from app.widgets.confirm import Confirm
from app.widgets.entries import Entry
from vm.diagnosis.check import ASKED, Repair
from vm.making import Settings
from vm.shares.places import Share

DELETED = "All of it goes: images, containers, volumes and settings. There is no copy, and it cannot be undone."
ASKED_KEY = "machine/asked-for-folders"
RESET_WORDS = "Its images, containers and volumes go. There is no copy, and it cannot be undone. Its settings stay."


class MachineVerbs(QObject):
    """Offers what can be done, and asks before what cannot be undone, or what ends running containers.

    `answered()` when the question about folders was.
    """

    answered = Signal()

    def __init__(
        self, theme: Theme, window: QWidget, machine: MachineSession, session: Session, preferences: Preferences
    ) -> None:
        super().__init__(window)
        self._theme, self._window, self._machine, self._session = theme, window, machine, session
        self._preferences = preferences

    # What is offered

    def main(self) -> Entry:
        """The one that fits best now."""
        state = self._machine.state
        if state.doing in ("start", "restart"):
            return Entry("Cancel", self._machine.cancel, "x")
        if state.up:
            return self._entry(STOP, self.stop)
        start = self._entry(START, self._machine.start)
        return replace(start, text="Resume") if state.word == "suspended" else start

    def entries(self) -> dict[str, Entry]:
        """All of them by name, in the order of the menu."""
        return {
            "start": self._entry(START, self._machine.start),
            "stop": self._entry(STOP, self.stop),
            "restart": self._entry(RESTART, self.restart),
            "suspend": self._entry(SUSPEND, partial(self._machine.run, SUSPEND, None)),
            "reset": replace(self._entry(RESET, self.reset), danger=True, apart=True),
            "delete": replace(self._entry(DELETE, self.delete), danger=True),
        }

    def whys(self) -> dict[str, str]:
        """Why a verb cannot be done now, by its name; empty where it can."""
        state = self._machine.state
        return {each.key: each.why_not(state) for each in (UPDATE, ROLLBACK, MOVE, RESET, DELETE)}

    # Its life

    def stop(self) -> None:
        """Stops it, and asks first while containers run in it."""
        self._ask_if_running("Stop the machine?", "Stop it", partial(self._machine.run, STOP, None))

    def restart(self) -> None:
        """The same for a restart."""
        self._ask_if_running("Restart the machine?", "Restart it", partial(self._machine.run, RESTART, None))

    def reset(self) -> None:
        """Throws away what is in it, once the person has said so."""
        self._confirm("Reset the machine?", RESET_WORDS, "Keep it", "Reset machine", partial(self._run, RESET, None))

    def delete(self) -> None:
        """Throws it away, once the person has said so."""
        self._confirm("Delete the machine?", DELETED, "Keep it", "Delete machine", partial(self._run, DELETE, None))

    # What it has

    def change(self, settings: Settings, *, restarts: bool) -> None:
        """Gives it other settings; says so where that restarts it."""
        done = partial(self._run, CHANGE, settings)
        if not (restarts and self._machine.state.up):
            done()
            return
        self._ask("Restart the machine once to apply this?", "Apply and restart", done, always=True)

    def use_context(self, wanted: bool) -> None:
        """Whether docker's own programs use it."""
        self._run(USE_CONTEXT, wanted)

    def share(self, path: str) -> None:
        """Shares a folder."""
        self._preferences.set(ASKED_KEY, True)
        self._run(SHARE, Share(path))
        self.answered.emit()

    def share_as(self, path: str, *, watch: bool | None = None, writable: bool | None = None) -> None:
        """Shares a folder that is shared in another way."""
        settings = self._machine.state.settings
        share = next((one for one in settings.shares if one.path == path), None) if settings is not None else None
        if share is not None:
            watched = share.watch if watch is None else watch
            self._run(SHARE, Share(path, watched, share.writable if writable is None else writable))

    def unshare(self, path: str) -> None:
        """Shares it no more."""
        self._run(UNSHARE, path)

    def share_none(self) -> None:
        """The person wants none now, and is not asked again."""
        self._preferences.set(ASKED_KEY, True)
        self.answered.emit()

    @property
    def was_asked(self) -> bool:
        """Whether the person has answered which folders are shared."""
        return self._preferences.get(ASKED_KEY, False)

    # Its image and its disk

    def update(self) -> None:
        """Brings the newest image; a machine that runs is restarted."""
        self._ask_if_running("Update the machine?", "Update and restart", partial(self._run, UPDATE, None))

    def rollback(self) -> None:
        """The image from before."""
        self._ask_if_running(
            "Go back to the image from before?", "Go back and restart", partial(self._run, ROLLBACK, None)
        )

    def move(self, folder: str) -> None:
        """Moves the disk to another folder."""
        done = partial(self._run, MOVE, Path(folder))
        self._ask_if_running("Move the machine's disk?", "Move and restart", done)

    # What mends it

    def repair(self, what: Repair) -> None:
        """Mends what a check found, and looks again; what has a price is asked first."""
        done = partial(self._repair, what)
        if what in ASKED:
            self._confirm(f"{REPAIRS[what]}?", CONSEQUENCES[what], "Cancel", REPAIRS[what], done, danger=False)
        else:
            done()

    def _repair(self, what: Repair) -> None:
        operation = self._machine.run(REPAIR, what)
        if operation is not None:
            operation.ended.connect(self._machine.check)

    def save_report(self, path: str) -> None:
        """Saves what helps to understand a failure."""
        self._machine.run_beside(BUNDLE, Path(path))

    # Asking

    def _run(self, command: MachineCommand[Any], target: object) -> None:
        self._machine.run(command, target)

    def _ask_if_running(self, title: str, act: str, done: Callable[[], object]) -> None:
        if self.running():
            self._ask(title, act, done)
        else:
            done()

    def _ask(self, title: str, act: str, done: Callable[[], object], *, always: bool = False) -> None:
        running = self.running()
        count = plural(len(running), "container runs", "containers run")
        words = f"{count} in it. Those with a restart policy come back." if running else "It takes a moment."
        assert running or always
        ask = Confirm(self._theme, self._window, title, words, "Cancel", act, goes=running, danger=False)
        ask.chosen.connect(lambda _options: done())
        ask.open()

    def _confirm(
        self, title: str, words: str, keep: str, act: str, done: Callable[[], object], *, danger: bool = True
    ) -> None:
        ask = Confirm(self._theme, self._window, title, words, keep, act, danger=danger)
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
        why = command.why_not(self._machine.state)
        return Entry(command.title, done, command.icon, why=why, also="machine virtual vm")
