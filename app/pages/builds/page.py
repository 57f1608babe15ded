"""The Builds page: the builds made here as a list, and one of them in view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.commands.builds import BUILD, SAVE_OUTPUT, OutputFile
from app.models.builds import COLUMNS, groups, name_of, sort_key
from app.models.rows import RowsModel
from app.operation import Operation
from app.pages.builds.dialog import BuildDialog
from app.pages.builds.view import BuildView
from app.places import RUN, Go, Place
from app.preferences import Preferences
from app.presentation.units import count_text
from app.session import Session
from app.stores.builds import RUNNING, BuildHistory, BuildRecord
from app.stores.livebuild import LiveBuild
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.cells import RowAction
from app.widgets.confirm import Confirm
from app.widgets.entries import Entry
from app.widgets.menus import Menu
from app.widgets.selectionbar import SelectionBar
from app.widgets.shortcuts import bind
from app.widgets.states import EmptyState
from app.widgets.table import Table
from app.widgets.topbar import TopBar
from backend.builds import builders
from backend.types.builds import Builder, BuildRequest


class BuildsPage(QWidget):
    """List, build view and Build dialog."""

    def __init__(
        self,
        theme: Theme,
        session: Session,
        preferences: Preferences,
        go: Go,
        engine_button: Callable[[], QWidget],
        history: BuildHistory,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._session, self._go, self.history = theme, session, go, history
        self._live: dict[str, LiveBuild] = {}
        self._runs: dict[str, Operation] = {}
        self.dialog: BuildDialog | None = None
        self.topbar = TopBar(theme, "Builds")
        self.search = self.topbar.add_search("Search builds")
        self.topbar.add_widget(engine_button())
        self.build = Button(theme, "Build…", "hammer", "primary")
        self.topbar.add_widget(self.build)
        self.model = RowsModel(COLUMNS, self)
        self.table = Table(theme, self.model, name="Builds", preferences=preferences, memory="builds")
        if not self.table.sort_column:
            self.table.sort_by("age")
        self.empty = EmptyState(
            theme, "hammer", "No builds yet", "A build makes an image from a folder with a Dockerfile.", "Build…",
            self.open_dialog,
        )  # fmt: skip
        self.nothing = EmptyState(theme, "search", "", "", "Clear search", self.search.clear)
        self.view = BuildView(theme, history)
        self.lists = QStackedWidget()
        for widget in (self.table, self.empty, self.nothing):
            self.lists.addWidget(widget)
        self.selection = SelectionBar(theme, self.lists, [RowAction("remove", "trash-2", "Remove from history…")])
        self.list_side = QWidget()
        column = QVBoxLayout(self.list_side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.topbar, self.lists):
            column.addWidget(part)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.list_side)
        self.stack.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        self._ages = QTimer(self, interval=1000)
        self._connect()
        self._refresh()

    def show_place(self, place: Place) -> None:
        """Goes to the list and gives it the keyboard, or to the build that the place names."""
        if place.id:
            self.open(place.id)
        else:
            self._on_left()
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def open(self, key: str) -> None:
        """Shows one build."""
        live, record = self._live.get(key), self.history.get(key)
        if live is not None:
            self.view.show_live(live)
        elif record is not None:
            self.view.show_record(record)
        else:
            return
        self.stack.setCurrentWidget(self.view)

    def focus_search(self) -> None:
        """Puts the keyboard into the search field of the list."""
        if self.list_side.isVisible():
            self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def primary(self) -> None:
        """What the page's primary button does."""
        self.open_dialog()

    def open_dialog(self, request: BuildRequest | None = None, forgotten: Sequence[str] = ()) -> None:
        """Opens the Build dialog, empty or filled; `forgotten` are arguments whose values were not kept."""
        engine = self._session.engine
        offered = builders(engine) if engine is not None else (Builder.CLASSIC,)
        self.dialog = BuildDialog(self._theme, self.window(), offered, request, forgotten)
        self.dialog.wanted.connect(self.start)
        self.dialog.open()

    def start(self, request: BuildRequest, text: str) -> LiveBuild:
        """Starts a build and shows it."""
        live = LiveBuild(request, text, self.history, self)
        key = live.record.id
        self._live[key] = live
        self._runs[key] = self._session.run(
            BUILD, live, then=lambda _operation: self._session.reload(), failed=lambda _error: None, owner=self
        )  # BuildKit tells no event about an image that it made
        live.ended.connect(lambda: self._on_ended(key))
        self.open(key)
        self._refresh()
        return live

    def cancel(self, key: str) -> None:
        """Stops a build that runs."""
        if key in self._runs:
            self._runs[key].cancel()

    def _on_ended(self, key: str) -> None:
        self._runs.pop(key, None)
        self._refresh()

    def _on_again(self, key: str) -> None:
        live, record = self._live.get(key), self.history.get(key)
        if live is not None:
            self.open_dialog(live.request)
        elif record is not None:
            self.open_dialog(_request_of(record), record.arg_names)

    def _on_left(self) -> None:
        self.stack.setCurrentWidget(self.list_side)
        self._refresh()

    def _on_menu(self, keys: Sequence[str], point: QPoint) -> None:
        records = [r for k in keys if (r := self.history.get(k)) is not None]
        if not records:
            return
        menu = Menu(self._theme, self, once=True)
        menu.fill(self._entries(records))
        menu.popup_at(point)

    def _entries(self, records: Sequence[BuildRecord]) -> list[Entry]:
        """What can be done with one build of the list or several."""
        one = len(records) == 1
        key, name = records[0].id, name_of(records[0]) if one else f"{count_text(len(records))} builds"
        found = []
        if one:
            found.append(Entry("Open", partial(self.open, key), "arrow-right", "Enter", subject=name))
            found.append(Entry("Build again…", partial(self._on_again, key), "rotate-cw", subject=name))
        if running := [r for r in records if r.state == RUNNING and r.id in self._runs]:
            found.append(Entry("Cancel build", partial(self._cancel_all, running), "square", "Ctrl .", subject=name))
        remove = partial(self._ask_remove, records)
        found.append(Entry("Remove from history…", remove, "trash-2", "Del", subject=name, danger=True, apart=True))
        return found

    def in_hand(self) -> list[Entry]:
        """What can be done with the build in view, or with the ticked ones or the focused one of the list."""
        if self.stack.currentWidget() is self.view:
            return self.view.entries()
        records = self._focused()
        return self._entries(records) if records else []

    def _focused(self) -> list[BuildRecord]:
        keys = self.table.menu_keys(self.table.current_key)
        return [r for k in keys if (r := self.history.get(k)) is not None]

    def _on_cancel_key(self) -> None:
        self._cancel_all(self._focused())

    def _on_save(self, key: str) -> None:
        live, record = self._live.get(key), self.history.get(key)
        if record is None:
            return
        text = "".join(f"{words}\n" for words in live.lines) if live is not None else self.history.output(key)
        name = name_of(record)
        safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name) or "build"
        chooser = QFileDialog(self, "Save the output", f"{safe}.log", "Text (*.log *.txt *)")
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.fileSelected.connect(
            lambda path: self._session.run(SAVE_OUTPUT, OutputFile(name, text, Path(path)), owner=self)
        )
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def _on_delete_key(self) -> None:
        self._ask_remove(self._focused())

    def _ask_remove(self, records: Sequence[BuildRecord]) -> None:
        ended = [r for r in records if r.id not in self._runs]
        if not ended:
            return
        what = name_of(ended[0]) if len(ended) == 1 else f"{count_text(len(ended))} builds"
        confirm = Confirm(
            self._theme, self.window(), f"Remove {what} from the history?",
            "Its Dockerfile, steps and output go. The image stays." if len(ended) == 1
            else "Their Dockerfiles, steps and output go. The images stay.",
            "Keep it" if len(ended) == 1 else "Keep them", "Remove",
        )  # fmt: skip
        confirm.chosen.connect(lambda _options: self._forget(ended))
        confirm.open()

    def _cancel_all(self, records: Sequence[BuildRecord]) -> None:
        for record in records:
            self.cancel(record.id)

    def _forget(self, records: Sequence[BuildRecord]) -> None:
        for record in records:
            self._live.pop(record.id, None)
            self.history.remove(record.id)

    def _refresh(self) -> None:
        records = self.history.records
        words = self.search.text().strip().lower()
        shown = [r for r in records if not words or words in f"{r.tag} {r.context} {r.state}".lower()]
        column = self.table.sort_column or "age"
        shown.sort(key=lambda r: sort_key(r, column), reverse=self.table.descending)
        self.model.set_rows(groups(shown))
        running = sum(1 for r in records if r.state == RUNNING)
        totals = [(f"{count_text(len(records))} builds" if len(records) != 1 else "1 build", False)]
        self.topbar.set_totals([(f"{running} running · ", True), *totals] if running else totals if records else [])
        if words and not shown:
            self.nothing.set("search", f"No builds match “{self.search.text().strip()}”", "", "Clear search")
        self.lists.setCurrentWidget(self.table if shown else self.nothing if records else self.empty)
        if running and self.isVisible():
            self._ages.start()
        else:
            self._ages.stop()
        self._show_selection()

    def _ticked(self) -> list[BuildRecord]:
        ticked = (key for key in self.model.all_keys() if key in self.table.ticks.keys)
        return [r for key in ticked if (r := self.history.get(key)) is not None]

    def _show_selection(self) -> None:
        ticked = self._ticked()
        self.selection.show_for(f"{count_text(len(ticked))} selected" if ticked else "")
        running = ticked and all(r.id in self._runs for r in ticked)
        self.selection.set_enabled("remove", "It still runs. Cancel it first" if running else "")

    def _connect(self) -> None:
        self.build.clicked.connect(self.primary)
        self.search.changed.connect(lambda _text: self._refresh())
        self.table.opened.connect(self.open)
        self.table.sorted.connect(lambda _key, _descending: self._refresh())
        self.table.menu_wanted.connect(self._on_menu)
        self.table.ticked.connect(lambda _keys: self._show_selection())
        self.selection.pressed.connect(lambda _name: self._ask_remove(self._ticked()))
        self.selection.closed.connect(lambda: self.table.set_ticks(()))
        bind(self.table, "Del", self._on_delete_key, window=False)
        self.history.changed.connect(self._refresh)
        self._ages.timeout.connect(self._refresh)
        self.view.left.connect(self._on_left)
        self.view.cancelled.connect(self.cancel)
        self.view.again_wanted.connect(self._on_again)
        self.view.save_wanted.connect(self._on_save)
        bind(self.table, "Ctrl+.", self._on_cancel_key, window=False)
        self.view.run_wanted.connect(lambda image: self._go(Place(RUN, id=image)))


def _request_of(record: BuildRecord) -> BuildRequest:
    """What was asked for; the values of build arguments are not kept and come back empty."""
    builder = next((b for b in Builder if b.value == record.builder), None)
    return BuildRequest(
        Path(record.context),
        Path(record.dockerfile) if record.dockerfile else None,
        record.tag,
        tuple((n, "") for n in record.arg_names),
        record.target,
        record.platform,
        record.no_cache,
        record.pull,
        builder,
    )
