"""What the command palette offers: what is in hand, what can be done anywhere, and every container and image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import nlargest
from typing import TypeVar

from msgspec.structs import replace
from PySide6.QtCore import QObject

from app import places
from app.models.images import ImageRow, rows_of, users_by_image
from app.pages.containers.verbs import GONE, ContainerVerbs
from app.pages.images.verbs import ImageVerbs
from app.pages.settings.colours import THEMES, choose_colours
from app.places import Place
from app.preferences import Preferences
from app.presentation.containers import state_of
from app.presentation.units import bytes_text
from app.session import Phase, Session
from app.theme import Theme
from app.widgets.enginebutton import EngineChoice
from app.widgets.entries import Entry
from app.widgets.match import LONGEST, best, score, score_all, words_of
from app.widgets.palette import Palette
from app.window import HoldsThings, MainWindow
from backend.types.containers import ContainerSummary

WORDS = "Find an action, a page, a container or an image"
T = TypeVar("T")
MOST = 100
"""So many entries are shown."""
CLOSEST = 12
"""Of so many things that a part of the words names, what can be done with them is looked for with the others."""
AFTER, HELD, NOT_NOW = 45_000, 10_000, 4_000
"""Points that move the verbs of what was named alone, what is in hand, and what cannot be done."""
Engines = Callable[[], Sequence[EngineChoice]]
Pick = Callable[[str], object]
MACHINE = (
    ("start", "Start", "play"),
    ("stop", "Stop", "square"),
    ("restart", "Restart", "rotate-cw"),
    ("suspend", "Suspend", "pause"),
    ("delete", "Delete…", "trash-2"),
)
"""Verbs of the machine, which is not made for the palette alone."""


class Commands(QObject):
    """Opens the palette over the window; made when it is first asked for."""

    def __init__(
        self,
        theme: Theme,
        window: MainWindow,
        session: Session,
        preferences: Preferences,
        engines: Engines,
        machine: Pick = lambda _verb: None,
    ) -> None:
        super().__init__(window)
        self._theme, self._window, self._session = theme, window, session
        self._preferences, self._engines, self._machine = preferences, engines, machine
        self._containers = ContainerVerbs(theme, session, window.go, window)
        self._images = ImageVerbs(theme, session, window.go, window)
        self._rows: list[ImageRow] = []
        self._held: list[Entry] = []
        self._palette: Palette | None = None
        for store in (session.stores.containers, session.stores.images):
            store.changed.connect(self._on_changed)

    def toggle(self) -> None:
        """Opens it, or closes it when it is open; does nothing while a dialog asks something."""
        if self._palette is not None:
            self._palette.reject()
        elif not self._window.dialogs_open():
            self._gather()
            self._palette = Palette(self._theme, self._window, WORDS, self.find)
            self._palette.finished.connect(self._on_finished)
            self._palette.open()

    def find(self, typed: str) -> list[Entry]:
        """The entries for what was typed, best first; all of them for nothing."""
        words = words_of(typed)
        scored = _scored(words, self._held, HELD) + _scored(words, self._anywhere())
        for row in self._session.stores.containers.values.values():
            if not words or score_all(words, row.name):
                scored.append((score_all(words, row.name), self._open_container(row)))
        for image in self._rows:
            if not words or score_all(words, image.title):
                scored.append((score_all(words, image.title), self._open_image(image)))
        if words:
            scored += self._verbs(words)
        return best(words, scored, MOST)

    def _gather(self) -> None:
        """What does not depend on what is typed."""
        users = users_by_image(self._session.stores.containers.values.values())
        self._rows = rows_of(self._session.stores.images.values.values(), users)
        page: object = self._window.stack.currentWidget()
        self._held = page.in_hand() if isinstance(page, HoldsThings) else []

    def _on_changed(self) -> None:
        if self._palette is not None:
            self._gather()
            self._palette.refresh()

    def _on_finished(self) -> None:
        self._palette = None

    # Anywhere

    def _anywhere(self) -> list[Entry]:
        run, build, *rest = self._window.entries()
        pull, *others = self._images.general()
        here = self._window.place.page
        run = replace(run, key="Ctrl N" if here == places.CONTAINERS else "")
        pull = replace(pull, key="Ctrl N" if here == places.IMAGES else "")
        phase = self._session.state.phase
        gone = "No engine is in use" if phase is Phase.NONE else "" if phase is Phase.CONNECTED else GONE
        first, others = ([replace(e, why=gone) for e in entries] for entries in ((run, pull, build), others))
        return [*first, *rest, *others, *self._machine_entries(), *self._colours(), *self._engine_entries()]

    def _colours(self) -> list[Entry]:
        icons = {"system": "monitor", "light": "sun", "dark": "moon"}
        return [
            Entry(
                "Colours:", partial(choose_colours, self._theme, self._preferences, key), icons[key], subject=text,
                also="theme appearance mode colors", checked=self._theme.choice == key,
            )
            for key, text in THEMES
        ]  # fmt: skip

    def _engine_entries(self) -> list[Entry]:
        return [
            Entry(
                "Engine:", choice.on_pick, choice.icon, "", choice.why, choice.text, also="switch use",
                checked=choice.checked,
            )
            for choice in self._engines()
        ]  # fmt: skip

    def _machine_entries(self) -> list[Entry]:
        return [
            Entry(words, partial(self._machine, verb), icon, subject="machine", also="virtual vm")
            for verb, words, icon in MACHINE
        ]

    # Things

    def _open_container(self, row: ContainerSummary) -> Entry:
        view = state_of(row)
        go = partial(self._window.go, Place(places.CONTAINERS, row.id))
        return Entry("", go, "container", subject=row.name, detail=view.word)

    def _open_image(self, row: ImageRow) -> Entry:
        go = partial(self._window.go, Place(places.IMAGES, row.image.id if not row.reference else row.reference))
        return Entry("", go, "layers", subject=row.title, detail=bytes_text(row.image.size))

    def _verbs(self, words: Sequence[str]) -> list[tuple[int, Entry]]:
        """What can be done with the things that a part of the words names: `web stop`, `stop web`, `nginx run`."""
        held = {(entry.text, entry.subject) for entry in self._held}
        found: list[tuple[int, Entry]] = []
        for row in _closest(words, self._session.stores.containers.values.values(), lambda row: row.name):
            found += _scored(words, self._containers.entries([row.id]), _less(words, row.name))
        for image in _closest(words, self._rows, lambda row: row.title):
            found += _scored(words, self._images.entries([image]), _less(words, image.title))
        others = [(points, entry) for points, entry in found if (entry.text, entry.subject) not in held]
        return [(points, replace(entry, key="")) for points, entry in others]  # a key is for what is in hand


def _closest(words: Sequence[str], things: Iterable[T], name: Callable[[T], str]) -> list[T]:
    """The things whose names hold some of the words, the closest first: one when it is named in full."""
    scored: list[tuple[int, int, T]] = []
    for at, thing in enumerate(things):
        folded = name(thing)[:LONGEST].casefold()
        points = sum(score(word, folded) for word in words if word in folded)
        if points:
            scored.append((points * 1000 - len(folded), -at, thing))
    close = nlargest(CLOSEST, scored, key=lambda found: found[:2])
    return [thing for _points, _at, thing in (close[:1] if len(words) == 1 else close)]


def _less(words: Sequence[str], name: str) -> int:
    """What can be done with a thing stands behind the thing itself when no word is left to say what."""
    return -AFTER if score_all(words, name) else 0


def _scored(words: Sequence[str], entries: Iterable[Entry], more: int = 0) -> list[tuple[int, Entry]]:
    """How well entries fit; the number of their letters counts nothing, and what cannot be done now stands behind."""
    found = []
    for entry in entries:
        text = f"{entry.text} {entry.subject}"
        points = score_all(words, text, entry.also)
        if points:
            points = max(1, points + len(text[:LONGEST]) + more - (NOT_NOW if entry.why else 0))
        found.append((points, entry))
    return found
