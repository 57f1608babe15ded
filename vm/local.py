"""What this person's own processes share here, as each system has it: locks, private streams, a life of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

BACKLOG = 256
LINE = 4096
REST = 0.1
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Closable(Protocol):
    """What serves until it is closed."""

    def close(self) -> None:
        """Take no more callers."""


class Accepts(Protocol):
    """Who has callers; a pipe, or in tests what stands for one."""

    async def accept(self) -> Streams:
        """The next one. Raises OSError."""

    def close(self) -> None:
        """Take no more callers."""


def take_lock(path: Path) -> int | None:
    """Have it until this process ends; None where another one has it. Raises OSError where no file can be."""
    from vm.qemu.locks import lock_now  # Late: the window only looks whether a socket is there.

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        lock_now(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a process has the lock."""
    from vm.qemu.locks import is_locked

    return is_locked(path)


if sys.platform == "win32":

    def is_there(place: Path) -> bool:
        """Whether a pipe is served there."""
        from vm import pipes

        return pipes.is_there(str(place))

    async def connect(place: Path) -> Streams:
        """To who answers there. Raises OSError."""
        from backend.dial import connect_pipe

        reader = asyncio.StreamReader()
        protocol = await connect_pipe(str(place), lambda: asyncio.StreamReaderProtocol(reader))
        transport: Any = protocol._transport  # type: ignore[attr-defined]
        return reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())

    async def serve(place: Path, answer: Answer) -> Closable:
        """Answer this person alone. Raises OSError."""
        from vm import pipes

        return Serving(pipes.PipeListener(str(place)), answer)

    def alone() -> dict[str, Any]:
        """For subprocess: a process that outlives this one and its terminal."""
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}

    def when_asked_to_end(wanted: Callable[[], object]) -> None:
        """Calls it on the loop when the system asks this process to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(wanted))

else:

    def is_there(place: Path) -> bool:
        """Whether there is a socket, which one who died may have left."""
        return place.is_socket()

    async def connect(place: Path) -> Streams:
        """To who answers there. Raises OSError."""
        return await asyncio.open_unix_connection(str(place))

    async def serve(place: Path, answer: Answer) -> Closable:
        """Answer this person alone. Raises OSError."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            bind_private(listener, place)
            return await asyncio.start_unix_server(answer, sock=listener, limit=LINE)
        except OSError:
            listener.close()
            raise

    def alone() -> dict[str, Any]:
        """For subprocess: a process that outlives this one and its terminal."""
        return {"start_new_session": True, "cwd": "/"}

    def when_asked_to_end(wanted: Callable[[], object]) -> None:
        """Calls it on the loop when the system asks this process to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, wanted)


class Serving:
    """Answers callers until it is closed, each in a task of its own."""

    def __init__(self, listener: Accepts, answer: Answer) -> None:
        self._listener, self._answer = listener, answer
        self._open: set[asyncio.Future[None]] = set()
        self._task = asyncio.ensure_future(self._serve())

    def close(self) -> None:
        """Take no more callers; those who are answered stay."""
        self._task.cancel()
        self._listener.close()

    async def _serve(self) -> None:
        while True:
            try:
                reader, writer = await self._listener.accept()
            except OSError:
                await asyncio.sleep(REST)
                continue
            task = asyncio.ensure_future(self._answer(reader, writer))
            self._open.add(task)
            task.add_done_callback(self._open.discard)


def bind_private(listener: socket.socket, path: Path) -> None:
    """Bind and listen where one who died may have left a socket; the folder is 0700, so nobody comes in between."""
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    os.chmod(path, 0o600)
    listener.listen(BACKLOG)


def remove(place: Path) -> None:
    """A socket that leads nowhere any more; a pipe ends with who served it."""
    with suppress(OSError):
        place.unlink()
