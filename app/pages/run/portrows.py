"""The rows of published ports, each checked while one types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.commands.run.form import PortRow
from app.ports import PortAnswer
from app.theme import Theme
from app.widgets.buttons import IconButton, LinkButton
from app.widgets.choices import Switch
from app.widgets.fields import LineEdit, Select
from app.widgets.focus import stop_before
from app.widgets.states import IconMark
from app.widgets.text import PlainLabel

LOOPBACK = "127.0.0.1"
OPEN = ("", "0.0.0.0", "::")  # noqa: S104 - addresses that a row may carry
Check = Callable[[PortRow, Callable[[PortAnswer], None]], object]


class PortLine(QWidget):
    """One row: host port, container port, protocol, and what is known of the host port."""

    changed = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, row: PortRow, check: Check, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._check = theme, check
        self.address = row.host_ip
        self.answer: PortAnswer | None = None
        self.taken = ""
        self.said = ""
        self.host = LineEdit(theme, "Any", mono=True)
        self.host.setAccessibleName("Host port")
        self.host.setText(row.host)
        self.inside = LineEdit(theme, "80", mono=True)
        self.inside.setAccessibleName("Container port")
        self.inside.setText(row.container)
        self.protocol = Select(theme, [("tcp", "TCP"), ("udp", "UDP"), ("sctp", "SCTP")])
        self.protocol.setAccessibleName("Protocol")
        self.protocol.set_value(row.protocol)
        self.mark = IconMark(theme, "", "success", 14)
        self.words = PlainLabel(theme, "", "small", "success", elide=Qt.TextElideMode.ElideMiddle)
        self.use = LinkButton(theme, "")
        self.use.clicked.connect(self._on_use)
        self.use.hide()
        drop = IconButton(theme, "x", "Remove this port", small=True)
        drop.clicked.connect(self.removed)
        for field, width in ((self.host, 100), (self.inside, 84), (self.protocol, 78)):
            field.setFixedWidth(width)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        arrow = IconMark(theme, "arrow-right", "text-tertiary", 14)
        parts: tuple[QWidget, ...] = (self.host, arrow, self.inside, self.protocol, self.mark, self.words, self.use)
        for part in parts:
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(drop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(300)
        self._timer.timeout.connect(self.look)
        self.host.textChanged.connect(self._on_typed)
        self.inside.textChanged.connect(self._on_typed)
        self.protocol.changed.connect(lambda _v: self._on_typed())
        self._timer.start()

    def row(self) -> PortRow:
        """The row as typed."""
        return PortRow(self.host.text().strip(), self.inside.text().strip(), self.protocol.value(), self.address)

    def set_address(self, address: str) -> None:
        """Publishes on another address of the host."""
        if address != self.address:
            self.address = address
            self._on_typed()

    @property
    def problem(self) -> str:
        """What is wrong with the ports as typed; empty when nothing is known to be."""
        return self._mistyped() or self.said or self.taken

    @property
    def held(self) -> bool:
        """Whether something else has the port."""
        return self.answer is not None and self.answer.held

    def _mistyped(self) -> str:
        host, inside = self.host.text().strip(), self.inside.text().strip()
        for text in (host, inside):
            if text and not all(is_port(part) for part in text.split("-", 1)):
                return "Use 1 to 65535"
        if not inside:
            return "Type the container's port"
        return ""

    def say(self, said: str) -> None:
        """Shows what the form as a whole has against this row; empty when nothing."""
        if said == self.said:
            return
        self.said = said
        if self.problem:
            self._show_problem()
        else:
            self._timer.start()

    def _on_use(self) -> None:
        if self.answer is not None:
            self.host.setText(str(self.answer.next_free))

    def _on_typed(self) -> None:
        self.answer = None
        self.taken = self.said = ""
        self._show("", "", "")
        self._timer.start()
        self.changed.emit()

    def look(self) -> None:
        """Checks now. What an earlier check found is in view until this one answers, and never stands for it."""
        host = self.host.text().strip()
        if not host and not self.inside.text().strip():
            self._show("", "", "")
        elif self._mistyped():
            self._show_problem()
        elif host:
            if self.said:
                self._show_problem()
            if "-" not in host or _ascends(host):
                asked = self.row()
                self._check(asked, lambda answer: self._on_answer(asked, answer))
        elif self.said:
            self._show_problem()
        else:
            self._show("info", "The engine picks one", "text-secondary")
        self.changed.emit()

    def _on_answer(self, asked: PortRow, answer: PortAnswer) -> None:
        if not isValid(self) or asked != self.row():
            return
        self.answer = answer
        self.taken = _words(asked, answer)
        if self.problem:
            self._show_problem()
        else:
            open_ = self.address in OPEN
            where = ", open to the network" if open_ else "" if self.address == LOOPBACK else f" on {self.address}"
            icon, words = ("circle-check", "Free") if answer.known else ("info", "No container has it")
            calm = "success" if answer.known else "text-secondary"
            self._show(icon, f"{words}{where}", "warning" if open_ else calm)
        self.changed.emit()

    def _show_problem(self) -> None:
        """The problem, and beside a port that is taken the next that is free."""
        self._show("circle-alert", self.problem, "danger")
        offer = self.answer.next_free if self.answer is not None and self.taken and not self._mistyped() else 0
        self.use.setText(f"Use {offer}")
        self.use.setVisible(bool(offer))

    def _show(self, icon: str, words: str, token: str) -> None:
        self.mark.set(icon, token or "success")
        self.words.setText(words)
        self.words.set_token(token or "success")
        self.use.hide()
        self.host.set_error(token == "danger")


def _words(row: PortRow, answer: PortAnswer) -> str:
    """What keeps a row from being published; empty when nothing does."""
    if answer.free:
        return ""
    if answer.absent:
        return f"This computer has no address {row.host_ip}"
    if answer.forbidden:
        return "Ports below 1024 need root"
    by = f" by {answer.holder}" if answer.holder else ""
    if "-" not in row.host:
        return f"Taken{by}"
    return f"{answer.port} is taken{by}" if answer.port else "None of them is free"


def _ascends(text: str) -> bool:
    first, _, last = text.partition("-")
    return int(first) <= int(last)


def is_port(text: str) -> bool:
    """Whether a text is the number of a port, in the digits that docker reads."""
    return len(text) <= 5 and text.isascii() and text.isdecimal() and 1 <= int(text) <= 65_535


class PortRows(QWidget):
    """All rows, a link that adds one, and the switch that opens them to the network."""

    changed = Signal()

    def __init__(self, theme: Theme, check: Check, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._check = theme, check
        self.lines: list[PortLine] = []
        self._stack = QVBoxLayout()
        self._stack.setSpacing(6)
        self.add_link = LinkButton(theme, "Add port", "plus")
        self.add_link.clicked.connect(lambda: self.add(PortRow("", "", "tcp", self._address()), focus=True))
        self.open = Switch(theme, "Reachable from the network", "Reachable from the network")
        self.open.toggled.connect(self._on_open)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addStrut(theme.height("control"))
        foot.addWidget(self.add_link)
        foot.addStretch(1)
        foot.addWidget(self.open)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(self._stack)
        whole.addLayout(foot)
        whole.addStretch(1)

    def _address(self) -> str:
        return "" if self.open.isChecked() else LOOPBACK

    def rows(self) -> tuple[PortRow, ...]:
        """The rows as typed."""
        return tuple(line.row() for line in self.lines)

    def set_rows(self, rows: Iterable[PortRow]) -> None:
        """Replaces all rows; addresses that they carry are kept."""
        for line in list(self.lines):
            self._drop(line)
        given = tuple(rows)
        self.open.blockSignals(True)
        self.open.setChecked(bool(given) and all(r.host_ip in OPEN for r in given))
        self.open.blockSignals(False)
        for row in given:
            self.add(row)

    def add(self, row: PortRow, *, focus: bool = False) -> None:
        """One more row."""
        line = PortLine(self._theme, row, self._check)
        line.changed.connect(self.changed)
        line.removed.connect(lambda: self._drop(line))
        self.lines.append(line)
        self._stack.addWidget(line)
        stop_before(self.add_link, line)
        if focus:
            line.host.setFocus()
        self.changed.emit()

    def problems(self) -> list[tuple[PortLine, str]]:
        """Rows with something wrong."""
        return [(line, line.problem) for line in self.lines if line.problem]

    def mark(self, said: Mapping[int, str]) -> None:
        """Shows a sentence beside the rows with these numbers, none beside the others."""
        for number, line in enumerate(self.lines):
            line.say(said.get(number, ""))

    def go_to(self, field: str) -> None:
        """Moves the focus to the part of a row that a problem's field (`ports.1.host`) names."""
        parts = field.split(".")
        if len(parts) > 1 and int(parts[1]) < len(self.lines):
            line = self.lines[int(parts[1])]
            edit = line.inside if parts[-1] == "container" else line.host
            edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def look(self) -> None:
        """Checks every row anew."""
        for line in self.lines:
            line.look()

    def _drop(self, line: PortLine) -> None:
        self.lines.remove(line)
        line.hide()
        line.deleteLater()
        self.changed.emit()

    def _on_open(self, open_: bool) -> None:
        for line in self.lines:
            if open_ and line.address == LOOPBACK:
                line.set_address("")
            elif not open_ and line.address in OPEN:
                line.set_address(LOOPBACK)
