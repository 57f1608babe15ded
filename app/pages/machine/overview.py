"""What the machine is at this moment: its start or what is wrong, its facts, the ports that answer here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.machinesession import MachineSession
from app.models.machine import SLOW, facts_of, is_slow, port_rows, start_view
from app.notices import Step
from app.pages.machine.parts import Column, Facts, put
from app.theme import Theme
from app.widgets.banners import Banner
from app.widgets.checklist import CheckList
from app.widgets.startpanel import StartPanel
from app.widgets.states import EmptyState

WHAT = (
    "A small Linux machine with an engine in it, apart from the rest of your system. It runs as you, and keeps images, "
    "containers and volumes on a disk of its own, which grows as it is used."
)


class OverviewTab(Column):
    """`act` does the next step of a notice."""

    def __init__(self, theme: Theme, machine: MachineSession, act: Callable[[Step], object]) -> None:
        super().__init__(theme, "What the machine is")
        self._machine, self._act = machine, act
        self.slow = Banner(theme, "warning", SLOW, "", "", rounded=True)
        self.slow.set("warning", SLOW, "Virtualization could not be used here, so it is emulated", "Why…")
        self.slow.pressed.connect(lambda: act(Step("Why…", "machine-slow")))
        self.panel = StartPanel(theme)
        self.panel.cancel_pressed.connect(machine.cancel)
        self.panel.again_pressed.connect(machine.start)
        self.panel.help_pressed.connect(lambda: act(Step("", "machine-help")))
        self.panel.check_pressed.connect(lambda: act(Step("", "machine-check")))
        self.none = EmptyState(theme, "monitor", "No machine yet", WHAT, "Start the machine", machine.start, "primary")
        self.facts = Facts(theme)
        self.ports = CheckList(theme)
        for part in (self.slow, self.panel, self.none):
            self.body.addWidget(part)
        self._above = QWidget()
        self._above.setFixedHeight(24)
        self.body.addWidget(self._above)
        self._now = self.heading("Now", first=True)
        put(self._now, self.facts)
        self._ports = self.heading("Published ports", "What containers publish, and whether it answers here.")
        put(self._ports, self.ports)
        self.body.addStretch(1)
        machine.changed.connect(lambda _state: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Shows what is known now."""
        state = self._machine.state
        report, paths = state.report, self._machine.machine.paths
        view = start_view(state)
        self.panel.show_view(view)
        self.slow.setVisible(is_slow(report) and not view.title)
        absent = state.word == "absent" and not view.title
        self.none.setVisible(absent)
        self._above.setVisible(bool(view.title) or is_slow(report))
        there = report is not None and not absent and state.word != "absent"
        self._now.setVisible(there)
        if there:
            self.facts.set_facts(facts_of(state, str(paths.socket), str(paths.home)))
        rows = port_rows(report)
        self.ports.set_rows(rows)
        self._ports.setVisible(bool(rows))
