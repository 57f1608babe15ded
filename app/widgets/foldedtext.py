"""FoldedText: lines of another program, folded away until a person wants them, and copied with one press."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import LinkButton
from app.widgets.forms import TextEdit


class FoldedText(QWidget):
    """`title` stands beside the arrow; the text is monospaced and read only."""

    def __init__(self, theme: Theme, title: str, lines: int = 8, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.text = TextEdit(theme, lines=lines, read_only=True)
        self.text.setAccessibleName(title)
        self.fold = LinkButton(theme, title, "chevron-right")
        self.fold.clicked.connect(lambda: self.set_open(self.text.isHidden()))
        self._copy = LinkButton(theme, "Copy", "copy")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.text()))
        head = QHBoxLayout()
        head.addWidget(self.fold)
        head.addStretch(1)
        head.addWidget(self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.text)
        self.set_open(False)
        self.set_lines(())

    def set_lines(self, lines: Sequence[str]) -> None:
        """Other lines; without any nothing is shown."""
        words = "\n".join(lines)
        if words != self.text.text():
            self.text.setText(words)
            bar = self.text.edit.verticalScrollBar()
            bar.setValue(bar.maximum())
        self.setVisible(bool(lines))

    def set_open(self, wanted: bool) -> None:
        """Shows the text, or folds it away."""
        self.text.setVisible(wanted)
        self.fold.set_icon("chevron-down" if wanted else "chevron-right")
        self.fold.setAccessibleDescription("Shown" if wanted else "Folded away")
