"""The engine itself: its version, its host, what it keeps on disk."""

from __future__ import annotations

from backend import decoding
from backend.client import Engine
from backend.types.system import DiskUse, SystemState, Version


async def version(engine: Engine, *, deadline: float = 10) -> Version:
    """GET /version."""
    return await engine.get("/version", type=Version, deadline=deadline)


async def info(engine: Engine, *, deadline: float = 30) -> SystemState:
    """GET /info."""
    data = await engine.fetch("GET", "/info", deadline=deadline)
    return decoding.decode_loosely(data, SystemState, "GET /info")


async def disk_use(engine: Engine, *, deadline: float = 300) -> DiskUse:
    """GET /system/df. Counting takes the engine a while."""
    data = await engine.fetch("GET", "/system/df", deadline=deadline)
    return decoding.decode_loosely(data, DiskUse, "GET /system/df")
