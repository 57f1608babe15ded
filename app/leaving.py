"""Leaving: what closing the window asks, and what it does with the embedded engine and the machine."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.engines import Engines
from app.notices import notice_for
from app.pages.settings.quitting import QuitDialog
from app.preferences import Preferences
from app.presentation.containers import ALIVE
from app.session import Session
from app.tasks import TaskScope
from app.theme import Theme
from app.window import MainWindow
from backend.errors import BackendError


class Leaving(QObject):
    """Asks at most once at a time, and names what runs as long as the question is open.

    `leave()` ends the program; `rest(then)` is for a machine that is here, and goes on with `then`.
    """

    def __init__(
        self,
        theme: Theme,
        window: MainWindow,
        session: Session,
        engines: Engines,
        preferences: Preferences,
        scope: TaskScope,
        leave: Callable[[], None],
        rest: Callable[[Callable[[], None]], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._theme, self._window, self._session, self._engines = theme, window, session, engines
        self._preferences, self._scope, self._quit, self._rest = preferences, scope, leave, rest
        self._dialog: QuitDialog | None = None
        session.stores.containers.changed.connect(lambda _delta: self._keep_true())
        engines.changed.connect(lambda _findings: self._keep_true())

    def ask(self) -> None:
        """Leaves, or asks first when containers run in the embedded engine."""
        if self._dialog is not None:
            return
        engines = self._engines
        if not engines.uses_embedded or not self._session.stores.containers.loaded or engines.embedded_ended:
            self._leave()  # unknown: whatever runs goes on
            return
        running = self._running()
        choice = self._preferences.get("engine/on-quit", "ask") if running else "stop"
        if choice != "ask":
            self._on_decided(choice, False)
            return
        self._dialog = QuitDialog(self._theme, self._window, running)
        self._dialog.decided.connect(self._on_decided)
        self._dialog.finished.connect(self._on_finished)
        self._dialog.open()

    def _leave(self) -> None:
        """Leaves; what runs the machine decides first whether it is suspended."""
        from app.machinehere import machine_here

        if machine_here():
            self._rest(self._quit)
        else:
            self._quit()

    def _running(self) -> list[str]:
        return [c.name for c in self._session.stores.containers.values.values() if c.state in ALIVE]

    def _keep_true(self) -> None:
        if self._dialog is None:
            return
        running = self._running()
        if running and not self._engines.embedded_ended:
            self._dialog.set_running(running)
        else:
            self._dialog.reject()

    def _on_finished(self, _accepted: bool) -> None:
        self._dialog = None

    def _on_decided(self, choice: str, remember: bool) -> None:
        if remember:
            self._preferences.set("engine/on-quit", choice)
        if choice == "stop":
            self._scope.start(self._stop_and_leave(), name="stop the embedded engine")
        else:
            self._leave()

    async def _stop_and_leave(self) -> None:
        banner = self._window.banner
        banner.set("info", "Stopping the embedded engine", "Its containers are asked to end", "", "power")
        banner.show()
        try:
            await self._engines.stop_embedded()
        except (BackendError, OSError) as error:
            self._session.notice(notice_for(error))
            return
        self._leave()
