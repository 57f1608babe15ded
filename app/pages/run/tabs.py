"""The tabs of the Run dialog beyond the first: storage, network, resources, security, health, advanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.commands.run.form import Extra, Problem, RunForm
from app.commands.run.values import BadValue, memory, nano_cpus
from app.pages.run.formtab import FormTab
from app.pages.run.mountrows import MountRows
from app.presentation.units import bytes_text, plural
from app.theme import Theme
from app.widgets.forms import Field

OWN = "The image's own"
PULLS = (("missing", "When it is not here"), ("always", "Always"), ("never", "Never"))
NO_ENTRYPOINT = '""'


class StorageTab(FormTab):
    """Folders, volumes and memory in the container; `host` is where the folders are, when not on this computer."""

    def __init__(self, theme: Theme, volumes: Sequence[str], host: str = "") -> None:
        super().__init__(theme)
        self.mounts = MountRows(theme, volumes, host)
        words = f"The engine is on {host}: folders are those of that host" if host else ""
        words = words or "Data in a folder or volume stays when the container is removed"
        field = Field(theme, "Mounts", self.mounts, words)
        self.column.addWidget(field)
        self.mounts.changed.connect(self.changed)
        self.bind("mounts", self.mounts, field, self.mounts.set_rows, self.mounts.rows)
        self.column.addStretch(1)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Marks the part of the row too."""
        super().show_problems(problems)
        self.mounts.mark([p.field for p in problems])

    def go_to(self, field: str) -> None:
        """To the part of the row."""
        self.mounts.go_to(field)


class NetworkTab(FormTab):
    """Network and names in it."""

    def __init__(self, theme: Theme, networks: Sequence[str]) -> None:
        super().__init__(theme)
        self.network = self.add_combo("network", "Network", "The engine's default", networks)
        self.add_words("aliases", "Aliases", "db database", "More names for it in that network")
        self.add_text("hostname", "Host name", "The container's id")
        self.add_checks("More ports", ("publish_all", "Publish every port of the image on a free one"))
        self.column.addStretch(1)


class ResourcesTab(FormTab):
    """Limits."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.memory = self.add_text("memory", "Memory", "No limit, or 512m, 2g", "It is ended when it needs more")
        self.cpus = self.add_text("cpus", "CPUs", "No limit, or 0.5, 2", "How many cores it may keep busy")
        self.pids = self.add_text("pids_limit", "Processes", "No limit, or 100")
        self._bytes = self._cores = 0
        self.column.addStretch(1)

    def show_engine(self, has: int, cpus: int) -> None:
        """Says what the engine has: bytes and cores."""
        self._bytes, self._cores = has, cpus
        if has:
            self.bound["memory"].field.set_help(f"Of {bytes_text(has)} on this engine. It is ended when it needs more")
        if cpus:
            self.bound["cpus"].field.set_help(f"Of {cpus} on this engine")
        self._say_memory()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Says beside them what only surprises."""
        super().show_problems(problems)
        self._say_memory()

    def _say_memory(self) -> None:
        """The engine takes a limit above its memory, which limits nothing."""
        field = self.bound["memory"].field
        if field.error():
            return
        try:
            beyond = 0 < self._bytes < memory(self.memory.text() or "0")
        except BadValue:
            beyond = False
        field.set_caution(f"This engine has {bytes_text(self._bytes)}, so the limit is never reached" if beyond else "")

    def beyond_engine(self) -> list[Problem]:
        """More cores than the engine has, which it refuses."""
        try:
            wanted = nano_cpus(self.cpus.text() or "0")
        except BadValue:
            return []
        too_many = 0 < self._cores * 10**9 < wanted
        return [Problem("cpus", f"This engine has {plural(self._cores, 'CPU')}")] if too_many else []


class SecurityTab(FormTab):
    """Rights."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.add_text("user", "User", f"{OWN}, or 1000:1000")
        self.add_checks("Rights", ("privileged", "Privileged"), ("read_only", "Read-only file system"))
        self.add_words("cap_add", "Add rights", "NET_ADMIN", "Linux capabilities")
        self.add_words("cap_drop", "Drop rights", "ALL")
        self.column.addStretch(1)


class HealthTab(FormTab):
    """The health check."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.add_text(
            "health_cmd",
            "Command",
            f"{OWN}, or curl -f http://localhost/",
            "Run by the container's shell; 0 is healthy",
        )
        self.add_text("health_interval", "Every", "30s")
        self.add_text("health_timeout", "Time limit", "30s")
        self.add_text("health_start_period", "Start period", "0s", "Failures in this time do not count")
        self.add_text("health_retries", "Retries", "3")
        self.add_checks("Switch", ("no_healthcheck", "No health check, not even the image's"))
        self.column.addStretch(1)


class AdvancedTab(FormTab):
    """What is run, where, with which terminal; and every other flag of docker run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.line = self.add_text("command", "Command", OWN, "Split into words as a shell does, never run by one")
        self.entrypoint = self.add_text("entrypoint", "Entrypoint", f'{OWN}, or "" for none')
        self.add_text("workdir", "Folder", OWN)
        self.add_checks(
            "Input", ("tty", "Terminal (TTY)"), ("interactive", "Keep input open"), ("init", "Reap processes (init)")
        )
        self.add_text("platform", "Platform", "The engine's own, or linux/arm64")
        self.add_select("pull", "Pull", PULLS)
        self.add_pairs("labels", "Labels", ("Name", "Value"), "Add label")
        self.add_pairs("extras", "More flags", ("Flag of docker run", "Value"), "Add flag", make=Extra)
        self.column.addStretch(1)

    def fill(self, form: RunForm) -> None:
        """An entrypoint that is reset shows as two quotes."""
        super().fill(form)
        self.entrypoint.setText(NO_ENTRYPOINT if form.entrypoint == "" else form.entrypoint or "")

    def take(self, form: RunForm) -> RunForm:
        """Nothing typed is the image's own entrypoint, two quotes are none."""
        taken = super().take(form)
        typed = self.entrypoint.text().strip()
        entrypoint = "" if typed in (NO_ENTRYPOINT, "''") else typed or None
        return replace(taken, entrypoint=entrypoint)
