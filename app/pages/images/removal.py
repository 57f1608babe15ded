"""RemoveImages: asks before images or names of them are removed, and says what goes for as long as it is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from PySide6.QtWidgets import QWidget

from app.commands.images import REMOVE, ImageRemoval
from app.models.images import ImageRow, rows_of, used_words, users_by_image
from app.presentation import bytes_text, plural, short_id
from app.session import Session
from app.theme import Theme
from app.widgets.confirm import Confirm
from backend.types.containers import ContainerSummary

Users = Mapping[str, Sequence[ContainerSummary]]


class Words(Struct, frozen=True):
    """What the question says; `option` is empty where nothing has to be forced."""

    title: str
    detail: str
    goes: tuple[str, ...]
    option: str
    keep: str
    act: str


def words_for(rows: Sequence[ImageRow], users: Users) -> Words:
    """What goes with `rows`, and who uses it."""
    targets = removals(rows)
    gone = [t for t in targets if not _keeps(t)]
    used = any(users.get(t.image.id) for t in gone)
    one = len(rows) == 1
    many = plural(len(rows), "image" if len(gone) == len(rows) else "name")
    return Words(
        f"Remove {rows[0].title}?" if one else f"Remove {many}?",
        _detail(len(rows), len(gone), len(targets)),
        tuple(line for t in targets for line in _what_goes(t, users.get(t.image.id, ()))),
        "Also when stopped containers were made from it" if used else "",
        "Keep it" if one else "Keep them",
        f"Remove {('image' if gone else 'name') if one else many}",
    )


def removals(rows: Sequence[ImageRow]) -> list[ImageRemoval]:
    """What to remove for these rows: one removal per image, of the references that were chosen."""
    by_image: dict[str, list[ImageRow]] = {}
    for row in rows:
        by_image.setdefault(row.image.id, []).append(row)
    return [
        ImageRemoval(group[0].image, tuple(r.reference for r in group if r.reference)) for group in by_image.values()
    ]


class RemoveImages(Confirm):
    """Asks once about rows; a yes removes what was last shown."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, rows: Sequence[ImageRow]) -> None:
        self._session, self._keys = session, [row.key for row in rows]
        self._rows = self._now()
        shown = self._shown = self._words()
        super().__init__(
            theme, window, shown.title, shown.detail, shown.keep, shown.act,
            [("force", shown.option, False)], shown.goes,
        )  # fmt: skip
        self._put()
        for store in (session.stores.images, session.stores.containers):
            store.changed.connect(self._refresh)

    def accept(self) -> None:
        """Does what was shown; shows what would be done first where that has become something else."""
        if self._done or self._refresh():
            return
        force = self.ticked()["force"]
        super().accept()
        for target in removals(self._rows):
            self._session.run(REMOVE, ImageRemoval(target.image, target.references, force))

    def _now(self) -> list[ImageRow]:
        users = users_by_image(self._session.stores.containers.values.values())
        found = {row.key: row for row in rows_of(self._session.stores.images.values.values(), users)}
        return [found[key] for key in self._keys if key in found]

    def _words(self) -> Words:
        return words_for(self._rows, users_by_image(self._session.stores.containers.values.values()))

    def _put(self) -> None:
        shown = self._shown
        self.set_words(shown.title, shown.detail)
        self.set_goes(shown.goes)
        self.set_option("force", shown.option)
        self.keep.setText(shown.keep)
        self.act.setText(shown.act)

    def _refresh(self, _delta: object = None) -> bool:
        """Says what goes now; whether that is something else than before. Closes when all of it is gone."""
        if self._done or not self.isVisible():
            return False
        self._rows = self._now()
        if not self._rows:
            self.reject()
            return True
        before, self._shown = self._shown, self._words()
        if self._shown == before:
            return False
        self._put()
        return True


def _detail(rows: int, gone: int, images: int) -> str:
    if not gone:
        return "The image stays with its other names." if images == 1 else "The images stay with their other names."
    if gone < images:
        return "An image goes with its last name. It can be pulled or built again where its source is still there."
    if images == 1:
        last = "" if rows == 1 else "The image goes with its last name. "
        return f"{last}It can be pulled or built again where its source is still there."
    return "They can be pulled or built again where their source is still there."


def _keeps(target: ImageRemoval) -> int:
    """How many other names the image keeps; with one, only names go."""
    return max(0, len(target.image.tags) - len(target.references)) if target.references else 0


def _what_goes(target: ImageRemoval, users: Sequence[ContainerSummary]) -> list[str]:
    """A line for each name that goes."""
    first, *others = target.references or target.image.tags or (short_id(target.image.id),)
    if left := _keeps(target):
        return [f"{name}, the image keeps {plural(left, 'other name')}" for name in (first, *others)]
    use = f", used by {used_words(users)}" if users else ""
    return [f"{first}, {bytes_text(target.image.size)}{use}", *(f"{name}, the same image" for name in others)]
