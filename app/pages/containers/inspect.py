"""The Inspect tab: the engine's own JSON as a tree, with search and copy; environment values hidden until asked for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.presentation.units import masked
from app.theme import Theme
from app.widgets.buttons import Button, IconButton
from app.widgets.cards import Hairline
from app.widgets.jsontree import JsonTree, Path
from app.widgets.search import SearchField
from app.widgets.shortcuts import bind
from app.widgets.text import PlainLabel


def hide_env(path: Path, text: str) -> str:
    """`NAME=value` of Config.Env with its value hidden; everything else as it is."""
    if path[:2] != ("Config", "Env") or "=" not in text:
        return text
    name, _, value = text.partition("=")
    return f"{name}={masked(value)}"


class InspectTab(QWidget):
    """Search, step, show or hide values, copy."""

    def __init__(self, theme: Theme, copy: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._raw = b""
        self.tree = JsonTree(theme, hide_env)
        self.tree.copied.connect(copy)
        self.search = SearchField(theme, "Search keys and values")
        self.search.setFixedWidth(280)
        self.count = PlainLabel(theme, "", "small", "text-secondary")
        self.previous = IconButton(theme, "chevron-up", "Previous match", "Shift F3")
        self.next = IconButton(theme, "chevron-down", "Next match", "F3")
        self.eye = IconButton(theme, "eye", "Show environment values", toggle=True)
        self.fold = IconButton(theme, "minimize-2", "Fold all")
        self.unfold = IconButton(theme, "maximize-2", "Unfold all")
        self.copy_all = Button(theme, "Copy all", "copy")
        self.copy_all.clicked.connect(lambda: copy(self.tree.everything()))
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 6, 16, 6)
        bar.setSpacing(4)
        left: tuple[QWidget, ...] = (self.search, self.previous, self.next, self.count)
        right: tuple[QWidget, ...] = (self.eye, self.fold, self.unfold, self.copy_all)
        for widget in left:
            bar.addWidget(widget)
        bar.addStretch(1)
        for widget in right:
            bar.addWidget(widget)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(bar)
        whole.addWidget(Hairline(theme))
        whole.addWidget(self.tree, 1)
        self.search.changed.connect(self._on_search)
        self.search.returnPressed.connect(lambda: self.tree.step(1))
        self.previous.clicked.connect(lambda: self.tree.step(-1))
        self.next.clicked.connect(lambda: self.tree.step(1))
        self.eye.toggled.connect(self._on_eye)
        self.fold.clicked.connect(lambda: self.tree.expand_all(False))
        self.unfold.clicked.connect(lambda: self.tree.expand_all(True))
        self.tree.found.connect(self._on_found)
        bind(self, "F3", lambda: self.tree.step(1), window=False)
        bind(self, "Shift+F3", lambda: self.tree.step(-1), window=False)

    def show_raw(self, raw: bytes) -> None:
        """Shows an inspect answer; the same one twice changes nothing."""
        if raw != self._raw:
            self._raw = raw
            self.tree.set_json(raw)
            if text := self.search.text().strip():
                self.tree.search(text)

    def focus_search(self) -> None:
        """Puts the keyboard into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _on_search(self, text: str) -> None:
        self.tree.search(text.strip())

    def _on_found(self, at: int, count: int) -> None:
        searched = bool(self.search.text().strip())
        self.count.setText(f"{at:,} of {count:,}" if count else "Nothing found" if searched else "")

    def _on_eye(self, seen: bool) -> None:
        self.tree.set_hidden(not seen)
        self.eye.set_icon("eye-off" if seen else "eye")
        self.eye.set_name("Hide environment values" if seen else "Show environment values")
