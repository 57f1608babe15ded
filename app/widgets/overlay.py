"""What lies over a window, for those that have to keep out of its way: overlays over all of it, floating bars."""

from __future__ import annotations

from typing import ClassVar
from weakref import WeakSet

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget


class Overlay(QWidget):
    """A child of its window; the `panel` is what is seen of it."""

    panel: QWidget

    def footer_box(self) -> QRect:
        """Where in the window its buttons stand, which nothing may cover; empty without any."""
        return QRect()


class Floating(QWidget):
    """A bar with buttons that floats over a part of its window. Toasts stay off all that are among `bars`."""

    bars: ClassVar[WeakSet[QWidget]] = WeakSet()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.bars.add(self)


def box_in(window: QWidget, bar: QWidget) -> QRect:
    """Where a bar is in `window`; empty while it is not shown there."""
    here = bar.isVisible() and bar.window() is window
    return QRect(bar.mapTo(window, QPoint()), bar.size()) if here else QRect()


def overlays(window: QWidget) -> list[Overlay]:
    """Those open over `window`, the topmost last."""
    return [child for child in window.children() if isinstance(child, Overlay) and child.isVisible()]


def is_covered(window: QWidget) -> bool:
    """Whether one is open over `window`, so that its own keys must rest."""
    return bool(overlays(window))
