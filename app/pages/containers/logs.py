"""LogsTab: the log of one container, with search, levels, following and saving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.commands.logs import SAVE_LOG, LogFile
from app.feeds.logs import LogFeed, LogPhase, LogState
from app.notices import Notice
from app.presentation.logs import caution, trouble
from app.theme import Theme
from app.widgets.buttons import Button, IconButton, LinkButton
from app.widgets.cards import Hairline
from app.widgets.entries import Entry
from app.widgets.logbar import LevelChip, LogSearchField
from app.widgets.logbuffer import CAP, LogBuffer
from app.widgets.logcounts import LogCounts
from app.widgets.logsearch import LogSearch
from app.widgets.logview import LogView
from app.widgets.menus import Menu
from app.widgets.shortcuts import bind
from app.widgets.text import PlainLabel, set_tooltip
from backend.types.containers import LogConfig

if TYPE_CHECKING:
    from app.preferences import Preferences
    from app.session import Session

HIDDEN_SECONDS: Final = 60
"""A log that nobody looks at is not read for longer than this."""
_AS_WRITTEN: Final = "Log as it was written (*.log *.txt *)"
_WITH_TIMES: Final = "Log with the time of each line (*.log *.txt *)"
_CHIPS: Final = (
    (1, "Error", "danger-fill"),
    (2, "Warn", "warning-fill"),
    (3, "Info", "info-fill"),
    (4, "Debug", "chart-6"),
)


class LogsTab(QWidget):
    """Opens at once, also when the container does not run; reads while it is shown."""

    def __init__(
        self,
        session: Session,
        theme: Theme,
        container_id: str,
        name: str,
        tty: bool,
        preferences: Preferences,
        parent: QWidget | None = None,
        *,
        log: LogConfig | None = None,
        cap: int = CAP,
    ) -> None:
        super().__init__(parent)
        self._session, self._theme, self._preferences = session, theme, preferences
        self._id, self._name, self._tty = container_id, name, tty
        self._log = log or LogConfig()
        self.buffer = LogBuffer(cap)
        self.view = LogView(theme, self.buffer)
        self.search = LogSearch(self.buffer, self)
        self.counts = LogCounts(self.buffer, self)
        self.feed = LogFeed(
            self._start, container_id, self.buffer, tty=tty, running=self._is_running, gone=self._is_gone, parent=self
        )
        self._problem = ""
        self._build()
        self._connect()
        self._rest = QTimer(self, interval=HIDDEN_SECONDS * 1000, singleShot=True)
        self._rest.timeout.connect(self.feed.close)

    # -- building ----------------------------------------------------------

    def _build(self) -> None:
        theme = self._theme
        self.field = LogSearchField(theme)
        self.field.setMinimumWidth(140)
        self.field.setMaximumWidth(318)
        self.case = IconButton(theme, "case-sensitive", "Match case", "Alt C", toggle=True)
        self.regex = IconButton(theme, "regex", "Regular expression", "Alt R", toggle=True)
        self.chips = {level: LevelChip(theme, word, token) for level, word, token in _CHIPS}
        self.times = IconButton(theme, "clock", "Times", "Alt T", toggle=True)
        self.wrap = IconButton(theme, "wrap-text", "Wrap long lines", "Alt W", toggle=True)
        self.save_button = IconButton(theme, "download", "Save to file…", "Ctrl S")
        self.follow_button = Button(theme, "Pause", "pause")
        bar = QWidget()
        bar.setFixedHeight(theme.height("toolbar"))
        bar.setMinimumWidth(1)
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(self.field, 4)
        for button in (self.case, self.regex):
            row.addWidget(button)
        row.addWidget(self._line())
        for chip in self.chips.values():
            row.addWidget(chip)
        row.addStretch(1)
        for button in (self.times, self.wrap, self.save_button):
            row.addWidget(button)
        row.addWidget(self._line())
        row.addWidget(self.follow_button)
        self.words = PlainLabel(theme, "", "body", "text-secondary", wrap=True)
        self.recall = LinkButton(theme, "Show them again")
        self.note = QWidget()
        note = QHBoxLayout(self.note)
        note.setContentsMargins(16, 12, 16, 12)
        note.setSpacing(12)
        note.addWidget(self.words, 1)
        note.addWidget(self.recall)
        self.note.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(Hairline(theme))
        column.addWidget(self.note)
        column.addWidget(self.view, 1)
        self.times.setChecked(bool(self._preferences.get("logs/times", True)))
        self.wrap.setChecked(bool(self._preferences.get("logs/wrap", False)))
        self.view.set_times(self.times.isChecked())
        self.view.set_wrap(self.wrap.isChecked())

    def _line(self) -> Hairline:
        line = Hairline(self._theme, standing=True)
        line.setFixedHeight(16)
        return line

    def _connect(self) -> None:
        self.feed.grew.connect(self._on_grew)
        self.feed.prepended.connect(self._on_prepended)
        self.feed.state_changed.connect(self._on_feed_state)
        self.view.older_wanted.connect(self.feed.load_older)
        self.view.following_changed.connect(self._on_following)
        self.view.menu_wanted.connect(self._on_menu_wanted)
        self.view.copied.connect(self._on_copied)
        self.search.changed.connect(self._on_search_changed)
        self.counts.changed.connect(self._on_counted)
        self.field.changed.connect(lambda _text: self._search())
        self.field.stepped.connect(self._step)
        self.field.left.connect(self.view.setFocus)
        self.case.toggled.connect(lambda _on: self._search())
        self.regex.toggled.connect(lambda _on: self._search())
        for chip in self.chips.values():
            chip.toggled.connect(self._on_chip)
        self.times.toggled.connect(self._on_times)
        self.wrap.toggled.connect(self._on_wrap)
        self.save_button.clicked.connect(self.save)
        self.follow_button.clicked.connect(self._on_follow_clicked)
        self.recall.clicked.connect(self.feed.reload)
        self._session.stores.containers.changed.connect(self._on_containers_changed)
        self._session.state_changed.connect(self._on_state_changed)
        keys: dict[str, Callable[[], object]] = {
            "F3": self._step, "Shift+F3": lambda: self._step(True),
            "Alt+R": self.regex.toggle, "Alt+C": self.case.toggle, "Alt+T": self.times.toggle,
            "Alt+W": self.wrap.toggle, "End": self.view.follow, "Ctrl+S": self.save,
        }  # fmt: skip
        for key, act in keys.items():
            bind(self, key, act)

    # -- the feed ----------------------------------------------------------

    def _start(self, work: Any) -> Any:
        return self._session.ask(work, then=lambda _answer: None, failed=self._on_failed, owner=self)

    def _on_failed(self, _error: BaseException) -> None:
        self.feed.close()

    def _is_running(self) -> bool:
        summary = self._session.stores.containers.get(self._id)
        return summary is not None and summary.state in ("running", "restarting", "paused")

    def _is_gone(self) -> bool:
        store = self._session.stores.containers
        return store.loaded and store.get(self._id) is None

    def _on_state_changed(self, _state: object) -> None:
        self.feed.wake()

    def _on_containers_changed(self, delta: Any) -> None:
        if delta.reset or self._id in delta.changed or self._id in delta.added:
            self._tell_follow()
            self.feed.wake()
            if self.isVisible():
                self.feed.open()
        elif self._id in delta.removed:
            self._tell_follow()
            self.feed.wake()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leaves out what a narrow window has no room for."""
        super().resizeEvent(event)
        self._fit_chips()

    def _fit_chips(self) -> None:
        """Where there is no room for every level, those that matter least go, but none that is pressed."""
        width = self.width()
        lacking = sum(width < least for least in (920, 760))
        spare = [chip for _level, chip in sorted(self.chips.items(), reverse=True) if not chip.isChecked()]
        for chip in self.chips.values():
            if self.width() == width:  # Qt lays out when one is shown, and may come here again with another width.
                chip.setVisible(chip not in spare[:lacking])

    def showEvent(self, event: QShowEvent) -> None:
        """Reads from now on."""
        super().showEvent(event)
        self._rest.stop()
        self._tell_follow()
        self.feed.open()

    def hideEvent(self, event: QHideEvent) -> None:
        """Lets go of the engine after a while."""
        super().hideEvent(event)
        self._rest.start()

    def close_feed(self) -> None:
        """Lets go of the engine and of a search at once; the page calls it before it deletes the tab."""
        self._rest.stop()
        self.feed.close()
        self.search.close()

    def _on_grew(self) -> None:
        self.search.grew()
        self.counts.grew()
        self.view.grew()
        self._tell()

    def _on_prepended(self, count: int) -> None:
        self.search.grew()
        self.counts.grew()
        self.view.prepended(count)

    def _on_feed_state(self, state: LogState) -> None:
        self._problem = trouble(state.phase.value, state.error, self._log)
        self._tell()
        self._tell_follow()

    def _tell(self) -> None:
        words = self.search.problem or self.search.note or self._problem
        cleared = not words and self.feed.cleared
        if cleared:
            words = "Lines from before were cleared from view. The log has them still."
        elif not words and not len(self.buffer) and self.feed.state.phase in (LogPhase.LIVE, LogPhase.ENDED):
            words = "Nothing was written yet." if self._is_running() else "It wrote nothing."
        elif not words and self.buffer.dropped:
            words = f"{self.buffer.dropped:,} older lines were dropped to save memory. A saved file has them all."
        elif not words:
            words = caution(self._log)
        if self.words.text() != words:
            self.words.setText(words)
            self.note.setVisible(bool(words))
        self.recall.setVisible(cleared)

    # -- searching -----------------------------------------------------------

    def focus_search(self) -> None:
        """Puts the keyboard into the search field; the window binds the key."""
        self.field.edit.setFocus()
        self.field.edit.selectAll()

    def _search(self) -> None:
        text = self.field.edit.text()
        self.search.set(text, regex=self.regex.isChecked(), case=self.case.isChecked())

    def _step(self, back: bool = False) -> None:
        rows = list(self.view.visible())
        near = rows[0][2] if rows else None
        line = self.search.step(back, near)
        if line is not None:
            self.view.show_line(line)

    def _on_search_changed(self) -> None:
        self.field.set_words(self.search.words(), self.search.problem)
        if self.search.active:
            self.view.set_matches(self.search.matches, self.search.lines)
        else:
            self.view.set_matches(None, ())
        self._tell()

    def _on_chip(self) -> None:
        self._fit_chips()
        self.counts.filter({level for level, chip in self.chips.items() if chip.isChecked()})
        self._show_levels()

    def _on_counted(self) -> None:
        for level, chip in self.chips.items():
            chip.set_count(self.counts.counts[level])
        if self.counts.shown is not None:
            self._show_levels()

    def _show_levels(self) -> None:
        self.view.set_filter(self.counts.shown)
        self.search.restrict(self.counts.shown, self.counts.generation, self.counts.done)

    # -- buttons ---------------------------------------------------------------

    def _on_times(self, shown: bool) -> None:
        self.view.set_times(shown)
        self._preferences.set("logs/times", shown)

    def _on_wrap(self, wrap: bool) -> None:
        self.view.set_wrap(wrap)
        self._preferences.set("logs/wrap", wrap)

    def _on_follow_clicked(self) -> None:
        (self.view.pause if self.view.following else self.view.follow)()

    def _on_following(self, following: bool) -> None:
        self.follow_button.setText("Pause" if following else "Follow")
        self.follow_button.set_icon("pause" if following else "play")
        self._tell_follow()

    def _tell_follow(self) -> None:
        """Nothing comes from a container that does not run, so there is nothing to pause."""
        ended = self.feed.state.phase is LogPhase.GONE or not self._is_running()
        idle = self.view.following and ended
        self.follow_button.setEnabled(not idle)
        set_tooltip(self.follow_button, "It does not run, so no lines come" if idle else "")

    def _on_menu_wanted(self, point: QPoint) -> None:
        menu = Menu(self._theme, self, once=True)
        selected = self.view.selection.ends is not None
        menu.add(
            "copy", "Copy", "Ctrl C", self.view.copy, enabled=selected, why="" if selected else "Nothing is selected"
        )
        menu.add("", "Select all", "Ctrl A", self.view.select_all)
        menu.separator()
        menu.fill(self.entries())
        menu.popup(point)

    def entries(self) -> list[Entry]:
        """What can be done with the log."""
        found = [
            Entry("Save to file…", self.save, "download", "Ctrl S", also="log"),
            Entry("Clear the view", self.feed.forget, "x", also="log"),
        ]
        again = Entry("Show cleared lines again", self.feed.reload, also="log")
        return [*found, again] if self.feed.cleared else found

    def save(self) -> None:
        """Asks for a file and saves the complete log to it."""
        safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in self._name) or "container"
        dialog = QFileDialog(self.window(), "Save log", str(Path.home() / f"{safe}.log"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([_AS_WRITTEN, _WITH_TIMES])
        dialog.selectFile(f"{safe}.log")
        dialog.fileSelected.connect(
            lambda path: self.save_to(Path(path), times=dialog.selectedNameFilter() == _WITH_TIMES)
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_to(self, path: Path, *, times: bool = False) -> None:
        """Saves the complete log to `path`, each line with its time if `times`; Activity shows it as an operation."""
        self._session.run(SAVE_LOG, LogFile(self._id, self._name, self._tty, path, times), owner=self)

    def _on_copied(self, lines: int, cut: bool) -> None:
        if cut:
            detail = "The selection is longer. Save the log to a file to have all of it."
            self._session.notice(Notice(f"Copied the first {lines:,} lines", detail, kind="info"))
