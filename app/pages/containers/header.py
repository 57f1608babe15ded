"""The header of a container's details: where one is, its state, its verbs, and the facts below its name."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.presentation.containers import (
    Reason,
    Troubles,
    image_text,
    is_running,
    port_text,
    port_tip,
    published_ports,
    state_of,
    trouble_of,
)
from app.presentation.units import age_text, parse_time, short_id
from app.theme import Theme
from app.widgets.buttons import Button, IconButton, LinkButton
from app.widgets.chips import PortChip, StateChip
from app.widgets.fields import row_of
from app.widgets.focus import stop_before
from app.widgets.states import IconMark
from app.widgets.text import PlainLabel, set_tooltip, visible_name
from backend.types.containers import ContainerDetails, ContainerSummary

PORTS = 4
NAME_WIDTH = 160
"""Of a long name so much stays, whatever stands beside it."""
WhyNot = Callable[[str], str]


class ContainerHeader(QWidget):
    """`verb(key)`, `port_pressed(place)`, `image_pressed()`, `copy_id()`, `menu_wanted(point)`, `left()`."""

    verb = Signal(str)
    port_pressed = Signal(int)
    image_pressed = Signal()
    copy_id = Signal()
    menu_wanted = Signal(QPoint)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._main = "stop"
        self.setFixedHeight(78)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 12, 16, 0)
        whole.setSpacing(4)
        whole.addLayout(self._build_names())
        whole.addLayout(self._build_facts())
        whole.addStretch(1)
        self._ports: tuple[str, ...] = ()

    def _build_names(self) -> QHBoxLayout:
        theme = self._theme
        self.back = IconButton(theme, "chevron-left", "Back to the list", "Alt Left", small=True)
        self.root = LinkButton(theme, "Containers", muted=True)
        self.root.setFont(theme.font("body"))
        self.root.clicked.connect(self.left)
        self.project = PlainLabel(theme, "", "body", "text-secondary", elide=Qt.TextElideMode.ElideMiddle)
        self.name = PlainLabel(theme, "", "title", elide=Qt.TextElideMode.ElideMiddle)
        self.state = StateChip(theme)
        self.reason = PlainLabel(theme, "", "small", "text-secondary")
        self.open = Button(theme, "Open in browser", "arrow-up-right")
        self.restart = Button(theme, "Restart", "rotate-cw")
        self.stop = Button(theme, "Stop", "square")
        self.more = IconButton(theme, "ellipsis", "More actions", kind="default")
        self.open.clicked.connect(lambda: self.verb.emit("open"))
        self.restart.clicked.connect(lambda: self.verb.emit("restart"))
        self.stop.clicked.connect(lambda: self.verb.emit(self._main))
        self.more.clicked.connect(lambda: self.menu_wanted.emit(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        row = QHBoxLayout()
        row.setSpacing(8)
        left: tuple[QWidget, ...] = (
            self.back, self.root, PlainLabel(theme, "/", "body", "text-tertiary"), self.project, self.name,
            self.state, self.reason,
        )  # fmt: skip
        for widget in left:
            row.addWidget(widget)
        row.addStretch(1)
        right: tuple[QWidget, ...] = (self.open, self.restart, self.stop, self.more)
        for widget in right:
            row.addWidget(widget)
        return row

    def _build_facts(self) -> QHBoxLayout:
        theme = self._theme
        self.image = LinkButton(theme, "", "layers", muted=True)
        self.image.setFont(theme.font("mono"))
        self.image.setAccessibleName("Show the image")
        self.image.setMinimumWidth(80)
        self.image.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.image.clicked.connect(self.image_pressed)
        self.ports = QWidget()
        self._port_row = QHBoxLayout(self.ports)
        self._port_row.setContentsMargins(0, 0, 0, 0)
        self._port_row.setSpacing(4)
        self.age = PlainLabel(theme, "", "small", "text-secondary")
        self.heart = IconMark(theme, "heart-pulse", "success", 14)
        self.health = PlainLabel(theme, "", "small", "text-secondary")
        self.id = PlainLabel(theme, "", "mono", "text-secondary")
        self.copy = IconButton(theme, "copy", "Copy id", small=True)
        self.copy.clicked.connect(self.copy_id)
        row = QHBoxLayout()
        row.setContentsMargins(34, 0, 0, 0)
        row.setSpacing(18)  # Between those that are shown: a container without ports or checks leaves no gap.
        self.checks = row_of(self.heart, self.health, gap=5)
        for widget in (self.image, self.ports, self.age, self.checks, row_of(self.id, self.copy, gap=0)):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def show_container(
        self,
        row: ContainerSummary,
        details: ContainerDetails | None,
        reason: Reason | None,
        now: float,
        *,
        gone: bool,
        stale: bool,
        troubles: Troubles,
        why_not: WhyNot,
    ) -> None:
        """Shows what the store and the last inspect say; `gone` when the engine has it no more.

        `stale` while the engine does not answer: what was last known, without the colours of what is.
        """
        self.project.setText(f"{visible_name(row.project, 40)}  /" if row.project else "")
        self.project.setVisible(bool(row.project))
        self.name.setText(visible_name(row.name))
        self.name.setMinimumWidth(min(self.name.sizeHint().width(), NAME_WIDTH))
        view = state_of(row, reason)
        if gone:
            self.state.set("trash-2", "Removed", "neutral")
        else:
            self.state.set(view.icon or "dot", view.word, "neutral" if stale else view.role or "neutral")
        self.reason.setText("" if gone else view.reason)
        self._show_verbs(why_not)
        self.image.setText(visible_name(image_text(row.image)))
        set_tooltip(self.image, self.image.text())
        self._show_ports(row, {} if stale else troubles)
        if not stale:
            self.age.setText(_age(row, details, now))
        self.age.setVisible(details is not None)
        self._show_health(details, row, stale=stale)
        self.id.setText(short_id(row.id))

    def _show_verbs(self, why_not: WhyNot) -> None:
        cannot_stop, cannot_start = why_not("stop"), why_not("start")
        start = bool(cannot_stop) and not cannot_start
        self._main = "start" if start else "stop"
        self.stop.setText("Start" if start else "Stop")
        self.stop.set_icon("play" if start else "square")
        for button, why in (
            (self.stop, cannot_start if start else cannot_stop), (self.restart, why_not("restart")),
        ):  # fmt: skip
            button.setEnabled(not why)
            set_tooltip(button, why)
        self.open.setVisible(not why_not("open"))

    def _show_ports(self, row: ContainerSummary, troubles: Troubles) -> None:
        ports = published_ports(row)
        texts = tuple(port_text(port) + port.ip + trouble_of(port, troubles) for port in ports)
        self.ports.setVisible(bool(ports))
        if texts == self._ports:
            return
        self._ports = texts
        while (item := self._port_row.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for at, port in enumerate(ports[:PORTS]):
            trouble = trouble_of(port, troubles)
            chip = PortChip(self._theme, port_text(port), bad=bool(trouble))
            chip.clicked.connect(lambda _checked=False, at=at: self.port_pressed.emit(at))
            set_tooltip(chip, port_tip(port, trouble))
            self._port_row.addWidget(chip)
        if len(ports) > PORTS:
            self._port_row.addWidget(PlainLabel(self._theme, f"+{len(ports) - PORTS}", "small", "text-secondary"))
        stop_before(self.copy, self.ports)

    def _show_health(self, details: ContainerDetails | None, row: ContainerSummary, *, stale: bool) -> None:
        health = details.state.health if details is not None else None
        status = health.status if health is not None and is_running(row) else ""
        words = {"healthy": "Healthy", "unhealthy": "Unhealthy", "starting": "Starting"}.get(status, "")
        self.health.setText(words)
        self.checks.setVisible(bool(words))
        role = "" if stale else {"healthy": "success", "unhealthy": "warning"}.get(status, "")
        self.heart.set("heart-pulse", role or "text-secondary")


def _age(row: ContainerSummary, details: ContainerDetails | None, now: float) -> str:
    if details is None:
        return ""
    if is_running(row) and (at := parse_time(details.state.started_at)) is not None:
        return f"Up {age_text(now - at)}"
    if (at := parse_time(details.state.finished_at)) is not None:
        return f"Ended {age_text(now - at)} ago"
    return f"Created {age_text(now - row.created)} ago"
