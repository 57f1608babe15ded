"""The page of the machine: its state and verbs at the top, and a tab for each side of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.machinesession import MachineSession
from app.models.machine import state_chip, warning_of
from app.notices import Step
from app.pages.machine.overview import OverviewTab
from app.pages.machine.verbs import MachineVerbs
from app.places import Place
from app.theme import Theme
from app.widgets.banners import Banner
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Hairline
from app.widgets.chips import StateChip
from app.widgets.menus import Menu
from app.widgets.segments import Tabs
from app.widgets.text import set_tooltip
from app.widgets.topbar import TopBar

TABS = (
    ("overview", "Overview"),
    ("resources", "Resources"),
    ("folders", "Folders"),
    ("data", "Data"),
    ("diagnostics", "Diagnostics"),
)


class MachinePage(QWidget):
    """`act` does the next step of a notice. The machine is asked only while the page is seen."""

    def __init__(
        self,
        theme: Theme,
        machine: MachineSession,
        verbs: MachineVerbs,
        act: Callable[[Step], object],
        engine_button: Callable[[], QWidget],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._machine, self._verbs = theme, machine, verbs
        self.topbar = TopBar(theme, "Machine")
        self.chip = StateChip(theme)
        self.more = IconButton(theme, "ellipsis", "More")
        self.more.clicked.connect(self._on_more)
        self.main = Button(theme, "Start", "play", kind="primary")
        self.main.clicked.connect(self._on_main)
        for widget in (self.chip, engine_button(), self.more, self.main):
            self.topbar.add_widget(widget)
        self.tabs = Tabs(theme, TABS)
        self.tabs.chosen.connect(self._show_tab)
        self.stack = QStackedWidget()
        self._made: dict[str, QWidget] = {}
        self._makers: dict[str, Callable[[], QWidget]] = {
            "overview": lambda: OverviewTab(theme, machine, act),
            "resources": self._resources,
            "folders": self._folders,
            "data": self._data,
            "diagnostics": self._diagnostics,
        }
        self._warned = Step("", "")
        self.warning = Banner(theme, "warning")
        self.warning.pressed.connect(lambda: act(self._warned))
        strip = QVBoxLayout()
        strip.setContentsMargins(16, 0, 16, 0)
        strip.addWidget(self.tabs)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.topbar)
        whole.addLayout(strip)
        whole.addWidget(Hairline(theme))
        whole.addWidget(self.warning)
        whole.addWidget(self.stack, 1)
        machine.changed.connect(lambda _state: self.refresh())
        self._show_tab("overview")
        self.refresh()

    @property
    def tells_failures(self) -> bool:
        """Whether what shows why something failed is in view."""
        return self.tabs.current() == "overview"

    def show_place(self, place: Place) -> None:
        """Goes to a tab."""
        if place.tab:
            self.tabs.set_current(place.tab)
            self._show_tab(place.tab)

    def _resources(self) -> QWidget:
        from app.pages.machine.resources import ResourcesTab

        return ResourcesTab(self._theme, self._machine, self._verbs)

    def _folders(self) -> QWidget:
        from app.pages.machine.folders import FoldersTab

        return FoldersTab(self._theme, self._machine, self._verbs)

    def _data(self) -> QWidget:
        from app.pages.machine.data import DataTab

        return DataTab(self._theme, self._machine, self._verbs)

    def _diagnostics(self) -> QWidget:
        from app.pages.machine.diagnostics import DiagnosticsTab

        return DiagnosticsTab(self._theme, self._machine, self._verbs)

    def _show_tab(self, key: str) -> None:
        if key not in self._made:
            self._made[key] = self._makers[key]()
            self.stack.addWidget(self._made[key])
        self.stack.setCurrentWidget(self._made[key])

    def refresh(self) -> None:
        """Shows the state and what can be done in it."""
        self.chip.set(*state_chip(self._machine.state))
        kind, title, words = warning_of(self._machine.state.report)
        self._warned = self._step_of_warning()
        self.warning.set(kind or "warning", title, words, self._warned.label)
        self.warning.setVisible(bool(title))
        entry = self._verbs.main()
        self.main.setText(entry.text)
        self.main.set_icon(entry.icon)
        self.main.set_kind("primary" if entry.icon == "play" else "default")
        self.main.setEnabled(not entry.why)
        self.main.updateGeometry()
        set_tooltip(self.main, entry.why)

    def _step_of_warning(self) -> Step:
        report = self._machine.state.report
        if report is None or not report.warnings:
            return Step("", "")
        own = all(each.where == "guest" for each in report.warnings)
        return Step("Clean up…", "clean-up") if own else Step("Show the folder", "machine-folder")

    def _on_main(self) -> None:
        self._verbs.main().on_pick()

    def _on_more(self) -> None:
        menu = Menu(self._theme, self, once=True)
        menu.fill(self._verbs.entries().values())
        menu.popup_under(self.more, right=True)

    def showEvent(self, event: QShowEvent) -> None:
        """The machine is asked from now on."""
        super().showEvent(event)
        self._machine.watch(self)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any longer."""
        super().hideEvent(event)
        self._machine.unwatch(self)
