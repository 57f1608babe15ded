"""Lucide outlines from resources/icons, tinted and drawn at a size."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

import resources

FOLDER = Path(resources.__file__).parent / "icons"
_log = logging.getLogger(__name__)


@lru_cache(maxsize=256)
def outline(name: str) -> str:
    """The SVG text of the icon `name`; empty if there is none (that is logged once)."""
    try:
        return (FOLDER / f"{name}.svg").read_text("utf-8")
    except OSError:
        _log.warning("There is no icon named %s", name)
        return ""


def draw(name: str, color: QColor, size: int, ratio: float, stroke: float) -> QPixmap:
    """A pixmap of `size` logical pixels with lines of `stroke` (in the 24 unit grid of Lucide) in `color`."""
    from PySide6.QtSvg import QSvgRenderer  # costs a few milliseconds, so only once an icon is seen

    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    text = outline(name)
    if text:
        text = text.replace("currentColor", color.name()).replace('stroke-width="2"', f'stroke-width="{stroke}"')
        painter = QPainter(pixmap)
        painter.setOpacity(color.alphaF())
        QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, size, size))
        painter.end()
    return pixmap
