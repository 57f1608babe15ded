"""A search of a log finds what is shown: tabs, overwritten lines, and the levels in view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.widgets.ansi import parse, shown_lines
from app.widgets.logcounts import LogCounts
from app.widgets.logsearch import LogSearch
from tests.app.widgets.test_logs import fill, filled

ODD = st.sampled_from(
    [b"a", b"b ", b"\t", b"\r", b"\x1b", b"\x1b[31m", b"\x1b[", b"\x1b]0;t\x07", b"\x1b]", b"\xc2\x9b", b"\xc2\x9c",
     b"\x9b", b"\xe2\x80\x8e", b"\xe2", b"\x80", b"\x7f", b"\x01", b"\xc3\xa9", b"m", b";", b"\\"]
)  # fmt: skip


@given(st.lists(st.lists(ODD, max_size=8).map(b"".join), max_size=4))
def test_what_is_searched_is_what_is_shown(lines: list[bytes]) -> None:
    searched = shown_lines(b"".join(line + b"\n" for line in lines)).decode("utf-8", "replace")
    assert searched.split("\n")[:-1] == [parse(line).text for line in lines]


@pytest.mark.parametrize(
    ("words", "lines"),
    [("a       b", [0]), ("dl 10%", []), ("DL 100%", [1]), ("\u2409", []), ("a\tb", []), ("é  ", [2])],
)
def test_a_text_is_looked_for_in_what_is_shown(words: str, lines: list[int], qtbot: QtBot) -> None:
    raws = [b"a\tb", b"dl 10%\rdl 100%", b"\x1b[31mcaf\xc3\xa9\x1b[0m\tx"]
    search = LogSearch(filled(raws))
    search.set(words)
    qtbot.waitUntil(lambda: not search.busy)
    assert list(search.lines) == lines
    assert [n for n, raw in enumerate(raws) if search.matches(n, parse(raw).text)] == lines
    search.close()


def test_matches_are_those_of_the_levels_in_view(qtbot: QtBot) -> None:
    kinds = (b"ERROR a needle", b"  needle behind the needle", b"INFO needle", b"WARN nothing")
    buffer = filled([kinds[n % 4] for n in range(8000)])
    search, counts = LogSearch(buffer), LogCounts(buffer)
    counts.changed.connect(lambda: search.restrict(counts.shown, counts.generation, counts.done))
    search.set("needle")
    counts.filter({1})
    qtbot.waitUntil(lambda: counts.done == buffer.end and not search.busy)
    assert search.words() == "6,000"
    assert list(search.lines) == [n for n in range(8000) for _ in range((1, 2, 0, 0)[n % 4])]
    assert [search.step(near=3), search.step(), search.step(), search.step()] == [4, 5, 5, 8]
    assert search.step(back=True) == 5
    text = parse(kinds[1]).text
    assert [now for _, _, now in search.matches(5, text)] == [False, True]
    assert not any(now for _, _, now in search.matches(1, text))
    fill(buffer, [b"INFO needle", b"ERROR needle"])
    search.grew()
    counts.grew()
    qtbot.waitUntil(lambda: counts.done == buffer.end and not search.busy)
    assert search.words() == "6 of 6,001"
    assert search.lines[-1] == 8001
    search.set("other")
    qtbot.waitUntil(lambda: not search.busy)
    assert search.words() == "No matches"
    search.set("needle")
    counts.filter({4})
    qtbot.waitUntil(lambda: counts.done == buffer.end and not search.busy)
    assert search.words() == "No matches"
    counts.filter(set())
    qtbot.waitUntil(lambda: counts.shown is None and not search.busy and len(search.lines) > 0)
    assert search.words() == "8,002"
    search.close()


def test_lines_that_go_on_coming_do_not_hide_that_nothing_is_found(qtbot: QtBot) -> None:
    buffer = filled([b"ERROR a needle", b"INFO plain"])
    search, counts = LogSearch(buffer), LogCounts(buffer)
    counts.changed.connect(lambda: search.restrict(counts.shown, counts.generation, counts.done))
    counts.filter({1})
    qtbot.waitUntil(lambda: counts.done == buffer.end)
    search.set("plain")
    assert search.words() == "…"
    qtbot.waitUntil(lambda: not search.busy)
    fill(buffer, [b"INFO plain"])
    search.grew()  # Its level is not known yet.
    assert search.busy
    assert search.words() == "No matches"
    search.close()


@pytest.mark.parametrize("regex", [False, True])
@pytest.mark.parametrize("chip_first", [False, True])
def test_matches_of_hidden_levels_do_not_use_up_the_room(regex: bool, chip_first: bool, qtbot: QtBot) -> None:
    buffer = filled([b"ERROR request first", *[b"INFO request"] * 205_000, b"ERROR request failed", b"INFO request"])
    search, counts = LogSearch(buffer), LogCounts(buffer)
    counts.changed.connect(lambda: search.restrict(counts.shown, counts.generation, counts.done))

    def done() -> bool:
        return counts.done == buffer.end and not search.busy

    if chip_first:
        counts.filter({1})
        qtbot.waitUntil(done, timeout=60_000)
        search.set("requ?est", regex=True) if regex else search.set("request")
    else:
        search.set("requ?est", regex=True) if regex else search.set("request")
        qtbot.waitUntil(lambda: not search.busy, timeout=60_000)
        assert search.words().endswith("+")
        counts.filter({1})
    qtbot.waitUntil(done, timeout=60_000)
    assert search.words() == "2"
    assert list(search.lines) == [0, 205_001]
    assert search.step() == 0
    assert search.step() == 205_001
    assert search.matches(205_001, "ERROR request failed") == [(6, 13, True)]
    counts.filter({3})
    qtbot.waitUntil(done, timeout=60_000)
    assert search.words().endswith("+")
    assert search.lines[:2].tolist() == [1, 2]
    counts.filter(set())
    qtbot.waitUntil(lambda: counts.shown is None and done(), timeout=60_000)
    assert search.words().endswith("+")
    assert search.lines[:2].tolist() == [0, 1]
    search.close()
