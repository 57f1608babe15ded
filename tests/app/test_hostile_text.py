"""Names, labels and messages full of markup, bidi and 64 KB are shown as they are, and nothing is fetched for them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget

from app.pages.activity.page import ActivityPage
from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.pages.images.page import ImagesPage
from app.pages.run.dialog import RunDialog
from app.places import RUN, Place
from app.widgets.logview import LogView
from app.widgets.text import PlainLabel, visible_name
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


class Listener:
    """A real socket; whoever fetches the picture of the texts connects to it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def connections(self) -> int:
        """How many have come so far and were not counted before."""
        count = 0
        while True:
            try:
                self.socket.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    @property
    def markup(self) -> str:
        return f"<img src=http://127.0.0.1:{self.port}/x><b>bold</b>&amp;<a href='http://127.0.0.1:{self.port}/y'>z</a>"


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.socket.close()


@contextmanager
def plain_everywhere(person: Person, listener: Listener) -> Iterator[None]:
    """Afterwards no label and no tool tip in sight takes what it shows for markup, and nobody fetched anything."""
    yield
    for widget in person.window.findChildren(QWidget):
        if isinstance(widget, QLabel) and not isinstance(widget, PlainLabel):  # only Qt makes such
            assert widget.objectName() == "qtooltip_label" or not widget.text(), widget
            check_tip(widget.text())
        if isinstance(widget, PlainLabel):
            assert widget.textFormat() is Qt.TextFormat.PlainText
        check_tip(widget.toolTip())
    person.window.grab()
    assert listener.connections() == 0


def check_tip(text: str) -> None:
    if GuiQt.mightBeRichText(text):
        assert "<img" not in text
        assert "<b>" not in text
        assert "<a " not in text


def hover_all(widget: QWidget) -> list[str]:
    """Asks for the tool tip at many places of a view, and gives what Qt was told to show."""
    told: list[str] = []
    for y in range(4, widget.height(), 12):
        for x in range(4, widget.width(), 40):
            point = QPoint(x, y)
            QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, point, widget.mapToGlobal(point)))
            if QToolTip.text() and (not told or told[-1] != QToolTip.text()):
                told.append(QToolTip.text())
    QToolTip.hideText()
    return told


@asynccontextmanager
async def desk_with(fake: FakeEngine) -> AsyncIterator[tuple[Person, ContainersPage]]:
    async with fake.serve() as where, at_desk(where) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.until(lambda: len(person.rows(page.list.table)) == len(fake.containers), "the rows")
        yield person, page


def hostile(listener: Listener, tail: str) -> tuple[FakeEngine, str, str]:
    text = listener.markup + tail
    fake = FakeEngine()
    fake.add_image("plain:1", labels={text: text}, env=[f"{text}={text}"])
    made = fake.add_container(
        text, image="plain:1", project=text, service=text, labels={text: text}, env=[f"A={text}", text],
        command=["sh", "-c", text], logs=[text.encode("utf-8", "surrogatepass") + b"\n"], health="<b>",
        mounts=[{"Type": "bind", "Source": f"/{text}", "Destination": f"/{text}", "Mode": text, "RW": True}],
        override={"Image": text, "Status": text},
    )  # fmt: skip
    fake.add_image(f"{text}:1")
    fake.add_network(text)
    fake.add_volume(text)
    return fake, made, text


TAILS = ["\u202egnp.exe\u200b", "😀\U0001f468\u200d\U0001f469 é", "x" * 65_536]


async def test_the_listener_counts(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port)):
        assert listener.connections() == 1


@pytest.mark.parametrize("tail", TAILS, ids=["bidi", "emoji", "64 KB"])
async def test_through_the_whole_window(qapp: QApplication, listener: Listener, tail: str) -> None:
    fake, made, text = hostile(listener, tail)
    async with desk_with(fake) as (person, page):
        with plain_everywhere(person, listener):
            cells = person.rows(page.list.table)[made]
            assert any("<img src=http" in cell for cell in cells), cells
            assert not any("\u202e" in cell for cell in cells)
            for tip in hover_all(page.list.table.viewport()):
                check_tip(tip)
        with plain_everywhere(person, listener):
            page.show_place(Place("containers", made))
            logs = await person.find(LogsTab, "the logs", lambda _tab: True)
            await person.until(lambda: len(logs.buffer) > 0, "the line")
            view = logs.findChild(LogView)
            assert view is not None
            view.select_all()
            view.copy()
            copied = QApplication.clipboard().text()
            assert listener.markup in copied
            assert QApplication.clipboard().mimeData().hasHtml() is False
            hover_all(view.viewport())
        for tab in ("stats", "inspect", "overview"):
            with plain_everywhere(person, listener):
                page.show_place(Place("containers", made, tab))
                await person.rest(20)
        with plain_everywhere(person, listener):
            page.show_place(Place("containers"))
            page.verbs.run("remove", [made])
            await person.until(person.window.dialogs_open, "the question")
            await person.keys(Qt.Key.Key_Escape)
        with plain_everywhere(person, listener):
            page.verbs.run("rename", [made])
            await person.until(person.window.dialogs_open, "the dialog")
            await person.keys(Qt.Key.Key_Escape)
        assert text in fake.containers[made].name


@pytest.mark.parametrize("tail", TAILS, ids=["bidi", "emoji", "64 KB"])
async def test_toasts_and_activity(qapp: QApplication, listener: Listener, tail: str) -> None:
    fake, made, text = hostile(listener, tail)
    body = json.dumps({"message": text}).encode()
    head = f"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with desk_with(fake) as (person, page):
        fake.fail("/restart", raw=head + body)
        with plain_everywhere(person, listener):
            page.verbs.run("restart", [made])
            await person.until(lambda: person.notices, "the refusal")
            await person.rest(20)
            assert person.says("<img src=http")
            (toast,) = person.window.toasts.shown()
            assert visible_name(text)[:190] in toast.detail.text()
            assert not {"\u202e", "\u200b"} & {*toast.title.text(), *toast.detail.text(), *toast.accessibleName()}
        with plain_everywhere(person, listener):
            activity = cast("ActivityPage", await person.nav("activity"))
            await person.rest(20)
            assert "<img src=http" in activity.detail.words.text()
            for tip in hover_all(activity.table.viewport()):
                check_tip(tip)


@pytest.mark.parametrize("tail", TAILS, ids=["bidi", "emoji", "64 KB"])
async def test_images_and_the_run_form(qapp: QApplication, listener: Listener, tail: str) -> None:
    fake, _made, text = hostile(listener, tail)
    async with desk_with(fake) as (person, _page):
        with plain_everywhere(person, listener):
            images = cast("ImagesPage", await person.nav("images"))
            await person.until(lambda: len(person.rows(images.table)) == 2, "the images")
            for tip in hover_all(images.table.viewport()):
                check_tip(tip)
            for key in person.rows(images.table):
                person.window.go(Place("images", key))
                await person.rest(20)
        with plain_everywhere(person, listener):
            person.window.go(Place(RUN, id=f"{text}:1"))
            await person.find(RunDialog, "the dialog", lambda _d: True)
            await asyncio.sleep(0.5)
            await person.keys(Qt.Key.Key_Escape)
