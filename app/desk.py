"""Desk: everything of one run of the program, wired together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app import crash, paths, places
from app.engines import Engines, Findings
from app.feeds.containers import ContainerFeeds
from app.findings import banner_of, engine_choices, state_words
from app.folders import open_folder
from app.logbook import log
from app.notices import Notice, about_files, notice_for
from app.operation import Operation, Operations
from app.places import Place
from app.preferences import Preferences
from app.remote import RemoteHosts
from app.session import EngineState, Phase, Session
from app.stores.stores import Stores
from app.tasks import Once, TaskScope
from app.theme import Choice, Theme
from app.version import VERSION
from app.widgets.enginebutton import EngineButton, EngineChoice, engine_menu
from app.window import MainWindow
from backend import endpoint
from backend.embedded import EmbeddedEngine, EmbeddedPaths
from backend.endpoint import Ssh
from backend.ssh.hosts import Hosts

if TYPE_CHECKING:
    from app.leaving import Leaving
    from app.machineroom import MachineRoom
    from app.palette import Commands
    from app.stores.builds import BuildHistory
    from vm.machine import Machine

HEAD_START = 0.05
"""Seconds that an engine which answers may take before the window is made, and again before it is shown."""
TURNS = 5
"""Of the loop, until the first question has left."""
SOON_MS = 50
"""When the window is painted: what else the page of an empty window shows."""
LATER_MS = 800
"""When the first list is there: what else is told at a start."""
_THEMES: tuple[Choice, ...] = ("system", "light", "dark")


class Desk(QObject):
    """Makes, wires, opens and closes. `quit_asked` is done once the person has decided to leave."""

    _uncaught = Signal(object)

    def __init__(self, app: QApplication, problem: str = "", machine: Machine | None = None) -> None:
        """`problem` is what is wrong with the folders of this run; `machine` is another one than this computer's."""
        super().__init__()
        self._problem, self._given_machine = problem, machine
        self.quit_asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.preferences = Preferences(paths.config_dir())
        chosen = self.preferences.get("look/theme", "system")
        self.theme = Theme(next((c for c in _THEMES if c == chosen), "system"))
        self.theme.apply(app)
        self.scope = TaskScope("pilothouse", self._on_task_failed)
        self.operations = Operations(self.scope, self)
        self.stores = Stores(self)
        self.hosts = Hosts(Path.home(), paths.config_dir())
        self.session = Session(self.scope, self.operations, self.stores, self, self.hosts)
        self.embedded = EmbeddedEngine(EmbeddedPaths.below(paths.data_dir(), paths.runtime_dir()))
        remote = RemoteHosts(self.preferences, self.hosts)
        self.engines = Engines(self.session, self.preferences, self.embedded, self.scope, remote, self)
        self._builds: BuildHistory | None = None
        self.feeds = ContainerFeeds(lambda: self.session.engine, self.scope, self.stores.running, self)
        self._buttons: list[EngineButton] = []
        self.window = MainWindow(
            self.theme,
            self.preferences,
            {
                places.CONTAINERS: self._containers_page,
                places.IMAGES: self._images_page,
                places.BUILDS: self._builds_page,
                places.ACTIVITY: self._activity_page,
                places.MACHINE: lambda: self.machine.page(),
                places.SETTINGS: self._settings_page,
                places.ONBOARDING: self._onboarding_page,
            },
            {places.RUN: self._open_run, places.BUILD: self._open_build, places.PULL: self._open_pull},
        )
        self._countdown = QTimer(self)
        self._countdown.setInterval(500)
        self._countdown.timeout.connect(self._tell_banner)
        self._wire()

    def _wire(self) -> None:
        window, session = self.window, self.session
        window.close_asked.connect(lambda: self._leaving.ask())
        window.reload_asked.connect(session.reload)
        window.engine_menu_asked.connect(self._on_engine_menu)
        window.palette_asked.connect(lambda: self._commands.toggle())
        window.banner_pressed.connect(self._try_now)
        session.state_changed.connect(self._on_state)
        session.noticed.connect(self._on_notice)
        session.step_pressed.connect(lambda step: self._act(step.act, step.argument))
        self._uncaught.connect(lambda error: self._on_notice(notice_for(error)))
        session.succeeded.connect(self._on_succeeded)
        self.engines.changed.connect(self._on_findings)
        self.engines.none_found.connect(lambda: window.show_onboarding(True))
        for store in (self.stores.containers, self.stores.images):
            store.changed.connect(lambda _delta: self._count())
        for changed in (self.operations.added, self.operations.ended):
            changed.connect(lambda _operation: self._count())

    # Opening and closing

    async def open(self) -> None:
        """Looks for an engine and shows the window, with its first list where that comes soon.

        The engine makes its list while the page for it is made.
        """
        asking = Once(self.session.asking)
        self._on_state(self.session.state)
        self.scope.start(self.engines.begin(), name="choose an engine")
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if self.window.place.page == places.CONTAINERS:
            import app.pages.containers.page  # noqa: F401 - loaded while the engine answers
        await asking.wait(HEAD_START)
        self.window.show_start()
        if self.session.engine is not None and not self.stores.containers.loaded:
            await Once(self.stores.containers.changed).wait(HEAD_START)
        self.window.show()
        QTimer.singleShot(0, self._tell_of_files)
        QTimer.singleShot(LATER_MS, self._tell_later)

    def quit_now(self) -> None:
        """Leaves without a question (signals, and after the question)."""
        if not self.quit_asked.done():
            self.quit_asked.set_result(None)

    async def close(self, limit: float) -> None:
        """Scopes, connections, window, in that order, each within `limit` seconds."""
        self.window.keep()
        self.window.hide()
        if "machine" in self.__dict__:
            self.machine.session.leave()
        for operation in self.operations.running:
            operation.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.engines.leave(), limit)
        for name in await self.scope.close(limit):
            log.warning("did not end in time: %s", name)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.hosts.close(), limit)
        if self._builds is not None:
            self._builds.close()
        self.preferences.save()

    @property
    def builds(self) -> BuildHistory:
        """The builds made here, read when they are first needed."""
        if self._builds is None:
            from app.stores.builds import BuildHistory

            self._builds = BuildHistory(paths.data_dir(), self)
        return self._builds

    # What is told

    def tell_error(self, error: BaseException) -> None:
        """Something that nobody caught; from any thread."""
        if not isinstance(error, KeyboardInterrupt | SystemExit):
            self._uncaught.emit(error)

    def _tell_of_files(self) -> None:
        """That files of ours could not be read or cannot be written."""
        for notice in about_files(self._problem, self.preferences.set_aside):
            self.session.notice(notice)

    def _tell_later(self) -> None:
        """What can wait until the first list is there: the builds made here, and what an earlier run left."""
        history = self.builds
        for notice in about_files(history=history.set_aside, problem="" if self._problem else history.problem):
            self.session.notice(notice)
        if self.preferences.get("machine/rests", False):
            self.machine.come_back()
        if reports := crash.left_reports(paths.log_dir()):
            from app.pages.settings.reports import CrashReportDialog

            CrashReportDialog(self.theme, self.window, reports).open()

    def _on_task_failed(self, error: BaseException, name: str) -> None:
        log.error("the task %s failed", name, exc_info=(type(error), error, error.__traceback__))
        self.tell_error(error)

    def _on_notice(self, notice: Notice) -> None:
        step = notice.step
        self.window.toasts.show_notice(
            notice.kind, notice.title, notice.detail, step.label if step else "",
            (lambda: self._act(step.act, step.argument)) if step else None,
        )  # fmt: skip

    def _on_succeeded(self, operation: Operation, words: str) -> None:
        there = Place(places.ACTIVITY, str(operation.id))
        self.window.toasts.show_notice("success", words, "", "Show", lambda: self.window.go(there))

    def _act(self, act: str, argument: object) -> None:
        acts: dict[str, Callable[[], object]] = {
            "retry": self._try_now,
            "choose-engine": self._on_engine_menu,
            "connect-ssh": lambda: self._open_connect(self.engines.remote.at(str(argument))),
            "start-embedded": self.engines.start_embedded,
            **{f"show-{page}": partial(self.window.go, Place(page)) for page in places.PAGES},
            "clean-up": self._clean_up,
            "show-install": lambda: self.window.show_onboarding(True),
            "show-log": lambda: open_folder(str(paths.log_dir())),
            "show-engine-log": lambda: open_folder(str(self.embedded.paths.log.parent)),
            "call": lambda: argument() if callable(argument) else None,
            "go": lambda: self.window.go(argument) if isinstance(argument, Place) else None,
        }
        acts.get(act, lambda: self.machine.act(act, argument))()

    def _clean_up(self) -> None:
        from app.pages.images.page import ImagesPage

        self.window.go(Place(places.IMAGES))
        page = self.window.page(places.IMAGES)
        if isinstance(page, ImagesPage):
            page.verbs.clean_up()

    # The engine

    def _on_state(self, state: EngineState) -> None:
        self._count()
        if state.phase is Phase.CONNECTED:
            self.window.show_onboarding(False)
        where = endpoint.text(state.endpoint) if state.endpoint is not None else ""
        words, token = state_words(state)
        self.window.sidebar.set_engine(words, token)
        for button in self._buttons:
            button.set_engine(state.label or "No engine", "\n".join(p for p in (words, where) if p))
        self._tell_banner()

    def _try_now(self) -> None:
        banner = banner_of(self.engines, self.session.state, 0)
        if banner is not None and banner.step is not None:
            self._act(banner.step.act, banner.step.argument)
        elif self.engines.embedded_ended:
            self.engines.start_embedded()
        elif self.session.engine is not None:
            self.session.retry_now()
        else:
            self.engines.look()

    def _tell_banner(self) -> None:
        banner = banner_of(self.engines, self.session.state, asyncio.get_running_loop().time())
        if banner is None:
            self._countdown.stop()
            self.window.banner.hide()
            return
        self.window.banner.set(banner.kind, banner.title, banner.words, banner.button, banner.icon)
        self.window.banner.show()
        if banner.counts and not self._countdown.isActive():
            self._countdown.start()

    def _engine_button(self) -> QWidget:
        button = EngineButton(self.theme, self._engine_choices)
        self._buttons.append(button)
        button.destroyed.connect(lambda: self._buttons.remove(button) if button in self._buttons else None)
        state = self.session.state
        button.set_engine(state.label or "No engine", endpoint.text(state.endpoint) if state.endpoint else "No engine")
        return button

    def _engine_choices(self) -> list[EngineChoice]:
        connect = self._open_connect
        return engine_choices(self.engines, self.session.state, connect, lambda host: connect(host, now=True))

    def _on_engine_menu(self) -> None:
        visible = [b for b in self._buttons if b.isVisible()]
        if visible:
            visible[0].open_menu()
        else:
            engine_menu(self.theme, self.window, self._engine_choices()).popup_above(self.window.sidebar.engine_line)

    @cached_property
    def machine(self) -> MachineRoom:
        """The machine in the window, made when somebody first looks at it."""
        from app.machineroom import MachineRoom

        parts = (self.session, self.engines, self.preferences, self.scope, self._engine_button, self._given_machine)
        return MachineRoom(self.theme, self.window, *parts)

    @cached_property
    def _commands(self) -> Commands:
        """The command palette, made when it is first asked for."""
        from app.palette import Commands

        choices, pick = self._engine_choices, lambda verb: self.machine.pick(verb)
        return Commands(self.theme, self.window, self.session, self.preferences, choices, pick)

    @cached_property
    def _leaving(self) -> Leaving:
        """What closing the window does, made when it is first closed."""
        from app.leaving import Leaving

        rest, parts = lambda then: self.machine.leave(then), (self.preferences, self.scope, self.quit_now)
        return Leaving(self.theme, self.window, self.session, self.engines, *parts, rest, self)

    def _open_connect(self, where: Ssh | None = None, *, now: bool = False) -> None:
        from app.pages.onboarding.connecting import open_connect

        open_connect(self.theme, self.window, self.engines, where, now=now)

    def _on_findings(self, findings: Findings) -> None:
        from app.findings import findings_view
        from app.pages.onboarding.page import OnboardingPage

        page = self.window.stack.currentWidget()
        if isinstance(page, OnboardingPage):
            page.show_view(findings_view(findings))
        self._tell_banner()

    def _count(self) -> None:
        sidebar = self.window.sidebar
        sidebar.set_count(places.CONTAINERS, str(len(self.stores.containers.values) or ""))
        sidebar.set_count(places.IMAGES, str(len(self.stores.images.values) or ""))
        sidebar.set_count(places.ACTIVITY, str(len(self.operations.running) or ""))

    # Pages, made when they are first shown

    def _containers_page(self) -> QWidget:
        from app.pages.containers.page import ContainersPage

        return ContainersPage(
            self.theme, self.session, self.feeds, self.preferences, self.window.go, self._engine_button
        )

    def _images_page(self) -> QWidget:
        from app.pages.images.page import ImagesPage

        return ImagesPage(self.theme, self.session, self.preferences, self.window.go, self._engine_button)

    def _builds_page(self) -> QWidget:
        from app.pages.builds.page import BuildsPage

        return BuildsPage(self.theme, self.session, self.preferences, self.window.go, self._engine_button, self.builds)

    def _activity_page(self) -> QWidget:
        from app.pages.activity.page import ActivityPage

        return ActivityPage(self.theme, self.operations, self.preferences, self._engine_button)

    def _settings_page(self) -> QWidget:
        from app.pages.settings.page import AboutView, SettingsPage

        page = SettingsPage(self.theme, self.preferences, AboutView(VERSION, paths.named()), self._engine_button)
        page.folder_pressed.connect(open_folder)
        return page

    def _onboarding_page(self) -> QWidget:
        from app.findings import findings_view
        from app.pages.onboarding.page import OnboardingPage

        page = OnboardingPage(self.theme, self._engine_button)
        page.start_pressed.connect(self.engines.start_embedded)
        page.cancel_pressed.connect(self.engines.cancel_start)
        page.connect_pressed.connect(self._open_connect)
        page.look_again.connect(self.engines.look)
        page.show_view(findings_view(self.engines.findings))
        QTimer.singleShot(SOON_MS, page, lambda: self.machine.join(page))
        return page

    def _open_run(self, place: Place) -> None:
        from app.pages.run.dialog import open_run

        open_run(self.theme, self.window, self.session, self.window.go, place)

    def _open_build(self, place: Place) -> None:
        self.window.go(Place(places.BUILDS))
        self.window.begin()

    def _open_pull(self, place: Place) -> None:
        from app.pages.images.pulling import PullDialog

        PullDialog(self.theme, self.window, self.session, place.id).open()
