"""The details of one image: what it is, its layers and its settings."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.models.images import ImageRow, created_age, used_words
from app.models.rows import RowsModel
from app.notices import notice_for
from app.pages.images.layers import LAYER_COLUMNS, layer_rows
from app.presentation import bytes_text, masked, short_id
from app.session import EngineState, Phase, Session
from app.theme import Theme
from app.widgets.buttons import Button, IconButton, LinkButton
from app.widgets.cards import Hairline
from app.widgets.focus import ScrollArea
from app.widgets.segments import Tabs
from app.widgets.states import EmptyState, Skeleton
from app.widgets.table import Table
from app.widgets.text import PlainLabel, set_tooltip
from backend import images
from backend.types.images import ImageDetails, InspectedImage, Layer


class ImageDetail(QWidget):
    """One image. Signals: `wanted(verb)` for run, tag, save, remove and back; `user_pressed(container id)`."""

    wanted = Signal(str)
    user_pressed = Signal(str)

    def __init__(self, theme: Theme, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._session = theme, session
        self._row: ImageRow | None = None
        self._asked: list[object] = []
        self.title = PlainLabel(theme, type="heading", elide=Qt.TextElideMode.ElideMiddle)
        self.subtitle = PlainLabel(theme, type="small", token="text-secondary")
        self.users = LinkButton(theme, "")
        self.users.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.users.setMinimumWidth(80)
        self.users.clicked.connect(self._on_users)
        self.back = IconButton(theme, "chevron-left", "Back to the list", "Alt Left", small=True)
        self.back.clicked.connect(lambda: self.wanted.emit("back"))
        self.tabs = Tabs(theme, [("layers", "Layers"), ("overview", "Overview")])
        self.tabs.setAccessibleName("Details of the image")
        self.stack = QStackedWidget()
        self.tabs.chosen.connect(self._on_tab)
        self.model = RowsModel(LAYER_COLUMNS, self)
        self.layers = Table(theme, self.model, name="Layers", ticks=False)
        self.overview = _Overview(theme)
        self.waiting = Skeleton(theme, 5)
        self.failed = EmptyState(theme, "circle-alert", "", "", "Try again")
        self.failed.pressed.connect(self._ask)
        session.state_changed.connect(self._on_state_changed)
        for page in (self.layers, self.overview, self.waiting, self.failed):
            self.stack.addWidget(page)
        self._lay_out()

    def _lay_out(self) -> None:
        self._head = head = QHBoxLayout()
        head.setContentsMargins(16, 12, 16, 0)
        head.setSpacing(8)
        head.addStrut(self._theme.height("control_small"))
        head.addWidget(self.back)
        head.addWidget(self.title, 1)
        for verb, text, icon, kind in (
            ("run", "Run…", "play", "default"),
            ("tag", "Tag…", "tag", "default"),
            ("save", "Save…", "download", "default"),
            ("remove", "Remove…", "trash-2", "danger-text"),
        ):
            button = Button(self._theme, text, icon, kind, small=True)  # type: ignore[arg-type]
            button.clicked.connect(lambda _checked=False, v=verb: self.wanted.emit(v))
            head.addWidget(button)
        line = QHBoxLayout()
        line.setContentsMargins(16, 4, 16, 0)
        line.setSpacing(12)
        line.addStrut(20)
        line.addWidget(self.subtitle)
        line.addWidget(self.users)
        line.addStretch(1)
        tabs = QHBoxLayout()
        tabs.setContentsMargins(16, 0, 16, 0)
        tabs.addWidget(self.tabs)
        tabs.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (head, line, tabs):
            column.addLayout(part)
        column.addWidget(Hairline(self._theme))
        column.addWidget(self.stack, 1)

    def set_alone(self, alone: bool) -> None:
        """Whether it hides the list, and so shows the way back to it, where other pages show theirs."""
        self.back.setVisible(alone)
        self._head.setContentsMargins(10 if alone else 16, 12, 16, 0)

    @property
    def row(self) -> ImageRow | None:
        """What is shown."""
        return self._row

    def show_row(self, row: ImageRow) -> None:
        """Shows another image, or the same one with other users or another name."""
        same = self._row is not None and self._row.image.id == row.image.id
        self._row = row
        self.title.setText(row.title)
        self.subtitle.setText("   ".join(self._facts()))
        set_tooltip(self.subtitle, row.image.id)
        self.users.setVisible(bool(row.users))
        self.users.setText(f"Used by {used_words(row.users)}")
        set_tooltip(self.users, self.users.text())
        if not same:
            self._ask()

    def _facts(self) -> list[str]:
        assert self._row is not None
        image = self._row.image
        return [
            short_id(image.id),
            bytes_text(image.size),
            f"created {created_age(image.created, time.time())} ago" if image.created > 0 else "no date",
        ]

    def _ask(self) -> None:
        if self._row is None:
            return
        key = self._row.image.id
        self.stack.setCurrentWidget(self.waiting)
        self.waiting.restart()
        self._session.ask(
            lambda engine: images.history(engine, key),
            lambda layers: self._on_layers(key, layers),
            lambda error: self._on_failed(key, error),
            owner=self,
        )
        self._session.ask(
            lambda engine: images.inspect(engine, key),
            lambda found: self._on_inspected(key, found),
            lambda _error: None,
            owner=self,
        )

    def _on_tab(self, key: str) -> None:
        self.stack.setCurrentWidget(self.layers if key == "layers" else self.overview)

    def _is_shown(self, key: str) -> bool:
        return self._row is not None and self._row.image.id == key

    def _on_layers(self, key: str, layers: tuple[Layer, ...]) -> None:
        if self._is_shown(key):
            self.model.set_rows(layer_rows(layers, time.time()))
            self.stack.setCurrentWidget(self.layers if self.tabs.current() == "layers" else self.overview)

    def _on_inspected(self, key: str, found: InspectedImage) -> None:
        if self._is_shown(key):
            self.overview.show_details(found.value)

    def _on_failed(self, key: str, error: BaseException) -> None:
        if self._is_shown(key):
            detail = notice_for(error).detail
            self.failed.set("circle-alert", "The layers could not be read", detail, "Try again")
            self.stack.setCurrentWidget(self.failed)

    def _on_state_changed(self, state: EngineState) -> None:
        if state.phase is Phase.CONNECTED and self.stack.currentWidget() is self.failed:
            self._ask()

    def _on_users(self) -> None:
        if self._row is not None and self._row.users:
            self.user_pressed.emit(self._row.users[0].id)


class _Overview(ScrollArea):
    """What the image says of itself, as names and values; those of its environment show when the eye is pressed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._theme = theme
        self._details = ImageDetails()
        self._environment: PlainLabel | None = None
        self.eye = IconButton(theme, "eye", "Show values", toggle=True, small=True)
        self.eye.toggled.connect(self._on_eye)
        self.setWidgetResizable(True)
        self.setAccessibleName("Overview of the image")

    def show_details(self, details: ImageDetails) -> None:
        """Replaces what is shown; the values of another image are hidden again."""
        if details.id != self._details.id:
            self.eye.setChecked(False)
        self._details = details
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(16, 16, 16, 16)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        self.eye.setParent(self)  # Not deleted with what was shown before.
        self.eye.hide()
        for row, (name, value) in enumerate(facts_of(details, seen=self.eye.isChecked())):
            name_label = PlainLabel(self._theme, name, "small", "text-secondary")
            name_label.setMinimumWidth(104)
            name_label.setContentsMargins(0, 2, 0, 0)  # to the baseline of the value
            grid.addWidget(name_label, row, 0, Qt.AlignmentFlag.AlignTop)
            label = PlainLabel(self._theme, value, "mono", wrap=True)
            label.set_selectable()
            grid.addWidget(label, row, 1, Qt.AlignmentFlag.AlignTop)
            if name == ENVIRONMENT:
                self._environment = label
                grid.addWidget(self.eye, row, 2, Qt.AlignmentFlag.AlignTop)
                self.eye.show()
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        self.setWidget(inner)

    def _on_eye(self, seen: bool) -> None:
        self.eye.set_icon("eye-off" if seen else "eye")
        self.eye.set_name("Hide values" if seen else "Show values")
        if self._environment is not None:
            self._environment.setText(environment_of(self._details, seen=seen))


ENVIRONMENT = "Environment"


def environment_of(details: ImageDetails, *, seen: bool = False) -> str:
    """Its variables line by line; they may hold secrets of whoever built it, so values are masked until `seen`."""
    pairs = (pair.partition("=") for pair in (details.config and details.config.env) or ())
    return "\n".join(f"{name}={value if seen else masked(value)}" for name, _, value in pairs)


def facts_of(details: ImageDetails, *, seen: bool = False) -> list[tuple[str, str]]:
    """Names and values, only those that the image has; the values of its environment once they are to be `seen`."""
    config = details.config
    facts = [
        ("Id", details.id),
        ("Names", "\n".join(details.repo_tags or ())),
        ("Digests", "\n".join(details.repo_digests or ())),
        ("Platform", "/".join(p for p in (details.os, details.architecture, details.variant) if p)),
        ("Created", details.created or ""),
        ("Author", details.author),
    ]
    if config is not None:
        facts += [
            ("Command", " ".join(config.cmd or ())),
            ("Entrypoint", " ".join(config.entrypoint or ())),
            ("Folder", config.working_dir),
            ("User", config.user),
            ("Ports", "\n".join(config.exposed_ports or ())),
            ("Volumes", "\n".join(config.volumes or ())),
            (ENVIRONMENT, environment_of(details, seen=seen)),
            ("Labels", "\n".join(f"{k}={v}" for k, v in (config.labels or {}).items())),
        ]
    return [(name, value) for name, value in facts if value]
