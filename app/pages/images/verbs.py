"""ImageVerbs: everything that can be done with images, for the page, its menus and keys, and the command palette."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.commands.images import IMAGE_ARCHIVES, LOAD, SAVE, Saving
from app.models.images import ImageRow
from app.notices import elsewhere, notice_for
from app.pages.images.holdings import Holdings
from app.places import PULL, RUN, Go, Place
from app.presentation.units import plural
from app.session import Session
from app.theme import Theme
from app.widgets.entries import Entry


class ImageVerbs(QObject):
    """Runs verbs on rows of images; questions come first where something cannot be undone."""

    def __init__(self, theme: Theme, session: Session, go: Go, host: QWidget) -> None:
        super().__init__(host)
        self._theme, self._session, self._go, self._host = theme, session, go, host
        self.holdings = Holdings(session, self)

    def entries(self, rows: Sequence[ImageRow]) -> list[Entry]:
        """What can be done with one image or several, in the order of their menu."""
        if not rows:
            return []
        one = len(rows) == 1
        why = "" if one else "Choose one image"
        subject = rows[0].title if one else plural(len(rows), "image")

        def entry(verb: str, text: str, icon: str, why: str = "") -> Entry:
            return Entry(text, partial(self.run, verb, rows), icon, "", why, subject)

        remove = partial(self.run, "remove", rows)
        return [
            entry("run", "Run…", "play", why),
            entry("tag", "Tag…", "tag", why),
            entry("save", "Save…", "download"),
            Entry("Remove…", remove, "trash-2", "Del", subject=subject, also="rmi delete", danger=True, apart=True),
        ]

    def moving(self) -> list[Entry]:
        """The ways to get images that need no registry."""
        return [
            Entry("Load from a tar…", self.load, "upload", also="images"),
            Entry("Import a root file system…", self.import_, "package", also="image tar"),
        ]

    def general(self) -> list[Entry]:
        """What needs no image in hand."""
        pull = Entry("Pull…", lambda: self._go(Place(PULL)), "download", also="image download")
        clean_up = Entry("Clean up…", self.clean_up, "trash-2", subject="images", also="prune free space remove unused")
        return [pull, *self.moving(), clean_up]

    def run(self, verb: str, rows: Sequence[ImageRow]) -> None:
        """Does it."""
        if not rows:
            return
        if verb == "run":
            self._go(Place(RUN, rows[0].reference or rows[0].image.id))
        elif verb == "tag":
            from app.pages.images.dialogs import TagDialog

            TagDialog(self._theme, self._host.window(), self._session, rows[0].image).open()
        elif verb == "save":
            self._save(rows)
        elif verb == "remove":
            from app.pages.images.removal import RemoveImages

            RemoveImages(self._theme, self._host.window(), self._session, rows).open()

    def load(self) -> None:
        """Asks for a tar of images and loads it."""
        chooser = QFileDialog(self._host, "Load images", "", IMAGE_ARCHIVES)
        chooser.fileSelected.connect(lambda path: self._session.run(LOAD, Path(path)))
        chooser.open()

    def import_(self) -> None:
        """Asks for a root file system and makes an image of it."""
        from app.pages.images.dialogs import ImportDialog

        ImportDialog(self._theme, self._host.window(), self._session).open()

    def clean_up(self) -> None:
        """Shows what a clean-up would remove, and asks."""
        from app.pages.images.dialogs import CleanUpDialog

        CleanUpDialog(self._theme, self._host.window(), self._session, self.holdings).open()

    def _save(self, rows: Sequence[ImageRow]) -> None:
        references = tuple(r.reference or r.image.id for r in rows)
        name = references[0].rpartition("/")[2].replace(":", "-") if len(references) == 1 else "images"
        chooser = QFileDialog(self._host, "Save as", f"{name}.tar", "Tar archives (*.tar)")
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix("tar")
        chooser.fileSelected.connect(lambda path: self._save_to(Path(path), references, rows))
        chooser.open()

    def _save_to(self, path: Path, references: tuple[str, ...], rows: Sequence[ImageRow]) -> None:
        target = Saving(references, path)

        def failed(error: BaseException) -> None:
            notice = notice_for(error, SAVE.title, SAVE.subject(target))
            again = partial(self._save, rows)
            self._session.notice(elsewhere(notice, again) if isinstance(error, OSError) else notice)

        self._session.run(SAVE, target, failed=failed, owner=self)
