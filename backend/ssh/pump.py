"""Pump: carries bytes between the channels of one SSH connection and local sockets, both ways, in one thread.

A thread for each way of each stream would be two hundred for a hundred streams. Each way ends by itself: a program
whose input has ended may still write.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import paramiko

PIECE = 256 * 1024
TURN = 16
"""Packets of one stream before the next has its turn."""
SHORTEST, LONGEST = 0.001, 0.05
"""Seconds between looks while a host takes no more: paramiko does not tell when it does again."""
LOOK_EVERY = 1.0
"""Seconds between looks at streams whose one way has ended: whether somebody still waits for the other."""


class Pump:
    """Runs until `close`, and ends by itself with no thread left when it was never used."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._ready: set[Stream] = set()
        self._streams: set[Stream] = set()
        self._awake, self._waker = socket.socketpair()
        self._awake.setblocking(False)
        self._waker.setblocking(False)
        self._nudged = self._closed = False
        self._thread: threading.Thread | None = None

    def join(self, channel: paramiko.Channel, over: Callable[[], object] | None = None) -> socket.socket:
        """Our end of a stream whose other end is the channel; not blocking. `over()` is called once it has ended."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.carry(channel, theirs, over)
        return ours

    def carry(self, channel: paramiko.Channel, local: socket.socket, over: Callable[[], object] | None = None) -> None:
        """Join a connection that somebody made to us with the channel; it is the pump's from now on."""
        local.setblocking(False)
        channel.settimeout(0.0)
        stream = Stream(self, channel, local, over)
        with self._lock:
            if self._closed:
                stream.close()
                return
            if self._thread is None:
                self._selector.register(self._awake, selectors.EVENT_READ)
                self._thread = threading.Thread(target=self._run, name="ssh pump", daemon=True)
                self._thread.start()
        channel.in_buffer.set_event(stream)
        self.nudge(stream)

    def nudge(self, stream: Stream) -> None:
        """Something may be done for a stream; from any thread."""
        with self._lock:
            self._ready.add(stream)
            self._wake()

    def close(self) -> None:
        """Ends all streams."""
        with self._lock:
            self._closed = True
            self._wake()
            if self._thread is not None:
                return
        self._end()

    def _wake(self) -> None:
        if not self._nudged:
            self._nudged = True
            with suppress(OSError):
                self._waker.send(b"x")

    def _run(self) -> None:
        pause = SHORTEST
        waiting: set[Stream] = set()
        while True:
            limit = pause if waiting else LOOK_EVERY if any(s.half for s in self._streams) else None
            found = {key.data for key, _ in self._selector.select(limit) if key.data is not None}
            with self._lock:
                if self._closed:
                    break
                if self._nudged:
                    self._nudged = False
                    with suppress(BlockingIOError):
                        self._awake.recv(64)
                ready, self._ready = self._ready, set()
            if not found and not ready and not waiting:
                found = {s for s in self._streams if s.half}
            pause = SHORTEST if found or ready else min(pause * 2, LONGEST)
            waiting = {s for s in found | ready | waiting if self._work(s)}
        self._end()

    def _work(self, stream: Stream) -> bool:
        """Does what can be done now; whether the stream waits for the host to take more."""
        try:
            again = stream.work()
        except (OSError, EOFError, paramiko.SSHException):
            stream.ended = True
            again = False
        if stream.ended:
            self._watch(stream, 0)
            self._streams.discard(stream)
            stream.close()
            return False
        self._streams.add(stream)
        self._watch(stream, stream.wants)
        return again

    def _watch(self, stream: Stream, wanted: int) -> None:
        if wanted == stream.watched:
            return
        if not stream.watched:
            self._selector.register(stream.socket, wanted, stream)
        elif not wanted:
            self._selector.unregister(stream.socket)
        else:
            self._selector.modify(stream.socket, wanted, stream)
        stream.watched = wanted

    def _end(self) -> None:
        for stream in self._streams | self._ready:
            stream.close()
        self._selector.close()
        self._awake.close()
        self._waker.close()


class Stream:
    """One channel and one socket. It stands as the event that paramiko sets when bytes or the end have come."""

    def __init__(
        self, pump: Pump, channel: paramiko.Channel, local: socket.socket, over: Callable[[], object] | None = None
    ) -> None:
        self._over = over
        self._pump, self._channel, self.socket = pump, channel, local
        self._up, self._down = memoryview(b""), memoryview(b"")
        self._up_read = self._up_ended = self._down_read = self._down_ended = False
        self._void = False
        self.watched = 0
        self.ended = False

    def set(self) -> None:
        """Called by paramiko."""
        self._pump.nudge(self)

    def clear(self) -> None:
        """Called by paramiko."""

    @property
    def half(self) -> bool:
        """Whether our side has ended and the other has not."""
        return self._up_ended and not self._down_ended

    @property
    def wants(self) -> int:
        """What of the socket is waited for."""
        reads = selectors.EVENT_READ if not self._up and not self._up_read else 0
        return reads | (selectors.EVENT_WRITE if self._down else 0)

    def work(self) -> bool:
        """Moves what can be moved; whether the host takes no more for now. Raises OSError when one side is gone."""
        self._move_down()
        waits = self._move_up()
        if self.half:
            self.socket.send(b"")  # Fails when nobody is there to read what may still come.
        self.ended = self._up_ended and self._down_ended
        return waits

    def _move_down(self) -> None:
        for _ in range(TURN):
            if not self._down and not self._down_read:
                try:
                    got = self._channel.recv(PIECE)
                except TimeoutError:
                    return
                self._down, self._down_read = memoryview(got), not got
            if self._down:
                try:
                    self._down = self._down[self.socket.send(self._down) :]
                except BlockingIOError:
                    return
            if self._down_read and not self._down:
                break
        else:
            self._pump.nudge(self)
        if self._down_read and not self._down and not self._down_ended:
            self._down_ended = True
            self.socket.shutdown(socket.SHUT_WR)
        if self._down_ended and self._channel.closed:
            self._stop_up()

    def _move_up(self) -> bool:
        for _ in range(TURN):
            if not self._up and not self._up_read:
                try:
                    got = self.socket.recv(PIECE)
                except BlockingIOError:
                    return False
                self._up, self._up_read = memoryview(b"" if self._void else got), not got
            if self._up:
                try:
                    sent = self._channel.send(self._up)
                except TimeoutError:
                    return True
                except (OSError, EOFError, paramiko.SSHException):
                    sent = 0
                if not sent and not self._channel.get_transport().is_active():
                    raise EOFError  # All has ended, and who sends much is told at once.
                if not sent:
                    self._stop_up()
                    return False
                self._up = self._up[sent:]
            if self._up_read and not self._up:
                break
        else:
            self._pump.nudge(self)
        if self._up_read and not self._up and not self._up_ended:
            self._up_ended = True
            if not self._void:
                self._channel.shutdown_write()
        return False

    def _stop_up(self) -> None:
        """Nobody takes what we still send: it is dropped, so that who sends may still read what has come from there."""
        self._up, self._void = memoryview(b""), True

    def close(self) -> None:
        """Drops both ends."""
        self.socket.close()
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.close()
        over, self._over = self._over, None
        if over is not None:
            over()
