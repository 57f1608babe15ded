"""Holdings: the layers that the images hold, asked for once each, because an image never changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.models.images import Stacks
from app.session import Session
from backend import layers
from backend.types.images import ImageId, ImageSummary, StoredLayer


class Holdings(QObject):
    """`stacks` grows with every `learn`. Signal: `changed()` once all that was asked for is known."""

    changed = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._known: dict[ImageId, tuple[StoredLayer, ...]] = {}
        self._wanted: dict[ImageId, ImageSummary] = {}
        self._asking = False

    @property
    def stacks(self) -> Stacks:
        """What is known so far."""
        return self._known

    def learn(self, images: Iterable[ImageSummary]) -> None:
        """Asks for those that are not known, and forgets all others."""
        self._wanted = {image.id: image for image in images}
        self._known = {key: stack for key, stack in self._known.items() if key in self._wanted}
        if not self._asking:
            self._ask()

    def _ask(self) -> None:
        missing = [image for key, image in self._wanted.items() if key not in self._known]
        if missing:
            self._asking = True
            question = partial(layers.of_images, wanted=missing)
            self._session.ask(question, self._on_known, self._on_failed, owner=self)

    def _on_known(self, found: Mapping[ImageId, tuple[StoredLayer, ...]]) -> None:
        self._asking = False
        self._known.update((key, stack) for key, stack in found.items() if key in self._wanted)
        if any(key not in self._known for key in self._wanted):
            self._ask()
        else:
            self.changed.emit()

    def _on_failed(self, _error: BaseException) -> None:
        """An engine that goes away says so itself; the next `learn` asks again."""
        self._asking = False
