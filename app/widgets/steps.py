"""StepsView: the steps of a long job by group, with their state, time and progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.painted import PaintedRows

HEADING, STEP, STEP_WITH_BAR = 30, 31, 54
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step. `bar` is the share done (0 to 1) with `bar_words` beside it; `calm` paints it as not begun."""

    key: str
    number: str
    text: str
    icon: str
    icon_token: str
    right: str = ""
    bar: float | None = None
    bar_words: str = ""
    calm: bool = False
    active: bool = False
    spoken: str = ""


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps under a heading."""

    name: str
    detail: str
    right: str
    rows: tuple[StepRow, ...]


class StepsView(PaintedRows):
    """`chosen(key)` when a person picks a step, by press or by arrow key."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Steps", "surface", parent)
        self._items: list[StepGroup | StepRow] = []
        self._current = ""
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def current(self) -> str:
        """The key of the chosen step, empty for none."""
        return self._current

    def set_groups(self, groups: Sequence[StepGroup]) -> None:
        """Replaces what is shown; the choice stays."""
        items: list[StepGroup | StepRow] = []
        for group in groups:
            items += [group, *group.rows] if group.name else group.rows
        if items != self._items:
            self._items = items
            self.set_heights([_height(i) for i in items])

    def set_current(self, key: str) -> None:
        """Marks a step and brings it into sight."""
        self._current = key
        for at, item in enumerate(self._items):
            if isinstance(item, StepRow) and item.key == key:
                self.show_row(at)
                self.setAccessibleDescription(item.spoken or f"{item.text} {item.right}")
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses a step."""
        row = self.row_at(round(event.position().y()))
        if row >= 0 and isinstance(item := self._items[row], StepRow):
            self._choose(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down move the choice."""
        move = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        steps = [i for i in self._items if isinstance(i, StepRow)]
        if move is None or not steps:
            super().keyPressEvent(event)
            return
        at = next((n for n, s in enumerate(steps) if s.key == self._current), -1 if move > 0 else len(steps))
        self._choose(steps[max(0, min(len(steps) - 1, at + move))])

    def paint_row(self, painter: QPainter, row: int, rect: QRect) -> None:
        """Paints a heading or a step."""
        item = self._items[row]
        if isinstance(item, StepGroup):
            self._paint_heading(painter, item, rect)
        else:
            self._paint_step(painter, item, rect)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, self.theme.color("border"))

    def _choose(self, item: StepRow) -> None:
        self.set_current(item.key)
        self.chosen.emit(item.key)

    def _paint_heading(self, painter: QPainter, group: StepGroup, rect: QRect) -> None:
        painter.fillRect(rect, self.theme.color("surface-alt"))
        right = self._text(painter, group.right, "small", "text-secondary", rect.adjusted(16, 0, -16, 0), right=True)
        left = rect.adjusted(16, 0, -16 - right - 12, 0)
        used = self._text(painter, group.name, "body_strong", "text", left)
        self._text(painter, group.detail, "small", "text-secondary", left.adjusted(used + 10, 0, 0, 0))

    def _paint_step(self, painter: QPainter, step: StepRow, rect: QRect) -> None:
        if step.key == self._current or step.active:
            painter.fillRect(rect, self.theme.color("hover"))
            painter.fillRect(rect.left(), rect.top(), 2, rect.height(), self.theme.color("accent-fill"))
        top = QRect(rect.left(), rect.top(), rect.width(), STEP)
        painter.drawPixmap(top.left() + 16, top.center().y() - 6, self.theme.pixmap(step.icon, step.icon_token, 14))
        self._text(painter, step.number, "small", "text-tertiary", QRect(top.left() + 40, top.top(), 24, STEP))
        right = self._text(painter, step.right, "small", "text-secondary", top.adjusted(16, 0, -16, 0), right=True)
        room = top.adjusted(64, 0, -16 - right - 12, 0)
        self._text(painter, step.text, "mono", "text-tertiary" if step.calm else "text", room)
        if step.bar is not None:
            low = QRect(rect.left() + 64, rect.top() + STEP - 4, rect.width() - 80, 22)
            used = self._text(painter, step.bar_words, "small", "text-secondary", low, right=True)
            track = QRect(low.left(), low.center().y() - 1, low.width() - used - 10, 4)
            painter.fillRect(track, self.theme.color("track"))
            track.setWidth(round(track.width() * min(1.0, step.bar)))
            painter.fillRect(track, self.theme.color("accent-fill"))

    def _text(self, painter: QPainter, text: str, kind: str, token: str, room: QRect, *, right: bool = False) -> int:
        font = self.theme.font(kind)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(self.theme.color(token))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, room.width()))
        painter.drawText(room, _RIGHT if right else _LEFT, shown)
        return metrics.horizontalAdvance(shown)


def _height(item: StepGroup | StepRow) -> int:
    if isinstance(item, StepGroup):
        return HEADING
    return STEP if item.bar is None else STEP_WITH_BAR
