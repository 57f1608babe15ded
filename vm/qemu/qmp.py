"""A conversation with QEMU's monitor (QMP): commands with deadlines, events as they come.

Each message is one line of JSON (docs/interop/qmp-spec.txt). Whoever started QEMU holds the conversation, over its
standard input and output: no port or socket that another person of this computer could open, no path to grow too long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from vm.qemu.errors import QmpError, QmpGarbage, QmpGone, QmpRefused, QmpTimeout
from vm.qemu.events import Event, event_of

LINE_LIMIT = 8 << 20
"""Bytes; give it to the reader as its limit."""
SHOWN = 200


class _Failure(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="class", default="")
    desc: str = ""


class _Message(msgspec.Struct, frozen=True):
    greeting: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="QMP", default=msgspec.UNSET)
    returned: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="return", default=msgspec.UNSET)
    error: _Failure | msgspec.UnsetType = msgspec.UNSET
    event: str | msgspec.UnsetType = msgspec.UNSET
    data: dict[str, Any] = {}
    id: int | None = None


_decoder = msgspec.json.Decoder(_Message)


class Qmp:
    """One conversation. `told` is called for every event, in order; it must not block and must not raise."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: Callable[[Event], None]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._told = told
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._last = 0
        self._over: QmpError | None = None
        self._listening: asyncio.Task[None] | None = None

    async def open(self, deadline: float) -> None:
        """Take the greeting, and ask for the commands. Raises QmpError."""
        try:
            async with asyncio.timeout(deadline):
                message = await self._read("its greeting")
                while message.greeting is msgspec.UNSET and message.event is not msgspec.UNSET:
                    message = await self._read("its greeting")
        except TimeoutError as error:
            raise QmpTimeout("its greeting", deadline) from error
        if message.greeting is msgspec.UNSET:
            raise QmpGarbage("an answer before the greeting")
        self._listening = asyncio.get_running_loop().create_task(self._listen(), name="qmp")
        await self.execute("qmp_capabilities", deadline=deadline)

    async def execute(self, command: str, arguments: Mapping[str, Any] | None = None, *, deadline: float) -> Any:
        """Run one command and decode what it returns. Raises QmpRefused, QmpTimeout, QmpGone or QmpGarbage."""
        if self._over is not None:
            raise _again(self._over, command)
        self._last += 1
        number = self._last
        asked: dict[str, Any] = {"execute": command, "id": number}
        if arguments:
            asked["arguments"] = arguments
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(deadline):
                self._writer.write(msgspec.json.encode(asked) + b"\n")
                await self._writer.drain()
                return msgspec.json.decode(await answer)
        except TimeoutError as error:
            raise QmpTimeout(command, deadline) from error
        except OSError as error:
            raise QmpGone(command) from error
        except QmpRefused as error:
            raise QmpRefused(command, error.kind, error.words) from error
        except QmpError as error:
            raise _again(error, command) from error
        finally:
            del self._waiting[number]
            if answer.done() and not answer.cancelled():
                answer.exception()  # Seen, also where the deadline came first.

    @property
    def over(self) -> QmpError | None:
        """Why the conversation ended; None while it goes on."""
        return self._over

    async def close(self) -> None:
        """End the conversation; QEMU goes on without it."""
        self._end(QmpGone("anything"))
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        try:
            while True:
                self._take(await self._read("anything"))
        except QmpError as error:
            self._end(error)
        with suppress(OSError):  # Whatever else comes is of no use, and must not stand in QEMU's way.
            while await self._reader.read(1 << 16):
                pass

    async def _read(self, doing: str) -> _Message:
        try:
            line = await self._reader.readline()
        except ValueError as error:  # Longer than the reader's limit.
            raise QmpGarbage("a line without an end") from error
        except OSError as error:
            raise QmpGone(doing) from error
        if not line.endswith(b"\n"):
            raise QmpGone(doing)
        try:
            return _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise QmpGarbage(line[:SHOWN].decode(errors="replace").strip()) from error

    def _take(self, message: _Message) -> None:
        if message.event is not msgspec.UNSET:
            if (event := event_of(message.event, message.data)) is not None:
                self._told(event)
            return
        if message.id is None or not 0 < message.id <= self._last:
            raise QmpGarbage("an answer that nobody asked for")
        answer = self._waiting.get(message.id)
        if answer is None or answer.done():
            return  # Its deadline came first.
        if message.error is not msgspec.UNSET:
            answer.set_exception(QmpRefused("", message.error.kind, message.error.desc))
        elif message.returned is not msgspec.UNSET:
            answer.set_result(message.returned)
        else:
            raise QmpGarbage("neither an answer nor an event")

    def _end(self, error: QmpError) -> None:
        self._over = self._over or error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)


def _again(error: QmpError, doing: str) -> QmpError:
    """The same end of the conversation, for another command."""
    return QmpGarbage(error.said) if isinstance(error, QmpGarbage) else QmpGone(doing)
