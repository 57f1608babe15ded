"""What is kept of a log, what is shown of it and what is found in it."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.feeds.loghistory import merge_older
from app.theme import Theme
from app.widgets.ansi import MOST_RUNS, Style, parse
from app.widgets.logbuffer import STAMP, LogBuffer
from app.widgets.logcounts import LogCounts
from app.widgets.loglevels import level_of
from app.widgets.logsearch import LogSearch
from app.widgets.logview import LogView

TIME = b"2026-01-31T14:31:58.204000000Z"


def fill(buffer: LogBuffer, lines: list[bytes], kind: int = 1) -> None:
    text = b"".join(t + b"\n" for t in lines)
    buffer.append(text, [len(t) + 1 for t in lines], TIME * len(lines), bytes([kind]) * len(lines))


def filled(lines: list[bytes]) -> LogBuffer:
    buffer = LogBuffer()
    for start in range(0, len(lines), 7000):
        fill(buffer, lines[start : start + 7000])
    return buffer


def texts(buffer: LogBuffer) -> list[bytes]:
    return [buffer.raw(n) for n in range(buffer.first, buffer.end)]


def test_numbers_stay_when_the_oldest_go() -> None:
    buffer = LogBuffer(cap=2_000_000)
    for start in range(0, 100_000, 1000):
        fill(buffer, [b"line %d" % n for n in range(start, start + 1000)])
    assert buffer.end == 100_000
    assert buffer.dropped == buffer.first > 0
    assert buffer.size <= 2_000_000
    assert buffer.raw(buffer.first) == b"line %d" % buffer.first
    assert buffer.stamp(99_999) == TIME


def test_memory_is_the_text_and_little_more() -> None:
    buffer = LogBuffer()
    for _ in range(100):
        fill(buffer, [b"x" * 75] * 1000)
    sent = 100_000 * (76 + STAMP + 1)
    assert buffer.size <= sent + 32 * 100_000


def test_older_lines_join_without_gap_or_repeat() -> None:
    whole = [b"same"] * 50 + [b"line %d" % n for n in range(50)] + [b"same"] * 50
    buffer = LogBuffer()
    fill(buffer, whole[-60:])
    for count in (90, 140, 150):
        merge_older(buffer, filled(whole[-count:]))
        assert texts(buffer) == whole[-count:]
    assert merge_older(buffer, filled(whole)) == 0


def test_older_lines_that_have_no_room_stay_away() -> None:
    whole = [
        b"line %06d of a hundred thousand that want to be kept, more than there is room for" % n for n in range(50_000)
    ]
    for cap, most in ((2_500_000, 1 << 62), (2_500_000, 3_000_000)):
        buffer = LogBuffer(cap)
        fill(buffer, whole[-1000:])
        tail = LogBuffer(most)
        for start in range(0, 50_000, 5000):
            fill(tail, whole[start : start + 5000])
        assert merge_older(buffer, tail) > 0
        assert buffer.size <= cap
        assert 5_000 < len(buffer) < 25_000
        assert texts(buffer) == whole[-len(buffer) :]


def test_older_lines_join_while_new_ones_come() -> None:
    whole = [b"line %d" % n for n in range(200)]
    buffer = LogBuffer()
    fill(buffer, whole[100:180])
    merge_older(buffer, filled(whole[20:]))
    assert texts(buffer) == whole[20:180]


def test_identical_lines_are_told_apart_by_their_place() -> None:
    buffer = LogBuffer()
    fill(buffer, [b"same"] * 1000)
    merge_older(buffer, filled([b"same"] * 100_000))
    assert len(buffer) == 100_000


def test_a_line_that_the_count_cut_gets_whole() -> None:
    buffer = LogBuffer()
    fill(buffer, [b"end of a long line", b"next"])
    merge_older(buffer, filled([b"first", b"the end of a long line", b"next"]))
    assert texts(buffer) == [b"first", b"the end of a long line", b"next"]


@given(st.binary(max_size=300))
def test_escapes_never_raise_and_never_stay(raw: bytes) -> None:
    parsed = parse(raw)
    assert "\x1b" not in parsed.text
    assert all(c == " " or c.isprintable() or ord(c) >= 0xA0 for c in parsed.text)
    assert all(0 <= r.start < r.end <= len(parsed.text) for r in parsed.runs)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=50), st.integers(0, 110))
def test_colours_leave_the_text(text: str, code: int) -> None:
    assert parse(f"\x1b[{code}m{text}\x1b[0m".encode()).text == text


@pytest.mark.parametrize(
    "raw",
    [
        b"\x1b]52;c;aGVsbG8=\x07safe", b"\x1b]8;;http://x/\x1b\\safe\x1b]8;;\x1b\\", b"\x1b]0;title\x07safe",
        b"\x1bPq#0\x1b\\safe", b"\x1b[2J\x1b[10;10Hsafe", b"safe\x1b[3", b"safe\x1b]0;cut", b"old\rsafe", b"safe\r",
    ],
)  # fmt: skip
def test_only_colours_are_taken_from_escapes(raw: bytes) -> None:
    assert parse(raw).text == "safe"
    assert parse(raw).runs == ()


def test_colours() -> None:
    assert parse(b"a\x1b[1;38;5;196mb\x1b[38;2;1;2;3mc\x1b[md").runs == (
        (1, 2, Style(fore=196, bold=True)),
        (2, 3, Style(fore=(1, 2, 3), bold=True)),
    )
    many = parse(b"".join(b"\x1b[%dmx" % (31 + n % 6) for n in range(10_000)))
    assert many.text == "x" * 10_000
    assert len(many.runs) <= MOST_RUNS


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"ERROR it broke", 1), (b"[warn] x", 2), (b"INFO  x", 3), (b"DEBUG: x", 4), (b"plain error text later", 0),
        (b"2026-01-01 10:00:00 ERROR x", 1), (b'{"level":"info","m":1}', 3), (b"level=debug x", 4), (b"information", 0),
        (b"\x1b[31mERROR\x1b[0m x", 1),
    ],
)  # fmt: skip
def test_levels(line: bytes, level: int) -> None:
    assert level_of(line).level == level


def test_search_in_slices(qtbot: QtBot) -> None:
    buffer = LogBuffer()
    for start in range(0, 20_000, 1000):
        fill(buffer, [b"Line %d needle%d" % (n, n % 10) for n in range(start, start + 1000)])
    search = LogSearch(buffer)
    search.set("NEEDLE7")
    qtbot.waitUntil(lambda: not search.busy)
    assert list(search.lines) == list(range(7, 20_000, 10))
    assert search.step(near=100) == 107
    assert search.words() == "11 of 2,000"
    assert search.step(back=True) == 97
    search.set("needle7", case=True)
    fill(buffer, [b"needle7"])
    search.grew()
    qtbot.waitUntil(lambda: not search.busy)
    assert search.lines[-1] == 20_000
    search.set("")
    assert not search.active


@pytest.fixture
def search(qtbot: QtBot) -> Iterator[LogSearch]:
    search = LogSearch(LogBuffer())
    yield search
    search.close()


def lines_of(search: LogSearch) -> LogBuffer:
    return search._buffer


def test_a_regular_expression_is_tried_by_another_process(search: LogSearch, qtbot: QtBot) -> None:
    fill(lines_of(search), [b"Line %d needle%d" % (n, n % 10) for n in range(20_000)])
    search.set(r"line \d{3} ", regex=True)
    assert search.worker is not None
    qtbot.waitUntil(lambda: not search.busy, timeout=20_000)
    assert len(search.lines) == 900
    assert search.worker.process_id not in (0, os.getpid())
    assert search.matches(100, "Line 100 needle0") == [(0, 9, False)]
    fill(lines_of(search), [b"line 123 "])
    search.grew()
    qtbot.waitUntil(lambda: len(search.lines) == 901, timeout=20_000)
    assert search.step() == 100
    assert search.words() == "1 of 901"


def test_matches_are_where_the_line_is_shown(search: LogSearch, qtbot: QtBot) -> None:
    raw = b"\x1b[31mred\x1b[0m\tcaf\xc3\xa9 \xff found"
    fill(lines_of(search), [raw, b"over\rfound"])
    search.set("fo+u?nd", regex=True)
    qtbot.waitUntil(lambda: len(search.lines) == 2 and not search.busy, timeout=20_000)
    for line, text in enumerate([parse(raw).text, "found"]):
        ((start, end, _),) = search.matches(line, text)
        assert text[start:end] == "found"


def test_a_pattern_that_never_ends_stops_nobody(search: LogSearch, qtbot: QtBot) -> None:
    """The window's loop goes round while another process is at its wits' end, and is left in the end."""
    fill(lines_of(search), [b"a" * 200_000 + b"!", b"aab", *[b"a" * 40 + b"!"] * 30])
    turns = 0

    def on_turn() -> None:
        nonlocal turns
        turns += 1

    timer = QTimer(interval=5)
    timer.timeout.connect(on_turn)
    timer.start()
    search.set("(a+)+b", regex=True)
    qtbot.waitUntil(lambda: "takes too long" in search.note, timeout=60_000)
    assert turns > 20
    timer.stop()
    assert search.worker is None or search.worker.process_id != os.getpid()
    search.set("aab")
    qtbot.waitUntil(lambda: list(search.lines) == [1])
    assert search.worker is None
    assert search.note == ""


def test_a_search_that_is_at_work_is_cancelled_at_once(search: LogSearch, qtbot: QtBot) -> None:
    fill(lines_of(search), [b"a" * 40 + b"!"] * 8)
    search.set("(a+)+b", regex=True)
    worker = search.worker
    assert worker is not None
    qtbot.waitUntil(lambda: worker.busy)
    search.set("")
    assert worker.process_id == 0
    assert not search.busy


def test_no_process_outlives_its_search(qtbot: QtBot) -> None:
    parent = QObject()
    search = LogSearch(LogBuffer(), parent)
    fill(lines_of(search), [b"a" * 40 + b"!"] * 8)
    search.set("(a+)+b", regex=True)
    worker = search.worker
    assert worker is not None
    qtbot.waitUntil(lambda: worker.process_id > 0)
    number = worker.process_id
    parent.deleteLater()

    def gone() -> bool:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        return False

    qtbot.waitUntil(gone, timeout=20_000)


def test_what_is_wrong_with_a_pattern_is_said(search: LogSearch, qtbot: QtBot) -> None:
    fill(lines_of(search), [b"x"])
    search.set("(", regex=True)
    qtbot.waitUntil(lambda: bool(search.problem), timeout=20_000)
    assert search.problem.startswith("Not a regular expression: missing )")
    assert not search.active
    assert not search.busy
    search.set("x", regex=True)
    qtbot.waitUntil(lambda: list(search.lines) == [0], timeout=20_000)
    assert search.problem == ""


def test_counts_and_filter(qtbot: QtBot) -> None:
    buffer = LogBuffer()
    fill(
        buffer, [b"INFO a", b"ERROR b", b"Traceback (most recent call last):", b"  File x", b"ValueError: y", b"INFO c"]
    )
    counts = LogCounts(buffer)
    counts.filter({1})
    qtbot.waitUntil(lambda: sum(counts.counts) == 3)
    assert counts.shown == array("q", [1, 2, 3, 4])
    assert counts.counts == [0, 1, 0, 2, 0]


@pytest.fixture
def view(qtbot: QtBot) -> LogView:
    buffer = LogBuffer()
    fill(buffer, [b"INFO line %d" % n for n in range(1000)])
    view = LogView(Theme("light"), buffer)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    view.grew()
    return view


def test_follows_until_scrolled_up(view: LogView, qtbot: QtBot) -> None:
    assert [line for _, _, line, _ in view.visible()][-1] >= 999
    qtbot.keyClick(view, Qt.Key.Key_PageUp)  # type: ignore[no-untyped-call]
    assert view.pill.isVisible()
    top = next(view.visible())[2]
    fill(view.buffer, [b"more"] * 231)
    view.grew()
    assert next(view.visible())[2] == top
    assert view.pill.words == "Paused: 231 new lines"
    qtbot.mouseClick(view.pill, Qt.MouseButton.LeftButton)  # type: ignore[no-untyped-call]
    assert view.following
    assert max(line for _, _, line, _ in view.visible()) == 1230


def test_older_lines_leave_the_view_in_place(view: LogView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.older_wanted):
        view.scroll_to(0)
    assert view.buffer.take_older(filled([b"old"] * 100), 100) == 100
    view.prepended(100)
    assert next(view.visible())[2] == 0


def test_copies_plain_text(view: LogView, qtbot: QtBot) -> None:
    fill(view.buffer, [b"\x1b[31mred\x1b[0m"])
    view.grew()
    view.selection.set((999, 0))
    view.selection.set((1000, 3), extend=True)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)  # type: ignore[no-untyped-call]
    assert QGuiApplication.clipboard().text() == "INFO line 999\nred"


def test_wrapped_lines_end_at_the_bottom(view: LogView) -> None:
    view.set_wrap(True)
    fill(view.buffer, [b"w" * 5000])
    view.grew()
    view.grab()
    shown = list(view.visible())
    assert shown[-1][2] == 1000
    view.move_rows(-5)
    assert not view.following
    assert view.place_at(QPoint(10, 10))[0] == 1000
