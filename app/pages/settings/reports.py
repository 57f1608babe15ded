"""Offers the reports of earlier runs that ended badly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.crash import CrashReport, keep
from app.theme import Theme
from app.widgets.dialogs import Dialog
from app.widgets.forms import TextEdit
from app.widgets.text import PlainLabel


class CrashReportDialog(Dialog):
    """Shows the newest report as plain text; it can be copied, and all of them deleted. What is kept was seen."""

    def __init__(self, theme: Theme, window: QWidget, reports: Sequence[CrashReport]) -> None:
        super().__init__(theme, window, "Pilothouse ended badly", 680)
        self._reports = tuple(reports)
        newest = reports[0].text
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(reports[0].at))
        self.body.addWidget(
            PlainLabel(
                theme,
                f"That was on {when}. This report says where; it holds no values, and it goes nowhere by itself.",
                wrap=True,
            )
        )
        self.text = TextEdit(theme, lines=14, read_only=True)
        self.text.setAccessibleName("Report")
        self.text.setText(newest)
        self.body.addWidget(self.text)
        self.add_button("Delete it", "ghost", self._on_delete)
        self.add_button("Copy", "default", lambda: QGuiApplication.clipboard().setText(newest))
        self.add_button("Keep it", "primary", self.accept)
        self.finished.connect(self._on_finished)

    def _on_delete(self) -> None:
        for report in self._reports:
            with suppress(OSError):
                report.path.unlink()
        self._reports = ()
        self.accept()

    def _on_finished(self) -> None:
        for report in self._reports:
            with suppress(OSError):
                keep(report)
