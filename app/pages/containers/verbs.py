"""ContainerVerbs: everything that can be done with containers, for the list, the details, their menus and keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.commands.command import Command
from app.commands.containers import (
    KILL,
    PAUSE,
    REMOVE,
    RESTART,
    RESUME,
    SIMPLE,
    START,
    STOP,
    Removal,
    word_for,
)
from app.pages.containers.bulk import Bulk
from app.places import CONTAINERS, Go, Place
from app.presentation.containers import ALIVE, PublishedPort, port_text, published_ports
from app.presentation.units import plural
from app.session import Phase, Session
from app.theme import Theme
from app.widgets.entries import Entry
from app.widgets.menus import Menu
from app.widgets.shortcuts import bind
from backend import containers
from backend.types.containers import ContainerSummary

GONE: Final = "The engine does not answer"
SIZES_SECONDS: Final = 4.0
"""The engine walks the layers to count them; the question is asked without sizes when that takes longer."""
_KEY_FIRST: Final = {"start": "stop", "resume": "pause"}

OpenUrl = Callable[[str], object]
Ids = Callable[[], Sequence[str]]


def open_in_browser(url: str) -> None:
    """Gives an address to the system's browser."""
    from PySide6.QtCore import QUrl
    from PySide6.QtGui import QDesktopServices

    QDesktopServices.openUrl(QUrl(url))


class ContainerVerbs(QObject):
    """Runs verbs on containers by id. What does not apply is left out, and `why_not` says why."""

    def __init__(
        self, theme: Theme, session: Session, go: Go, host: QWidget, *, open_url: OpenUrl = open_in_browser
    ) -> None:
        super().__init__(host)
        self._theme, self._session, self._go, self._host = theme, session, go, host
        self._open_url = open_url

    def rows(self, ids: Sequence[str]) -> list[ContainerSummary]:
        """The containers that are still there."""
        store = self._session.stores.containers
        return [row for key in ids if (row := store.get(key)) is not None]

    def why_not(self, verb: str, rows: Sequence[ContainerSummary]) -> str:
        """Empty when the verb applies to one of them at least, else the sentence that says why not."""
        if self._session.state.phase is not Phase.CONNECTED:
            return GONE
        if not rows:
            return "It is gone"
        reasons = [self._reason(verb, row) for row in rows]
        if not all(reasons):
            return ""
        return reasons[0] if len(rows) == 1 else "It applies to none of them"

    def _reason(self, verb: str, row: ContainerSummary) -> str:
        if verb in SIMPLE:
            return SIMPLE[verb].why_not(row)
        if verb in ("remove", "rename"):
            return REMOVE.why_not(Removal(row))
        if verb == "open":
            return "" if self._urls(row) else "It publishes no port that a browser can open"
        return ""

    def run(self, verb: str, ids: Sequence[str]) -> None:
        """Does it; questions come first where something cannot be undone."""
        rows = self.rows(ids)
        if not rows or self.why_not(verb, rows):
            return
        if verb == "remove":
            self._ask_remove(rows)
        elif verb == "rename":
            from app.pages.containers.dialogs import RenameDialog

            RenameDialog(self._theme, self._host.window(), self._session, rows[0]).open()
        elif verb == "open":
            self._open_url(self._urls(rows[0])[0][1])
        else:
            self._apply(SIMPLE[verb], [row for row in rows if not SIMPLE[verb].why_not(row)])

    def toggle(self, ids: Sequence[str], off: str, on: str) -> None:
        """The verb `off` on those of them to which it applies, else the verb `on`."""
        rows = self.rows(ids)
        if rows:
            self.run(on if self.why_not(off, rows) else off, ids)

    def open_port(self, row: ContainerSummary, at: int) -> None:
        """Opens a published port in the browser, by its place among them."""
        ports = published_ports(row)
        if at < len(ports) and (url := ports[at].url(self.engine_host())):
            self._open_url(url)

    def engine_host(self) -> str:
        """Where published ports of the engine in use are found."""
        return self._session.host or "localhost"

    def copy(self, text: str) -> None:
        """Puts a text onto the clipboard."""
        QGuiApplication.clipboard().setText(text)

    def copy_command(self, ids: Sequence[str]) -> None:
        """Puts the docker line of what S would do onto the clipboard."""
        rows = self.rows(ids)
        stops = [row for row in rows if not STOP.why_not(row)]
        if rows:
            verb, found = (STOP, stops) if stops else (START, [row for row in rows if not START.why_not(row)] or rows)
            self.copy("\n".join(verb.line(row).copied for row in found))

    def bind_keys(self, owner: QWidget, focused: Ids, show: Callable[[str], object], chosen: Ids | None = None) -> None:
        """The keys of a container while `owner` has the keyboard: on `focused()`, or `chosen()` where several may be.

        Letters are typed into fields as ever: a field takes them before any key is looked for.
        """
        several = chosen or focused
        keys: dict[str, Callable[[], object]] = {
            "S": lambda: self.toggle(several(), "stop", "start"),
            "R": lambda: self.run("restart", several()),
            "P": lambda: self.toggle(several(), "pause", "resume"),
            "L": lambda: show("logs"),
            "I": lambda: show("inspect"),
            "O": lambda: self.run("open", focused()),
            "F2": lambda: self.run("rename", several() if len(several()) == 1 else ()),
            "Del": lambda: self.run("remove", several()),
            "Ctrl+Shift+C": lambda: self.copy_command(several()),
        }
        for key, act in keys.items():
            bind(owner, key, act, window=False)

    def menu(self, ids: Sequence[str], point: QPoint) -> Menu | None:
        """The menu for one container or several."""
        rows = self.rows(ids)
        if not rows:
            return None
        menu = Menu(self._theme, self._host, once=True)
        if len(rows) > 1:
            menu.heading(plural(len(rows), "container"))
        menu.fill(self.entries(ids))
        menu.popup_at(point)
        return menu

    def entries(self, ids: Sequence[str]) -> list[Entry]:
        """Everything that can be done with one container or several, in the order of their menu."""
        rows = self.rows(ids)
        if not rows:
            return []
        single = rows[0] if len(rows) == 1 else None
        subject = single.name if single is not None else plural(len(rows), "container")
        found = self._places(single) if single is not None else []
        for command in (START, STOP, RESTART, PAUSE, RESUME, KILL):
            why = self.why_not(command.key, rows)
            if command is RESUME and why:
                continue
            first = _KEY_FIRST.get(command.key)  # One key, two verbs: it stands at the one that the key does.
            taken = first is not None and not self.why_not(first, rows)
            keys, apart = "" if why or taken else command.shortcut, command is START
            act = partial(self.run, command.key, ids)
            found.append(Entry(command.title, act, command.icon, keys, why, subject, apart=apart))
        if single is not None:
            why = self.why_not("rename", rows)
            rename = partial(self.run, "rename", ids)
            found.append(Entry("Rename…", rename, "pencil", "F2", why, subject, apart=True))
            found += self._copies(single)
        why = self.why_not("remove", rows)
        remove = partial(self.run, "remove", ids)
        found.append(
            Entry("Remove…", remove, "trash-2", "Del", why, subject, also="rm delete", danger=True, apart=True)
        )
        return found

    def _places(self, row: ContainerSummary) -> list[Entry]:
        name = row.name
        found = [
            Entry(
                f"Open port {port_text(p)}", partial(self._open_url, url), "external-link", "" if at else "O", "", name
            )
            for at, (p, url) in enumerate(self._urls(row)[:5])
        ]
        for tab, icon, text, key in (("logs", "scroll-text", "Logs", "L"), ("stats", "activity", "Stats", ""),
                                     ("inspect", "braces", "Inspect", "I")):  # fmt: skip
            found.append(Entry(text, partial(self._go, Place(CONTAINERS, row.id, tab)), icon, key, subject=name))
        return found

    def _copies(self, row: ContainerSummary) -> list[Entry]:
        copies = [
            ("Copy docker command", "terminal", "Ctrl Shift C", partial(self.copy_command, [row.id])),
            ("Copy name", "copy", "", partial(self.copy, word_for(row))),
            ("Copy id", "copy", "", partial(self.copy, row.id)),
        ]
        for port, url in self._urls(row)[:3]:
            copies.append((f"Copy address of port {port_text(port)}", "copy", "", partial(self.copy, url)))
        return [Entry(text, act, icon, key, subject=row.name) for text, icon, key, act in copies]

    def _urls(self, row: ContainerSummary) -> list[tuple[PublishedPort, str]]:
        host = self.engine_host()
        return [(port, url) for port in published_ports(row) if (url := port.url(host))]

    def _apply(self, command: Command[ContainerSummary], rows: list[ContainerSummary]) -> None:
        if len(rows) == 1:
            self._session.run(command, rows[0])
        elif rows:
            Bulk(self._session, command, rows, self).start()

    def _ask_remove(self, rows: list[ContainerSummary]) -> None:
        from app.pages.containers.removal import RemoveQuestion

        wanted = [row.id for row in rows]

        def show(found: tuple[ContainerSummary, ...]) -> None:
            if not self.rows(wanted):
                return
            known = {str(row.id): row.size_rw or 0 for row in found}  # An engine leaves out what is 0.
            store, engine = self._session.stores.containers, self._session.state.label
            RemoveQuestion(self._theme, self._host.window(), store, wanted, known, engine, self._remove).open()

        self._session.ask(
            lambda engine: containers.list_(engine, ids=wanted, size=True, deadline=SIZES_SECONDS),
            show,
            lambda _error: show(()),
            owner=self,
        )

    def _remove(self, rows: list[ContainerSummary], volumes: bool) -> None:
        """Kills only what was shown as alive: the engine refuses what has been started since."""
        targets = [Removal(row, volumes=volumes, force=row.state in ALIVE) for row in rows]
        if len(targets) == 1:
            self._session.run(REMOVE, targets[0])
        elif targets:
            Bulk(self._session, REMOVE, targets, self).start()
