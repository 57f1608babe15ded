"""What the rows of Activity say."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication

from app.commandline import CommandLine
from app.models.operations import row_of
from app.operation import Operation, Operations
from app.tasks import TaskScope
from backend.errors import BuildFailed

pytestmark = pytest.mark.asyncio
RAW = 'process "/bin/sh -c apt-get install nothing" did not complete successfully: exit code: 100'


async def test_a_failed_build_is_told_in_few_words_with_the_whole_in_its_tooltip(qapp: QApplication) -> None:
    scope = TaskScope("test", lambda error, _name: None)
    operations = Operations(scope)

    async def fail(_operation: object) -> None:
        raise BuildFailed(RAW, 3, 100)

    operation = operations.start("Build", "shop:dev", CommandLine(), fail)
    while operation.running:
        await asyncio.sleep(0)
    progress = row_of(operation, 0).cells[2]
    assert progress.text == "RUN apt-get install nothing ended with exit code 100."
    assert RAW in progress.tooltip
    await scope.close()


async def test_steps_are_not_told_in_bytes(qapp: QApplication) -> None:
    scope = TaskScope("test", lambda error, _name: None)
    operations = Operations(scope)
    go_on = asyncio.Event()

    async def work(operation: Operation) -> None:
        operation.report(1, 2, "Step 2 of 2", counted=True)
        await go_on.wait()
        operation.report(1_000_000, 2_000_000, "Sending the context")

    operation = operations.start("Build", "shop:dev", CommandLine(), work)
    await asyncio.sleep(0)
    shown = row_of(operation, 0).cells[2]
    assert (shown.text, shown.bar) == ("Step 2 of 2", 0.5)
    operation.report(1_000_000, 2_000_000, "Sending the context")
    assert row_of(operation, 0).cells[2].text == "1 of 2\u00a0MB"
    go_on.set()
    await scope.close()
