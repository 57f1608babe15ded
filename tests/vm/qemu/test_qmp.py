"""The conversation with QEMU's monitor, with a program that speaks it and one that does not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes import qemu as fake
from vm.qemu.errors import QmpGarbage, QmpGone, QmpRefused, QmpTimeout
from vm.qemu.events import Event, Resumed, Shutdown, Stopped
from vm.qemu.monitor import Monitor
from vm.qemu.qmp import LINE_LIMIT, Qmp

pytestmark = pytest.mark.asyncio

Told = list[Event]
SOON = 10.0


@asynccontextmanager
async def talk(*faults: str, **script: object) -> AsyncIterator[tuple[Monitor, Told]]:
    """A conversation with the fake; it is not opened yet."""
    words = json.dumps({"faults": faults, **script})
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(fake.__file__)), words, stdin=pipe, stdout=pipe, limit=LINE_LIMIT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told: Told = []
    monitor = Monitor(Qmp(process.stdout, process.stdin, told.append), "acpi")
    try:
        yield monitor, told
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await monitor.qmp.close()


async def test_commands_are_answered_and_events_come_in_order() -> None:
    async with talk("tells", "slow-lines") as (monitor, told):
        await monitor.qmp.open(SOON)
        assert await monitor.status() == "running"
        await monitor.pause()
        assert await monitor.status() == "paused"
        await monitor.go_on()
        assert await monitor.status() == "running"
        assert told == [Stopped(), Resumed()]


async def test_many_at_once_get_their_own_answers() -> None:
    async with talk(ready="READY 1\n") as (monitor, _):
        await monitor.qmp.open(SOON)
        states = await asyncio.gather(*(monitor.status() for _ in range(50)), monitor.said_ready())
        assert states == ["running"] * 50 + ["READY 1\n"]


async def test_a_refusal_carries_qemus_words() -> None:
    async with talk() as (monitor, _):
        await monitor.qmp.open(SOON)
        with pytest.raises(QmpRefused) as caught:
            await monitor.qmp.execute("fly", deadline=SOON)
        assert (caught.value.doing, caught.value.kind) == ("fly", "CommandNotFound")
        assert caught.value.words == "The command fly has not been found"
        assert await monitor.status() == "running"


async def test_a_forward_that_is_refused_in_words_is_a_refusal() -> None:
    async with talk() as (monitor, _):
        await monitor.qmp.open(SOON)
        await monitor.forward("udp", "127.0.0.1", 5353, 53)
        with pytest.raises(QmpRefused, match="could not set up host forwarding"):
            await monitor.forward("udp", "127.0.0.1", 5353, 53)
        await monitor.unforward("udp", "127.0.0.1", 5353)
        with pytest.raises(QmpRefused, match="not found"):
            await monitor.unforward("udp", "127.0.0.1", 5353)


async def test_a_saved_state_that_fails_says_why() -> None:
    async with talk("full") as (monitor, _):
        await monitor.qmp.open(SOON)
        with pytest.raises(QmpRefused, match="writing VM state"):
            await monitor.save(SOON)


async def test_what_keeps_it_from_being_saved_is_told() -> None:
    async with talk(blockers=["virtfs"]) as (monitor, _):
        await monitor.qmp.open(SOON)
        assert await monitor.suspend_blockers() == ("virtfs",)
    async with talk() as (monitor, _):
        await monitor.qmp.open(SOON)
        assert await monitor.suspend_blockers() == ()


async def test_no_greeting_is_a_timeout() -> None:
    async with talk("mute") as (monitor, _):
        with pytest.raises(QmpTimeout):
            await monitor.qmp.open(0.2)


async def test_no_answer_is_a_timeout_and_the_rest_goes_on() -> None:
    async with talk("deaf") as (monitor, _):
        await monitor.qmp.open(SOON)
        with pytest.raises(QmpTimeout) as caught:
            await monitor.qmp.execute("query-status", deadline=0.1)
        assert caught.value.doing == "query-status"
        assert monitor.qmp.over is None


@pytest.mark.parametrize("fault", ["garbage", "long", "strange"])
async def test_what_is_no_message_ends_the_conversation(fault: str) -> None:
    async with talk(fault) as (monitor, _):
        try:  # It comes right behind the first answer.
            await monitor.qmp.open(SOON)
            for _ in range(100):
                await monitor.status()
        except QmpGarbage:
            pass
        with pytest.raises(QmpGarbage):
            await monitor.status()
        assert isinstance(monitor.qmp.over, QmpGarbage)


async def test_an_end_of_qemu_ends_what_waits() -> None:
    async with talk("deaf") as (monitor, _):
        await monitor.qmp.open(SOON)
        waiting = asyncio.ensure_future(monitor.status())
        await asyncio.sleep(0)
        await monitor.qmp.close()
        with pytest.raises(QmpGone):
            await waiting
        with pytest.raises(QmpGone):
            await monitor.status()


async def test_quitting_is_told_as_a_shutdown() -> None:
    async with talk() as (monitor, told):
        await monitor.qmp.open(SOON)
        await monitor.quit()
        while monitor.qmp.over is None:
            await asyncio.sleep(0.01)
        assert told == [Shutdown(guest=False, reason="host-qmp-quit")]
