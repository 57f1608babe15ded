"""The window while its engine misbehaves, refuses or drowns it: told, alive, and right in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.pages.containers.logs import LogsTab
from app.pages.containers.page import ContainersPage
from app.places import Place
from app.session import Phase
from tests.e2e.desk import Person, at_desk
from tests.e2e.test_faults_start import ticking
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def in_use(fake: FakeEngine) -> AsyncIterator[tuple[Person, ContainersPage]]:
    async with fake.serve() as where, at_desk(where) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.until(lambda: len(person.rows(page.list.table)) == len(fake.containers), "the rows")
        yield person, page


GARBAGE = b"\x00\xff\x00 nothing of HTTP\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


@pytest.mark.parametrize(
    "fault",
    [
        {"raw": GARBAGE},
        {"hang": True},
        {"drip": 1.0},
        {"raw": JSON + b"5000\r\n\r\n[{"},
        {"raw": JSON + b"4\r\n\r\n[{oo"},
        {"raw": JSON + b"20000\r\n\r\n" + b"[" * 20000},
        {"raw": b"HTTP/1.1 500 No\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\n<html><b>no</html>"},
    ],
    ids=["garbage", "silence", "a byte a second", "cut", "broken", "deep", "html"],
)
async def test_a_list_that_fails_leaves_the_rows_and_recovers(qapp: QApplication, fault: dict[str, Any]) -> None:
    fake = FakeEngine()
    fake.add_container("stays")
    async with in_use(fake) as (person, page):
        await person.type(page.list.search, "sta")
        scripted_fault = fake.fail("/containers/json", **fault)
        person.desk.session.reload()
        await person.until(lambda: scripted_fault.seen, "the fault to happen")
        async with ticking(person):
            assert [row for row in person.rows(page.list.table).values() if "stays" in row]
        if "hang" not in fault and "drip" not in fault:
            await person.until(person.window.banner.isVisible, "the banner")
        fake.faults.clear()
        if person.window.banner.isVisible():
            await person.press("Try now")
        fake.add_container("stayed-too")
        person.desk.session.reload()
        await person.until(lambda: len(person.rows(page.list.table)) == 2, "the fresh list", 60)
        assert page.list.search.text() == "sta"
        await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the connection")
        assert not person.desk.session.stores.containers.stale


@pytest.mark.parametrize("fault", [{"cut_after": 200}, {"raw": GARBAGE}], ids=["cut", "garbage"])
async def test_an_event_stream_that_breaks_is_opened_again(qapp: QApplication, fault: dict[str, Any]) -> None:
    fake = FakeEngine()
    made = fake.add_container("web")
    async with in_use(fake) as (person, page):
        broken = fake.fail("/events", times=2, **fault)
        fake.drop_all()
        await person.until(lambda: broken.seen, "the stream to be opened")
        for _ in range(20):
            await fake.emit("container", "exec_create: x", made)
        async with ticking(person):
            pass
        await person.until(
            lambda: broken.seen == 2 or person.desk.session.state.phase is Phase.CONNECTED, "another try"
        )
        fake.faults.clear()
        await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the connection")
        await fake.set_state("web", "exited", "die")
        store = person.desk.session.stores.containers
        await person.until(lambda: store.values[made].state == "exited", "the change")
        await person.until(lambda: "Exited 0" in person.rows(page.list.table)[made], "the row to say so")


@pytest.mark.parametrize(
    "fault",
    [{"raw": GARBAGE}, {"raw": JSON + b'9\r\n\r\n{"Id": 5,'}, {"hang": True}],
    ids=["garbage", "cut", "silence"],
)
async def test_details_that_cannot_be_had_are_told_and_one_goes_back(qapp: QApplication, fault: dict[str, Any]) -> None:
    fake = FakeEngine()
    made = fake.add_container("web", logs=[b"a line\n"])
    async with in_use(fake) as (person, page):
        broken = fake.fail(f"/containers/{made}/json", **fault)
        await person.open_row(page.list.table, "web")
        await person.until(lambda: broken.seen, "the fault to happen")
        if "hang" not in fault:
            await person.until(lambda: person.notices, "a notice")
        async with ticking(person):
            pass
        fake.faults.clear()
        await person.open_row(page.list.table, "web")
        await person.until(lambda: page.details is not None and page.details.findChildren(LogsTab), "the logs")
        assert page.details is not None
        (tab,) = page.details.findChildren(LogsTab)
        await person.until(lambda: len(tab.buffer) == 1, "its line")
        assert tab.view.lines.get(0).text == "a line"


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (500, "write /var/lib/docker/tmp: no space left on device", "The engine's disk is full"),
        (500, "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", "Port 80 is taken"),
        (409, "Container is <b>paused</b>. Unpause the container first", "<b>paused</b>"),
        (404, "No such image: nginx:latest", "No such image"),
        (500, "<html>", "Could not start old"),
    ],
)
async def test_a_refused_action_says_the_engines_words(
    qapp: QApplication, status: int, message: str, words: str
) -> None:
    fake = FakeEngine()
    fake.add_container("old", "exited")
    body = b'{"message": "%s"}' % message.encode()
    async with in_use(fake) as (person, page):
        head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        fake.fail("/start", raw=head.encode() + body)
        page.list.table.set_current(person.key_of(page.list.table, "old"))
        page.list.table.setFocus()
        await person.keys(Qt.Key.Key_S)
        await person.sees(words)
        async with ticking(person):
            pass
        assert person.last("Start").state.value == "Failed"


async def test_an_action_without_an_answer_can_be_cancelled(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_container("old", "exited")
    async with in_use(fake) as (person, page):
        silent = fake.fail("/start", hang=True)
        page.list.table.set_current(person.key_of(page.list.table, "old"))
        page.list.table.setFocus()
        await person.keys(Qt.Key.Key_S)
        await person.until(lambda: silent.seen, "the question")
        async with ticking(person):
            pass
        operation = person.last("Start")
        assert operation.running
        before = fake.hangups
        operation.cancel()
        await person.until(lambda: not operation.running, "the end")
        assert operation.state.value == "Cancelled"
        await person.until(lambda: fake.hangups > before, "the connection to be closed")


async def test_a_container_that_went_between_list_and_question_makes_no_storm(qapp: QApplication) -> None:
    fake = FakeEngine()
    made = fake.add_container("gone", logs=[b"x\n"])
    fake.add_container("stays")
    async with in_use(fake) as (person, page):
        del fake.containers[made]
        page.show_place(Place("containers", made))  # at once: the list is asked again soon after the first one
        page.verbs.run("stop", [made])
        operation = person.last("Stop")
        await person.until(lambda: not operation.running, "the answer")
        await fake.emit("container", "destroy", made)
        await person.until(lambda: person.desk.session.stores.containers.get(made) is None, "the row to go")
        async with ticking(person):
            pass
        await person.until(lambda: len(person.rows(page.list.table)) == 1, "one row")
        assert len(person.notices) <= 1
        assert person.window.dialogs_open() == []


# Many


def rows_of(person: Person) -> dict[str, tuple[str, str]]:
    return {c.id: (c.name, c.state) for c in person.desk.session.stores.containers.values.values()}


async def test_ten_thousand_events_in_any_order_end_in_a_fresh_list(qapp: QApplication) -> None:
    fake = FakeEngine()
    made = [fake.add_container(f"c{n}") for n in range(60)]
    async with in_use(fake) as (person, page):
        for n in range(10_000):
            which = made[n * 7 % 60]
            if (found := fake.containers.get(which)) is not None:
                found.state = "exited" if n % 3 else "running"
                if n > 9_000 and n % 11 == 0:
                    del fake.containers[which]
            at = (1_700_000_000 + (n * 7919) % 10_000) * 10**9 if n % 5 else 4_000_000_000 * 10**9
            event = {
                "Type": "container", "Action": ("die", "start", "stop", "destroy", "rename")[n % 5],
                "Actor": {"ID": which, "Attributes": {"name": f"c{n}"}}, "time": at // 10**9, "timeNano": at,
            }  # fmt: skip
            fake.events += [event, event]
        fake.add_container("last")
        await fake.emit("container", "create", next(reversed(fake.containers)))
        truth = {c.id: (c.name, c.state) for c in fake.containers.values()}
        async with ticking(person):
            pass
        await person.until(lambda: rows_of(person) == truth, "the final list", 60)
        await person.until(lambda: person.rows(page.list.table).keys() == truth.keys(), "the rows to be the same")
        assert truth == {c.id: (c.name, c.state) for c in fake.containers.values()}


@pytest.mark.parametrize("count", [0, 1, 2_000, 10_000])
async def test_any_number_of_containers_can_be_used(qapp: QApplication, count: int) -> None:
    fake = FakeEngine()
    for n in range(count):
        fake.add_container(f"c{n:05}", "running" if n < 5 else "exited")
    async with fake.serve() as where, at_desk(where) as person:
        page = cast("ContainersPage", await person.nav("containers"))
        await person.until(lambda: len(person.rows(page.list.table)) == count, f"{count} rows", 60)
        if not count:
            await person.sees("No containers yet")
            return
        last = f"c{count - 1:05}"
        await person.type(page.list.search, last)
        await person.until(lambda: len(person.rows(page.list.table)) == 1, "the one that matches")
        await person.open_row(page.list.table, last)
        await person.until(lambda: page.details is not None, "the details")
        await person.nav("containers")
        async with ticking(person):
            pass
        assert page.list.isVisible()
        assert [last in row for row in person.rows(page.list.table).values()] == [True]
