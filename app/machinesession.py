"""MachineSession: the machine of this computer and everything that pages do through it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from app.commands.machine import START, SUBJECT, MachineCommand, Told
from app.operation import Operation, Operations, OperationState
from app.stores.machine import Amount, MachineState
from app.tasks import TaskScope
from vm import making
from vm.diagnosis.check import Check
from vm.errors import MachineError
from vm.machine import SUPPORTED, Machine
from vm.making import Settings
from vm.qemu.errors import QemuError
from vm.report import Report
from vm.shares.places import Share

T = TypeVar("T")
LOOK_EVERY = 2.0
LOOK_OFTEN = 0.5
"""Seconds between questions while somebody looks; more often while the machine comes up or goes down."""
CHANGING = frozenset(("starting", "stopping"))


class MachineSession(QObject):
    """Asks the machine only while somebody looks, and does one thing with it at a time.

    `went_down()`: what was done here has ended it, for now or for good.

    Signals: `changed(MachineState)`; `came_up(Report)` when a start that was asked for here is over;
    `succeeded(Operation, str)` with the words of a command that was done; `failed(Operation)`; `checked()` when there
    is more in `checks`, or when `checking` began or ended.
    """

    changed = Signal(object)
    came_up = Signal(object)
    went_down = Signal()
    succeeded = Signal(object, str)
    failed = Signal(object)
    checked = Signal()

    def __init__(
        self, machine: Machine, scope: TaskScope, operations: Operations, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.machine = machine
        self._scope, self._operations = scope, operations
        self.state = MachineState()
        self._watchers: set[int] = set()
        self._looking: asyncio.Task[Any] | None = None
        self._operation: Operation | None = None
        self._leaving = False
        self.checks: dict[str, Check] = {}
        self._checking: asyncio.Task[Any] | None = None

    # Looking

    def watch(self, watcher: QObject) -> None:
        """Keeps the state true as long as `watcher` looks."""
        self._watchers.add(id(watcher))
        if self._looking is None:
            self._looking = self._scope.start(self._look(), name="look at the machine")

    def unwatch(self, watcher: QObject) -> None:
        """It looks no longer."""
        self._watchers.discard(id(watcher))

    async def look_once(self) -> MachineState:
        """Asks once; returns what is known then."""
        try:
            report = await self.machine.inspect() if SUPPORTED else Report("absent")
        except (MachineError, QemuError, OSError) as error:
            self._set(replace(self.state, silent=error))
            return self.state
        if not self.state.doing:  # A start tells by itself, and newer things.
            kept = None if report.state == "running" else self.state.error
            settings = await asyncio.to_thread(self._settings) if report.state != "absent" else None
            self._set(replace(self.state, report=report, error=kept, silent=None, settings=settings))
        return self.state

    def _settings(self) -> Settings | None:
        try:
            return making.read(self.machine.paths)
        except MachineError:
            return None

    @property
    def shares(self) -> tuple[Share, ...]:
        """The folders that are shared, as far as that is known."""
        return self.state.settings.shares if self.state.settings is not None else ()

    async def _look(self) -> None:
        try:
            while self._watchers:
                state = await self.look_once()
                await asyncio.sleep(LOOK_OFTEN if state.word in CHANGING else LOOK_EVERY)
        finally:
            self._looking = None

    # Doing

    def run(self, command: MachineCommand[T], target: T, *, quiet: bool = False) -> Operation | None:
        """Does it, if nothing else is being done; None where it does not apply. Not told if `quiet`."""
        if command.why_not(self.state):
            return None
        self._set(replace(self.state, doing=command.key, making="", error=None, amount=Amount()))
        operation = self._operations.start(
            command.title.rstrip("…"), SUBJECT, command.line(target), lambda op: self._done(command, target, op)
        )
        self._operation = operation
        operation.ended.connect(lambda: self._on_ended(command, operation, quiet=quiet))
        return operation

    def start(self, settings: Settings | None = None) -> None:
        """Makes it if there is none, and starts it."""
        self.run(START, settings)

    def run_beside(self, command: MachineCommand[T], target: T) -> None:
        """Does what changes nothing of the machine, whatever else is being done."""
        operation = self._operations.start(
            command.title.rstrip("…"),
            SUBJECT,
            command.line(target),
            lambda _op: command.run(self.machine, target, _hear),
        )

        def on_ended() -> None:
            if operation.state is OperationState.FAILED:
                self.failed.emit(operation)
            elif operation.state is OperationState.SUCCEEDED:
                self.succeeded.emit(operation, command.done)

        operation.ended.connect(on_ended)

    @property
    def checking(self) -> bool:
        """Whether its parts are being looked at."""
        return self._checking is not None

    def check(self) -> None:
        """Looks at every part anew."""
        if self._checking is None and not self._leaving:
            self.checks = {}
            self._checking = self._scope.start(self._check(), name="look at every part of the machine")
            self.checked.emit()

    async def _check(self) -> None:
        try:
            async with aclosing(self.machine.diagnose()) as checks:
                async for check in checks:
                    self.checks[check.name] = check
                    self.checked.emit()
        finally:
            self._checking = None
            if not self._leaving:
                self.checked.emit()

    def cancel(self) -> None:
        """Lets go of what is being done; a start ends with a machine that is stopped."""
        if self._operation is not None and self._operation.running:
            self._operation.cancel()

    def leave(self) -> None:
        """The program ends: what is cancelled from now on goes on without it."""
        self._leaving = True

    async def _done(self, command: MachineCommand[T], target: T, operation: Operation) -> object:
        try:
            return await command.run(self.machine, target, self._told(operation))
        except asyncio.CancelledError:
            if command.key in ("start", "restart") and not self._leaving and self.machine.created:
                with suppress(MachineError):
                    await self.machine.stop(5)
            raise

    def _told(self, operation: Operation) -> Told:
        def told(said: Report | Amount | str) -> None:
            if isinstance(said, str):
                self._set(replace(self.state, making=said, amount=Amount()))
                return
            if isinstance(said, Amount):
                operation.report(said.done, said.total, said.words, counted=True)
                self._set(replace(self.state, amount=said))
                return
            self._set(replace(self.state, report=said, making="", amount=Amount()))
            met = sum(step.progress == "met" for step in said.steps)
            operation.report(met, 0, said.steps[-1].name if said.steps else "")

        return told

    def _on_ended(self, command: MachineCommand[Any], operation: Operation, *, quiet: bool) -> None:
        if self._leaving:
            return
        report = operation.result if isinstance(operation.result, Report) else self.state.report
        self._set(MachineState(report, error=operation.error, settings=self.state.settings))
        self._scope.start(self.look_once(), name="look at the machine once more")
        if operation.state is OperationState.FAILED:
            self.failed.emit(operation)
        elif operation.state is OperationState.SUCCEEDED:
            if command.key in ("start", "restart") and report is not None and report.socket:
                self.came_up.emit(report)
            if command.key in ("stop", "suspend", "reset", "delete"):
                self.went_down.emit()
            if command.done and not quiet:
                self.succeeded.emit(operation, command.done)

    def _set(self, state: MachineState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)


def _hear(_said: Report | Amount | str) -> None:
    """What is done beside tells nothing."""
