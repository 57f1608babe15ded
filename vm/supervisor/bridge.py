"""Joins a caller that is no socket (a named pipe) with the machine: a pair of sockets, and the end of each way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

CHUNK = 64 * 1024
End = Callable[[asyncio.StreamWriter], None]


async def join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    lead: Callable[[socket.socket], Awaitable[None]],
    end: End,
) -> None:
    """Until both ways have ended, or the machine's has. `end` tells the caller that nothing more comes.

    `lead` raises where it does not lead anywhere; then the caller is hung up on.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        await lead(theirs)
    except BaseException:
        for each in (ours, theirs):
            each.close()
        writer.close()
        raise
    inner, out = await asyncio.open_connection(sock=ours)
    asking = asyncio.ensure_future(_carry(reader, out))
    try:
        await _carry(inner, writer)
        with suppress(OSError):
            end(writer)
    finally:  # Not every client knows a message of no bytes for an end: the pipe is closed as well.
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        writer.close()
        out.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
