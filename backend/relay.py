"""A socket of this computer that leads to the engine of another host, for programs that know only sockets."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from backend.client import Engine
from backend.dial import dial
from backend.endpoint import Endpoint, Ssh, UnixSocket
from backend.errors import BackendError

PIECE = 64 * 1024
CONNECT_SECONDS = 30.0
POSSIBLE = hasattr(asyncio, "start_unix_server")


@asynccontextmanager
async def nearby(engine: Engine) -> AsyncIterator[Endpoint]:
    """Where a program of this computer reaches the engine, for as long as the block lasts."""
    if not isinstance(engine.endpoint, Ssh):
        yield engine.endpoint
        return
    open_now: set[asyncio.StreamWriter] = set()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            await _carry(engine, reader, writer)
        finally:
            open_now.discard(writer)
            writer.transport.abort()

    with tempfile.TemporaryDirectory(prefix="pilothouse-") as folder:  # only this person may look into it
        path = os.path.join(folder, "engine.sock")
        server = await asyncio.start_unix_server(joined, path, limit=PIECE)
        try:
            yield UnixSocket(path)
        finally:
            server.close()
            for writer in tuple(open_now):
                writer.transport.abort()


async def _carry(engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes both ways, each way with its own end; a connection that breaks ends both."""
    far = asyncio.StreamReader(limit=PIECE)
    with suppress(BackendError, OSError, ExceptionGroup):
        protocol = await dial(
            engine.endpoint,
            lambda: asyncio.StreamReaderProtocol(far),
            deadline=CONNECT_SECONDS,
            tunnels=engine.tunnels,
        )
        transport = protocol._transport  # type: ignore[attr-defined]
        out = asyncio.StreamWriter(transport, protocol, far, asyncio.get_running_loop())
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_one_way(reader, out))
                both.create_task(_one_way(far, writer))
        finally:
            transport.abort()


async def _one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(PIECE):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
