"""The supervisor's own door: questions and reports as lines of JSON, for this person alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from vm import local
from vm.report import Ask, Failure, Report

OVER = frozenset(("running", "unresponsive", "stopped", "failed", "suspended"))
"""States in which a start has come to its end."""


class Asked(Protocol):
    """Who answers."""

    changed: asyncio.Condition

    async def report(self) -> Report:
        """What the machine is now."""

    def progress(self) -> Report:
        """The same without asking anybody."""

    async def stop(self, seconds: float) -> None:
        """End the machine; returns when it has ended."""

    async def suspend(self) -> Failure | None:
        """Save the machine and end it; why it could not be, and then it goes on."""

    def wake(self) -> None:
        """Somebody wants it to run."""

    async def share(self) -> None:
        """Share the folders that the settings name now; returns when they are mounted."""

    def mend(self) -> None:
        """Open anew what was closed from outside."""


async def serve(path: Path, asked: Asked) -> local.Closable:
    """Answer there, this person alone. Raises OSError."""
    return await local.serve(path, lambda reader, writer: _answer(asked, reader, writer))


async def _answer(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError, ValueError, msgspec.MsgspecError):
            question = msgspec.json.decode(await reader.readline(), type=Ask)
            refused: Failure | None = None
            if question.ask == "follow":
                asked.wake()
                await _follow(asked, writer)
            elif question.ask == "suspend":
                refused = await asked.suspend()
            elif question.ask == "stop":
                await asked.stop(question.seconds)
            elif question.ask == "share":
                await asked.share()
            elif question.ask == "mend":
                asked.mend()
            await _say(writer, await asked.report())
            report = await asked.report()
            await _say(writer, msgspec.structs.replace(report, failure=refused) if refused is not None else report)
    finally:
        writer.close()


async def _follow(asked: Asked, writer: asyncio.StreamWriter) -> None:
    last: Report | None = None
    while (now := asked.progress()).state not in OVER:
        if now != last:
            await _say(writer, now)
            last = now
            continue
        async with asked.changed:
            if asked.progress() == last:
                await asked.changed.wait()


async def _say(writer: asyncio.StreamWriter, report: Report) -> None:
    writer.write(msgspec.json.encode(report) + b"\n")
    await writer.drain()
