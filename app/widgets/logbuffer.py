"""LogBuffer: the lines of one log in memory, bounded, with numbers that stay while lines come and go at both ends."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

STAMP: Final = 30
"""Bytes of a line's time, RFC 3339 in UTC with nanoseconds; spaces when it has none."""
ERR: Final = 2
"""Bit of a kind: the line came from stderr."""
LEVELS: Final = ("", "error", "warn", "info", "debug")
LEVEL_SHIFT: Final = 3
"""The level of a line is kept in three bits of its kind."""
FOLLOWS: Final = 64
"""Bit of a kind: the line belongs to the one above, e.g. of a traceback."""
BLOCK_BYTES: Final = 512 * 1024
CAP: Final = 256 * 1000 * 1000


class Block:
    """Some lines in a row: text with a newline after each line, where each ends, its time and its kind."""

    __slots__ = ("ends", "first", "kinds", "stamps", "text")

    def __init__(self, first: int) -> None:
        self.first = first
        self.text = bytearray()
        self.ends = array("I")
        self.stamps = bytearray()
        self.kinds = bytearray()

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def size(self) -> int:
        """Bytes that it takes: text, and per line 4 for its end, STAMP for its time and 1 for its kind."""
        return len(self.text) + len(self.ends) * (STAMP + 5)

    def extend(self, text: bytes, lengths: list[int], stamps: bytes, kinds: bytes) -> None:
        """Adds whole lines."""
        self.ends.extend(accumulate(lengths, initial=len(self.text)))
        del self.ends[-len(lengths) - 1]
        self.text += text
        self.stamps += stamps
        self.kinds += kinds

    def cut(self, count: int) -> None:
        """Keeps the first `count` lines, at least one."""
        del self.ends[count:]
        del self.text[self.ends[-1] :]
        del self.stamps[count * STAMP :]
        del self.kinds[count:]

    def span(self, index: int) -> tuple[int, int]:
        """Where a line of this block begins and ends in `text`, without its newline."""
        return (self.ends[index - 1] if index else 0), self.ends[index] - 1

    def tail(self, index: int) -> bytes:
        """The text from a line of this block on."""
        return bytes(self.text[self.ends[index - 1] if index else 0 :])


class LogBuffer:
    """Lines `first` to `end` (not included). A number is for ever: older lines get smaller ones, also below zero.

    When the bytes kept pass `cap`, whole blocks of the oldest lines are dropped and counted in `dropped`.
    """

    def __init__(self, cap: int = CAP) -> None:
        self.cap = cap
        self.dropped = 0
        self.size = 0
        self._blocks: list[Block] = []
        self._firsts: list[int] = []
        self._end = 0
        self.epoch = 0

    @property
    def first(self) -> int:
        """The number of the oldest line that is kept."""
        return self._firsts[0] if self._firsts else self._end

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self._end

    def __len__(self) -> int:
        return self._end - self.first

    def clear(self) -> None:
        """Forgets every line; numbers go on. `epoch` tells readers with a memory of their own."""
        self._blocks, self._firsts = [], []
        self.size = 0
        self.dropped = 0
        self.epoch += 1

    def append(self, text: bytes, lengths: list[int], stamps: bytes, kinds: bytes) -> None:
        """Adds newer lines: `text` with a newline after each, `lengths` with it, STAMP bytes and a kind each."""
        if not lengths:
            return
        if not self._blocks or len(self._blocks[-1].text) >= BLOCK_BYTES:
            self._blocks.append(Block(self._end))
            self._firsts.append(self._end)
        self._blocks[-1].extend(text, lengths, stamps, kinds)
        self._end += len(lengths)
        self.size += len(text) + len(lengths) * (STAMP + 5)
        while self.size > self.cap and len(self._blocks) > 1:
            gone = self._blocks.pop(0)
            self._firsts.pop(0)
            self.size -= gone.size
            self.dropped += len(gone)

    def take_older(self, older: LogBuffer, count: int) -> int:
        """Puts the first `count` lines of another buffer in front, whose blocks it takes; returns how many came.

        Where there is no room for all, the oldest blocks stay away.
        """
        blocks: list[Block] = []
        stop = older.first + count
        for block in older.blocks():
            if block.first >= stop:
                break
            if block.first + len(block) > stop:
                block.cut(stop - block.first)
            blocks.append(block)
        older.clear()
        size = sum(b.size for b in blocks)
        while blocks and size > self.room:
            size -= blocks.pop(0).size
        total = sum(len(b) for b in blocks)
        first = self.first - total
        for block in blocks:
            block.first = first
            first += len(block)
        self._blocks[:0] = blocks
        self._firsts[:0] = [b.first for b in blocks]
        self.size += size
        self.dropped = max(0, self.dropped - total)
        return total

    @property
    def room(self) -> int:
        """Bytes that older lines may still take."""
        return max(0, self.cap - self.size)

    def drop_first(self) -> None:
        """Takes the oldest line away, because its whole came by another way."""
        block = self._blocks[0]
        cut = block.ends[0]
        del block.text[:cut]
        block.ends = array("I", [e - cut for e in block.ends[1:]])
        del block.stamps[:STAMP]
        del block.kinds[:1]
        block.first += 1
        self.size -= cut + STAMP + 5
        if block.ends:
            self._firsts[0] += 1
        else:
            self._blocks.pop(0)
            self._firsts.pop(0)

    def _find(self, line: int) -> tuple[Block, int]:
        if not self.first <= line < self._end:
            raise IndexError(line)
        block = self._blocks[bisect_right(self._firsts, line) - 1]
        return block, line - block.first

    def raw(self, line: int) -> bytes:
        """The bytes of a line, without its newline."""
        block, index = self._find(line)
        start, end = block.span(index)
        return bytes(block.text[start:end])

    def length(self, line: int) -> int:
        """How many bytes a line has."""
        block, index = self._find(line)
        start, end = block.span(index)
        return end - start

    def stamp(self, line: int) -> bytes:
        """The time of a line, STAMP bytes."""
        block, index = self._find(line)
        return bytes(block.stamps[index * STAMP : (index + 1) * STAMP])

    def kind(self, line: int) -> int:
        """Stream and marks of a line; see ERR, LEVEL_SHIFT, FOLLOWS."""
        block, index = self._find(line)
        return block.kinds[index]

    def level(self, line: int) -> int:
        """The level of a line as an index of LEVELS; 0 when it has none or was not looked at."""
        return self.kind(line) >> LEVEL_SHIFT & 7

    def mark(self, line: int, level: int, *, follows: bool) -> None:
        """Remembers the level of a line."""
        block, index = self._find(line)
        kind = block.kinds[index] & 7
        block.kinds[index] = kind | level << LEVEL_SHIFT | (FOLLOWS if follows else 0)

    def chunk(self, line: int) -> tuple[Block, int]:
        """The block that holds a line, and the line's place in it."""
        return self._find(line)

    def blocks(self) -> Iterator[Block]:
        """Every block, oldest first."""
        return iter(self._blocks)
