"""The dialogs of the Images page: tag, import, clean up."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.commands.images import (
    CLEAN_UP,
    IMAGE_ARCHIVES,
    IMPORT,
    TAG,
    CleanUp,
    Importing,
    Tagging,
    names_of,
    now,
    reference_problem,
    title_of,
)
from app.models.images import Freed, freed, size_of, unused, users_by_image
from app.notices import not_answered, notice_for
from app.pages.images.holdings import Holdings
from app.pages.images.working import WorkingDialog
from app.presentation import bytes_text, plural
from app.session import Session
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.commandbox import CommandBox
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit, path_of, row_of
from app.widgets.forms import Field
from app.widgets.segments import Segments
from app.widgets.text import PlainLabel
from backend.types.containers import ContainerSummary
from backend.types.images import ImageSummary

MOST_LISTED = 200
"""Images in a list of what goes; as many as a question lists."""


class TagDialog(Dialog):
    """Asks for one more reference of an image."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, image: ImageSummary) -> None:
        super().__init__(theme, window, f"Tag {title_of(image)}", 520)
        self._session = session
        self._image = image
        self.reference = LineEdit(theme, "shop-api:dev", mono=True)
        self.field = Field(theme, "Reference", self.reference, "Repository and tag; latest where you leave out the tag")
        self.command = CommandBox(theme)
        self.body.addWidget(self.field)
        self.body.addWidget(self.command)
        self.add_button("Cancel", "ghost", self.reject)
        self.apply = self.add_button("Tag", "primary", self._on_apply)
        self.reference.textChanged.connect(self._on_typed)
        self._on_typed()

    def _on_typed(self) -> None:
        text = self.reference.text().strip()
        self.field.set_error(reference_problem(text) if text else "")
        self.command.set_line(TAG.line(Tagging(self._image, text or "NAME:TAG")))

    def _on_apply(self) -> None:
        text = self.reference.text().strip()
        if problem := reference_problem(text):
            self.field.set_error(problem)
            self.reference.setFocus()
            return
        self.set_note("")
        self.apply.set_busy(True)
        self._session.run(
            TAG, Tagging(self._image, text), then=lambda _o: self.accept(), failed=self._on_failed, owner=self
        )

    def _on_failed(self, error: BaseException) -> None:
        self.apply.set_busy(False)
        if not_answered(error):
            self.set_note(notice_for(error).title, "danger", "circle-alert")
        else:
            self.field.set_error(notice_for(error, "Tag").detail)


class ImportDialog(WorkingDialog):
    """Makes an image of a root file system in a tar."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, path: str = "") -> None:
        self.path = LineEdit(theme, "/path/to/rootfs.tar", mono=True, icon="file")
        choose = Button(theme, "Choose…")
        self.path_field = Field(
            theme, "Archive", row_of(self.path, choose), "A tar, also packed with gzip, bzip2 or xz"
        )
        self.path.setAccessibleName("Archive")
        self.reference = LineEdit(theme, "base:1", mono=True)
        self.reference_field = Field(theme, "Name", self.reference, "Repository and tag of the new image")
        self.message = LineEdit(theme, "Where it comes from")
        fields = (self.path_field, self.reference_field, Field(theme, "Message", self.message))
        super().__init__(theme, window, session, "Import a root file system", "Import", fields)
        choose.clicked.connect(self._on_choose)
        for edit in (self.path, self.reference, self.message):
            edit.textChanged.connect(self._on_typed)
        self.path.setText(path)
        self._on_typed()

    def _target(self) -> Importing:
        return Importing(Path(path_of(self.path)), self.reference.text().strip(), self.message.text().strip())

    def _on_choose(self) -> None:
        chooser = QFileDialog(self, "Choose an archive", path_of(self.path), IMAGE_ARCHIVES)
        chooser.fileSelected.connect(self.path.setText)
        chooser.open()

    def _on_typed(self) -> None:
        path, reference = path_of(self.path), self.reference.text().strip()
        self.path_field.set_error("" if not path or os.path.isfile(path) else "There is no such file")
        self.reference_field.set_error(reference_problem(reference) if reference else "")
        self.command.set_line(
            IMPORT.line(Importing(Path(path or "ROOTFS.TAR"), reference or "NAME:TAG", self._target().message))
        )

    def begin(self) -> None:
        """Imports, once there is an archive and a name."""
        target = self._target()
        if not os.path.isfile(target.path):  # Path.is_file raises for a name that is too long.
            self.path_field.set_error("Choose an archive")
            self.path.setFocus()
        elif problem := reference_problem(target.reference):
            self.reference_field.set_error(problem)
            self.reference.setFocus()
        else:
            self.work(IMPORT, target)

    def refuse(self, error: BaseException) -> None:
        """The archive is at fault."""
        notice = notice_for(error, "Import")
        self.path_field.set_error(notice.detail or notice.title)


def _free_words(free: Freed | None, size: int) -> str:
    """What it frees; `size` is what the images hold with what they share."""
    if free is None:
        return "Counting what this frees…"
    if free.most:
        return f"This frees up to {bytes_text(free.size)}: the build cache may hold layers that BuildKit made."
    rest = " The rest is shared with images that stay." if bytes_text(free.size) != bytes_text(size) else ""
    return f"This frees {bytes_text(free.size)}.{rest}"


class CleanUpDialog(Dialog):
    """Shows what a clean-up removes and how much it frees, before it is done and for as long as it is open."""

    def __init__(self, theme: Theme, window: QWidget, session: Session, holdings: Holdings) -> None:
        super().__init__(theme, window, "Clean up images", 560)
        self._session, self._holdings = session, holdings
        self._images: tuple[ImageSummary, ...] = ()
        self._users: Mapping[str, object] = {}
        self.choice = Segments(theme, [("dangling", "Untagged"), ("unused", "All unused")])
        self.choice.setAccessibleName("What to remove")
        self.words = PlainLabel(theme, wrap=True)
        self.listing = PlainLabel(theme, type="mono", token="text-secondary", wrap=True)
        self.command = CommandBox(theme)
        for part in (self.choice, self.words, self.listing, self.command):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.add_button("Cancel", "ghost", self.reject)
        self.apply = self.add_button("Remove images", "danger", self._on_apply)
        self.choice.chosen.connect(self._on_chosen)
        holdings.changed.connect(self._show)
        for store in (session.stores.images, session.stores.containers):
            store.changed.connect(self._on_stores)
        self._on_stores()

    def _found(self, key: str) -> list[ImageSummary]:
        return unused(self._images, self._users, dangling=key == "dangling")

    def _on_stores(self, _delta: object = None) -> None:
        stores = self._session.stores
        self._take(tuple(stores.images.values.values()), stores.containers.values.values())

    def _take(self, images: tuple[ImageSummary, ...], containers: Iterable[ContainerSummary]) -> None:
        self._images, self._users = images, users_by_image(containers)
        self._holdings.learn(images)
        self._show()

    def _on_chosen(self, _key: str) -> None:
        self.set_note("")
        self._show()

    def _show(self) -> None:
        self.choice.set_counts({key: len(self._found(key)) for key in ("dangling", "unused")})
        key = self.choice.current()
        found = self._found(key)
        what = "no name and no container" if key == "dangling" else "no container"
        if found:
            stacks = self._holdings.stacks
            free = freed(found, self._images, stacks)
            words = _free_words(free, size_of(found, stacks) or 0)
            self.words.setText(f"{plural(len(found), 'image')} with {what} will be gone. {words}")
        else:
            self.words.setText(f"There is no image with {what}. Nothing would be removed.")
        shown = [f"{names_of(i)}  {bytes_text(i.size)}" for i in found[:MOST_LISTED]]
        more = [f"and {plural(len(found) - MOST_LISTED, 'more', 'more')}"] if len(found) > MOST_LISTED else []
        self.listing.setText("\n".join(shown + more))
        self.apply.setText(f"Remove {plural(len(found), 'image') if found else 'images'}")
        self.apply.setEnabled(bool(found))
        self.command.set_line(CLEAN_UP.line(CleanUp(key == "dangling")))

    def _on_apply(self) -> None:
        """Asks the engine once more: a clean-up takes whatever it finds, not what is listed here."""
        self.set_note("")
        self.apply.set_busy(True)
        key = self.choice.current()
        self._session.ask(now, partial(self._on_asked, key, _names(self._found(key))), self._on_not_asked, owner=self)

    def _on_asked(
        self,
        key: str,
        shown: Mapping[str, tuple[str, ...]],
        found: tuple[tuple[ImageSummary, ...], tuple[ContainerSummary, ...]],
    ) -> None:
        self.apply.set_busy(False)
        if self._done:
            return
        self._take(*found)
        if key == self.choice.current() and _names(self._found(key)) == shown:
            self._session.run(CLEAN_UP, CleanUp(key == "dangling"))
            self.accept()
        else:
            self.set_note("This has changed. Look again.", "warning", "triangle-alert")

    def _on_not_asked(self, error: BaseException) -> None:
        self.apply.set_busy(False)
        self.set_note(notice_for(error).title, "danger", "circle-alert")


def _names(images: Iterable[ImageSummary]) -> dict[str, tuple[str, ...]]:
    return {image.id: tuple(sorted(image.tags)) for image in images}
