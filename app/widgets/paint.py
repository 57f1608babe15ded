"""Painting that several widgets share: rounded boxes, hairlines, shadows and one line of text."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QMargins, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from app.theme import Theme

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def rounded(
    painter: QPainter,
    rect: QRect,
    radius: float,
    fill: QColor | None = None,
    line: QColor | None = None,
    width: float = 1,
) -> None:
    """A box with round corners whose line of `width` pixels lies wholly inside `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRectF(rect)
    if line is None:
        painter.setPen(Qt.PenStyle.NoPen)
    else:
        painter.setPen(QPen(line, width))
        box.adjust(width / 2, width / 2, -width / 2, -width / 2)
        radius -= width / 2
    if fill is None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
    else:
        painter.setBrush(fill)
    painter.drawRoundedRect(box, radius, radius)


def hairline(painter: QPainter, rect: QRect, color: QColor, *, at: str = "bottom") -> None:
    """A line of one device pixel along an edge of `rect`: top, bottom, left or right."""
    thin = 1 / painter.device().devicePixelRatioF()
    box = QRectF(rect)
    if at == "bottom":
        box.setTop(box.bottom() - thin)
    elif at == "top":
        box.setBottom(box.top() + thin)
    elif at == "left":
        box.setRight(box.left() + thin)
    else:
        box.setLeft(box.right() - thin)
    painter.fillRect(box, color)


def text(
    painter: QPainter,
    rect: QRect,
    words: str,
    font: QFont,
    color: QColor,
    align: Qt.AlignmentFlag = _LEFT,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    """One line of plain text in `rect`, elided if it does not fit."""
    painter.setFont(font)
    painter.setPen(color)
    metrics = QFontMetrics(font)
    if metrics.horizontalAdvance(words) > rect.width():
        words = metrics.elidedText(words, elide, rect.width())
    painter.drawText(rect, align | Qt.TextFlag.TextSingleLine, words)


def width_of(words: str, font: QFont) -> int:
    """The width of one line of text in whole pixels, rounded up."""
    return QFontMetrics(font).horizontalAdvance(words)


def icon(painter: QPainter, theme: Theme, rect: QRect, name: str, token: str, size: int) -> None:
    """An icon in the middle of `rect`."""
    pixmap = theme.pixmap(name, token, size, painter.device().devicePixelRatioF())
    left = rect.x() + (rect.width() - size) / 2
    top = rect.y() + (rect.height() - size) / 2
    painter.drawPixmap(QPointF(math.floor(left), math.floor(top)), pixmap)


def mix(one: QColor, other: QColor, share: float) -> QColor:
    """The colour that lies `share` (0 to 1) of the way from `one` to `other`."""
    return QColor(
        round(one.red() + (other.red() - one.red()) * share),
        round(one.green() + (other.green() - one.green()) * share),
        round(one.blue() + (other.blue() - one.blue()) * share),
    )


@lru_cache(maxsize=8)
def _shadow_patch(blur: int, radius: int, rgba: int) -> QPixmap:
    """A blurred round box as nine patches with corners of 2 * blur + radius pixels."""
    edge = 2 * blur + radius
    side = 2 * edge + 1
    patch = QPixmap(side, side)
    patch.fill(Qt.GlobalColor.transparent)
    painter = QPainter(patch)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Plus)
    painter.setPen(Qt.PenStyle.NoPen)
    sigma = blur / 2

    def cover(out: float) -> float:
        return 0.5 * math.erfc(out / (sigma * math.sqrt(2)))

    for out in range(blur, -blur, -1):
        grown = edge - blur - out
        weight = cover(out - 1) - cover(out)
        painter.setBrush(QColor(0, 0, 0, round(255 * weight)))
        corner = max(1.0, radius + out)
        painter.drawRoundedRect(QRectF(grown, grown, side - 2 * grown, side - 2 * grown), corner, corner)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    color = QColor.fromRgba(rgba)
    painter.fillRect(patch.rect(), QColor(color.red(), color.green(), color.blue()))
    painter.end()
    return patch


def shadow_margins(theme: Theme, name: str) -> QMargins:
    """How far the shadow of `popover` or `dialog` reaches beyond its box."""
    right, down, blur, _color = theme.shadow(name)
    return QMargins(blur - right, max(0, blur - down), blur + right, blur + down)


def shadow(painter: QPainter, theme: Theme, rect: QRect, radius: int, name: str) -> None:
    """The shadow of a box `rect` (not the box itself)."""
    right, down, blur, color = theme.shadow(name)
    patch = _shadow_patch(blur, radius, color.rgba())
    edge = 2 * blur + radius
    box = QRect(rect).translated(right, down).marginsAdded(QMargins(blur, blur, blur, blur))
    if box.width() < 2 * edge or box.height() < 2 * edge:
        edge = min(box.width(), box.height()) // 2
    painter.save()
    painter.setOpacity(painter.opacity() * color.alphaF())
    side = patch.width()
    source = (0, side // 2 if edge < side // 2 else edge, side - edge)
    left = (box.left(), box.left() + edge, box.right() + 1 - edge)
    tops = (box.top(), box.top() + edge, box.bottom() + 1 - edge)
    middle_w, middle_h = box.width() - 2 * edge, box.height() - 2 * edge
    for column, x in enumerate(left):
        for row, y in enumerate(tops):
            width = middle_w if column == 1 else edge
            height = middle_h if row == 1 else edge
            piece = QRect(source[column], source[row], 1 if column == 1 else edge, 1 if row == 1 else edge)
            painter.drawPixmap(QRect(x, y, width, height), patch, piece)
    painter.restore()


def chevron(painter: QPainter, theme: Theme, rect: QRect, token: str, *, open_: bool) -> None:
    """The mark of a part that folds."""
    icon(painter, theme, rect, "chevron-down" if open_ else "chevron-right", token, theme.icon_size("button"))


def clip_round(painter: QPainter, rect: QRect, radius: float) -> None:
    """Let nothing be painted outside a round box."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(rect), radius, radius)
    painter.setClipPath(path)


def field_frame(painter: QPainter, theme: Theme, rect: QRect, *, focused: bool, error: bool, enabled: bool) -> None:
    """The box of a field; focus and error are 2 px, inside."""
    fill = theme.color("surface" if enabled else "surface-alt")
    token = "danger" if error else "focus" if focused else "control-border" if enabled else "border-strong"
    rounded(painter, rect, theme.radius("control"), fill, theme.color(token), 2 if focused or error else 1)


def clear_base(widget: QWidget) -> None:
    """Let `widget` paint no background of its own."""
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Base, QColor(0, 0, 0, 0))
    widget.setPalette(palette)
