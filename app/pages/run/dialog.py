"""The Run dialog: a form for a new container, checked while one types, with its docker command line below."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.commands.ports import check_row, free_ports, publishers
from app.commands.run.body import build
from app.commands.run.checks import check, place_of
from app.commands.run.danger import dangers
from app.commands.run.form import PortRow, Problem, RunForm
from app.commands.run.names import free_name
from app.commands.run.read import NotARunLine, Reading, looks_like_run_line, read_line
from app.commands.run.running import RUN, Running, was_removed
from app.notices import Step, refusal_of
from app.operation import Operation, OperationState
from app.pages.run.advice import Advice
from app.pages.run.basic import BasicTab
from app.pages.run.formtab import FormTab
from app.pages.run.imagelook import ImageLook
from app.pages.run.outcome import tell_made
from app.pages.run.parts import Parts
from app.pages.run.pasting import left_over, open_paste, unanswered
from app.pages.run.portrows import LOOPBACK, is_port
from app.pages.run.tabs import AdvancedTab, HealthTab, NetworkTab, ResourcesTab, SecurityTab, StorageTab
from app.places import CONTAINERS, Go, Place
from app.ports import PortAnswer
from app.presentation.units import bytes_text, plural
from app.session import Session
from app.theme import Theme
from app.widgets.commandbox import CommandBox
from app.widgets.confirm import Confirm
from app.widgets.dialogs import Dialog
from app.widgets.progress import PartsProgress, ProgressBar
from app.widgets.segments import Tabs
from app.widgets.shortcuts import bind
from backend import system
from backend.endpoint import NamedPipe, UnixSocket
from backend.types.containers import ContainerId
from backend.types.system import SystemState

TABS = (
    ("basic", "Basic"), ("storage", "Storage"), ("network", "Network"), ("resources", "Resources"),
    ("security", "Security"), ("health", "Health"), ("advanced", "Advanced"),
)  # fmt: skip


class RunDialog(Dialog):
    """Filled from a form or a pasted line; a run that fails keeps it as it was typed, and says where to change it."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, go: Go, form: RunForm) -> None:
        super().__init__(theme, window, "Run a container")
        self._theme, self._session, self._go = theme, session, go
        self._base = form
        self._operation: Operation | None = None
        self._offered: frozenset[PortRow] = frozenset()
        self._refused: tuple[Problem, RunForm] | None = None  # without a field when the engine's words fit none
        self._step: Step | None = None  # the next press that the reason of a refusal offers
        self._own = ""  # the name of what this form makes: not taken by another, until the store knows that it is gone
        self._reading: Reading | None = None  # the line that was pasted, until its questions are answered
        stores = session.stores
        self.basic = BasicTab(
            theme, sorted({t for i in stores.images.values.values() for t in i.tags}), self._check_port
        )
        self.resources = ResourcesTab(theme)
        self.parts_of_form: dict[str, FormTab] = {
            "basic": self.basic,
            "storage": StorageTab(
                theme, sorted(v.name for v in stores.volumes.values.values() if not v.anonymous), session.far_host
            ),
            "network": NetworkTab(theme, sorted(n.name for n in stores.networks.values.values())),
            "resources": self.resources,
            "security": SecurityTab(theme),
            "health": HealthTab(theme),
            "advanced": AdvancedTab(theme),
        }
        self.image, self.name, self.ports = self.basic.image, self.basic.name, self.basic.ports
        self.env, self.open_logs = self.basic.env, self.basic.open_logs
        self._build()
        self._look = ImageLook(session, self.image, self)
        self._fill(form)
        self._connect()
        self._look.look()
        self._on_typed()
        session.ask(system.info, self._on_engine, lambda _error: None, owner=self)

    def _build(self) -> None:
        theme = self._theme
        self.tabs = Tabs(theme, TABS)
        self.tabs.setAccessibleName("Parts of the form")
        self.set_top(self.tabs)
        self.pages = Parts()
        for tab in self.parts_of_form.values():
            self.pages.add(tab)
        self.failure = Advice(theme, "danger", "circle-alert", closable=True)
        self.left = Advice(theme, "info", "info", closable=True)
        self.danger = Advice(theme, "warning", "shield-alert")
        self.bar = ProgressBar(theme)
        self.layers = PartsProgress(theme)
        self.command = CommandBox(theme, open_=True)
        for part in (self.failure, self.left, self.pages, self.danger, self.bar, self.layers, self.command):
            self.body.addWidget(part)
        self.bar.hide()
        self.layers.hide()
        self.cancel = self.add_button("Cancel", "ghost", self._on_cancel)
        self.create_button = self.add_button("Create only", "default", lambda: self._on_run(create_only=True))
        self.run_button = self.add_button("Run", "primary", lambda: self._on_run(create_only=False))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(300)

    def _connect(self) -> None:
        self._timer.timeout.connect(self.check)
        self.failure.pressed.connect(lambda: self._session.step_pressed.emit(self._step))
        self.tabs.chosen.connect(self.show_tab)
        bind(self, "Ctrl+Tab", lambda: self.tabs.step(1), window=False)
        bind(self, "Ctrl+Shift+Tab", lambda: self.tabs.step(-1), window=False)
        for tab in self.parts_of_form.values():
            tab.changed.connect(self._on_typed)
        self._look.exposed.connect(self._on_exposed)
        self.basic.paste_wanted.connect(lambda: open_paste(self._theme, self.window_below(), self.read))
        self.image.textChanged.connect(self._on_image)
        self._session.stores.containers.changed.connect(self._on_containers)

    def show_tab(self, key: str) -> None:
        """Shows a part of the form."""
        self.tabs.set_current(key)
        self.pages.show_part(self.parts_of_form[key])
        self.area.verticalScrollBar().setValue(0)

    def height_to_spare(self, width: int) -> int:
        """The box is as high as its highest part, so that the tabs keep their place."""
        margins = self.body.contentsMargins()
        return self.pages.height_to_spare(width - margins.left() - margins.right())

    # Form in, form out

    def _fill(self, form: RunForm) -> None:
        for tab in self.parts_of_form.values():
            tab.fill(form)
        if not form.name:
            self.name.setText(free_name(self._names()))
        self.show_tab("basic")

    def form(self) -> RunForm:
        """The form as typed."""
        form = self._base
        for tab in self.parts_of_form.values():
            form = tab.take(form)
        return form

    def read(self, line: str) -> str:
        """Fills the form from a docker run line; returns what is wrong with the line, or nothing."""
        try:
            reading = read_line(line)
        except NotARunLine as error:
            return error.sentence
        self._base, self._reading = reading.form, reading
        self._offered = frozenset()
        self._fill(reading.form)
        sentences = left_over(reading)
        self.left.say("Look at this before it runs" if sentences else "", sentences)
        self._on_typed()
        return ""

    # While one types

    def _names(self) -> set[str]:
        return {c.name for c in self._session.stores.containers.values.values()}

    def _on_containers(self, _delta: object) -> None:
        if self._operation is None and self._own not in self._names():
            self._own = ""
        self._timer.start()

    def _on_typed(self) -> None:
        self.command.set_line(RUN.line(Running(self.form())))
        self._timer.start()

    def _on_image(self, text: str) -> None:
        if looks_like_run_line(text):
            self.basic.image_field.set_error(self.read(text))

    def _on_engine(self, state: SystemState) -> None:
        self.resources.show_engine(state.mem_total, state.ncpu)

    def _on_exposed(self, wanted: list[tuple[int, str]]) -> None:
        if frozenset(self.ports.rows()) - self._offered or not (wanted or self._offered):
            return

        def fill(free: dict[int, int]) -> None:
            address = "" if self.ports.open.isChecked() else LOOPBACK
            rows = [PortRow(str(free.get(port, port)), str(port), protocol, address) for port, protocol in wanted]
            self._offered = frozenset(rows)
            self.ports.set_rows(rows)

        avoid = frozenset(self._published(LOOPBACK, "tcp"))
        self._session.ask(lambda _engine: free_ports([port for port, _ in wanted], avoid), fill, owner=self)

    def _published(self, address: str, protocol: str) -> dict[int, str]:
        containers = self._session.stores.containers.values.values()
        return publishers([c for c in containers if c.state == "running"], address, protocol)

    def _check_port(self, row: PortRow, then: Callable[[PortAnswer], None]) -> object:
        published = self._published(row.host_ip, row.protocol)
        local = isinstance(self._session.state.endpoint, UnixSocket | NamedPipe)
        others = frozenset(r.host for r in self.ports.rows() if is_port(r.host)) - {row.host}
        avoid = frozenset(map(int, others)) | frozenset(published)
        return self._session.ask(
            lambda _engine: check_row(row, local=local, published=published, avoid=avoid), then, owner=self
        )

    def check(self) -> list[Problem]:
        """Looks at the whole form, says each problem at its field, and returns them in reading order."""
        form = self.form()
        problems = [p for p in check(form, self._names() - {self._own}) if p.field != "image" or form.image]
        problems += self.resources.beyond_engine()
        if self._refused is None or self._refused[1] != form:
            self.failure.hide()
        elif self._refused[0].field:
            problems.append(self._refused[0])
        for tab in self.parts_of_form.values():
            tab.show_problems(problems)
        found = dangers(build(form)[0])
        self.danger.say("This container reaches the computer below" if found else "", found)
        taken = [Problem(f"ports.{n}.host", line.taken) for n, line in enumerate(self.ports.lines) if line.taken]
        said = {p.field for p in problems}
        problems += [p for p in taken if p.field not in said]
        self.tabs.set_marks(
            [key for key, tab in self.parts_of_form.items() if any(tab.holds(p.field) for p in problems)]
        )
        self._say_count(problems, sum(line.held for line in self.ports.lines))
        return problems

    def _say_count(self, problems: list[Problem], taken: int) -> None:
        if self._operation is not None:
            return
        words = plural(len(problems), "problem") if problems else ""
        if problems and len(problems) == taken:
            words = f"{plural(taken, 'port')} {'is' if taken == 1 else 'are'} taken"
        self.set_note(words, "danger", "circle-alert" if words else "")

    # Run

    def _on_run(self, *, create_only: bool) -> None:
        if self._operation is not None:
            return
        self._refused = None
        self._timer.stop()
        problems = self.check()
        if not self.form().image:
            problems.insert(0, Problem("image", "Type the image"))
            self.basic.image_field.set_error("Type the image")
        if problems:
            self._go_to(problems[0].field)
            return
        if self._reading is not None and self._ask_about(self._reading, create_only=create_only):
            return
        self._busy(True)
        self.failure.hide()
        target = Running(self.form(), create_only)
        operation = self._session.run(
            RUN,
            target,
            then=lambda done: self._on_done(target, done),
            failed=lambda error: self._on_failed(target, error),
            owner=self,
        )
        self._operation, self._own = operation, target.form.name
        operation.changed.connect(self._on_progress)
        operation.ended.connect(self._on_ended)

    def _ask_about(self, reading: Reading, *, create_only: bool) -> bool:
        """Asks about what of the pasted line no shell has filled in, or was left out; False when there is nothing."""
        lines, field = unanswered(reading, self.form())
        if not lines:
            return False
        confirm = Confirm(
            self._theme, self.window_below(), "Go on with the line as it stands?",
            "No shell takes part in this. These pieces of the pasted line are literal text here, or left out.",
            "Change it", "Create it" if create_only else "Run it", goes=lines, danger=False,
        )  # fmt: skip

        def go_on(_options: object) -> None:
            self._reading = None
            self._on_run(create_only=create_only)

        confirm.chosen.connect(go_on)
        confirm.cancelled.connect(lambda: self._go_to(field))
        confirm.open()
        return True

    def _go_to(self, field: str) -> None:
        for key, tab in self.parts_of_form.items():
            if tab.holds(field):
                self.show_tab(key)
                tab.go_to(field)
                return

    def _busy(self, busy: bool) -> None:
        self.run_button.set_busy(busy)
        self.create_button.setEnabled(not busy)
        self.pages.setEnabled(not busy)
        self.bar.hide()
        self.layers.hide()
        self.set_note("")

    def _on_progress(self) -> None:
        operation = self._operation
        if operation is None or not operation.running:
            return
        self.bar.setVisible(bool(operation.parts))
        self.layers.setVisible(bool(operation.parts))
        if operation.parts:
            size = f"{bytes_text(operation.done)} of {bytes_text(operation.total)}" if operation.total else ""
            self.bar.set(operation.done, operation.total, size)
            self.layers.set_parts(list(operation.parts.values()))
            self.area.ensureWidgetVisible(self.bar)
        self.set_note(operation.words)

    def _on_ended(self) -> None:
        operation, self._operation = self._operation, None
        if operation is None or not was_removed(operation):
            self._own = ""
        self._busy(False)
        if operation is not None and operation.state is OperationState.CANCELLED:
            self.set_note("Cancelled. Nothing was made.")
        elif operation is not None and operation.state is OperationState.FAILED:
            self.check()

    def _on_done(self, target: Running, operation: Operation) -> None:
        made = ContainerId(str(operation.result))
        opens = self.open_logs.isChecked() and not target.create_only
        self.accept()
        tell_made(self._session, target, operation, offer=not opens)
        if opens:
            self._go(Place(CONTAINERS, made, "logs"))

    def _on_failed(self, target: Running, error: BaseException) -> None:
        self._busy(False)  # what is disabled takes no focus
        form = self.form()
        notice, reason = refusal_of(error, "create" if target.create_only else "run", form.name or form.image)
        field = place_of(error, form)
        removed = was_removed(self._operation) if self._operation else []
        self._step = notice.step
        sentences = [s for s in (notice.detail, *removed) if s]
        self.failure.say(notice.title, sentences, notice.step.label if notice.step else "")
        self.area.ensureWidgetVisible(self.failure)
        self._refused = (Problem(field, reason), form)
        if field:
            self._go_to(field)
        if field.startswith("ports"):
            self.ports.look()

    def _on_cancel(self) -> None:
        if self._operation is not None:
            self._operation.cancel()
        else:
            self.reject()

    def reject(self) -> None:
        """Closing while it runs stops the run."""
        if self._operation is not None:
            self._operation.cancel()
        super().reject()


def open_run(theme: Theme, window: QWidget, session: Session, go: Go, place: Place) -> RunDialog:
    """Opens the dialog for a place: with its form, with the image it names, or empty."""
    form = place.extra if isinstance(place.extra, RunForm) else RunForm(image=place.id)
    dialog = RunDialog(theme, window, session, go, form)
    dialog.open()
    return dialog
