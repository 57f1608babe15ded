"""A running Pilothouse and the person in front of it: clicks, types and waits for what is on screen."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from app import logbook
from app.collector import Collector
from app.desk import Desk
from app.notices import Notice
from app.operation import Operation
from app.pages.onboarding.connecting import ConnectDialog
from app.session import Phase
from app.widgets.cells import Group
from app.widgets.menus import Menu
from app.widgets.segments import Segments, Tabs
from app.widgets.table import Table
from app.widgets.text import PlainLabel
from backend.endpoint import UnixSocket, text
from vm.machine import Machine

W = TypeVar("W", bound=QWidget)
SECONDS = 30.0
QUIT_SECONDS = 5.0


class Person:
    """Sees and touches one window. Waits give up after `seconds` and say what was waited for."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.window = desk.window
        self.notices: list[Notice] = []
        desk.session.noticed.connect(self.notices.append)

    # Waiting

    async def until(self, true: Callable[[], object], what: str = "", seconds: float = SECONDS) -> None:
        """Until `true()`; the failure says `what` was missing and what the window says instead."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            told = [f"{n.title}: {n.detail}" for n in self.notices]
            raise AssertionError(f"waited for {what or true}; on screen: {self.words()}; told: {told}") from None

    async def find(self, kind: type[W], what: str, fits: Callable[[W], bool], seconds: float = SECONDS) -> W:
        """The first visible widget of a kind that fits, once there is one."""
        found: list[W] = []

        def look() -> bool:
            found[:] = [w for w in self.window.findChildren(kind) if w.isVisible() and fits(w)]
            return bool(found)

        await self.until(look, what, seconds)
        return found[-1]

    async def rest(self, turns: int = 5) -> None:
        """Lets the window paint and answer."""
        for _ in range(turns):
            await asyncio.sleep(0.01)

    # Looking

    def words(self) -> list[str]:
        """What labels and buttons say now."""
        shown = [w for w in self.window.findChildren(QWidget) if w.isVisible()]
        return [w.text() for w in shown if isinstance(w, PlainLabel | QAbstractButton) and w.text()]

    def says(self, part: str) -> bool:
        """Whether some visible words hold `part`."""
        return any(part in words for words in self.words())

    async def sees(self, part: str, seconds: float = SECONDS) -> None:
        """Until some visible words hold `part`."""
        await self.until(lambda: self.says(part), repr(part), seconds)

    def rows(self, table: Table) -> dict[str, list[str]]:
        """The rows of a table as their texts, by key; no headings."""
        model = table._rows
        found: dict[str, list[str]] = {}
        for at in range(model.rowCount()):
            entry = model.entry(at)
            if not isinstance(entry, Group):
                found[model.key(at)] = [words for cell in entry for words in (cell.text, cell.secondary) if words]
        return found

    def key_of(self, table: Table, text: str) -> str:
        """The key of the row in which a cell says `text`, "" for none."""
        return next((key for key, texts in self.rows(table).items() if text in texts), "")

    def has_keys(self, widget: QWidget) -> bool:
        """Whether a widget, or one in it, has the keyboard and is on screen."""
        focus = QApplication.focusWidget()
        return focus is not None and focus.isVisible() and (focus is widget or widget.isAncestorOf(focus))

    # Touching

    async def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """A press of the left button on a visible and enabled widget, at its middle unless told."""
        await self.until(lambda: widget.isVisible() and widget.isEnabled(), f"{widget} to be pressable")
        box = QRect(QPoint(0, 0), widget.size())
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at or box.center())
        await self.rest()

    async def button(self, name: str) -> QAbstractButton:
        """The visible button that says `name` or bears it; in the topmost dialog when one is open."""

        def fits(button: QAbstractButton) -> bool:
            over = self.window.dialogs_open()
            inside = not over or over[-1].isAncestorOf(button)
            return inside and name in (button.text(), button.accessibleName())

        return await self.find(QAbstractButton, f"the button {name}", fits)

    async def press(self, name: str) -> None:
        """Clicks the button that says `name`."""
        await self.click(await self.button(name))

    async def type(self, widget: QWidget, words: str) -> None:
        """Clicks into a field, replaces what it holds, and types."""
        await self.click(widget)
        if isinstance(widget, QLineEdit):
            widget.selectAll()
        QTest.keyClicks(widget, words)
        await self.rest()

    async def field(self, name: str) -> QLineEdit:
        """The visible field with an accessible name."""
        return await self.find(QLineEdit, f"the field {name}", lambda field: field.accessibleName() == name)

    async def connect_to(self, address: str, folder: Path | None = None) -> ConnectDialog:
        """Types the address of an engine, and the folder of its TLS files, into the dialog for that, and presses."""
        self.desk._open_connect()
        dialog = await self.find(ConnectDialog, "the dialog", lambda _d: True)
        await self.type(dialog.address, address)
        if folder is not None:
            await self.type(dialog.folder, str(folder))
        await self.press("Connect")
        return dialog

    async def keys(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A key for whatever has the focus."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifiers)
        await self.rest()

    async def choose(self, segments: Segments | Tabs, key: str) -> None:
        """Clicks one of several segments or tabs."""
        box = next(box for own, _text, box in segments.boxes() if own == key)
        await self.click(segments, box.center())

    async def hover(self, widget: QWidget, at: QPoint) -> None:
        """The pointer rests on a point of a widget."""
        where = QPointF(at)
        none, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(QEvent.Type.MouseMove, where, widget.mapToGlobal(where), none, none, no_keys)
        QApplication.sendEvent(widget, event)
        await self.rest()

    async def tab(self, key: str) -> None:
        """Clicks a tab of the details in view."""
        tabs = await self.find(Tabs, f"the tab {key}", lambda t: key in [own for own, _text, _box in t.boxes()])
        await self.choose(tabs, key)

    async def nav(self, page: str) -> QWidget:
        """Goes to a page by the sidebar's key, and gives the page."""
        number = ("containers", "images", "builds", "activity").index(page) + 1
        QTest.keyClick(self.window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        await self.until(lambda: self.window.place.page == page, f"the page {page}")
        await self.rest()
        return self.window.page(page)

    async def row(self, table: Table, text: str, seconds: float = SECONDS) -> QPoint:
        """A point on the row in which a cell says `text`, once it is there and in view."""
        await self.until(lambda: self.key_of(table, text), f"a row with {text}", seconds)
        index = table._rows.index_of(self.key_of(table, text))
        table.scrollTo(index)
        await self.rest()
        box = table.visualRect(table._rows.index(index.row(), 0))
        return QPoint(table.layout_of_columns.lead + 60, box.center().y())

    async def open_row(self, table: Table, text: str) -> None:
        """Clicks a row of a table."""
        await self.click(table.viewport(), await self.row(table, text))

    async def menu(self, table: Table, text: str, pick: str) -> None:
        """Opens the menu of a row with the Menu key and picks one of its entries."""
        await self.row(table, text)
        table.set_current(self.key_of(table, text))
        table._menu_at_current()
        await self.pick(pick)

    async def pick(self, words: str) -> None:
        """Picks an entry of the open menu with the mouse."""
        menus: list[Menu] = []

        def look() -> bool:
            every = [
                *self.window.findChildren(Menu),
                *(w for w in QApplication.topLevelWidgets() if isinstance(w, Menu)),
            ]
            menus[:] = [m for m in every if m.isVisible()]
            return bool(menus)

        await self.until(look, f"a menu with {words}")
        menu = menus[-1]
        action = next((a for a in menu.actions() if a.text().split("\t")[0] == words), None)
        assert action is not None, f"{words} is not among {[a.text() for a in menu.actions()]}"
        assert action.isEnabled(), f"{words} is not enabled: {action.toolTip()}"
        QTest.mouseClick(
            menu, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, menu.actionGeometry(action).center()
        )
        await self.rest()

    # What was done

    def last(self, title: str) -> Operation:
        """The newest operation with a title."""
        return next(o for o in self.desk.operations.items if o.title == title)

    async def done(self, operation: Operation, seconds: float = 120) -> Operation:
        """Until an operation has ended well."""
        await self.until(lambda: not operation.running, f"{operation.title} {operation.subject} to end", seconds)
        error = operation.error
        assert operation.state.value == "Done", f"{operation.title} {operation.subject}: {operation.state}, {error!r}"
        return operation

    async def connected(self, seconds: float = SECONDS) -> None:
        """Until the engine answers and its lists are here."""
        session = self.desk.session
        await self.until(lambda: session.state.phase is Phase.CONNECTED, "a connection", seconds)
        await self.until(lambda: session.stores.containers.loaded and session.stores.images.loaded, "the lists")
        await self.rest()

    async def picture(self, path: Path) -> None:
        """Saves what the window shows."""
        await self.rest(20)
        path.parent.mkdir(parents=True, exist_ok=True)
        assert self.window.grab().save(str(path)), path


def with_full_capabilities(host: dict[str, Any]) -> dict[str, Any]:
    """A HostConfig in which capabilities have their full names: older docker programs send them as typed."""
    full = {
        key: sorted("CAP_" + name.upper().removeprefix("CAP_") for name in host[key])
        for key in ("CapAdd", "CapDrop")
        if host.get(key)
    }
    return {**host, **full}


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables of this process for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@asynccontextmanager
async def at_desk(
    engine: UnixSocket | None, *, connect: bool = True, machine: Machine | None = None
) -> AsyncIterator[Person]:
    """The whole program as main() wires it, opened on `engine` by DOCKER_HOST, and quit at the end.

    Without an `engine` it finds one by itself; without a `machine` it has that of its home.

    Needs PILOTHOUSE_HOME (the tests' own_home sets it). Enter it in the test's own body, not in a fixture: between a
    fixture and its test pytest-qt lets Qt work while no loop of asyncio runs, which no task survives. Fails when a
    task does not end, or when nobody caught what a slot or a callback raised.
    """
    app = cast("QApplication", QApplication.instance())
    app.setQuitOnLastWindowClosed(False)
    loop = asyncio.get_running_loop()
    uncaught: list[Any] = []
    loop.set_exception_handler(lambda _loop, context: uncaught.append(context))
    with environment(**({"DOCKER_HOST": text(engine)} if engine is not None else {})):
        desk = Desk(app, machine=machine)
        collector = Collector(desk)
        collector.start()
        undo = logbook.catch_all(uncaught.append)
        person = Person(desk)
        try:
            await desk.open()
            if connect:
                await person.connected()
            yield person
        finally:
            await desk.close(QUIT_SECONDS)
            collector.stop()
            desk.window.deleteLater()
            desk.deleteLater()
            undo()
    assert len(desk.scope) == 0, f"{len(desk.scope)} tasks did not end"
    assert not uncaught, uncaught
