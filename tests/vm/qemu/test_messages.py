"""Messages of QEMU's monitor, and what is none."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm.qemu.errors import QmpGarbage, QmpGone
from vm.qemu.events import DiskFailed, event_of
from vm.qemu.qmp import LINE_LIMIT, Qmp


def test_an_event_of_a_full_disk() -> None:
    data = {"node-name": "data", "operation": "write", "nospace": True, "action": "stop", "reason": "No space"}
    assert event_of("BLOCK_IO_ERROR", data) == DiskFailed("data", "write", full=True, stopped=True, reason="No space")
    assert event_of("BLOCK_IO_ERROR", {}) == DiskFailed("", "", full=False, stopped=False, reason="")
    assert event_of("NIC_RX_FILTER_CHANGED", {}) is None


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_are_more_than_garbage_or_an_end(lines: list[bytes]) -> None:
    async def open_it() -> None:
        reader = asyncio.StreamReader(limit=LINE_LIMIT)
        reader.feed_data(b"\n".join(lines))
        reader.feed_eof()
        with pytest.raises((QmpGarbage, QmpGone)):
            await Qmp(reader, None, lambda _: None).open(10)  # type: ignore[arg-type]

    asyncio.run(open_it())
