"""The dialogs of containers: rename, and the question before a removal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtWidgets import QWidget

from app.commands.containers import RENAME, Renaming, name_problem
from app.notices import notice_for
from app.presentation.containers import ALIVE
from app.presentation.units import bytes_text, plural, short_id
from app.session import Session
from app.theme import Theme
from app.widgets.commandbox import CommandBox
from app.widgets.confirm import Confirm
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit
from app.widgets.forms import Field
from app.widgets.text import visible_name
from backend.types.containers import ContainerSummary, Mount


class RenameDialog(Dialog):
    """Asks for the new name of a container; stays open with its words when the engine refuses."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, container: ContainerSummary) -> None:
        super().__init__(theme, window, f"Rename {visible_name(container.name)}", 480)
        self._session = session
        self._container = container
        self.name = LineEdit(theme, "web", mono=True)
        self.field = Field(theme, "Name", self.name, "Letters, digits, and the signs _ . -")
        self.command = CommandBox(theme)
        self.body.addWidget(self.field)
        self.body.addWidget(self.command)
        self.add_button("Cancel", "ghost", self.reject)
        self.apply = self.add_button("Rename", "primary", self._on_apply)
        self.name.textChanged.connect(self._on_typed)
        self.name.setText(container.name)
        self.name.selectAll()

    def _others(self) -> set[str]:
        rows = self._session.stores.containers.values.values()
        return {row.name for row in rows if row.id != self._container.id}

    def _problem(self) -> str:
        name = self.name.text()
        if name == self._container.name:
            return "It already has this name"
        return "Another container has this name" if name in self._others() else name_problem(name)

    def _on_typed(self) -> None:
        name = self.name.text()
        self.field.set_error("" if name == self._container.name else self._problem())
        self.command.set_line(RENAME.line(Renaming(self._container, name or "NAME")))

    def _on_apply(self) -> None:
        if problem := self._problem():
            self.field.set_error(problem)
            self.name.setFocus()
            return
        self.apply.set_busy(True)
        self._session.run(
            RENAME,
            Renaming(self._container, self.name.text()),
            then=lambda _operation: self.accept(),
            failed=self._on_failed,
            owner=self,
        )

    def _on_failed(self, error: BaseException) -> None:
        self.apply.set_busy(False)
        notice = notice_for(error)
        self.field.set_error(f"{notice.title}. {notice.detail}".strip())


def anonymous_volumes(container: ContainerSummary) -> tuple[Mount, ...]:
    """Volumes whose names the engine made up (64 hexadecimal digits): nobody finds them again without the container."""
    return tuple(
        m
        for m in container.mounts or ()
        if m.type == "volume" and len(m.name) == 64 and all(c in "0123456789abcdef" for c in m.name)
    )


def ask_remove(
    theme: Theme,
    window: QWidget,
    rows: Sequence[ContainerSummary],
    sizes: Mapping[str, int],
    engine: str,
    chosen: Callable[[bool], None],
) -> Confirm:
    """Asks once, naming what goes: the layers with their `sizes` (bytes by id), what is stopped, anonymous volumes.

    What is said of those volumes follows their box. `chosen(volumes)` follows a yes, with whether they go too.
    """
    one = rows[0] if len(rows) == 1 else None
    title = f"Remove {visible_name(one.name, 40)}?" if one is not None else f"Remove {plural(len(rows), 'container')}?"
    volumes = [m for row in rows for m in anonymous_volumes(row)]
    options = [("volumes", f"Remove {plural(len(volumes), 'anonymous volume')} too", False)] if volumes else []

    def goes(too: bool) -> list[str]:
        layers = [] if one is not None else [_line(row, sizes) for row in rows]
        end = "goes too" if too else "stays"
        return layers + [f"volume {short_id(m.name)}, mounted at {m.destination}, {end}" for m in volumes]

    def act(too: bool) -> str:
        what = "Remove container" if one is not None else f"Remove {plural(len(rows), 'container')}"
        return f"{what} and {'volume' if len(volumes) == 1 else plural(len(volumes), 'volume')}" if too else what

    def on_changed(ticked: dict[str, bool]) -> None:
        dialog.set_goes(goes(ticked["volumes"]))
        dialog.act.setText(act(ticked["volumes"]))

    dialog = Confirm(
        theme, window, title, _detail(rows, sizes, engine), "Keep it" if one is not None else "Keep them", act(False),
        options, goes(False),
    )  # fmt: skip
    dialog.changed.connect(on_changed)
    dialog.chosen.connect(lambda ticked: chosen(bool(ticked.get("volumes"))))
    dialog.open()
    return dialog


def _line(row: ContainerSummary, sizes: Mapping[str, int]) -> str:
    size = f", {bytes_text(sizes[row.id])} written" if row.id in sizes else ""
    return f"{row.name}{', running' if row.state in ALIVE else ''}{size}"


def _detail(rows: Sequence[ContainerSummary], sizes: Mapping[str, int], engine: str) -> str:
    alive = sum(row.state in ALIVE for row in rows)
    one = len(rows) == 1
    said = []
    if alive:
        said.append(
            f"It is {rows[0].state} and is killed first."
            if one
            else f"{alive} of them are running and are killed first."
        )
    known = [sizes[row.id] for row in rows if row.id in sizes]
    if known:
        what = "Its writable layer holds" if one else "Their writable layers hold"
        said.append(f"{what} {bytes_text(sum(known))}, which goes with {'it' if one else 'them'}.")
    else:
        said.append("What was written inside goes with " + ("it." if one else "them."))
    named = sorted({m.name for row in rows for m in row.mounts or () if m.type == "volume" and len(m.name) != 64})
    if named:
        said.append("Named volumes stay.")
    said.append(f"There is no copy.{f' Engine: {engine}.' if engine else ''}")
    return " ".join(said)
