"""The machine in the window: its card on the first page, its own page, and what the buttons of its notices do."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import places
from app.machineroom import MachineRoom
from app.machinewordings import STEPS
from app.notices import notice_for
from app.pages.onboarding.page import OnboardingPage
from app.places import Place
from backend import discovery
from backend.endpoint import UnixSocket
from tests.app.test_accessibility import faults
from tests.app.test_machine_notices import EVERY, make
from tests.app.test_qemu_notices import EVERY as EVERY_OF_QEMU
from tests.app.test_qemu_notices import make as make_of_qemu
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine
from tests.fakes.machine import FakeMachine
from vm import errors, images
from vm.errors import MachineStartFailed
from vm.guest.manifest import MANIFEST
from vm.report import Failure, Published, Report

pytestmark = pytest.mark.asyncio
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
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)


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
        ports = (
            Published("tcp", "0.0.0.0", 8080),
            Published("tcp", "127.0.0.1", 5432, "taken", holder="nginx (pid 81)"),
        )
        machine.report = Report(
            "running", str(machine.paths.socket), 4711, 4700, "running", "28.1.1", "kvm", ports=ports
        )
        for words in ("QEMU runs as process 4711", "Docker 28.1.1 answers", "KVM", str(machine.paths.socket)):
            await person.sees(words)
        await person.sees("127.0.0.1:5432/tcp")
        await person.sees("nginx (pid 81)")
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
    source = inspect.getsource(MachineRoom.act)
    known = {"choose-engine", *(f"show-{page}" for page in places.PAGES)}
    acts.append(step.act)
    assert step.act in known or f'"{step.act}"' in source
