"""RemoveQuestion: asks before containers are removed, and says what goes for as long as it is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from PySide6.QtWidgets import QWidget

from app.presentation.containers import ALIVE
from app.presentation.units import bytes_text, plural, short_id
from app.stores.store import Store
from app.theme import Theme
from app.widgets.confirm import Confirm
from app.widgets.text import visible_name
from backend.types.containers import ContainerSummary, Mount

Chosen = Callable[[list[ContainerSummary], bool], None]


class Words(Struct, frozen=True):
    """What the question says; `option` is empty where no volume could go too."""

    title: str
    detail: str
    goes: tuple[str, ...]
    option: str
    act: str


def anonymous_volumes(container: ContainerSummary) -> tuple[Mount, ...]:
    """Volumes whose names the engine made up (64 hexadecimal digits): nobody finds them again without the container."""
    return tuple(
        m
        for m in container.mounts or ()
        if m.type == "volume" and len(m.name) == 64 and all(c in "0123456789abcdef" for c in m.name)
    )


def words_for(
    rows: Sequence[ContainerSummary],
    others: Iterable[ContainerSummary],
    sizes: Mapping[str, int],
    engine: str,
    too: bool,
) -> Words:
    """What goes with `rows`: layers with their `sizes` (bytes by id), processes, anonymous volumes if `too`.

    A volume that one of the `others` mounts stays in any case: the engine removes none that is in use.
    """
    one = rows[0] if len(rows) == 1 else None
    users = {m.name: row.name for row in others for m in row.mounts or () if m.type == "volume"}
    volumes = {m.name: m for row in rows for m in anonymous_volumes(row)}  # Two of them may have the same.
    free = [name for name in volumes if name not in users]
    goes = [] if one is not None else [_line(row, sizes) for row in rows]
    for name, mount in volumes.items():
        if name in users:
            goes.append(f"volume {short_id(name)} at {mount.destination}, stays: {users[name]} uses it")
        else:
            goes.append(f"volume {short_id(name)}, mounted at {mount.destination}, {'goes too' if too else 'stays'}")
    return Words(
        f"Remove {visible_name(one.name, 40)}?" if one is not None else f"Remove {plural(len(rows), 'container')}?",
        _detail(rows, sizes, engine),
        tuple(goes),
        f"Remove {plural(len(free), 'anonymous volume')} too" if free else "",
        _act(len(rows), len(free) if too else 0),
    )


class RemoveQuestion(Confirm):
    """Asks once about containers of a store. `chosen(rows, volumes)` follows a yes to what was last shown."""

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        store: Store[ContainerSummary],
        ids: Sequence[str],
        sizes: Mapping[str, int],
        engine: str,
        chosen: Chosen,
    ) -> None:
        self._store, self._ids, self._sizes, self._engine, self._chosen = store, ids, sizes, engine, chosen
        self._rows = self._now()
        shown = self._shown = self._words(False)
        super().__init__(
            theme, window, shown.title, shown.detail, _keep(self._rows), shown.act,
            [("volumes", shown.option, False)] if shown.option else [], shown.goes,
        )  # fmt: skip
        self.changed.connect(lambda _ticked: self._refresh())
        store.changed.connect(self._refresh)

    def accept(self) -> None:
        """Does what was shown; shows what would be done first where that has become something else."""
        if not self._done and not self._refresh():
            rows, volumes = self._rows, self._too()
            super().accept()
            self._chosen(rows, volumes)

    def _now(self) -> list[ContainerSummary]:
        return [row for key in self._ids if (row := self._store.get(key)) is not None]

    def _too(self) -> bool:
        return self.ticked().get("volumes", False)

    def _words(self, too: bool) -> Words:
        mine = {row.id for row in self._rows}
        others = (row for row in self._store.values.values() if row.id not in mine)
        return words_for(self._rows, others, self._sizes, self._engine, too)

    def _refresh(self, _delta: object = None) -> bool:
        """Says what goes now; whether that is something else than before. Closes when all of them are gone."""
        if self._done or not self.isVisible():
            return False
        before = self._shown
        self._rows = self._now()
        if not self._rows:
            self.reject()
            return True
        if self._boxes:
            self.set_option("volumes", self._words(False).option)
        self._shown = self._words(self._too())
        if self._shown == before:
            return False
        self.set_words(self._shown.title, self._shown.detail)
        self.set_goes(self._shown.goes)
        self.keep.setText(_keep(self._rows))
        self.act.setText(self._shown.act)
        return True


def _keep(rows: Sequence[ContainerSummary]) -> str:
    return "Keep it" if len(rows) == 1 else "Keep them"


def _act(containers: int, volumes: int) -> str:
    what = "Remove container" if containers == 1 else f"Remove {plural(containers, 'container')}"
    return f"{what} and {'volume' if volumes == 1 else plural(volumes, 'volume')}" if volumes else what


def _line(row: ContainerSummary, sizes: Mapping[str, int]) -> str:
    size = f", {bytes_text(sizes[row.id])} written" if row.id in sizes else ""
    return f"{row.name}{f', {row.state}' if row.state in ALIVE else ''}{size}"


def _detail(rows: Sequence[ContainerSummary], sizes: Mapping[str, int], engine: str) -> str:
    alive = [row.state for row in rows if row.state in ALIVE]
    one = len(rows) == 1
    said = []
    if alive and one:
        said.append(f"It is {alive[0]} and is killed first.")
    elif alive:
        be = "is" if len(alive) == 1 else "are"
        said.append(f"{len(alive)} of them {be} {' or '.join(sorted(set(alive)))} and {be} killed first.")
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
