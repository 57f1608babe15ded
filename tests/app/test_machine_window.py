"""The machine in the window: its card on the first page, its own page, and what the buttons of its notices do."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import places
from app.desk import Desk
from app.machineroom import MachineRoom
from app.machinewordings import STEPS
from app.notices import notice_for
from app.pages.machine.page import TABS
from app.pages.onboarding.page import OnboardingPage
from app.places import Place
from app.session import Phase
from app.widgets.fields import SpinEdit
from backend import discovery
from backend.endpoint import UnixSocket
from tests.app.test_accessibility import backwards, faults, stops, way_of_tab
from tests.app.test_machine_notices import EVERY, make
from tests.app.test_qemu_notices import EVERY as EVERY_OF_QEMU
from tests.app.test_qemu_notices import make as make_of_qemu
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine
from tests.fakes.machine import FakeMachine
from vm import errors, images, making
from vm.errors import MachineStartFailed
from vm.guest.manifest import MANIFEST
from vm.report import Failure, LowDisk, Published, Report

pytestmark = pytest.mark.asyncio
HAS = making.Settings(cpus=2, memory=2048, disk=64 * making.GIB)
CONSOLE = ("[    1.0] virtio_blk", "STEP data failed not ours")


@asynccontextmanager
async def without_engine(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    """The window where no engine answers, on a computer that has what the machine needs."""
    monkeypatch.setattr(discovery, "usual_sockets", lambda _environment: [])
    built = machine.paths.home / "built"
    image = built / images.architecture()
    image.mkdir(parents=True)
    (image / MANIFEST).touch()
    monkeypatch.setattr(images, "BUILT", built)
    async with at_desk(None, connect=False, machine=machine) as person:
        await person.sees("Use the virtual machine")
        yield person


@pytest.fixture
def machine(own_home: Path) -> FakeMachine:
    return FakeMachine(own_home)


async def test_one_click_makes_and_starts_it_and_its_engine_is_used(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.gate.clear()
        await person.press("Start the machine")
        await person.sees("Booting")
        await person.sees("The machine is slow here")
        assert machine.asked == ["create", "start"]
        assert not faults(person.window)
        machine.gate.set()
        there = UnixSocket(str(machine.paths.socket))
        await person.until(lambda: person.desk.session.state.endpoint == there, "its engine in use")


async def test_a_start_can_be_cancelled(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.gate.clear()
        await person.press("Start the machine")
        await person.sees("Booting")
        await person.press("Cancel")
        await person.until(lambda: machine.asked == ["create", "start", "stop"], "the stop")
        await person.until(lambda: not person.says("Booting"), "the panel to go")
        await person.button("Start the machine")


async def test_leaving_while_it_starts_lets_it_go_on(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.gate.clear()
        await person.press("Start the machine")
        await person.sees("Booting")
    assert machine.asked == ["create", "start"]


async def test_a_failure_says_what_why_the_consoles_words_and_what_helps(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.fault = MachineStartFailed("guest", "GuestStepFailed", "data: the disk is not ours", CONSOLE)
        await person.press("Start the machine")
        await person.sees("The machine did not start")
        await person.sees("Booting: Data: the disk is not ours.")
        await person.press("Last lines of the serial console")
        page = person.window.page(places.ONBOARDING)
        assert isinstance(page, OnboardingPage)
        assert page.panel.console.text.isVisible()
        await person.press("Copy")
        assert QApplication.clipboard().text() == "\n".join(CONSOLE)
        assert not faults(person.window)
        machine.fault = None
        await person.press("Check the machine")
        assert person.window.place == Place(places.MACHINE, tab="diagnostics")
        await person.nav("containers")
        await person.press("Try again")
        await person.until(lambda: machine.report.state == "running", "the machine")


async def test_what_is_missing_is_named_with_the_command_that_gets_it(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        monkeypatch.setattr(images, "BUILT", machine.paths.home / "nothing")
        await person.press("Look again")
        await person.sees("There is no image for the machine")
        await person.press("Copy build command")
        assert QApplication.clipboard().text() == images.COMMAND


async def test_the_page_says_what_process_monitor_and_engine_say(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        person.window.go(Place(places.MACHINE))
        await person.sees("No machine yet")
        ports = (Published("tcp", "0.0.0.0", 8080), Published("tcp", "127.0.0.1", 5432, "taken", "postgres (pid 7)"))
        machine.report = Report(
            "running", str(machine.paths.socket), 4711, 4700, "running", "28.1.1", "kvm", ports=ports
        )
        for words in ("QEMU runs as process 4711", "Docker 28.1.1 answers", "KVM", str(machine.paths.socket)):
            await person.sees(words)
        await person.sees("127.0.0.1:5432/tcp")
        await person.sees("postgres (pid 7)")
        assert not faults(person.window)
        machine.report = Report("failed", failure=Failure("process", "MachineEnded", "signal 9", CONSOLE))
        await person.sees("The machine ended by itself")
        await person.sees("QEMU went away: signal 9.")
        await person.press("Start")
        await person.sees("Docker 28.1.1 answers")


async def test_deleting_asks_first_and_says_what_goes(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("stopped")
        person.window.go(Place(places.MACHINE))
        await person.sees("QEMU does not run")
        await person.press("More")
        await person.pick("Delete…")
        await person.sees("images, containers, volumes and settings")
        await person.press("Keep it")
        assert machine.asked == []
        await person.press("More")
        await person.pick("Delete…")
        await person.press("Delete machine")
        await person.until(lambda: machine.asked == ["delete"], "the end of it")
        await person.sees("No machine yet")


async def test_the_palette_offers_what_can_be_done(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("stopped")
        await person.keys(Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        found = person.desk._commands.find("machine start")
        assert (found[0].text, found[0].subject) == ("Start", "machine")
        found[0].on_pick()
        await person.until(lambda: machine.asked == ["start"], "the start")
        await person.until(lambda: machine.report.state == "running", "it runs")
        found[0].on_pick()
        await person.sees("Could not start the machine")


async def test_its_engine_is_offered_where_another_is_in_use(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeEngine()
    async with fake.serve() as endpoint, at_desk(endpoint, machine=machine) as person:
        desk = person.desk
        machine.report = Report("stopped")
        person.window.go(Place(places.MACHINE))
        await person.press("Start")
        await person.sees("The machine is running")
        assert desk.session.state.endpoint == endpoint
        await person.press("Use its engine")
        there = UnixSocket(str(machine.paths.socket))
        await person.until(lambda: desk.session.state.endpoint == there, "its engine in use")


async def test_what_it_has_is_changed_with_one_restart_that_is_asked_for(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("running", str(machine.paths.socket), 4711)
        machine.keep(HAS)
        person.window.go(Place(places.MACHINE, tab="resources"))
        for name, value in (("CPUs", 2), ("Memory", 2048), ("Disk", 64), ("Sleeps after", 30)):
            field = await person.find(SpinEdit, name, lambda one, name=name: one.accessibleName() == name)  # type: ignore[misc]
            await person.until(lambda field=field, value=value: field.value() == value, name)  # type: ignore[misc]
        disk = await person.find(SpinEdit, "the disk", lambda one: one.accessibleName() == "Disk")
        assert disk.minimum() == 64
        idle = await person.find(SpinEdit, "the rest", lambda one: one.accessibleName() == "Sleeps after")
        idle.setValue(5)
        await person.press("Apply")
        await person.until(lambda: making.read(machine.paths) == replace(HAS, idle=5), "it, at once")
        await person.until(lambda: not person.desk.machine.session.state.doing, "the end of it")
        disk.setValue(80)
        await person.sees("The machine is restarted once for this")
        await person.press("Apply")
        await person.press("Cancel")
        assert machine.asked == ["change"]
        await person.press("Apply")
        await person.press("Apply and restart")
        await person.until(lambda: making.read(machine.paths).disk == 80 * making.GIB, "the larger disk")
        assert not faults(person.window)


async def test_folders_are_asked_for_shared_watched_and_shared_no_more(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("running", str(machine.paths.socket), 4711)
        machine.keep(HAS)
        person.window.go(Place(places.MACHINE, tab="folders"))
        await person.sees("Which folders may containers use?")
        assert not faults(person.window)
        await person.press("Share my home folder")
        home = str(Path.home())
        await person.until(lambda: [one.path for one in making.read(machine.paths).shares] == [home], "the home folder")
        await person.sees("The machine sees it")
        assert not person.says("Which folders may containers use?")
        await person.press(f"Watch {home}")
        await person.until(lambda: making.read(machine.paths).shares[0].watch, "the watch")
        assert not faults(person.window)
        await person.press(f"Share {home} no more")
        await person.until(lambda: not making.read(machine.paths).shares, "the end of it")
        await person.sees("No folder is shared")
        assert machine.asked == ["share", "share", "unshare"]


async def test_what_failed_is_told_where_the_reason_is_not_in_view(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("stopped")
        machine.keep(HAS)
        machine.fault = MachineStartFailed("engine", "RequirementLate", "not within 5 s")
        person.window.go(Place(places.MACHINE, tab="data"))
        await person.press("Start")
        await person.until(lambda: "The machine did not start" in [one.title for one in person.notices], "the notice")


async def test_leaving_suspends_it_where_that_is_wanted_and_opening_brings_it_back(
    qapp: QApplication, machine: FakeMachine
) -> None:
    machine.report = Report("running", str(machine.paths.socket), 4711)
    machine.keep(replace(HAS, suspend=True))
    machine.leave_socket()
    async with at_desk(None, connect=False, machine=machine) as person:
        person.window.close()
        await person.until(person.desk.quit_asked.done, "the end")
        assert machine.asked == ["rest"]
    async with at_desk(None, connect=False, machine=machine) as person:
        await person.until(lambda: machine.asked == ["rest", "start"], "it to be brought back")


async def test_leaving_lets_it_run_where_nothing_else_was_said(qapp: QApplication, machine: FakeMachine) -> None:
    machine.report = Report("running", str(machine.paths.socket), 4711)
    machine.keep(HAS)
    machine.leave_socket()
    async with at_desk(None, connect=False, machine=machine) as person:
        person.window.close()
        await person.until(person.desk.quit_asked.done, "the end")
    assert machine.asked == []


async def test_stopping_the_machine_in_use_leads_back_to_the_ways_to_an_engine(
    qapp: QApplication, machine: FakeMachine
) -> None:
    fake = FakeEngine()
    fake.add_container("web")
    async with fake.serve() as endpoint, at_desk(endpoint, machine=machine) as person:
        machine.serve_at(endpoint.path)
        machine.report = Report("running", endpoint.path, 4711)
        person.window.go(Place(places.MACHINE))
        await person.press("Stop")
        await person.sees("1\u00a0container runs in it.")
        await person.press("Stop it")
        await person.until(lambda: machine.asked == ["stop"], "the stop")
        await person.until(lambda: person.desk.session.state.phase is Phase.NONE, "no engine")
        await person.nav("containers")
        await person.sees("Use the virtual machine")


async def test_every_tab_is_named_and_read_in_order(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("running", str(machine.paths.socket), 4711, image="2", rollback="1")
        machine.keep(HAS)
        for tab, _words in TABS:
            person.window.go(Place(places.MACHINE, tab=tab))
            page = person.window.page(places.MACHINE)
            await person.until(lambda: person.desk.machine.session.state.settings is not None, "what it has")
            await person.until(lambda: not person.desk.machine.session.checking, "the checks")
            await person.rest(10)
            way = way_of_tab(stops(page)[0])
            assert set(stops(page)) <= set(way)
            assert not backwards([each for each in way if page.isAncestorOf(each)])
            assert not faults(person.window)


async def test_a_full_disk_is_told_for_as_long_as_it_is_full(
    qapp: QApplication, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with without_engine(machine, monkeypatch) as person:
        machine.report = Report("stopped", warnings=(LowDisk("host", 2_100_000_000, 64_000_000_000),))
        person.window.go(Place(places.MACHINE))
        await person.sees("This computer's disk is almost full")
        await person.sees("2.1\u00a0GB of 64.0\u00a0GB left")
        machine.report = Report("stopped")
        await person.until(lambda: not person.says("almost full"), "it to be taken back")


@pytest.mark.parametrize("kind", [*EVERY, *EVERY_OF_QEMU], ids=lambda kind: kind.__name__)
async def test_every_error_has_a_next_press_that_the_window_knows(
    qapp: QApplication, machine: FakeMachine, kind: type[Exception]
) -> None:
    error = make(kind) if issubclass(kind, errors.MachineError) else make_of_qemu(kind)  # type: ignore[arg-type]
    await presses(machine, error)


async def test_every_requirement_that_fails_has_a_next_press(qapp: QApplication, machine: FakeMachine) -> None:
    for step in STEPS:
        await presses(machine, MachineStartFailed(step, "RequirementLate", "not within 5 s"))


async def presses(machine: FakeMachine, error: Exception) -> None:
    """Press what the notice offers; an act that nobody knows raises."""
    step = notice_for(error).step
    assert step is not None
    acts: list[str] = []
    source = inspect.getsource(MachineRoom.act) + inspect.getsource(Desk._act)
    known = {"choose-engine", *(f"show-{page}" for page in places.PAGES)}
    acts.append(step.act)
    assert step.act in known or f'"{step.act}"' in source
