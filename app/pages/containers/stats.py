"""The Stats tab: ten minutes of CPU, memory, network and disk, what happened meanwhile, and the processes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.feeds.containers import ContainerFeeds
from app.feeds.history import SPAN_SECONDS, Point
from app.models.containers import limit_of
from app.models.processes import COLUMNS, processes, rows
from app.models.rows import RowsModel
from app.pages.containers.verbs import GONE
from app.preferences import Preferences
from app.presentation.containers import is_running
from app.presentation.units import bytes_text, percent_text, plural, rate_text
from app.session import EngineState, Phase, Session
from app.stores.store import Delta
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.chart import Chart, Mark, Series
from app.widgets.focus import ScrollArea
from app.widgets.overlayscroll import OverlayScrollBar
from app.widgets.states import IconMark
from app.widgets.table import Table
from app.widgets.text import PlainLabel
from backend import system
from backend.types.system import Event, SystemState

Take = Callable[[Point], float | None]


def span_of(measured: float) -> int:
    """How many seconds the charts show of `measured` ones: a short story is not squeezed into a corner."""
    return next((span for span in (120, 300) if measured <= span), SPAN_SECONDS)


class StatsTab(ScrollArea):
    """Samples only while it is visible and not paused; what was measured stays."""

    def __init__(
        self,
        theme: Theme,
        session: Session,
        feeds: ContainerFeeds,
        preferences: Preferences,
        container_id: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._theme, self._session, self._preferences, self._id = theme, session, preferences, container_id
        self.history = feeds.history(container_id, self)
        self.top = feeds.top(container_id, self)
        self.setAccessibleName("Stats")
        self._memory = 0
        self._marks: deque[Mark] = deque(maxlen=20)
        self._build()
        self.history.ticked.connect(self._on_ticked)
        self.top.changed.connect(self._on_top)
        session.happened.connect(self._on_happened)
        session.state_changed.connect(self._on_state_changed)
        session.stores.containers.changed.connect(self._on_store_changed)
        self._ask_system()
        self._on_ticked()
        self._on_top()

    # How it is built

    def _build(self) -> None:
        theme = self._theme
        self.setWidgetResizable(True)
        inner = QWidget()
        self.setWidget(inner)
        whole = QVBoxLayout(inner)
        whole.setContentsMargins(0, 0, 0, 12)
        whole.setSpacing(0)
        whole.addLayout(self._build_bar())
        self.cpu = Chart(theme, "CPU", percent_text, 0.05)
        self.memory = Chart(theme, "Memory", bytes_text, 1e6)
        self.network = Chart(theme, "Network", rate_text, 1e3)
        self.disk = Chart(theme, "Block I/O", rate_text, 1e3)
        self.charts = (self.cpu, self.memory, self.network, self.disk)
        self.grid = QGridLayout()
        self.grid.setContentsMargins(16, 0, 16, 0)
        self.grid.setSpacing(12)
        for at, chart in enumerate(self.charts):
            self.grid.addWidget(chart, at // 2, at % 2)
            chart.hovered.connect(self._on_hovered)
        whole.addLayout(self.grid)
        self.title = PlainLabel(theme, "Processes", "body_strong")
        self.count = PlainLabel(theme, "", "small", "text-secondary")
        head = QHBoxLayout()
        head.setContentsMargins(16, 14, 16, 8)
        head.setSpacing(10)
        head.addWidget(self.title)
        head.addWidget(self.count)
        head.addStretch(1)
        whole.addLayout(head)
        self.model = RowsModel(COLUMNS, self)
        self.table = Table(
            theme, self.model, name="Processes", ticks=False, row_height="row_dense",
            preferences=self._preferences, memory="processes",
        )  # fmt: skip
        if not self.table.sort_column:
            self.table.sort_by("cpu", True)
        self.table.sorted.connect(lambda _column, _down: self._on_top())
        whole.addWidget(self.table)
        self.idle = PlainLabel(theme, "", "body", "text-secondary")
        self.idle.setContentsMargins(16, 4, 16, 4)
        whole.addWidget(self.idle)
        whole.addStretch(1)
        OverlayScrollBar(self)

    def _build_bar(self) -> QHBoxLayout:
        theme = self._theme
        self.span = PlainLabel(theme, "", "small", "text-secondary")
        self.happenings = PlainLabel(theme, "", "small", "text-secondary")
        self.mark = IconMark(theme, "circle-x", "danger", 14)
        self.mark.hide()
        self.every = PlainLabel(theme, "", "small", "text-secondary")
        self.pause = Button(theme, "Pause", "pause", small=True)
        self.pause.setCheckable(True)
        self.pause.toggled.connect(self._on_pause)
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 9, 16, 9)
        bar.setSpacing(8)
        for widget in (self.span, self.mark, self.happenings):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.every)
        bar.addWidget(self.pause)
        return bar

    # When it samples

    def showEvent(self, event: QShowEvent) -> None:
        """Begins to sample."""
        super().showEvent(event)
        self._set_active(not self.pause.isChecked())

    def hideEvent(self, event: QHideEvent) -> None:
        """Stops."""
        super().hideEvent(event)
        self._set_active(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the table as high as its rows."""
        super().resizeEvent(event)
        self._fit_table()

    def _set_active(self, active: bool) -> None:
        self.history.set_active(active)
        self.top.set_active(active)

    def _on_pause(self, paused: bool) -> None:
        self.pause.setText("Go on" if paused else "Pause")
        self.pause.set_icon("play" if paused else "pause")
        self._tell_pace()
        self._set_active(self.isVisible() and not paused)

    def _tell_pace(self) -> None:
        """How often figures come; nothing where none come, which the words below the charts explain."""
        paused = self.pause.isChecked()
        for chart in self.charts:
            chart.set_faded(not self._measurable())
        self.every.setText("Paused" if paused else "Every second" if self._measurable() else "")

    def _measurable(self) -> bool:
        return self._alive() and not self._session.stores.containers.stale

    def _alive(self) -> bool:
        row = self._session.stores.containers.get(self._id)
        return row is not None and row.state in ("running", "paused")

    # What it shows

    def _on_state_changed(self, state: EngineState) -> None:
        if state.phase is Phase.CONNECTED:
            self._ask_system()
        self._on_top()

    def _on_store_changed(self, delta: Delta) -> None:
        if delta.reset or self._id in delta.changed or self._id in delta.removed:
            self._on_ticked()
            self._on_top()

    def _ask_system(self) -> None:
        self._session.ask(lambda engine: system.info(engine), self._on_system, lambda _error: None, owner=self)

    def _on_system(self, found: SystemState) -> None:
        self._memory = found.mem_total
        self._on_ticked()

    def _on_ticked(self) -> None:
        points = self.history.points
        end = points[-1].at if points else time.time()
        span = span_of(points[-1].at - points[0].at if points else 0.0)
        self.span.setText(f"Last {span // 60} minutes")
        start = end - span
        self.cpu.set_series([self._series("CPU", "chart-1", lambda p: p.cpu)], start, end)
        self.memory.set_series([self._series("Memory", "chart-3", lambda p: p.memory)], start, end)
        self.network.set_series(
            [
                self._series("In", "chart-1", lambda p: p.net_in),
                self._series("Out", "chart-2", lambda p: p.net_out, dashed=True),
            ],
            start,
            end,
        )
        self.disk.set_series(
            [
                self._series("Read", "chart-4", lambda p: p.read),
                self._series("Write", "chart-5", lambda p: p.write, dashed=True),
            ],
            start,
            end,
        )
        self._show_heads(points[-1] if points and self._alive() else None)

    def _series(self, name: str, token: str, take: Take, *, dashed: bool = False) -> Series:
        return Series(name, token, tuple((p.at, take(p)) for p in self.history.points), dashed)

    def _show_heads(self, last: Point | None) -> None:
        sample = self.history.latest
        cores = f"of {plural(sample.cores, 'core')}" if sample is not None and sample.cores else ""
        self.cpu.set_head(percent_text(last.cpu if last else None), cores)
        limit = limit_of(sample, self._memory) if sample is not None else 0
        peak = f"peak {bytes_text(self.history.peak)}" if self.history.peak else ""
        detail = ", ".join(part for part in (f"of {bytes_text(limit)}" if limit else "", peak) if part)
        self.memory.set_head(bytes_text(last.memory if last else None), detail)
        self.memory.set_limit(limit or None, f"Limit {bytes_text(limit)}")
        self.network.set_head(_both(last.net_in, last.net_out) if last else "–")
        self.disk.set_head(_both(last.read, last.write) if last else "–")

    def _on_top(self) -> None:
        self._tell_pace()
        found = processes(self.top.top) if self.top.top is not None else ()
        self.model.set_rows(rows(found, self.table.sort_column or "cpu", self.table.descending))
        self.count.setText(f"{len(found):,}" if found else "")
        self.table.setVisible(bool(found))
        store = self._session.stores.containers
        row = store.get(self._id)
        if store.stale:
            words = f"{GONE}. Figures appear once it is back."
        elif row is not None and is_running(row):
            words = "Asking for its processes"
        else:
            words = "It is not running. Figures appear once it does."
        self.idle.setText(words)
        self.idle.setVisible(not found)
        self._fit_table()

    def _fit_table(self) -> None:
        row = self._theme.height("row_dense")
        self.table.setFixedHeight(self._theme.height("table_header") + self.model.rowCount() * row + 2)

    def _on_hovered(self, at: float) -> None:
        for chart in self.charts:
            chart.set_crosshair(at)

    def _on_happened(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if event.type == "container" and event.actor.id == self._id:
                at = event.time_nano / 1e9
                if event.action == "oom":
                    self._marks.append(Mark(at, "Out of memory", "danger"))
                elif event.action == "restart" or (event.action == "start" and self.history.points):
                    self._marks.append(Mark(at, "Restarted" if event.action == "restart" else "Started"))
        for i, chart in enumerate(self.charts):
            chart.set_marks(tuple(self._marks), words=i == 0)
        self._show_happenings()

    def _show_happenings(self) -> None:
        oom = sum(mark.role == "danger" for mark in self._marks)
        starts = len(self._marks) - oom
        words = [f"{oom} out of memory"] if oom else []
        if starts:
            words.append(plural(starts, "restart"))
        self.mark.setVisible(bool(oom))
        self.happenings.setText(" · ".join(words))


def _both(one: float | None, other: float | None) -> str:
    return rate_text(None if one is None and other is None else (one or 0) + (other or 0))
