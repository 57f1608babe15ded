"""The stores of one engine, together."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.stores.store import Store
from backend.types.containers import ContainerSummary
from backend.types.images import ImageSummary
from backend.types.volumes import Network, Volume


class Stores(QObject):
    """One store per noun that the window shows or offers."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.containers: Store[ContainerSummary] = Store(lambda c: c.id, self)
        self.images: Store[ImageSummary] = Store(lambda i: i.id, self)
        self.volumes: Store[Volume] = Store(lambda v: v.name, self)
        self.networks: Store[Network] = Store(lambda n: n.id, self)

    def mark_stale(self, stale: bool) -> None:
        """Marks all of them."""
        for store in (self.containers, self.images, self.volumes, self.networks):
            store.mark_stale(stale)

    def clear(self) -> None:
        """Empties all of them."""
        for store in (self.containers, self.images, self.volumes, self.networks):
            store.clear()

    def running(self) -> list[str]:
        """The ids of the containers that run, paused ones too."""
        return [one.id for one in self.containers.values.values() if one.state in ("running", "paused")]
