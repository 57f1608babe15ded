"""A window that draws the components side by side, for looking at.

Run `python -m tests.app.gallery [light|dark] [file.png]`.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.theme import Theme
from app.widgets import paint
from app.widgets.banners import Banner
from app.widgets.buttons import Button, IconButton, LinkButton
from app.widgets.chips import Chip, FilterChip, PortChip, StateChip
from app.widgets.confirm import Confirm
from app.widgets.fields import Checkbox, Field, LineEdit, Radio, Select, Switch
from app.widgets.menus import Menu
from app.widgets.segments import Segments, Tabs
from app.widgets.states import EmptyState, ProgressBar, Ring, Skeleton
from app.widgets.text import PlainLabel
from app.widgets.toasts import Toast

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Gallery(QWidget):
    """All components at fixed places, 1280x800."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.resize(1280, 800)
        self._heads()
        self._buttons()
        self._fields()
        self._chips()
        self._types()
        self._toasts()
        self._menu()
        self._progress()

    def put(self, widget: QWidget, x: int, y: int, width: int = 0, height: int = 0) -> None:
        widget.setParent(self)
        size = widget.sizeHint()
        widget.setGeometry(x, y, width or size.width(), height or size.height())

    def label(self, text: str, kind: str, token: str, box: QRect, align: Qt.AlignmentFlag) -> None:
        label = PlainLabel(self._theme, text, kind, token)
        label.setAlignment(align)
        self.put(label, box.x(), box.y(), box.width(), box.height())

    def caption(self, text: str, x: int, y: int) -> None:
        box = QRect(x - 80, y, 160, 14)
        self.label(text, "caption", "text-tertiary", box, Qt.AlignmentFlag.AlignCenter)

    def _heads(self) -> None:
        heads = {
            (24, 20): "BUTTONS",
            (24, 217): "FIELDS",
            (24, 441): "CHIPS",
            (24, 533): "TABS AND SEGMENTS",
            (24, 609): "TYPE",
            (436, 20): "TOASTS: THE RESULT OF A CLICK",
            (436, 184): "BANNERS: A STATE THAT LASTS",
            (436, 360): "DIALOG: ONLY FOR WHAT CANNOT BE UNDONE",
            (436, 582): "CHART PALETTE",
            (856, 20): "MENU AND TOOLTIP",
            (856, 284): "PROGRESS",
            (856, 366): "SKELETON (after 150 ms)",
            (856, 636): "SMALL EMPTY STATE",
        }
        for (x, y), text in heads.items():
            label = PlainLabel(self._theme, text, "caption", "text-secondary")
            label.setFont(self._theme.make_font(11, 600, spacing=0.1))
            self.put(label, x, y)

    def _buttons(self) -> None:
        theme = self._theme
        for x, text in ((24, "primary"), (97, "hover"), (170, "pressed"), (242, "focus")):
            button = Button(theme, "Run…", kind="primary")
            self.put(button, x, 42)
            if text == "hover":
                button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
            button.setDown(text == "pressed")
            self.caption(text, button.geometry().center().x(), 75)
            self.focused = button
        second: list[tuple[QPushButton, int, str]] = [
            (Button(theme, "Restart", "rotate-cw"), 24, "default"),
            (Button(theme, "Copy", "copy", "ghost"), 128, "ghost, hover"),
            (IconButton(theme, "ellipsis", "More", kind="default"), 220, "icon"),
            (Button(theme, "Stop"), 264, "disabled"),
        ]
        second[1][0].setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
        second[3][0].setEnabled(False)
        third: list[tuple[QPushButton, int, str]] = [
            (Button(theme, "Remove volume", kind="danger"), 24, "destructive, dialogs only"),
            (Button(theme, "Remove…", "trash-2", "danger-text"), 165, "opens a dialog"),
            (IconButton(theme, "clock", "Timestamps", toggle=True), 284, "toggle on"),
        ]
        third[2][0].setChecked(True)
        for row, y in ((second, 97), (third, 152)):
            for pressed, x, text in row:
                self.put(pressed, x, y)
                self.caption(text, max(pressed.geometry().center().x(), 87 if x == 24 and y == 152 else 0), y + 33)

    def _fields(self) -> None:
        theme = self._theme
        name = Field(theme, "Name", LineEdit(theme, "web"), "Letters, digits, - and _", column=False)
        self.memory = LineEdit(theme, suffix="MB")
        self.memory.setText("512")
        memory = Field(theme, "Memory limit", self.memory, "Of 16 GB on this engine", column=False)
        port_edit = LineEdit(theme, mono=True)
        port_edit.setText("80800")
        port = Field(theme, "Host port", port_edit, column=False)
        port.set_error("Use 1 to 65535")
        network = Field(
            theme, "Network", Select(theme, [("shop_default", "shop_default"), ("host", "host")]), column=False
        )
        for field, x, y in ((name, 24, 239), (memory, 226, 239), (port, 24, 321), (network, 226, 321)):
            self.put(field, x, y, 190)
        marks = (
            (Checkbox(theme, "Ticked", True), 24),
            (Checkbox(theme, "Not"), 99),
            (Radio(theme, "One", True), 155),
            (Radio(theme, "Other"), 214),
            (Switch(theme, "On", "On", True), 283),
            (Switch(theme, "Off", "Off"), 351),
        )
        for mark, x in marks:
            if isinstance(mark, Radio):
                mark.setAutoExclusive(False)
            self.put(mark, x, 404)

    def _chips(self) -> None:
        theme = self._theme
        states = (
            ("dot", "Running", "success", 24),
            ("heart-pulse", "Unhealthy", "warning", 105),
            ("circle-x", "Exited 137", "danger", 204),
            ("loader", "Building", "info", 308),
        )
        for icon, word, role, x in states:
            self.put(StateChip(theme, icon, word, role), x, 463)
        self.put(StateChip(theme, "pause", "Paused", "neutral"), 24, 493)
        self.put(PortChip(theme, "8080"), 108, 494)
        self.put(Chip(theme, "dev"), 170, 494)
        self.put(FilterChip(theme, "status: running"), 213, 494)
        self.put(Chip(theme, "Ctrl K", key=True), 332, 495)
        self.put(Tabs(theme, [("logs", "Logs"), ("stats", "Stats"), ("files", "Files")]), 24, 555)
        segments = Segments(theme, [("all", "All"), ("running", "Running")])
        segments.set_counts({"all": 14, "running": 8})
        self.put(segments, 180, 559)

    def _types(self) -> None:
        lines = (
            (647, "No engine is running yet", "display", "display 20/28 600", "text"),
            (675, "Containers", "title", "title 17/24 600", "text"),
            (699, "Run a container", "heading", "heading 15/20 600", "text"),
            (721, "Body and table cells, 1,204 lines", "body", "body 13/18 400", "text"),
            (743, "Secondary text, captions", "small", "small 12/16 400", "text-secondary"),
            (766, "docker run -d nginx:1.27", "mono", "mono 12/20 400", "text"),
        )
        for middle, text, kind, words, token in lines:
            self.label(text, kind, token, QRect(24, middle - 14, 280, 28), Qt.AlignmentFlag.AlignVCenter)
            self.label(words, "caption", "text-tertiary", QRect(256, middle - 7, 160, 14), _RIGHT)

    def _toasts(self) -> None:
        theme = self._theme
        detail = "It had 10 s to finish and used 2 s."
        self.toasts = [
            Toast(theme, self, "success", "Stopped worker", detail, "Start", True),
            Toast(theme, self, "error", "Could not remove nginx", "web is running from it.", "Stop and remove", True),
        ]
        for number, toast in enumerate(self.toasts):
            toast.move(436, 42 + number * 67)
        banners = (
            Banner(theme, "error", "Engine not answering", "Trying again in 4 s", "Try now", "unplug", True),
            Banner(theme, "warning", "Disk almost full", "2.1 of 64 GB left", "Clean up…", "", True),
            Banner(theme, "info", "Update ready", "Pilothouse 1.4", "Restart", "", True),
        )
        for number, banner in enumerate(banners):
            self.put(banner, 436, 206 + number * 48, 400, 40)
        detail = "It holds 1.8 GB written by db. There is no copy, and it cannot be undone."
        option = [("backup", "Save a backup first (.tar)", False)]
        confirm = Confirm(theme, self, "Remove the volume shop_pgdata?", detail, act="Remove volume", options=option)
        confirm.open()
        confirm.content.removeEventFilter(confirm)
        self.removeEventFilter(confirm)
        self.panel = confirm.panel
        self.panel.setParent(self)
        self.panel.move(436, 382)
        self.panel.show()
        confirm.hide()
        for number, name in enumerate(("teal", "orange", "violet", "olive", "plum", "grey")):
            self.caption(name, 467 + round(number * 67.8), 629)

    def _menu(self) -> None:
        menu = Menu(self._theme)
        menu.add("scroll-text", "Logs", "L")
        terminal = menu.add("terminal", "Terminal", "T")
        menu.add("arrow-up-right", "Open port 8000", "O")
        menu.separator()
        menu.add("rotate-cw", "Restart", "R")
        menu.add("square", "Stop", "S")
        menu.add("copy", "Copy command", "Ctrl ⇧ C")
        menu.separator()
        menu.add("trash-2", "Remove…", "Del", danger=True)
        menu.popup_at(QPoint(0, 0))
        menu.setActiveAction(terminal)
        self.menu = menu
        self.menu_picture = menu.grab()
        self.menu_offset = menu.box().topLeft()
        menu.hide()

    def _progress(self) -> None:
        theme = self._theme
        bar = ProgressBar(theme)
        bar.set(38, 62, "38 of 62 MB")
        self.put(bar, 856, 305, 400)
        self.put(Ring(theme), 856, 333)
        self.label("Pulling postgres:16.3", "small", "text-secondary", QRect(878, 332, 200, 16), _RIGHT & ~_RIGHT)
        cancel = LinkButton(theme, "Cancel")
        self.put(cancel, 1256 - cancel.sizeHint().width(), 330)
        skeleton = Skeleton(theme, 2)
        skeleton.show_now()
        self.put(skeleton, 856, 388, 400, 68)
        sentence = "Volumes keep data when a container is removed."
        self.put(EmptyState(theme, "hard-drive", "No volumes yet", sentence, "Create volume…"), 856, 658, 400, 126)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        for toast in self.toasts:
            paint.shadow(painter, theme, toast.geometry(), theme.radius("card"), "popover")
        paint.shadow(painter, theme, self.panel.geometry(), theme.radius("dialog"), "dialog")
        painter.drawPixmap(QPoint(856, 42) - self.menu_offset, self.menu_picture)
        for number in range(6):
            box = QRect(436 + round(number * 67.7), 604, 62, 22)
            paint.rounded(painter, box, 3, theme.color(f"chart-{number + 1}"))
        paint.rounded(painter, QRect(856, 658, 400, 126), 8, None, theme.color("border"))


def render(mode: str) -> QWidget:
    """The gallery in `mode`, shown, with the focus where the picture has it."""
    app = QApplication.instance() or QApplication([])
    theme = Theme("dark" if mode == "dark" else "light", app)
    assert isinstance(app, QApplication)
    theme.apply(app)
    window = Gallery(theme)
    window.show()
    window.activateWindow()
    window.memory.setFocus()
    window.focused.show_ring()
    return window


if __name__ == "__main__":
    shown = render(sys.argv[1] if len(sys.argv) > 1 else "light")
    if len(sys.argv) > 2:
        shown.grab().save(sys.argv[2])
    else:
        sys.exit(QApplication.exec())
