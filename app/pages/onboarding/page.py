"""The page that helps to an engine: start the embedded one, connect to another, or install what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.places import Place
from app.theme import Theme
from app.widgets.buttons import Button, LinkButton
from app.widgets.cards import Card, InsetPanel
from app.widgets.chips import StateChip
from app.widgets.focus import ScrollArea
from app.widgets.progress import Ring
from app.widgets.startpanel import StartPanel, StartView
from app.widgets.states import IconMark, IconTile, Illustration
from app.widgets.text import PlainLabel
from app.widgets.topbar import TopBar

WIDTH = 760
HELPS = "What helps"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for: its name, whether it is there, and what was found in words."""

    name: str
    ok: bool
    words: str


@dataclass(frozen=True, slots=True)
class OnboardingView:
    """What the page shows. `why_not` says why the embedded engine cannot start; `steps` are commands that help.

    `installs`: they install what is missing.
    """

    findings: tuple[Finding, ...] = ()
    can_embed: bool = False
    why_not: str = ""
    steps: tuple[str, ...] = ()
    looking: bool = False
    busy: str = ""
    failure: str = ""
    log: tuple[str, ...] = field(default=())
    installs: bool = False


@dataclass(frozen=True, slots=True)
class MachineCard:
    """What the page shows of the machine: facts, what is missing for it, and the words of its button.

    `copied` is a command that gets what is missing; the button then copies it. `start` is how far a start is.
    """

    facts: str = ""
    why_not: str = ""
    action: str = "Start the machine"
    copied: str = ""
    start: StartView = field(default_factory=StartView)
    finding: Finding | None = None

    @property
    def able(self) -> bool:
        """Whether it can be started."""
        return not self.why_not


class OnboardingPage(QWidget):
    """Signals: `start_pressed()`, `cancel_pressed()`, `connect_pressed()`, `look_again()`.

    Of the machine: `machine_pressed()`, `machine_cancelled()`, `machine_helped()`, `machine_checked()`; `seen(bool)` as
    it comes and goes.
    """

    start_pressed = Signal()
    machine_pressed = Signal()
    machine_cancelled = Signal()
    machine_helped = Signal()
    machine_checked = Signal()
    seen = Signal(bool)
    cancel_pressed = Signal()
    connect_pressed = Signal()
    look_again = Signal()

    def __init__(self, theme: Theme, engine_button: Callable[[], QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.topbar = TopBar(theme, "Containers")
        self.topbar.add_widget(engine_button())
        self.area = ScrollArea(theme)
        self.area.setWidgetResizable(True)
        self.area.setAccessibleName("How to get an engine")
        inner = QWidget()
        self.middle = QVBoxLayout()
        self.middle.setContentsMargins(0, 9, 0, 9)
        self.middle.setSpacing(0)
        row = QHBoxLayout(inner)
        row.setContentsMargins(16, 24, 16, 24)
        row.addStretch(1)
        holder = QWidget()
        holder.setMaximumWidth(WIDTH)
        holder.setMinimumWidth(640)
        holder.setLayout(self.middle)
        row.addWidget(holder, 100)
        row.addStretch(1)
        self.area.setWidget(inner)
        self._build()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.topbar)
        whole.addWidget(self.area, 1)
        self._view, self._card_of_machine = OnboardingView(looking=True), MachineCard()
        self.show_view(self._view)

    def _build(self) -> None:
        theme = self._theme
        center = Qt.AlignmentFlag.AlignHCenter
        self.picture = Illustration(theme, "tug", QSize(276, 148))
        self.title = PlainLabel(theme, "No engine is running yet", "display")
        self.words = PlainLabel(
            theme, "Containers need an engine to run on. Pick one; you can change it later in Settings.", "body",
            "text-secondary",
        )  # fmt: skip
        for part, below in ((self.picture, 12), (self.title, 4), (self.words, 20)):
            self.middle.addWidget(part, 0, center)
            self.middle.addSpacing(below)
        cards = QHBoxLayout()
        cards.setSpacing(16)
        cards.addWidget(self._embedded_card(), 1)
        cards.addWidget(self._machine_card(), 1)
        cards.addWidget(self._other_card(), 1)
        self.middle.addLayout(cards)
        self.middle.addSpacing(16)
        self.panel = StartPanel(theme)
        self.panel.cancel_pressed.connect(self.machine_cancelled)
        self.panel.again_pressed.connect(self.machine_pressed)
        self.panel.help_pressed.connect(self.machine_helped)
        self.panel.check_pressed.connect(self.machine_checked)
        self.steps_panel = InsetPanel(theme)
        self.steps_title = PlainLabel(theme, HELPS, "body_strong")
        self.steps = PlainLabel(theme, "", "mono", "text-secondary", wrap=True)
        self.steps.set_selectable()
        copy = LinkButton(theme, "Copy", "copy")
        copy.clicked.connect(self._on_copy)
        head = QHBoxLayout()
        head.addWidget(self.steps_title)
        head.addStretch(1)
        head.addWidget(copy)
        self.steps_panel.body.addLayout(head)
        self.steps_panel.body.addSpacing(8)
        self.steps_panel.body.addWidget(self.steps)
        panels = QVBoxLayout()
        panels.setSpacing(16)
        panels.addWidget(self.panel)
        for panel in (self.steps_panel, self._findings_panel()):
            panel.body.setSpacing(0)
            panels.addWidget(panel)
        self.middle.addLayout(panels)
        self.middle.addStretch(1)

    def _card(self, icon: str, title: str, words: str, small: str) -> tuple[Card, QHBoxLayout, IconTile]:
        theme = self._theme
        card = Card(theme)
        card.body.setSpacing(0)
        tile = IconTile(theme, icon)
        top = QHBoxLayout()
        top.addWidget(tile)
        top.addStretch(1)
        card.body.addLayout(top)
        for label, above in (
            (PlainLabel(theme, title, "heading"), 12),
            (PlainLabel(theme, words, "body", "text-secondary", wrap=True), 4),
            (PlainLabel(theme, small, "small", "text-tertiary", wrap=True), 8),
        ):
            card.body.addSpacing(above)
            card.body.addWidget(label)
        card.body.addStretch(1)
        return card, top, tile

    def _embedded_card(self) -> Card:
        theme = self._theme
        self.embedded, top, self.tile = self._card(
            "zap", "Start the embedded engine",
            "Runs a container engine for you alone, apart from the rest of your system.",
            "Its data, socket and network are its own.",
        )  # fmt: skip
        self.recommended = StateChip(theme)
        self.recommended.set("", "Recommended", "accent")
        top.addWidget(self.recommended)
        self.why_not = PlainLabel(theme, "", "small", "warning", wrap=True)
        self.start = Button(theme, "Start engine", kind="primary")
        self.start.clicked.connect(self.start_pressed)
        self.install = Button(theme, "Copy install command", "copy", kind="primary")
        self.install.clicked.connect(self._on_copy)
        self.install.clicked.connect(lambda: self.install.setText("Copied: paste it into a terminal"))
        self.progress = QWidget()
        line = QHBoxLayout(self.progress)
        line.setContentsMargins(0, 0, 0, 0)
        self.ring = Ring(theme)
        self.progress_words = PlainLabel(theme, "", "small", "text-secondary", elide=Qt.TextElideMode.ElideRight)
        cancel = LinkButton(theme, "Cancel")
        cancel.clicked.connect(self.cancel_pressed)
        line.addWidget(self.ring)
        line.addWidget(self.progress_words, 1)
        line.addWidget(cancel)
        for part in (self.progress, self.start, self.install):
            part.setFixedHeight(theme.height("control"))
        self.why_not.setContentsMargins(0, 8, 0, 0)
        self.embedded.body.addWidget(self.why_not)
        self.embedded.body.addSpacing(16)
        self.embedded.body.addWidget(self.progress)
        self.embedded.body.addWidget(self.start)
        self.embedded.body.addWidget(self.install)
        return self.embedded

    def _machine_card(self) -> Card:
        theme = self._theme
        self.machine, top, self.machine_tile = self._card(
            "monitor", "Use the virtual machine", "A small Linux machine, apart from the rest of your system.", ""
        )
        self.machine_recommended = StateChip(theme)
        self.machine_recommended.set("", "Recommended", "accent")
        top.addWidget(self.machine_recommended)
        self.machine_facts = self.machine.findChildren(PlainLabel)[-1]
        self.machine_why = PlainLabel(theme, "", "small", "warning", wrap=True)
        self.machine_why.setContentsMargins(0, 8, 0, 0)
        self.machine_start = Button(theme, "Start the machine")
        self.machine_start.clicked.connect(self._on_machine)
        self.machine.body.addWidget(self.machine_why)
        self.machine.body.addSpacing(16)
        self.machine.body.addWidget(self.machine_start)
        return self.machine

    def _on_machine(self) -> None:
        copied = self._card_of_machine.copied
        if not copied:
            self.machine_pressed.emit()
            return
        QGuiApplication.clipboard().setText(copied)
        self.machine_start.setText("Copied: paste it in a terminal")

    def _other_card(self) -> Card:
        card, _top, _tile = self._card(
            "plug", "Connect to another engine",
            "A socket on this computer, or another host over SSH or TLS.",
            "unix://, ssh:// or tcp://",
        )  # fmt: skip
        self.connect_button = Button(self._theme, "Connect…")
        self.connect_button.clicked.connect(self.connect_pressed)
        card.body.addSpacing(16)
        card.body.addWidget(self.connect_button)
        return card

    def _findings_panel(self) -> InsetPanel:
        theme = self._theme
        panel = InsetPanel(theme)
        head = QHBoxLayout()
        head.addWidget(PlainLabel(theme, "What we looked for", "body_strong"))
        head.addStretch(1)
        again = LinkButton(theme, "Look again", "refresh-cw")
        again.clicked.connect(self.look_again)
        head.addWidget(again)
        panel.body.addLayout(head)
        self.findings = QGridLayout()
        self.findings.setHorizontalSpacing(12)
        self.findings.setVerticalSpacing(8)
        self.findings.setColumnStretch(2, 1)
        panel.body.addSpacing(12)
        panel.body.addLayout(self.findings)
        return panel

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.steps.text())

    def show_place(self, place: Place) -> None:
        """Bears the title of the page that it stands for."""
        self.topbar.title.setText(place.page.capitalize())

    def show_view(self, view: OnboardingView) -> None:
        """Shows what is known now."""
        self._view = view
        self.embedded.set_marked(view.can_embed)
        self.tile.set_marked(view.can_embed)
        self.recommended.setVisible(view.can_embed)
        busy = bool(view.busy)
        installs = view.installs and bool(view.steps) and not (busy or view.log)
        self.install.setVisible(installs)
        self.install.setText("Copy install command")
        self.start.setVisible(not busy and not installs)
        self.start.setEnabled(view.can_embed)
        self.progress.setVisible(busy)
        self.progress_words.setText(view.busy)
        self.why_not.setText(view.failure or view.why_not)
        self.why_not.setVisible(bool(view.failure or view.why_not) and not busy)
        self.why_not.set_token("danger" if view.failure else "warning")
        self.steps_panel.setVisible(bool(view.steps or view.log))
        self.steps_title.setText("Its last words" if view.log else HELPS)
        self.steps.setText("\n".join(view.log or view.steps))
        self._show_machine()

    def show_machine(self, card: MachineCard) -> None:
        """Shows what is known of the machine now."""
        self._card_of_machine, self._asked = card, True
        self._show_machine()

    def _show_machine(self) -> None:
        view, card = self._view, self._card_of_machine
        going = card.start.going
        best = card.able and not view.can_embed and not view.looking
        self.machine.set_marked(best)
        self.machine_tile.set_marked(best)
        self.machine_recommended.setVisible(best)
        self.machine_facts.setText(card.facts)
        self.machine_why.setText(card.why_not)
        self.machine_why.setVisible(bool(card.why_not) and not going)
        self.machine_start.setText("Starting…" if going else card.action)
        self.machine_start.set_kind("primary" if best else "default")
        self.machine_start.setEnabled(self._asked and not going and (card.able or bool(card.copied)))
        appears = self.panel.isHidden() and bool(card.start.title)
        self.panel.show_view(card.start)
        self.picture.setVisible(not card.start.title)  # It gives its room to what happens.
        if appears:
            QTimer.singleShot(0, self, lambda: self.area.ensureWidgetVisible(self.panel, 0, 24))
        found = view.findings or ((Finding("Looking…", True, ""),) if view.looking else ())
        shown = (*found, *((card.finding,) if card.finding is not None and not view.looking else ()))
        if shown != self._shown:
            self._shown = shown
            self._show_findings(shown)

    _asked = False
    _shown: tuple[Finding, ...] | None = None

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        super().showEvent(event)
        self.seen.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any longer."""
        super().hideEvent(event)
        self.seen.emit(False)

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        while (item := self.findings.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for row, finding in enumerate(findings):
            mark = IconMark(self._theme, "check" if finding.ok else "x", "success" if finding.ok else "text-tertiary")
            mark.setAccessibleName("Found" if finding.ok else "Not found")
            mark.setFixedHeight(20)
            self.findings.addWidget(mark, row, 0, Qt.AlignmentFlag.AlignTop)
            name = PlainLabel(self._theme, finding.name)
            name.setMinimumWidth(176)
            name.setFixedHeight(20)
            self.findings.addWidget(name, row, 1, Qt.AlignmentFlag.AlignTop)
            words = PlainLabel(self._theme, finding.words, "small", "text-secondary", wrap=True)
            words.setContentsMargins(0, 2, 0, 2)
            self.findings.addWidget(words, row, 2)
