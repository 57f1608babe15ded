"""An operation ends exactly once, in every way that a run can end."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication

from app.commandline import MASK, CommandLine, Secret
from app.operation import KEPT, Operation, Operations, OperationState, Part
from app.tasks import TaskScope

pytestmark = pytest.mark.asyncio
LINE = CommandLine.docker("stop", "web")


class Desk:
    """Operations with a scope that remembers what failed."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.scope = TaskScope("test", lambda error, name: self.failures.append(f"{name}: {error!r}"))
        self.operations = Operations(self.scope)

    async def close(self) -> None:
        assert await self.scope.close() == ()
        assert self.failures == []


async def settled(operation: Operation) -> None:
    async with asyncio.timeout(5):
        while operation.running:
            await asyncio.sleep(0)


async def test_success_keeps_the_result(qapp: QApplication) -> None:
    desk = Desk()

    async def work(operation: Operation) -> str:
        operation.report(1, 2, "half")
        operation.write("one\ntwo")
        return "result"

    operation = desk.operations.start("Stop", "web", LINE, work)
    ended: list[str] = []
    operation.ended.connect(lambda: ended.append(operation.state.value))
    await settled(operation)
    assert (operation.state, operation.result, list(operation.output)) == (
        OperationState.SUCCEEDED, "result", ["one", "two"],
    )  # fmt: skip
    assert ended == ["Done"]
    operation.end(OperationState.FAILED)
    assert operation.state is OperationState.SUCCEEDED
    await desk.close()


async def test_failure_keeps_the_error(qapp: QApplication) -> None:
    desk = Desk()

    async def work(_operation: Operation) -> None:
        raise ValueError("no")

    operation = desk.operations.start("Stop", "web", LINE, work)
    await settled(operation)
    assert operation.state is OperationState.FAILED
    assert isinstance(operation.error, ValueError)
    await desk.close()


async def test_cancel_waits_until_the_run_has_let_go(qapp: QApplication) -> None:
    desk = Desk()
    let_go: list[bool] = []

    async def work(_operation: Operation) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            let_go.append(True)

    operation = desk.operations.start("Pull", "web", LINE, work)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    operation.cancel()
    assert operation.running
    await settled(operation)
    assert (operation.state, let_go) == (OperationState.CANCELLED, [True])
    await desk.close()


async def test_a_closed_scope_starts_nothing(qapp: QApplication) -> None:
    desk = Desk()
    await desk.close()

    async def work(_operation: Operation) -> None:
        raise AssertionError

    assert desk.operations.start("Stop", "web", LINE, work).state is OperationState.CANCELLED


async def test_progress_of_parts_adds_up(qapp: QApplication) -> None:
    operation = Operation("Pull", "web", LINE)
    operation.report_part(Part("a", "Downloading", 10, 40))
    operation.report_part(Part("b", "Waiting"))
    operation.report_part(Part("a", "Downloading", 40, 40))
    operation.report_part(Part("c", "Downloading", 5, 10))
    assert (operation.done, operation.total, len(operation.parts)) == (45, 50, 3)
    await asyncio.sleep(0.06)


async def test_changes_are_told_in_batches_and_the_last_one_is_told(qapp: QApplication) -> None:
    operation = Operation("Pull", "web", LINE)
    seen: list[int] = []
    operation.changed.connect(lambda: seen.append(operation.done))
    for done in range(1_000):
        operation.report(done, 1_000)
    async with asyncio.timeout(5):
        while seen[-1] != 999:
            await asyncio.sleep(0.01)
    assert len(seen) < 100


async def test_the_list_is_bounded_and_keeps_what_runs(qapp: QApplication) -> None:
    desk = Desk()
    never = asyncio.Event()

    async def wait(_operation: Operation) -> None:
        await never.wait()

    async def quick(_operation: Operation) -> None:
        return None

    first = desk.operations.start("Pull", "first", LINE, wait)
    for number in range(KEPT + 10):
        desk.operations.start("Stop", str(number), LINE, quick)
    assert first in desk.operations.items
    never.set()
    await settled(first)
    desk.operations.start("Stop", "last", LINE, quick)
    await asyncio.sleep(0.01)
    desk.operations.start("Stop", "very last", LINE, quick)
    assert len(desk.operations.items) <= KEPT + 1
    await desk.close()


async def test_a_secret_is_masked_on_screen_and_whole_in_a_copy() -> None:
    line = CommandLine.docker("run", "-e", Secret("KEY=", "a b"), "--name", "it's", "web")
    assert line.shown == f"docker run -e KEY={MASK} --name 'it'\"'\"'s' web"
    assert line.copied == "docker run -e 'KEY=a b' --name 'it'\"'\"'s' web"
    assert line.argv[3] == "KEY=a b"
    assert "a b" not in line.shown
