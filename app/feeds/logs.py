"""LogFeed: brings the log of one container into a LogBuffer, live at its end and older on request at its start."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.feeds.loghistory import merge_older
from app.widgets.logbuffer import LogBuffer
from backend.errors import ApiError, BackendError, Conflict, NotFound, ProtocolError
from backend.loglines import STAMP, Batch, LogLines, seconds
from backend.logs import RawSource, logs

TAIL: Final = 1000
STEP: Final = 4000
TELL_MS: Final = 50
CHECK_SECONDS: Final = 5.0
FIRST_WAIT: Final = 0.3
LONGEST_WAIT: Final = 10.0
GOING_SECONDS: Final = 3.0
"""How long the removal of a container may take before the refusal of its log is told instead."""
RECENT: Final = 2000
"""Lines back from the newest in which a repeat is looked for."""
AHEAD: Final = 4 * 1000 * 1000
"""Bytes that are read before those who show them were told; from there the engine waits."""


Work = Callable[[RawSource], Awaitable[None]]
Start = Callable[[Work], "asyncio.Task[Any] | None"]


class LogPhase(enum.Enum):
    """OPENING until the first answer; ENDED while the container does not run; LOST while it is tried again."""

    CLOSED = "closed"
    OPENING = "opening"
    LIVE = "live"
    ENDED = "ended"
    LOST = "lost"
    UNREADABLE = "unreadable"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class LogState:
    """Where the feed stands, with the error that led there; LIVE with one is a log of which a part cannot be read."""

    phase: LogPhase = LogPhase.CLOSED
    error: BackendError | None = None


def _add(buffer: LogBuffer, batch: Batch) -> None:
    buffer.append(batch.text, batch.lengths, batch.stamps, batch.kinds)


def _each(stamps: bytes) -> list[bytes]:
    return [stamps[n : n + STAMP] for n in range(0, len(stamps), STAMP)]


def _goes_back(stamps: bytes, last: bytes) -> bool:
    """Whether times are not each newer than the one before; in a large batch, which no small log gives, only the first.

    Times in whole microseconds are of a coarse clock, on which two lines may well have the same.
    """
    first = stamps[:STAMP]
    if first < last or (first == last and not first.endswith(b"000Z")):
        return True
    if len(stamps) > RECENT * STAMP:
        return False
    times = _each(stamps)
    return any(b < a or (a == b and not a.endswith(b"000Z")) for a, b in pairwise(times))


class LogFeed(QObject):
    """One container's log.

    `start(work)` runs a coroutine function on the engine in use, e.g. by Session.ask; `running()` says whether the
    container runs now, `gone()` whether the engine has it no more: until then it refuses the log of one that it is
    about to remove in words of its own. Signals: `grew()` at most 30 times a second, `prepended(count)`,
    `state_changed(LogState)`, `older_changed(bool)` while older lines are on their way.
    """

    grew = Signal()
    prepended = Signal(int)
    state_changed = Signal(object)
    older_changed = Signal(bool)

    def __init__(
        self,
        start: Start,
        container: str,
        buffer: LogBuffer,
        *,
        tty: bool,
        running: Callable[[], bool],
        gone: Callable[[], bool] = lambda: False,
        tail: int = TAIL,
        check_after: float = CHECK_SECONDS,
        tell_ms: int = TELL_MS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._start = start
        self._container = container
        self.buffer = buffer
        self._tty = tty
        self._running = running
        self._gone = gone
        self._tail = tail
        self._check_after = check_after
        self._task: asyncio.Task[Any] | None = None
        self._older: asyncio.Task[Any] | None = None
        self._woken = asyncio.Event()
        self._last = b""
        self._same = 0
        self._skip = 0
        self._messages = 0
        self._step = STEP
        self._broken: ProtocolError | None = None
        self.complete = False
        """Whether line 1 of the log is in the buffer, or as much of it as may be kept."""
        self.cleared = False
        """Whether there are lines that `forget` took out of view."""
        self.state = LogState()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.tell)
        self._tell_ms = tell_ms
        self._told = 0.0
        self._ahead = 0
        self._shown = asyncio.Event()

    # -- what a view asks for ---------------------------------------------

    def open(self) -> None:
        """Follows the log from now on; where it was open before, from the last line that is known."""
        if self._task is None or self._task.done():
            self._set(LogPhase.OPENING)
            self._task = self._start(self._run)

    def close(self) -> None:
        """Lets go of the engine; the lines stay."""
        for task in (self._task, self._older):
            if task is not None:
                task.cancel()
        self._task = self._older = None
        self._set(LogPhase.CLOSED)

    def wake(self) -> None:
        """The container changed or went, or the engine came back: looks at once whether there is more."""
        self._woken.set()
        if self.state.phase is LogPhase.UNREADABLE and self._gone():
            self._set(LogPhase.GONE, self.state.error)

    def load_older(self, everything: bool = False) -> None:
        """Brings older lines: some thousand, twice as many at each call, or all that may be kept."""
        if self.complete or not self.buffer.room or (self._older is not None and not self._older.done()):
            return
        self.older_changed.emit(True)

        async def work(source: RawSource) -> None:
            try:
                await self._load_older(source, everything)
            except ProtocolError as broken:
                self._broken, self.complete = broken, True
                self._set(self.state.phase, broken)
            finally:
                self._older = None
                self.older_changed.emit(False)

        self._older = self._start(work)

    def forget(self) -> None:
        """The person cleared the view: lines before now do not come back by scrolling, but by `reload`."""
        self.buffer.clear()
        self.complete = self.cleared = True
        self.grew.emit()

    def reload(self) -> None:
        """Begins anew with the newest lines, cleared ones among them."""
        self.close()
        self.buffer.clear()
        self._last, self._same, self._messages, self._step = b"", 0, 0, STEP
        self._broken = None
        self.complete = self.cleared = False
        self.grew.emit()
        self.open()

    def tell(self) -> None:
        """Shows what came, and lets more come."""
        self._timer.stop()
        self._told = monotonic()
        self._ahead = 0
        self.grew.emit()
        self._shown.set()

    # -- following ---------------------------------------------------------

    async def _run(self, source: RawSource) -> None:
        wait = FIRST_WAIT
        while True:
            before = self.buffer.end
            self._woken.clear()
            try:
                await self._follow(source)
                phase, error = LogPhase.ENDED, None
            except ApiError as refused:
                gone = isinstance(refused, NotFound) or await self._going(refused)
                self._set(LogPhase.GONE if gone else LogPhase.UNREADABLE, refused)
                return
            except (BackendError, OSError) as broken:
                phase, error = LogPhase.LOST, broken if isinstance(broken, BackendError) else None
                if isinstance(broken, ProtocolError):
                    self._broken = broken
            wait = FIRST_WAIT if self.buffer.end != before else min(wait * 2, LONGEST_WAIT)
            if phase is LogPhase.LOST or not self._running():
                self._set(phase, error)
            rests = phase is LogPhase.ENDED and not self._running()
            try:
                async with asyncio.timeout(None if rests else wait):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _going(self, refused: ApiError) -> bool:
        """Whether the container is gone; an engine refuses the log of one that it is about to remove as a conflict."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOING_SECONDS if isinstance(refused, Conflict) else 0):
                while not self._gone():
                    self._woken.clear()
                    await self._woken.wait()
        return self._gone()

    async def _follow(self, source: RawSource) -> None:
        last, self._skip = self._last, self._same
        # Past what the engine could not read lies what it still can: only from the end it finds the way there.
        broke = isinstance(self.state.error, ProtocolError) and self.state.phase is LogPhase.LOST
        tail = self._tail if broke or not last else None
        async with await logs(
            source, self._container, follow=True, tail=tail, since=seconds(last), tty=self._tty
        ) as stream:
            if not broke:
                self._set(LogPhase.LIVE, self._broken)
            decoder = LogLines(tty=stream.tty)
            async for data in stream.chunks(stalled=lambda: self._stalled(source), check_after=self._check_after):
                before = decoder.messages
                try:
                    batch = decoder.feed(data)
                except ProtocolError:
                    self._take(decoder.close())
                    raise
                if broke and len(batch):
                    broke = False
                    if batch.stamps[:STAMP] <= last:
                        self._broken = None
                    self._set(LogPhase.LIVE, self._broken)
                self._take(batch)
                self._messages += decoder.messages - before
                await self._wait_for_view(len(data))
        self._take(decoder.close())

    async def _wait_for_view(self, came: int) -> None:
        """Takes no more of the stream while those who show it are too far behind."""
        self._ahead += came
        if self._ahead >= AHEAD and self._timer.isActive():
            self._shown.clear()
            await self._shown.wait()

    def _take(self, batch: Batch) -> None:
        if not batch.lengths:
            return
        if self._skip:
            batch = self._unseen(batch)
            if not batch.lengths:
                return
        if _goes_back(batch.stamps, self._last):
            batch = self._without_repeats(batch)
            if not batch.lengths:
                return
        self._remember(batch.stamps)
        _add(self.buffer, batch)
        if not self._timer.isActive():
            # The first lines after a rest are shown at once, a flood thirty times a second.
            rested = monotonic() - self._told > self._tell_ms / 1000
            self._timer.start(0 if rested else self._tell_ms)

    def _remember(self, stamps: bytes) -> None:
        """Keeps the newest time and how many lines had it, to go on from there without a gap or a repeat."""
        last = stamps[-STAMP:]
        if last < self._last:
            return
        if last != self._last:
            self._last, self._same = last, 0
        position = len(stamps)
        while position and stamps[position - STAMP : position] == last:
            self._same += 1
            position -= STAMP

    def _without_repeats(self, batch: Batch) -> Batch:
        """Leaves out lines that the engine says twice, as it may after it rotated a small log while it is followed."""
        buffer = self.buffer
        recent = range(max(buffer.first, buffer.end - RECENT), buffer.end)
        known = {(buffer.stamp(n), buffer.kind(n) & 3, buffer.raw(n)) for n in recent}
        rows = zip(batch.text.split(b"\n")[:-1], _each(batch.stamps), batch.kinds, strict=True)
        kept = []
        for text, stamp, kind in rows:
            key = (stamp, kind & 3, text)
            if key not in known:
                kept.append((text, stamp, kind))
                known.add(key)
        return Batch(
            b"".join(text + b"\n" for text, _, _ in kept),
            [len(text) + 1 for text, _, _ in kept],
            b"".join(stamp for _, stamp, _ in kept),
            bytes(kind for _, _, kind in kept),
        )

    def _unseen(self, batch: Batch) -> Batch:
        """Leaves out what was there before the stream was opened again: the first lines of the last time."""
        cut = 0
        while cut < len(batch.lengths) and self._skip:
            stamp = batch.stamps[cut * STAMP : (cut + 1) * STAMP]
            if stamp > self._last:
                self._skip = 0
                break
            if stamp == self._last:
                self._skip -= 1
            cut += 1
        if not cut:
            return batch
        text = batch.text[sum(batch.lengths[:cut]) :]
        return Batch(text, batch.lengths[cut:], batch.stamps[cut * STAMP :], batch.kinds[cut:])

    async def _stalled(self, source: RawSource) -> bool:
        """Whether the engine has lines that its stream does not bring, as some do after a log was rotated."""
        if not self._running():
            return False
        self._set(LogPhase.LIVE, self._broken)
        last, same = self._last, self._same
        newest, _ = await self._read(source, tail=same + 1, since=seconds(last))
        if not len(newest) or (self._last, self._same) != (last, same):
            return False
        return len(newest) > same or newest.stamp(newest.end - 1) > last

    # -- older lines -------------------------------------------------------

    async def _load_older(self, source: RawSource, everything: bool) -> None:
        epoch = self.buffer.epoch
        wanted = self._messages + self._step
        older, messages = await self._read(source, tail=None if everything else wanted)
        if epoch != self.buffer.epoch:
            return
        first = self.buffer.first
        count = merge_older(self.buffer, older)
        self._messages = max(self._messages, messages)
        self._step *= 2
        self.complete = everything or messages < wanted or count == 0
        self.prepended.emit(first - self.buffer.first)

    async def _read(self, source: RawSource, *, tail: int | None, since: str = "") -> tuple[LogBuffer, int]:
        """The newest lines, no more than the buffer may keep twice, and how many messages there were."""
        found = LogBuffer(2 * self.buffer.cap)
        async with await logs(source, self._container, tail=tail, since=since, tty=self._tty) as stream:
            decoder = LogLines(tty=stream.tty)
            async for data in stream.chunks():
                _add(found, decoder.feed(data))
        _add(found, decoder.close())
        return found, decoder.messages

    def _set(self, phase: LogPhase, error: BackendError | None = None) -> None:
        state = LogState(phase, error)
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
