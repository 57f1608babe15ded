"""Watches the image of the Run dialog: whether it is on this computer, and which ports it exposes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.pages.run.portrows import is_port
from app.session import Session
from app.widgets.fields import ComboEdit
from backend import images
from backend.types.images import InspectedImage

HERE, AWAY = "On this computer", "Will be pulled"


class ImageLook(QObject):
    """`exposed` brings the exposed ports of an image that is here, as pairs of number and protocol, lowest first."""

    exposed = Signal(list)

    def __init__(self, session: Session, edit: ComboEdit, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._edit = session, edit
        self._asked = ""
        edit.textChanged.connect(lambda _t: self.look())
        session.stores.images.changed.connect(self._on_images)

    def _on_images(self, _delta: object) -> None:
        every = self._session.stores.images.values.values()
        self._edit.set_suggestions(sorted({tag for image in every for tag in image.tags}))
        self.look()

    def look(self) -> None:
        """Marks the image as typed now, and asks for its ports once."""
        text = self._edit.text().strip()
        here = self._is_here(text)
        if not text or " " in text:
            self._edit.set_note("", "")
        elif here:
            self._edit.set_note("check", HERE, "success")
        else:
            self._edit.set_note("cloud-download", AWAY, "text-secondary")
        if here and text != self._asked:
            self._asked = text
            self._session.ask(
                lambda engine: images.inspect(engine, text),
                lambda found: self._on_inspected(text, found),
                lambda _error: None,
                owner=self,
            )

    def _is_here(self, text: str) -> bool:
        short = text.removeprefix("docker.io/library/").removeprefix("docker.io/")
        full = short if ":" in short.rpartition("/")[2] or "@" in short else f"{short}:latest"
        return bool(text) and any(
            full in image.tags
            or full in (image.repo_digests or ())
            or (len(text) >= 12 and image.id.removeprefix("sha256:").startswith(text.removeprefix("sha256:")))
            for image in self._session.stores.images.values.values()
        )

    def _on_inspected(self, text: str, found: InspectedImage) -> None:
        config = found.value.config
        if text != self._edit.text().strip() or config is None:
            return
        pairs = [port.partition("/")[::2] for port in config.exposed_ports or ()]
        self.exposed.emit(sorted((int(port), protocol or "tcp") for port, protocol in pairs if is_port(port)))
