"""How one cell of a table is painted: icon or dot, text, sparkline, bar and chips."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.theme import Theme
from app.widgets.cells import Cell, Column
from app.widgets.ink import Face, Ink

SPARK_WIDTH = 44
SPARK_GAP = 6
SPARK_HEIGHT = 16
SPARK_SAMPLES = 22
BAR_WIDTH = 44
BAR_HEIGHT = 4
BAR_GAP = 8
BAR_WARNING = 0.85
BAR_DANGER = 0.98
ICON_SPACE = 23
DOT_SPACE = 14
CHIP_PAD = 7
CHIP_GAP = 4
CHIP_HEIGHT = 20
CHIP_ARROW = 10
MORE_GAP = 6
CHIP_FACE: Face = (11, 400, True)
SMALL: Face = (12, 400, False)


class Place(NamedTuple):
    """Where a cell stands: its corner and size in px, and the row's baseline."""

    x: int
    top: int
    width: int
    height: int
    baseline: int


def face_of(cell: Cell) -> Face:
    """The font of a cell's text."""
    return (12 if cell.small or cell.mono else 13, cell.weight, cell.mono)


def paint(
    painter: QPainter,
    theme: Theme,
    ink: Ink,
    cell: Cell,
    column: Column,
    place: Place,
    *,
    bar: bool = False,
    chip: int = -1,
    selected: bool = False,
) -> None:
    """Paints one cell."""
    left, right = _ends(cell, column, place.x, place.width, bar)
    if cell.spark:
        spark = spark_width(ink, cell, right - place.x)
        _paint_spark(painter, theme, cell, place, spark)
        left = place.x + spark + SPARK_GAP
    if bar and cell.bar is not None:
        _paint_bar(painter, theme, cell, place.x + place.width - column.pad - BAR_WIDTH, place)
    if cell.icon:
        y = place.top + (place.height - 16 + 1) // 2
        painter.drawPixmap(int(left) - ICON_SPACE, y, theme.pixmap(cell.icon, cell.icon_token or cell.token, 16))
    elif cell.dot:
        _paint_dot(painter, theme.color(cell.dot), left - (ICON_SPACE - 4 if column.lead else DOT_SPACE), place)
    if cell.text:
        _paint_text(painter, theme, ink, cell, left, right, place.baseline, right_aligned=_is_right(cell, column))
    if cell.chips:
        _paint_chips(painter, theme, ink, cell, place, chip=chip, selected=selected)


def spark_width(ink: Ink, cell: Cell, room: float) -> int:
    """How wide a sparkline is: the number beside it is never cut for it, so it gives up its oldest samples."""
    return max(0, min(SPARK_WIDTH, int(room - SPARK_GAP - ink.width(cell.text, face_of(cell)))))


def need(ink: Ink, cell: Cell, column: Column, bar: bool) -> int:
    """The width in px at which nothing of a cell is cut."""
    left, right = _ends(cell, column, 0, 0, bar)
    text = ink.width(cell.text, face_of(cell)) + (7 + ink.width(cell.secondary, SMALL) if cell.secondary else 0)
    chips = chip_boxes(ink, cell, 0, 10_000)
    return int(max(text + left - right, chips[-1][1] if chips else 0)) + 1


def is_cut(ink: Ink, cell: Cell, column: Column, width: int, bar: bool) -> bool:
    """Whether some of the text does not fit, or chips are left out."""
    return bool(cell.more) or need(ink, cell, column, bar) > width + 1


def chip_boxes(ink: Ink, cell: Cell, x: int, width: int) -> list[tuple[int, int]]:
    """The left and right ends of the chips that fit, with the count of the others behind them."""
    boxes: list[tuple[int, int]] = []
    at = x
    for text in cell.chips:
        end = at + CHIP_PAD * 2 + 5 + CHIP_ARROW + round(ink.width(text, CHIP_FACE))
        if end > x + width and boxes:
            break
        boxes.append((at, end))
        at = end + CHIP_GAP
    while len(boxes) > 1 and (more := _more_text(cell, len(boxes))):
        if boxes[-1][1] + MORE_GAP + ink.width(more, SMALL) <= x + width + CHIP_GAP:
            break
        boxes.pop()
    return boxes


def _more_text(cell: Cell, shown: int) -> str:
    more = cell.more + len(cell.chips) - shown
    return f"+{more}" if more > 0 else ""


def _is_right(cell: Cell, column: Column) -> bool:
    return cell.align_right or column.align_right


def _ends(cell: Cell, column: Column, x: int, width: int, bar: bool) -> tuple[float, float]:
    left, right = float(x), float(x + width - column.pad)
    if column.lead:
        left += column.lead
    elif cell.icon:
        left += ICON_SPACE
    elif cell.dot:
        left += DOT_SPACE
    if cell.spark:
        left += SPARK_WIDTH + SPARK_GAP
    if bar:
        right -= BAR_WIDTH + BAR_GAP
    return left, right


def _paint_text(
    painter: QPainter,
    theme: Theme,
    ink: Ink,
    cell: Cell,
    left: float,
    right: float,
    baseline: int,
    *,
    right_aligned: bool,
) -> None:
    face = face_of(cell)
    room = right - left - (_kept_for(ink, cell, right - left) if cell.elide == "middle" else 0)
    text = ink.elided(cell.text, face, room, cell.elide)
    x = right - ink.width(text, face) if right_aligned else left
    width = ink.draw(painter, x, baseline, text, face, cell.token)
    if cell.strike:
        painter.fillRect(QRectF(x, baseline - 4, width, 1), theme.color(cell.token))
    if cell.secondary:
        token = "text-tertiary" if cell.token == "text-tertiary" else "text-secondary"
        ink.draw_elided(painter, x + width + 7, baseline, cell.secondary, SMALL, token, right - x - width - 7)


def _kept_for(ink: Ink, cell: Cell, room: float) -> float:
    """What the words behind the text take of the room, at most two fifths."""
    return min(ink.width(cell.secondary, SMALL) + 7, room * 0.4) if cell.secondary else 0.0


def _paint_dot(painter: QPainter, color: QColor, x: float, place: Place) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(QRectF(x, place.top + (place.height - 8) / 2 + 0.5, 8, 8))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_bar(painter: QPainter, theme: Theme, cell: Cell, x: int, place: Place) -> None:
    share = cell.bar or 0.0
    y = place.top + (place.height - BAR_HEIGHT + 1) // 2
    limit = "danger-fill" if share >= BAR_DANGER else "warning-fill" if share >= BAR_WARNING else "chart-1"
    token = cell.bar_token or limit
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("track"))
    painter.drawRoundedRect(QRectF(x, y, BAR_WIDTH, BAR_HEIGHT), 2, 2)
    filled = min(max(share, 0.0), 1.0) * BAR_WIDTH
    if filled > 0:
        painter.setBrush(theme.color(token))
        painter.drawRoundedRect(QRectF(x, y, max(filled, 2.0), BAR_HEIGHT), 2, 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_spark(painter: QPainter, theme: Theme, cell: Cell, place: Place, width: int) -> None:
    bottom = place.top + (place.height + SPARK_HEIGHT) // 2 - 0.5
    step = SPARK_WIDTH / (SPARK_SAMPLES - 1)
    values = cell.spark[-min(SPARK_SAMPLES, int(width / step) + 1) :]
    if all(not value for value in values):
        painter.fillRect(QRectF(place.x, bottom - 0.5, width, 1), theme.color("border-strong"))
        return
    scale = (SPARK_HEIGHT - 2) / (cell.spark_max or 1)
    x = place.x + width - step * (len(values) - 1)
    line = theme.color("chart-1")
    fill = QColor(line)
    fill.setAlphaF(0.13)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    run: list[QPointF] = []
    for value in (*values, None):
        if value is not None:
            run.append(QPointF(x, bottom - min(value * scale, SPARK_HEIGHT - 1)))
        elif run:
            _paint_run(painter, run, bottom, line, fill)
            run = []
        x += step
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _paint_run(painter: QPainter, run: list[QPointF], bottom: float, line: QColor, fill: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    area = [QPointF(run[0].x(), bottom), *run, QPointF(run[-1].x(), bottom)]
    painter.drawPolygon(QPolygonF(area))
    painter.setPen(QPen(line, 1.2))
    painter.drawPolyline(QPolygonF(run))


def _paint_chips(
    painter: QPainter, theme: Theme, ink: Ink, cell: Cell, place: Place, *, chip: int, selected: bool
) -> None:
    y = place.top + (place.height - CHIP_HEIGHT + 1) // 2
    boxes = chip_boxes(ink, cell, place.x, place.width)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for i, (left, right) in enumerate(boxes):
        painter.setPen(QPen(theme.color("border-strong" if i == chip else "border"), 1))
        painter.setBrush(theme.color("raised-hover" if i == chip else "surface" if selected else "surface-alt"))
        painter.drawRoundedRect(QRectF(left + 0.5, y + 0.5, right - left - 1, CHIP_HEIGHT - 1), 4, 4)
        if i < len(cell.open_chips) and cell.open_chips[i]:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("warning-fill"))
            painter.drawEllipse(QRectF(right - 5.5, y + 2.5, 3, 3))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for i, ((left, right), text) in enumerate(zip(boxes, cell.chips, strict=False)):
        bad = i < len(cell.bad_chips) and cell.bad_chips[i]
        mark, token = ("triangle-alert", "danger") if bad else ("arrow-up-right", "accent")
        ink.draw(painter, left + CHIP_PAD, place.baseline - 1, text, CHIP_FACE, token)
        painter.drawPixmap(right - CHIP_PAD - CHIP_ARROW, y + 5, theme.pixmap(mark, token, CHIP_ARROW))
    if boxes and (more := _more_text(cell, len(boxes))):
        ink.draw(painter, boxes[-1][1] + MORE_GAP, place.baseline, more, SMALL, "text-secondary")
