"""The question before something that cannot be undone."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.cards import InsetPanel
from app.widgets.choices import Checkbox
from app.widgets.dialogs import Dialog
from app.widgets.text import PlainLabel, visible_name

_MOST_SHOWN = 200
_FOOTER = 54


class Confirm(Dialog):
    """What happens, what goes (`goes`), options to tick, and two buttons that say what they do.

    `chosen` tells the options as a dict of key to bool; `cancelled` that nothing is to be done; `changed` tells the
    options whenever one is ticked or not. `danger=False` gives the act the primary look.
    """

    chosen = Signal(dict)
    changed = Signal(dict)
    cancelled = Signal()

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        title: str,
        detail: str = "",
        keep: str = "Keep it",
        act: str = "Remove",
        options: Sequence[tuple[str, str, bool]] = (),
        goes: Sequence[str] = (),
        danger: bool = True,
    ) -> None:
        super().__init__(theme, window, title, theme.width("confirm") if not goes else 440, closable=False)
        self._header.hide()
        self.body.setContentsMargins(20, 17, 20, 15)
        self.body.setSpacing(0)
        self._asked = PlainLabel(theme, title, "heading", wrap=True)
        self.body.addWidget(self._asked)
        self._detail = PlainLabel(theme, detail, "body", "text-secondary", wrap=True)
        if detail:
            self.body.addSpacing(7)
            self.body.addWidget(self._detail)
        self._goes: list[PlainLabel] = []
        self._list: QWidget | None = None
        if goes:
            self.body.addSpacing(12)
            self._list = self._list_of(goes)
            self.body.addWidget(self._list)
        self._boxes: dict[str, Checkbox] = {}
        for key, text, checked in options:
            self.body.addSpacing(11)
            box = Checkbox(theme, text, checked)
            box.toggled.connect(lambda _checked: self.changed.emit(self.ticked()))
            self._boxes[key] = box
            self.body.addWidget(box)
        self.body.addStretch(1)
        self.keep = self.add_button(keep, "default", self.reject)
        self.act = self.add_button(act, "danger" if danger else "primary", self.accept)
        self.set_footer_height(_FOOTER)
        self.finished.connect(self._on_finished)

    def _list_of(self, goes: Sequence[str]) -> QWidget:
        panel = InsetPanel(self._theme, 12)
        self._goes.clear()
        rows = QVBoxLayout()
        rows.setSpacing(2)
        self._lines = len(goes)
        for name in goes[:_MOST_SHOWN]:
            elide = Qt.TextElideMode.ElideMiddle
            self._goes.append(PlainLabel(self._theme, visible_name(name), "mono", elide=elide))
            rows.addWidget(self._goes[-1])
        if len(goes) > _MOST_SHOWN:
            rows.addWidget(PlainLabel(self._theme, f"and {len(goes) - _MOST_SHOWN:,} more", "small", "text-secondary"))
        panel.body.addLayout(rows)
        return panel

    def set_goes(self, goes: Sequence[str]) -> None:
        """Other words for what goes, in a question that had some from the beginning."""
        if self._list is None:
            return
        if len(goes) != self._lines:
            old, self._list = self._list, self._list_of(goes)
            self.body.replaceWidget(old, self._list)
            self._list.setVisible(bool(goes))
            old.hide()
            old.deleteLater()
        for label, name in zip(self._goes, goes, strict=False):
            label.setText(visible_name(name))

    def set_words(self, title: str, detail: str) -> None:
        """Another title, and another detail in a question that had one from the beginning."""
        self.set_title(title)
        self.panel.setAccessibleName(title)
        self._asked.setText(title)
        self._detail.setText(detail)

    def set_option(self, key: str, text: str) -> None:
        """Another text for an option; without one it is neither offered nor ticked."""
        box = self._boxes[key]
        box.setText(text)
        box.setVisible(bool(text))
        if not text:
            box.setChecked(False)

    def ticked(self) -> dict[str, bool]:
        """The options as they are ticked now."""
        return {key: box.isChecked() for key, box in self._boxes.items()}

    def open(self) -> None:
        """Show it with the focus on the button that keeps."""
        super().open()
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_finished(self, accepted: bool) -> None:
        if accepted:
            self.chosen.emit(self.ticked())
        else:
            self.cancelled.emit()
