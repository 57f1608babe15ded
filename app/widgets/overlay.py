"""Overlay: what lies over a whole window while it is open, for those that only have to keep out of its way."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget


class Overlay(QWidget):
    """A child of its window; the `panel` is what is seen of it."""

    panel: QWidget

    def footer_box(self) -> QRect:
        """Where in the window its buttons stand, which nothing may cover; empty without any."""
        return QRect()


def overlays(window: QWidget) -> list[Overlay]:
    """Those open over `window`, the topmost last."""
    return [child for child in window.children() if isinstance(child, Overlay) and child.isVisible()]


def is_covered(window: QWidget) -> bool:
    """Whether one is open over `window`, so that its own keys must rest."""
    return bool(overlays(window))
