"""MachineRoom: the machine in the window, wired: its page, its card on the first page, what its notices press."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app import paths, places
from app.engines import Engines
from app.folders import open_folder
from app.logbook import log
from app.machinehere import LABEL, shared_with_machine
from app.machinesession import MachineSession
from app.machinewordings import install_line
from app.models.machine import SLOW, next_step, start_view
from app.notices import Notice, Step, notice_for
from app.operation import Operation
from app.pages.onboarding.page import Finding, MachineCard, OnboardingPage
from app.places import Place
from app.preferences import Preferences
from app.presentation.units import NBSP, plural
from app.qemuwordings import about_slowness
from app.session import Session
from app.tasks import TaskScope
from app.theme import Theme
from app.window import MainWindow
from vm import images, making
from vm.errors import ImageMissing, MachineError
from vm.machine import SUPPORTED, Machine
from vm.paths import MachinePaths
from vm.qemu.errors import QemuError, QemuMissing
from vm.qemu.finding import find_qemu
from vm.qemu.host import this_host
from vm.qemu.probing import last_trial
from vm.report import Report

if TYPE_CHECKING:
    from app.pages.machine.page import MachinePage
    from app.pages.machine.verbs import MachineVerbs

RESTS = "machine/rests"
"""Whether leaving the program put the machine to rest, which opening it undoes."""
_ACTIONS = {"suspended": "Resume the machine", "starting": "Starting…", "stopping": "Stopping…"}


class MachineRoom(QObject):
    """One for each run of the program, made when somebody first looks at the machine. `machine` is for tests."""

    def __init__(
        self,
        theme: Theme,
        window: MainWindow,
        session: Session,
        engines: Engines,
        preferences: Preferences,
        scope: TaskScope,
        engine_button: Callable[[], QWidget],
        machine: Machine | None = None,
    ) -> None:
        super().__init__(window)
        self._theme, self._window, self._session, self._engines = theme, window, session, engines
        self._preferences, self._scope, self._engine_button = preferences, scope, engine_button
        where = MachinePaths.below(paths.data_dir(), paths.runtime_dir())
        self.session = MachineSession(machine or Machine(where), scope, session.operations, self)
        self._missing: MachineError | QemuError | None = None
        self._qemu = ""
        self._card: OnboardingPage | None = None
        self.session.changed.connect(lambda _state: self._show_card())
        self.session.came_up.connect(self._on_up)
        self.session.went_down.connect(lambda: scope.start(self._leave_its_engine(), name="leave the machine's engine"))
        self.session.failed.connect(self._on_failed)
        self.session.succeeded.connect(session.succeeded)

    # The page

    @cached_property
    def verbs(self) -> MachineVerbs:
        """What can be done, for the page and the palette."""
        from app.pages.machine.verbs import MachineVerbs

        return MachineVerbs(self._theme, self._window, self.session, self._session, self._preferences)

    def page(self) -> MachinePage:
        """The page, made anew."""
        from app.pages.machine.page import MachinePage

        return MachinePage(self._theme, self.session, self.verbs, self._press, self._engine_button)

    def pick(self, verb: str) -> None:
        """Does what was picked by its name in the palette, or says why it cannot be done."""
        self._scope.start(self._pick(verb), name=f"{verb} the machine")

    async def _pick(self, verb: str) -> None:
        await self.session.look_once()
        entry = self.verbs.entries()[verb]
        if entry.why:
            self._session.notice(Notice(f"Could not {verb} the machine", f"{entry.why}.", kind="info"))
        else:
            entry.on_pick()

    # The card on the first page

    def join(self, page: OnboardingPage) -> None:
        """Shows the machine there, and does what is pressed."""
        self._card = page
        page.machine_pressed.connect(self.session.start)
        page.machine_cancelled.connect(self.session.cancel)
        page.machine_helped.connect(self._help)
        page.machine_checked.connect(lambda: self.act("machine-check", None))
        page.look_again.connect(self._look_around)
        page.seen.connect(self._on_seen)
        if page.isVisible():
            self._on_seen(True)
        self._show_card()

    def _on_seen(self, seen: bool) -> None:
        if not seen:
            self.session.unwatch(self)
            return
        self.session.watch(self)
        self._look_around()

    def _look_around(self) -> None:
        self._scope.start(self._look(), name="look for what the machine needs")

    async def _look(self) -> None:
        """Whether it could be started here, without starting anything of it."""
        missing: MachineError | QemuError | None = None
        try:
            host = this_host()
            self._qemu = ".".join(map(str, (await find_qemu(host)).version))
            if not self.session.machine.created:
                images.require_source()
        except (MachineError, QemuError) as error:
            missing = error
        self._missing = missing
        self._show_card()

    def _show_card(self) -> None:
        if self._card is not None:
            self._card.show_machine(self._card_now())

    def _card_now(self) -> MachineCard:
        state = self.session.state
        what = making.usual()
        facts = f"{plural(what.cpus, 'CPU')} · {what.memory / 1024:g}{NBSP}GB · a disk that grows"
        if not SUPPORTED:
            why = "This version cannot run it on this system yet."
            return MachineCard(facts, why, finding=Finding("Virtual machine", False, why))
        if (missing := self._missing) is not None:
            notice = notice_for(missing)
            copied, action = "", "Start the machine"
            if isinstance(missing, QemuMissing) and (copied := install_line()):
                action = "Copy install command"
            elif isinstance(missing, ImageMissing):
                copied, action = missing.command, "Copy build command"
            words = f"{notice.title}. {notice.detail}".strip()
            finding = Finding("Virtual machine", False, words)
            return MachineCard(facts, f"{notice.title}.", action, copied, start_view(state), finding)
        action = _ACTIONS.get(state.word, "Start the machine")
        found = Finding("Virtual machine", True, f"Can run here: QEMU{NBSP}{self._qemu}") if self._qemu else None
        return MachineCard(facts, "", action, "", start_view(state), found)

    # Its engine in use

    async def _leave_its_engine(self) -> None:
        if self._uses_it():
            await self._session.leave()
            self._window.show_onboarding(True)

    # Leaving and coming back

    def leave(self, then: Callable[[], None]) -> None:
        """Suspends a machine that is to be suspended when the program is left; then goes on."""
        self._scope.start(self._leave(then), name="leave the machine")

    async def _leave(self, then: Callable[[], None]) -> None:
        state = await self.session.look_once()
        if state.settings is not None and state.settings.suspend and state.word == "running":
            banner = self._window.banner
            banner.set("info", "Suspending the machine", "Its containers go on at the next start", "", "power")
            banner.show()
            if self._uses_it():
                await self._engines.leave()
            try:
                await self.session.machine.rest()
            except (MachineError, QemuError) as error:
                log.warning("the machine was not suspended: %s", error)  # It goes on without the window.
            else:
                self._preferences.set(RESTS, True)
        then()

    def come_back(self) -> None:
        """Starts the machine where it rests since the program was left."""
        if self._preferences.get(RESTS, False):
            self._preferences.forget(RESTS)
            self._scope.start(self._wake(), name="wake the machine")

    async def _wake(self) -> None:
        state = await self.session.look_once()
        if state.word in ("suspended", "stopped"):
            self.session.start()

    def _uses_it(self) -> bool:
        return self._session.state.endpoint == self.session.machine.paths.endpoint

    # What comes of it

    def _on_up(self, report: Report) -> None:
        """Its engine is used where none is in use, and offered where one is."""
        if not self.verbs.was_asked and not self.session.shares:
            choose = Step("Choose…", "machine-folders")
            words = "Share your home folder, chosen ones, or none."
            self._session.notice(Notice("Which folders may containers use?", words, choose, "info"))
        where = self.session.machine.paths.endpoint
        if self._session.state.endpoint == where:
            return

        def use() -> None:
            self._engines.use(where, LABEL)

        if self._session.engine is None:
            use()
        else:
            self._session.notice(Notice("The machine is running", "", Step("Use its engine", "call", use), "success"))

    def _on_failed(self, operation: Operation) -> None:
        """Where nobody sees the reason on a page, it is told by a toast."""
        shown = self._window.stack.currentWidget()
        tells = shown is self._card or bool(getattr(shown, "tells_failures", False))
        if operation.error is not None and not tells:
            self._session.notice(notice_for(operation.error))

    def _press(self, step: Step) -> None:
        """Does the next step of a notice about the machine."""
        if step.act == "machine-help":
            self._help()
        else:
            self._session.step_pressed.emit(step)

    def _help(self) -> None:
        if (step := next_step(self.session.state)) is not None:
            self._session.step_pressed.emit(step)

    def act(self, act: str, argument: object) -> None:
        """What the buttons of notices about the machine do; `act` begins with "machine-"."""
        acts: dict[str, Callable[[], object]] = {
            "machine-start": self.session.start,
            "machine-check": lambda: self._window.go(Place(places.MACHINE, tab="diagnostics")),
            "share-folder": lambda: self._scope.start(self._share(str(argument)), name="share a folder"),
            "machine-folders": lambda: self._window.go(Place(places.MACHINE, tab="folders")),
            "machine-stop": self.verbs.stop,
            "machine-rollback": self.verbs.rollback,
            "machine-slow": lambda: self._scope.start(self._explain(), name="say why the machine is slow"),
            "machine-copy": lambda: self._copy(str(argument)),
            "machine-folder": lambda: open_folder(str(argument or self.session.machine.paths.home)),
        }
        acts[act]()

    async def _share(self, path: str) -> None:
        """Lets the machine see a folder, and tells what came of it."""
        try:
            said = await shared_with_machine(path)
        except MachineError as error:
            said = notice_for(error)
        self._session.notice(said)

    async def _explain(self) -> None:
        """Why it is slow, and what would help."""
        from app.pages.machine.questions import Explained

        trial = await asyncio.to_thread(last_trial, self.session.machine.paths.trial)
        notice = about_slowness(trial) if trial is not None else None
        words = notice.detail if notice is not None else "Virtualization could not be used, so it is emulated."
        Explained(self._theme, self._window, SLOW, words).open()

    def _copy(self, words: str) -> None:
        QGuiApplication.clipboard().setText(words)
        self._session.notice(Notice("Copied", words, kind="success"))
