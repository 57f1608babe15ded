"""Every page and dialog for somebody without a mouse or without sight: names, the way of Tab, and plain text only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QTextEdit, QWidget

from app import places
from app.commands.run.form import EnvRow, MountRow, PortRow, RunForm
from app.crash import CrashReport
from app.keysheet import KeySheet
from app.pages.builds.dialog import BuildDialog
from app.pages.builds.page import BuildsPage
from app.pages.containers.header import ContainerHeader
from app.pages.containers.page import ContainersPage
from app.pages.images.dialogs import ImportDialog, TagDialog
from app.pages.images.page import ImagesPage
from app.pages.onboarding.connecting import ConnectDialog, open_connect
from app.pages.onboarding.page import Finding, OnboardingPage, OnboardingView
from app.pages.run.dialog import RunDialog
from app.pages.settings.quitting import QuitDialog
from app.pages.settings.reports import CrashReportDialog
from app.places import Place
from app.widgets.chips import PortChip
from app.widgets.dialogs import Dialog
from app.widgets.focus import ScrollArea
from app.widgets.segments import Tabs
from backend.endpoint import Ssh
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio
FORM = RunForm(
    image="nginx:latest", name="web-2", ports=(PortRow("18443", "443", "tcp", "127.0.0.1"),),
    env=(EnvRow("LEVEL", "debug"), EnvRow("API_KEY", "k")), mounts=(MountRow(source="data", target="/data"),),
)  # fmt: skip
STEPS = ("sudo apt install uidmap",)
ONBOARDING = (
    OnboardingView((Finding("Docker socket", False, "It is missing"),), True),
    OnboardingView(why_not="newuidmap is missing", steps=STEPS),
    OnboardingView(can_embed=True, busy="Starting"),
    OnboardingView(can_embed=True, failure="It ended with code 1", log=("no space left",)),
)


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    port = {"PrivatePort": 80, "PublicPort": 18080, "Type": "tcp", "IP": "0.0.0.0"}
    made.add_container("web", project="shop", ports=[port], logs=[b"ERROR it broke\n", b"INFO fine\n"], env=["A_KEY=1"])
    made.add_container("old", "exited", exit_code=137)
    made.add_image("shop-api:dev", env=["A=1"], exposed=["80/tcp"])
    made.add_image()
    return made


# What is looked for


def takes_tab(widget: QWidget) -> bool:
    policy = widget.focusPolicy() & Qt.FocusPolicy.TabFocus & ~Qt.FocusPolicy.NoFocus
    return bool(policy) and widget.isVisible() and widget.isEnabled() and widget.focusProxy() is None


def stops(inside: QWidget) -> list[QWidget]:
    """Where Tab may stop within a widget."""
    return [widget for widget in inside.findChildren(QWidget) if takes_tab(widget)]


def name_of(widget: QWidget) -> str:
    return widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")


def told(widget: QWidget) -> str:
    over: list[str] = []
    at: QWidget | None = widget
    while at is not None and len(over) < 4:
        over.append(type(at).__name__)
        at = at.parentWidget()
    return f"{name_of(widget)!r} {' in '.join(over)}"


def faults(window: QWidget) -> list[str]:
    """Nameless stops of Tab, and whatever could show markup."""
    nameless = [f"no name: {told(widget)}" for widget in stops(window) if not name_of(widget).strip()]
    labels = [label for label in window.findChildren(QLabel) if label.textFormat() != Qt.TextFormat.PlainText]
    editors = [editor for editor in window.findChildren(QTextEdit) if editor.acceptRichText()]
    return nameless + [f"not plain: {told(widget)}" for widget in (*labels, *editors)]


def on_screen(widget: QWidget) -> QRect:
    return QRect(widget.mapToGlobal(widget.rect().topLeft()), widget.size())


def follows(first: QRect, second: QRect) -> bool:
    """Whether a reader comes from the first to the second without going back: to the right, or further down."""
    beside = second.top() < first.bottom() and second.bottom() > first.top()
    return second.left() > first.left() if beside else second.top() > first.top()


def way_of_tab(first: QWidget) -> list[QWidget]:
    """The stops from `first` on, until one comes back to it."""
    first.setFocus(Qt.FocusReason.TabFocusReason)
    way = [first]
    for _step in range(200):
        here = QApplication.focusWidget()
        assert here is not None
        QTest.keyClick(here, Qt.Key.Key_Tab)
        there = QApplication.focusWidget()
        assert there is not None
        if there is first or there in way:
            return way
        way.append(there)
    raise AssertionError("Tab never came back")


def backwards(way: list[QWidget]) -> list[str]:
    """The steps of a way that go up or to the left."""
    return [
        f"{told(one)} then {told(other)}"
        for one, other in pairwise(way)
        if not follows(on_screen(one), on_screen(other))
    ]


class Watch:
    """Looks at the window after each step, and remembers what was wrong and where."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.found: list[str] = []

    async def look(self, where: str) -> None:
        await self.person.rest(10)
        self.found += [f"{where}: {fault}" for fault in faults(self.person.window)]

    async def dialog(self, where: str, opened: Callable[[], object]) -> None:
        opened()
        dialog = await self.person.find(Dialog, where, lambda _d: True)
        await self.look(where)
        dialog.reject()
        await self.person.until(lambda: not self.person.window.dialogs_open(), f"{where} to close")


# Pages


async def test_pages_name_what_takes_the_keyboard(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        watch, window = Watch(person), person.window
        page = await person.nav("containers")
        assert isinstance(page, ContainersPage)
        await watch.look("containers")
        web = next(c.id for c in person.desk.session.stores.containers.values.values() if c.name == "web")
        page.list.table.set_ticks([web])
        page.list.table.ticked.emit({web})
        await watch.look("containers with a tick")
        page.list.search.setText("nothing")
        await watch.look("containers that do not match")
        page.list.search.clear()
        for tab in ("logs", "stats", "inspect", "overview"):
            window.go(Place(places.CONTAINERS, web, tab))
            await watch.look(tab)
        await person.nav("images")
        await watch.look("images")
        await person.nav("builds")
        await watch.look("builds")
        page.verbs.run("stop", [web])
        await person.nav("activity")
        await watch.look("activity")
        window.go(Place(places.SETTINGS))
        await watch.look("settings")
        assert not watch.found, "\n".join(watch.found)


async def test_the_ways_to_an_engine_are_named(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        watch = Watch(person)
        person.window.go(Place(places.CONTAINERS))
        person.window.show_onboarding(True)
        page = person.window.page(places.ONBOARDING)
        assert isinstance(page, OnboardingPage)
        for view in ONBOARDING:
            page.show_view(view)
            await watch.look(str(view))
            way = way_of_tab(stops(page)[0])
            assert set(stops(page)) <= set(way)
        person.window.go(Place(places.IMAGES))
        assert person.window.stack.currentWidget() is page
        assert page.topbar.title.text() == "Images"
        assert not watch.found, "\n".join(watch.found)


async def test_empty_pages_name_what_takes_the_keyboard(qapp: QApplication) -> None:
    async with FakeEngine().serve() as endpoint, at_desk(endpoint) as person:
        watch = Watch(person)
        for page in ("containers", "images", "builds", "activity"):
            await person.nav(page)
            await watch.look(f"{page}, empty")
        assert not watch.found, "\n".join(watch.found)


# Dialogs


def openers(person: Person) -> Iterator[tuple[str, Callable[[], object]]]:
    desk, window = person.desk, person.window
    theme, session = desk.theme, desk.session
    containers, pictures, builds = (window.page(key) for key in (places.CONTAINERS, places.IMAGES, places.BUILDS))
    assert isinstance(containers, ContainersPage)
    assert isinstance(pictures, ImagesPage)
    assert isinstance(builds, BuildsPage)
    ids = [c.id for c in session.stores.containers.values.values()]
    row = next(row for row in pictures._rows if row.reference == "shop-api:dev")
    report = CrashReport(path=Path("report"), at=time.time(), text="Traceback")
    yield "pull", lambda: window.go(Place(places.PULL))
    yield "remove one", lambda: containers.verbs.run("remove", ids[:1])
    yield "remove both", lambda: containers.verbs.run("remove", ids)
    yield "tag", TagDialog(theme, window, session, row.image).open
    yield "import", ImportDialog(theme, window, session).open
    yield "remove image", lambda: pictures.verbs.run("remove", [row])
    yield "clean up", pictures.verbs.clean_up
    yield "build", builds.primary
    yield "connect", ConnectDialog(theme, window, desk.engines).open
    yield "connect to a host", lambda: open_connect(theme, window, desk.engines, Ssh("host.example", key="/key"))
    yield "quit", QuitDialog(theme, window, ["web"]).open
    yield "report", CrashReportDialog(theme, window, [report]).open
    yield "keys", KeySheet(theme, window).open
    yield "palette", desk._commands.toggle


async def test_dialogs_name_what_takes_the_keyboard(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        watch = Watch(person)
        for where, opened in openers(person):
            await watch.dialog(where, opened)
        assert not watch.found, "\n".join(watch.found)


# The way of Tab


async def test_tab_reads_the_run_dialog_from_top_to_bottom(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        watch = Watch(person)
        person.window.resize(1280, 1400)
        person.window.go(Place(places.RUN, extra=FORM))
        dialog = await person.find(RunDialog, "the dialog", lambda _d: True)
        await person.sees("Free")
        for key, _text, _box in dialog.tabs.boxes():
            await person.choose(dialog.tabs, key)
            await watch.look(f"run, {key}")
            every = set(stops(dialog))
            way = way_of_tab(min(every, key=lambda stop: on_screen(stop).top()))
            assert every <= set(way), [told(stop) for stop in every - set(way)]
            watch.found += [f"run, {key}: {step}" for step in backwards(way)]
        assert not watch.found, "\n".join(watch.found)


async def test_tab_reads_the_containers_from_top_to_bottom(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        page = await person.nav("containers")
        assert isinstance(page, ContainersPage)
        way = way_of_tab(page.list.search)
        every = set(stops(person.window))
        assert every <= set(way), [told(stop) for stop in every - set(way)]
        inside = [stop for stop in way if page.isAncestorOf(stop)]
        assert inside[-1] is page.list.table
        assert not backwards(inside), "\n".join(backwards(inside))


async def test_tab_reads_the_build_dialog_from_top_to_bottom(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        watch = Watch(person)
        page = await person.nav("builds")
        assert isinstance(page, BuildsPage)
        page.primary()
        dialog = await person.find(BuildDialog, "the dialog", lambda _d: True)
        await person.press("Add build argument")
        await watch.look("build")
        every = set(stops(dialog))
        way = way_of_tab(min(every, key=lambda stop: on_screen(stop).top()))
        assert every <= set(way), [told(stop) for stop in every - set(way)]
        watch.found += backwards(way)
        assert not watch.found, "\n".join(watch.found)


async def test_tab_reaches_everything_of_a_container(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        web = next(c.id for c in person.desk.session.stores.containers.values.values() if c.name == "web")
        person.window.resize(1280, 800)
        for tab in ("logs", "stats", "inspect", "overview"):
            person.window.go(Place(places.CONTAINERS, web, tab))
            await person.rest(20)
            every = set(stops(person.window))
            page = person.window.page(places.CONTAINERS)
            inside = [stop for stop in every if page.isAncestorOf(stop)]
            way = way_of_tab(min(inside, key=lambda stop: (on_screen(stop).top(), on_screen(stop).left())))
            assert every <= set(way), (tab, [told(stop) for stop in every - set(way)])


async def test_the_header_of_a_container_is_read_in_order_and_its_tabs_keep_their_name(
    qapp: QApplication, fake: FakeEngine
) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        person.window.resize(1280, 800)
        person.window.go(Place(places.CONTAINERS, next(iter(fake.containers)), "logs"))
        chip = await person.find(PortChip, "its port", lambda chip: "18080" in name_of(chip))
        header = await person.find(ContainerHeader, "its header", lambda header: header.isAncestorOf(chip))
        way = [stop for stop in way_of_tab(stops(header)[0]) if header.isAncestorOf(stop)]
        assert chip in way
        assert not backwards(way)
        tabs = await person.find(Tabs, "its tabs", lambda tabs: tabs.accessibleName() == "Parts of the container")
        await person.tab("overview")
        assert tabs.accessibleName() == "Parts of the container"
        assert tabs.accessibleDescription() == "Overview, 4 of 4"


async def test_a_choice_tells_what_it_chooses(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        person.window.go(Place(places.RUN, extra=FORM))
        dialog = await person.find(RunDialog, "the dialog", lambda _d: True)
        heard = QAccessible.queryAccessibleInterface(dialog.basic.restart)
        told_by = {heard.text(kind) for kind in (QAccessible.Text.Name, QAccessible.Text.Description)}
        assert told_by >= {"Never", "Restart"} or "Restart" in heard.text(QAccessible.Text.Name)
        await person.type(dialog.image, "Not Valid")
        await person.until(lambda: "To mend: Basic" in dialog.tabs.accessibleDescription(), "the tab to tell")


async def test_what_keys_scroll_shows_the_ring(qapp: QApplication, fake: FakeEngine) -> None:
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        person.window.go(Place(places.SETTINGS))
        area = await person.find(ScrollArea, "the settings", lambda _a: True)
        area.setFocus(Qt.FocusReason.TabFocusReason)
        ring = next(w for w in person.window.findChildren(QWidget, "focus-ring"))
        assert ring.isVisible()
        area.clearFocus()
        assert not ring.isVisible()
