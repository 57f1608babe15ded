"""The Run dialog: a form for a new container, checked while one types, with its docker command line below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.commands.containers import name_problem
from app.commands.ports import check_port, free_ports, published_by
from app.commands.run.body import build
from app.commands.run.danger import dangers
from app.commands.run.form import EnvRow, PortRow, RunForm
from app.commands.run.names import free_name
from app.commands.run.read import NotARunLine, looks_like_run_line, read_line
from app.commands.run.running import RUN, Running
from app.notices import notice_for
from app.operation import Operation, OperationState
from app.pages.run.mountrows import MountRows
from app.pages.run.portrows import LOOPBACK, PortRows
from app.places import CONTAINERS, Go, Place
from app.ports import PortAnswer
from app.presentation.units import bytes_text, plural
from app.session import Session
from app.theme import Theme
from app.widgets.banners import Banner
from app.widgets.buttons import LinkButton
from app.widgets.choices import Checkbox
from app.widgets.commandbox import CommandBox
from app.widgets.dialogs import Dialog
from app.widgets.envtext import pairs_of
from app.widgets.fields import ComboEdit, LineEdit, Select, row_of
from app.widgets.forms import Field, TextEdit
from app.widgets.keyvalue import KeyValueEditor
from app.widgets.progress import PartsProgress, ProgressBar
from app.widgets.segments import Tabs
from app.widgets.text import PlainLabel
from backend import images
from backend.endpoint import UnixSocket
from backend.errors import EngineFault, ImageInUse, NameInUse, NotFound, PortInUse, PullFailed
from backend.types.images import InspectedImage

TABS = (
    ("basic", "Basic"), ("storage", "Storage"), ("network", "Network"), ("resources", "Resources"),
    ("advanced", "Advanced"),
)  # fmt: skip
RESTARTS = (
    ("no", "Never"), ("on-failure", "On failure"), ("unless-stopped", "Unless stopped"), ("always", "Always"),
)  # fmt: skip


class RunDialog(Dialog):
    """Signals come from Dialog. `start(form)` fills it; a failed run keeps it as it was typed."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, go: Go, form: RunForm) -> None:
        super().__init__(theme, window, "Run a container")
        self._theme, self._session, self._go = theme, session, go
        self._base = form
        self._operation: Operation | None = None
        self._asked = ""
        self._offered: frozenset[PortRow] = frozenset()
        self.tabs = Tabs(theme, TABS)
        self.tabs.setAccessibleName("Parts of the form")
        self.set_top(self.tabs)
        self.pages = QStackedWidget()
        self.tabs.chosen.connect(lambda key: self.pages.setCurrentIndex([k for k, _ in TABS].index(key)))
        for build_page in (self._basic, self._storage, self._network, self._resources, self._advanced):
            page = QWidget()
            column = QVBoxLayout(page)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(6)
            build_page(column)
            column.addStretch(1)
            self.pages.addWidget(page)
        self.danger = Banner(theme, "warning", rounded=True)
        self.danger.button.hide()
        self.bar = ProgressBar(theme)
        self.parts = PartsProgress(theme)
        self.command = CommandBox(theme, open_=True)
        for part in (self.pages, self.danger, self.bar, self.parts, self.command):
            self.body.addWidget(part)
        for hidden in (self.danger, self.bar, self.parts):
            hidden.hide()
        self.cancel = self.add_button("Cancel", "ghost", self._on_cancel)
        self.create_button = self.add_button("Create only", "default", lambda: self._on_run(create_only=True))
        self.run_button = self.add_button("Run", "primary", lambda: self._on_run(create_only=False))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(300)
        self._timer.timeout.connect(self._check)
        self._fill(form)
        self._connect()
        self._on_image()
        self._on_typed()

    # The parts of the form

    def _basic(self, column: QVBoxLayout) -> None:
        theme = self._theme
        known = sorted({tag for image in self._session.stores.images.values.values() for tag in image.tags})
        self.image = ComboEdit(theme, "nginx:1.27-alpine", known, mono=True, icon="layers")
        self.image_field = Field(theme, "Image", self.image)
        self.name = LineEdit(theme, "A name of your own")
        self.restart = Select(theme, RESTARTS)
        self.restart.setFixedWidth(192)
        self.restart.setAccessibleName("Restart")
        self.name_field = Field(
            theme, "Name", row_of(self.name, PlainLabel(theme, "Restart", "body_medium"), self.restart)
        )
        self.name.setAccessibleName("Name")
        self.ports = PortRows(theme, self._check_port)
        self.ports_field = Field(theme, "Ports", self.ports, "Host to container")
        self.env = KeyValueEditor(theme, "Name", "Value", "Add variable", "From .env file…")
        self.env.file_wanted.connect(self._on_env_file)
        self.env_field = Field(theme, "Environment", self.env)
        self.open_logs = Checkbox(theme, "Open the logs", True)
        self.auto_remove = Checkbox(theme, "Remove when it exits")
        self.after_field = Field(theme, "After start", row_of(self.open_logs, self.auto_remove, gap=20, left=True))
        paste = LinkButton(theme, "Paste a docker run line…", "terminal")
        paste.clicked.connect(self._on_paste)
        for part in (self.image_field, self.name_field, self.ports_field, self.env_field, self.after_field):
            column.addWidget(part)
        column.addWidget(paste, 0, Qt.AlignmentFlag.AlignLeft)

    def _storage(self, column: QVBoxLayout) -> None:
        self.mounts = MountRows(self._theme, sorted(self._session.stores.volumes.values))
        self.mounts_field = Field(self._theme, "Mounts", self.mounts, "Where the container finds data that stays")
        column.addWidget(self.mounts_field)

    def _network(self, column: QVBoxLayout) -> None:
        theme = self._theme
        names = sorted(n.name for n in self._session.stores.networks.values.values())
        self.network = ComboEdit(theme, "The engine's default network", names)
        self.hostname = LineEdit(theme, "The container's id")
        column.addWidget(Field(theme, "Network", self.network))
        column.addWidget(Field(theme, "Host name", self.hostname))

    def _resources(self, column: QVBoxLayout) -> None:
        theme = self._theme
        self.memory = LineEdit(theme, "No limit, or 512m, 2g", mono=True)
        self.cpus = LineEdit(theme, "No limit, or 0.5, 2", mono=True)
        self.pids = LineEdit(theme, "No limit, or 100", mono=True)
        self.memory_field = Field(theme, "Memory", self.memory, "It is ended when it needs more")
        self.cpus_field = Field(theme, "CPUs", self.cpus, "How many cores it may keep busy")
        self.pids_field = Field(theme, "Processes", self.pids)
        for field in (self.memory_field, self.cpus_field, self.pids_field):
            column.addWidget(field)

    def _advanced(self, column: QVBoxLayout) -> None:
        theme = self._theme
        self.line = LineEdit(theme, "The image's own", mono=True)
        self.entrypoint = LineEdit(theme, "The image's own", mono=True)
        self.user = LineEdit(theme, "The image's own, or 1000:1000", mono=True)
        self.workdir = LineEdit(theme, "The image's own", mono=True)
        self.platform = LineEdit(theme, "The engine's own, or linux/arm64", mono=True)
        self.tty = Checkbox(theme, "Terminal (TTY)")
        self.interactive = Checkbox(theme, "Keep input open")
        self.init = Checkbox(theme, "Reap processes (init)")
        self.privileged = Checkbox(theme, "Privileged")
        self.read_only = Checkbox(theme, "Read-only file system")
        self.line_field = Field(theme, "Command", self.line, "Split into words as a shell does, never run by one")
        fields = (
            self.line_field, Field(theme, "Entrypoint", self.entrypoint), Field(theme, "User", self.user),
            Field(theme, "Folder", self.workdir), Field(theme, "Platform", self.platform),
            Field(theme, "Input", row_of(self.tty, self.interactive, self.init, gap=20, left=True)),
            Field(theme, "Rights", row_of(self.privileged, self.read_only, gap=20, left=True)),
        )  # fmt: skip
        for field in fields:
            column.addWidget(field)

    # Form in, form out

    def _fill(self, form: RunForm) -> None:
        self.image.setText(form.image)
        taken = {c.name for c in self._session.stores.containers.values.values()}
        self.name.setText(form.name or free_name(taken))
        self.restart.set_choices(
            RESTARTS if any(form.restart == k for k, _ in RESTARTS) else (*RESTARTS, (form.restart, form.restart))
        )
        self.restart.set_value(form.restart)
        self.ports.set_rows(form.ports)
        self.env.set_pairs([(e.name, e.value) for e in form.env])
        self.mounts.set_rows(form.mounts)
        for edit, text in (
            (self.network, form.network), (self.hostname, form.hostname), (self.memory, form.memory),
            (self.cpus, form.cpus), (self.pids, form.pids_limit), (self.line, form.command),
            (self.entrypoint, form.entrypoint or ""), (self.user, form.user), (self.workdir, form.workdir),
            (self.platform, form.platform),
        ):  # fmt: skip
            edit.setText(text)
        for box, on in (
            (self.auto_remove, form.auto_remove), (self.tty, form.tty), (self.interactive, form.interactive),
            (self.init, form.init), (self.privileged, form.privileged), (self.read_only, form.read_only),
        ):  # fmt: skip
            box.setChecked(on)

    def form(self) -> RunForm:
        """The form as typed; what has no field here stays as a pasted line brought it."""
        entrypoint = self.entrypoint.text().strip()
        return replace(
            self._base,
            image=self.image.text().strip(), name=self.name.text().strip(), restart=self.restart.value(),
            ports=self.ports.rows(), env=tuple(EnvRow(n, v) for n, v in self.env.pairs()), mounts=self.mounts.rows(),
            network=self.network.text().strip(), hostname=self.hostname.text().strip(),
            memory=self.memory.text().strip(), cpus=self.cpus.text().strip(), pids_limit=self.pids.text().strip(),
            command=self.line.text().strip(), entrypoint=entrypoint or self._kept_entrypoint(),
            user=self.user.text().strip(), workdir=self.workdir.text().strip(), platform=self.platform.text().strip(),
            auto_remove=self.auto_remove.isChecked(), tty=self.tty.isChecked(),
            interactive=self.interactive.isChecked(), init=self.init.isChecked(),
            privileged=self.privileged.isChecked(), read_only=self.read_only.isChecked(),
        )  # fmt: skip

    def _kept_entrypoint(self) -> str | None:
        return "" if self._base.entrypoint == "" else None

    def _connect(self) -> None:
        edits = (
            self.name, self.network, self.hostname, self.memory, self.cpus, self.pids, self.line, self.entrypoint,
            self.user, self.workdir, self.platform,
        )  # fmt: skip
        for edit in edits:
            edit.textChanged.connect(lambda _t: self._on_typed())
        for box in (self.auto_remove, self.tty, self.interactive, self.init, self.privileged, self.read_only):
            box.toggled.connect(lambda _c: self._on_typed())
        for signal in (self.ports.changed, self.env.changed, self.mounts.changed):
            signal.connect(self._on_typed)
        self.restart.changed.connect(lambda _v: self._on_typed())
        self.image.textChanged.connect(lambda _t: self._on_image())
        self.image.picked.connect(lambda _t: self._on_image())
        self._session.stores.images.changed.connect(self._on_images_changed)

    # While one types

    def _on_typed(self) -> None:
        form = self.form()
        self.command.set_line(RUN.line(Running(form)))
        self._timer.start()

    def _on_image(self) -> None:
        text = self.image.text().strip()
        if looks_like_run_line(text):
            self._read(text)
            return
        self.image_field.set_error("")
        here = self._local(text)
        if text:
            self.image.set_note("check" if here else "cloud-download", "On this computer" if here else "Will be pulled",
                                "success" if here else "text-secondary")  # fmt: skip
        else:
            self.image.set_note("", "")
        if here and text != self._asked:
            self._asked = text
            self._session.ask(
                lambda engine: images.inspect(engine, text),
                lambda found: self._on_inspected(text, found),
                lambda _error: None,
                owner=self,
            )
        self._on_typed()

    def _on_images_changed(self, _delta: object) -> None:
        if self.image.text().strip() != self._asked:
            self._on_image()

    def _local(self, text: str) -> bool:
        full = text if ":" in text.rpartition("/")[2] or "@" in text else f"{text}:latest"
        return any(
            text and (full in image.tags or image.id.removeprefix("sha256:").startswith(text))
            for image in self._session.stores.images.values.values()
        )

    def _on_inspected(self, text: str, found: InspectedImage) -> None:
        if text != self.image.text().strip():
            return
        config = found.value.config
        wanted = (
            [(p.partition("/")[0], p.partition("/")[2] or "tcp") for p in (config.exposed_ports or ())]
            if config
            else []
        )
        if frozenset(self.ports.rows()) - self._offered or not wanted:
            return
        numbers = [int(port) for port, _ in wanted if port.isdigit()]

        def fill(free: dict[int, int]) -> None:
            address = "" if self.ports.open.isChecked() else LOOPBACK
            rows = [PortRow(str(free.get(int(p), p)), p, protocol, address) for p, protocol in wanted if p.isdigit()]
            self._offered = frozenset(rows)
            self.ports.set_rows(rows)

        self._session.ask(lambda _engine: free_ports(numbers), fill, owner=self)

    def _check_port(self, port: int, address: str, protocol: str, then: Callable[[PortAnswer], None]) -> object:
        running = [c for c in self._session.stores.containers.values.values() if c.state == "running"]
        publisher = published_by(running, port, address, protocol)
        local = isinstance(self._session.state.endpoint, UnixSocket)
        others = frozenset(int(r.host) for r in self.ports.rows() if r.host.isdigit())
        return self._session.ask(
            lambda _engine: check_port(
                port, address, protocol, local=local, publisher=publisher, avoid=others - {port}
            ),
            then, owner=self,
        )  # fmt: skip

    def _check(self) -> None:
        form = self.form()
        body, problems = build(form)
        by_field = {p.field.partition(".")[0]: p.sentence for p in problems}
        taken = {c.name for c in self._session.stores.containers.values.values()}
        name = name_problem(form.name) if form.name else ""
        self.name_field.set_error(name or (f"{form.name} is taken" if form.name in taken else by_field.get("name", "")))
        for field, key in (
            (self.memory_field, "memory"), (self.cpus_field, "cpus"), (self.pids_field, "pids_limit"),
            (self.line_field, "command"),
        ):  # fmt: skip
            field.set_error(by_field.get(key, ""))
        clash = self.auto_remove.isChecked() and form.restart != "no"
        self.after_field.set_error("A container that restarts is never removed by itself. Choose one" if clash else "")
        mounts = self.mounts.problems()
        self.mounts_field.set_error(mounts[0][1] if mounts and mounts[0][0].row().target else "")
        found = dangers(body)
        self.danger.setVisible(bool(found))
        if found:
            self.danger.set("warning", "Reaches the computer below", " ".join(found), icon="shield-alert")
        count = len(self._problems())
        shown = bool(count and form.image)
        self.set_note(plural(count, "problem") if shown else "", "danger", "circle-alert" if shown else "")

    def _problems(self) -> list[tuple[str, QWidget, str]]:
        """Tab, the widget to go to, and what is wrong, in reading order."""
        form = self.form()
        found: list[tuple[str, QWidget, str]] = []
        if not form.image:
            found.append(("basic", self.image, "Type the image"))
        if self.name_field.error():
            found.append(("basic", self.name, self.name_field.error()))
        found += [("basic", line.host, words) for line, words in self.ports.problems()]
        if self.after_field.error():
            found.append(("basic", self.auto_remove, self.after_field.error()))
        found += [("storage", line.target, words) for line, words in self.mounts.problems()]
        for field, widget, tab in (
            (self.memory_field, self.memory, "resources"), (self.cpus_field, self.cpus, "resources"),
            (self.pids_field, self.pids, "resources"), (self.line_field, self.line, "advanced"),
        ):  # fmt: skip
            if field.error():
                found.append((tab, widget, field.error()))
        known = {
            "image",
            "name",
            "ports",
            "mounts",
            "memory",
            "cpus",
            "pids_limit",
            "command",
            "restart",
            "auto_remove",
        }
        others = [p for p in build(form)[1] if p.field.partition(".")[0] not in known]
        found += [("advanced", self.line, p.sentence) for p in others]
        return found

    # Run

    def _on_run(self, *, create_only: bool) -> None:
        if self._operation is not None:
            return
        self._check()
        if problems := self._problems():
            tab, widget, words = problems[0]
            self._show_tab(tab)
            widget.setFocus(Qt.FocusReason.OtherFocusReason)
            if widget is self.image:
                self.image_field.set_error(words)
            self.set_note(words, "danger", "circle-alert")
            return
        self._busy(True)
        operation = self._session.run(
            RUN, Running(self.form(), create_only), then=self._on_done, failed=self._on_failed, owner=self
        )
        self._operation = operation
        operation.changed.connect(self._on_progress)
        operation.ended.connect(self._on_ended)

    def _show_tab(self, key: str) -> None:
        self.tabs.set_current(key)
        self.pages.setCurrentIndex([k for k, _ in TABS].index(key))

    def _busy(self, busy: bool) -> None:
        self.run_button.set_busy(busy)
        self.create_button.setEnabled(not busy)
        self.pages.setEnabled(not busy)
        for part in (self.bar, self.parts):
            part.setVisible(False)
        if busy:
            self.set_note("")

    def _on_progress(self) -> None:
        operation = self._operation
        if operation is None or not operation.running:
            return
        self.bar.setVisible(True)
        size = f"{bytes_text(operation.done)} of {bytes_text(operation.total)}" if operation.total else ""
        self.bar.set(operation.done, operation.total, size or operation.words)
        self.parts.setVisible(bool(operation.parts))
        self.parts.set_parts(list(operation.parts.values()))

    def _on_ended(self) -> None:
        operation, self._operation = self._operation, None
        self._busy(False)
        if operation is not None and operation.state is OperationState.CANCELLED:
            self.set_note("Cancelled", "text-secondary")

    def _on_done(self, operation: Operation) -> None:
        open_logs = self.open_logs.isChecked()
        self.accept()
        if open_logs and isinstance(operation.result, str):
            self._go(Place(CONTAINERS, operation.result, "logs"))

    def _on_failed(self, error: BaseException) -> None:
        notice = notice_for(error)
        words = f"{notice.title}. {notice.detail}"
        if isinstance(error, NameInUse):
            self._show_tab("basic")
            self.name_field.set_error(f"{self.name.text()} is taken")
            self.name.setFocus()
        elif isinstance(error, PortInUse):
            self._show_tab("basic")
            for line in self.ports.lines:
                if not error.port or line.host.text().strip() == str(error.port):
                    line.look()
                    line.host.setFocus()
        elif isinstance(error, NotFound | PullFailed | ImageInUse):
            self._show_tab("basic")
            self.image_field.set_error(words)
            self.image.setFocus()
        elif isinstance(error, EngineFault) and "mount" in error.message.lower():
            self._show_tab("storage")
            self.mounts_field.set_error(notice.detail)
        self.set_note(notice.title, "danger", "circle-alert")
        self.danger.set("error", notice.title, notice.detail, icon="circle-alert")
        self.danger.show()

    def _on_cancel(self) -> None:
        if self._operation is not None:
            self._operation.cancel()
        else:
            self.reject()

    # From elsewhere

    def _on_env_file(self) -> None:
        chooser = QFileDialog(self, "Read variables from a file")
        chooser.fileSelected.connect(self._on_env_chosen)
        chooser.open()

    def _on_env_chosen(self, path: str) -> None:
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")[:1_000_000]
        except OSError as error:
            self.env_field.set_error(notice_for(error).detail)
            return
        self.env_field.set_error("")
        self.env.add_pairs(pairs_of(text))

    def _on_paste(self) -> None:
        asking = Dialog(self._theme, self.window_below(), "Paste a docker run line", 640)
        text = TextEdit(self._theme, "docker run -d --name web -p 8080:80 nginx", lines=5)
        text.setAccessibleName("docker run line")
        asking.body.addWidget(text)
        asking.add_button("Cancel", "ghost", asking.reject)

        def take() -> None:
            if problem := self._read(text.text()):
                asking.set_note(problem, "danger", "circle-alert")
            else:
                asking.accept()

        asking.add_button("Fill the form", "primary", take)
        asking.open()

    def _read(self, line: str) -> str:
        """Fills the form from a line; returns what is wrong with the line, or nothing."""
        try:
            reading = read_line(line)
        except NotARunLine as error:
            return error.sentence
        self._base = reading.form
        self._fill(reading.form)
        left = [f"{u.text} was left out{f': {u.why}' if u.why else ''}" for u in reading.unsupported]
        asked = [f"{q.piece}: {q.sentence}" for q in reading.questions]
        if left or asked:
            self.danger.set("warning", "Look at this", "  ".join([*asked, *left]), icon="info")
            self.danger.show()
        self._on_typed()
        return ""


def open_run(theme: Theme, window: QWidget, session: Session, go: Go, place: Place) -> RunDialog:
    """Opens the dialog for a place: with its form, with the image it names, or empty."""
    form = place.extra if isinstance(place.extra, RunForm) else RunForm(image=place.id)
    dialog = RunDialog(theme, window, session, go, form)
    dialog.open()
    return dialog
