"""Opening a folder of this computer in the program that shows folders."""

from __future__ import annotations


def open_folder(path: str) -> None:
    """Shows it there."""
    from PySide6.QtCore import QUrl
    from PySide6.QtGui import QDesktopServices

    QDesktopServices.openUrl(QUrl.fromLocalFile(path))
