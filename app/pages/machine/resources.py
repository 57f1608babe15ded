"""What the machine has: processors, memory, disk, when it sleeps, and whether docker's own programs use it."""

from __future__ import annotations

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.machinesession import MachineSession
from app.pages.machine.parts import Column, put
from app.pages.machine.verbs import MachineVerbs
from app.presentation.units import NBSP
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.fields import Field, Select, SpinEdit, Switch, row_of
from app.widgets.text import PlainLabel
from vm.making import GIB, LEAST_MEMORY, Settings, host_memory, restarts

_STEP = 256
_FIELD = 128
_MOST_DISK = 16_384
_MOST_IDLE = 24 * 60


class ResourcesTab(Column):
    """What is typed is kept until it is applied or undone; what the machine has comes in between only where it is not.

    `edited` when something was.
    """

    edited = Signal()

    def __init__(self, theme: Theme, machine: MachineSession, verbs: MachineVerbs) -> None:
        super().__init__(theme, "What the machine has")
        self._machine, self._verbs = machine, verbs
        self._known: Settings | None = None
        memory = host_memory() or 1 << 20
        self.cpus = SpinEdit(theme, 1, 255, 1)
        self.memory = SpinEdit(theme, LEAST_MEMORY, memory, LEAST_MEMORY, "MB")
        self.memory.setSingleStep(_STEP)
        self.disk = SpinEdit(theme, 1, _MOST_DISK, 1, "GB")
        self.idle = SpinEdit(theme, 0, _MOST_IDLE, 0, "min")
        for field in (self.cpus, self.memory, self.disk, self.idle):
            field.setFixedWidth(_FIELD)
            field.valueChanged.connect(lambda _value: self._on_edited())
        self._disk_field = Field(theme, "Disk", row_of(self.disk, left=True), "")
        resources = self.heading("Resources", first=True)
        put(
            resources,
            Field(theme, "CPUs", row_of(self.cpus, left=True), "More than this computer has makes it slower"),
            Field(theme, "Memory", row_of(self.memory, left=True), f"This computer has {memory:,}{NBSP}MB"),
            self._disk_field,
            gap=16,
        )
        self.numbers = {"CPUs": self.cpus, "Memory": self.memory, "Disk": self.disk, "Sleeps after": self.idle}
        for name, field in self.numbers.items():
            field.setAccessibleName(name)
        self.on_quit = Select(theme, (("keep", "Leave it running"), ("suspend", "Suspend it")))
        self.on_quit.setFixedWidth(224)
        self.on_quit.setAccessibleName("When I quit")
        self.on_quit.changed.connect(lambda _value: self._on_edited())
        self.apply = Button(theme, "Apply", kind="primary")
        self.apply.clicked.connect(self._on_apply)
        self.undo = Button(theme, "Undo changes", kind="ghost")
        self.undo.clicked.connect(self._fill)
        self.consequence = PlainLabel(theme, "", "small", "text-secondary", wrap=True)
        rest = self.heading("Rest")
        put(
            rest,
            Field(
                theme, "Sleeps after", row_of(self.idle, left=True),
                "Minutes without a running container; the next connection wakes it. 0: it never sleeps",
            ),
            Field(
                theme, "When I quit", row_of(self.on_quit, left=True),
                "Suspended, its containers go on where they were when Pilothouse is opened again. Where it cannot be "
                "suspended it is stopped",
            ),
            gap=16,
        )  # fmt: skip
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(120, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.apply)
        row.addWidget(self.undo)
        row.addWidget(self.consequence, 1)
        self.body.addSpacing(20)
        self.body.addWidget(buttons)
        self.context = Switch(theme, "docker uses the machine", "docker uses the machine while it runs")
        self.context.clicked.connect(self._on_context)
        docker = self.heading(
            "Docker on this computer",
            "Switched on, docker, compose and other programs use the machine's engine unless they are told otherwise. "
            "Switched off, what they used before is used again; nothing else of docker is touched.",
        )
        put(docker, row_of(self.context, left=True))
        self.body.addStretch(1)
        machine.changed.connect(lambda _state: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Shows what the machine has, where nothing else was typed."""
        state = self._machine.state
        if state.settings != self._known:
            typed = self._known is not None and self.typed() != self._known
            self._known = state.settings
            if not typed:
                self._fill()
        there = self._known is not None
        for field in (self.cpus, self.memory, self.disk, self.idle, self.on_quit, self.context):
            field.setEnabled(there and not state.doing)
        if self._known is not None:
            self.context.setChecked(self._known.context)
        self._on_edited()

    def typed(self) -> Settings | None:
        """What the fields say; None before there is a machine."""
        if self._known is None:
            return None
        disk = self.disk.value() * GIB
        return replace(
            self._known, cpus=self.cpus.value(), memory=self.memory.value(), idle=self.idle.value(),
            suspend=self.on_quit.value() == "suspend",
            disk=disk if self.disk.value() != -(-self._known.disk // GIB) else self._known.disk,
        )  # fmt: skip

    def _fill(self) -> None:
        known = self._known
        if known is None:
            return
        size = -(-known.disk // GIB)
        self.disk.setRange(size, max(size, _MOST_DISK))
        self._disk_field.set_help(f"At most so much; its file grows as it is used. {size}{NBSP}GB now, and never less")
        for field, value in zip(self.numbers.values(), (known.cpus, known.memory, size, known.idle), strict=True):
            field.setValue(value)
        self.on_quit.set_value("suspend" if known.suspend else "keep")

    def _on_edited(self) -> None:
        typed, known = self.typed(), self._known
        changed = typed is not None and typed != known
        free = not self._machine.state.doing
        self.apply.setEnabled(changed and free)
        self.undo.setVisible(changed)
        anew = typed is not None and known is not None and restarts(known, typed)
        self.consequence.setText("The machine is restarted once for this" if anew and self._machine.state.up else "")
        self.edited.emit()

    def _on_apply(self) -> None:
        if (typed := self.typed()) is not None and self._known is not None:
            self._verbs.change(typed, restarts=restarts(self._known, typed))

    def _on_context(self, wanted: bool) -> None:
        self._verbs.use_context(wanted)
