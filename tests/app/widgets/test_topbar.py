"""The bar at the top of a page: what its totals leave out where there is little room, and the gap before the search."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.topbar import TopBar

TOTALS = [
    ("240", True), (" running", False), (" · CPU ", False), ("1,234 %", True), (" · ", False), ("11.4 GB", True),
    (" · 12 s ago", False),
]  # fmt: skip
LEFT_OUT = ["", "240 running", "240 running · CPU 1,234 %", "240 running · CPU 1,234 % · 11.4 GB"]


def bar(window: QWidget, theme: Theme, width: int) -> TopBar:
    window.resize(width, 600)
    made = TopBar(theme, "Containers", window)
    made.add_search("Search containers")
    made.add_widget(Button(theme, "Run…", "play", "primary"))
    made.add_widget(Button(theme, "Docker 28.2", "server"))
    made.resize(width, made.height())
    made.set_totals(TOTALS)
    made.show()
    return made


def ends(bar: TopBar) -> int:
    """Where the painted totals end, in pixels of the bar."""
    image = bar.totals.grab().toImage()
    ground = image.pixel(image.width() - 1, 0)
    columns = [
        x for x in range(image.width()) if any(image.pixel(x, y) != ground for y in range(2, image.height() - 2))
    ]
    return bar.totals.x() + columns[-1] + 1 if columns else 0


@pytest.mark.parametrize("pages", [range(560, 900, 7), range(960, 1280, 13)], ids=["narrow", "wide"])
def test_a_gap_stays_between_the_totals_and_the_search(window: QWidget, theme: Theme, pages: range) -> None:
    made = bar(window, theme, pages[0])
    assert made.search is not None
    shown = set()
    for width in pages:
        made.resize(width, made.height())
        shown.add("".join(words for words, _strong in made.totals._fitting()))
        assert made.search.x() - ends(made) >= 8, width
        assert made.search.x() > made.title.geometry().right(), width
    assert made.totals.text in shown, "no page had room for all"
    assert shown <= {*LEFT_OUT, made.totals.text}
    assert len(shown) > 2 or pages[0] > 900, "one width shows as much as another"


def test_a_window_of_900_shows_totals(window: QWidget, theme: Theme) -> None:
    made = bar(window, theme, 900 - 208)
    assert ends(made) > made.title.geometry().right()
