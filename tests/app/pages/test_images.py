"""The Images page in front of an engine: what stands beside a list that is searched, and how details are set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QGridLayout, QWidget

from app.models.images import COLUMNS
from app.pages.images.detail import _Overview
from app.pages.images.dialogs import CleanUpDialog
from app.pages.images.layers import LAYER_COLUMNS
from app.pages.images.page import ImagesPage
from app.presentation import age_text, bytes_text
from app.theme import Theme
from app.widgets.cells import Column
from app.widgets.text import PlainLabel
from backend.types.containers import ContainerConfig
from backend.types.images import ImageDetails, ImageId
from tests.e2e.desk import Person, at_desk
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def page_now() -> AsyncIterator[tuple[Person, FakeEngine, ImagesPage]]:
    fake = FakeEngine()
    for tag in ("nginx:1", "postgres:16", "redis:7"):
        fake.add_image(tag)
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        person.window.resize(1280, 800)
        page = cast("ImagesPage", await person.nav("images"))
        await person.open_row(page.table, "postgres")
        await person.until(lambda: page.detail.title.text() == "postgres:16", "its details")
        yield person, fake, page


async def test_a_search_without_a_match_shows_no_details_and_the_chosen_image_comes_back(qapp: QApplication) -> None:
    async with page_now() as (person, _fake, page):
        await person.type(page.search, "ngnix")
        await person.sees("No images match “ngnix”")
        assert not page.detail.isVisible()
        assert not person.says("postgres")
        assert page.no_detail.isVisible()
        assert page.list_side.width() == 376
        await person.press("Clear search")
        await person.until(page.detail.isVisible, "the details")
        assert page.detail.title.text() == "postgres:16"
        assert person.rows(page.table)[page.table.current_key][0] == "postgres"


async def test_what_could_not_be_saved_asks_for_another_place(qapp: QApplication, tmp_path: Path) -> None:
    async with page_now() as (person, _fake, page):
        page.verbs.run("save", page._rows[:2])
        chooser = await person.find(QFileDialog, "the chooser", lambda _d: True)
        chooser.fileSelected.emit(str(tmp_path / "nowhere" / "images.tar"))
        chooser.close()
        await person.sees("Could not save 2\u00a0images")
        await person.press("Choose another place…")
        chooser = await person.find(QFileDialog, "the chooser again", lambda d: d is not chooser)
        chooser.fileSelected.emit(str(tmp_path / "images.tar"))
        chooser.close()
        await person.done(person.last("Save"))
        assert (tmp_path / "images.tar").exists()


async def test_an_image_of_two_names_counts_once(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_image("web:1", "web:2")
    fake.add_container("holds", "exited", "web:1")
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        page = cast("ImagesPage", await person.nav("images"))
        await person.until(lambda: len(person.rows(page.table)) == 2, "both names")
        assert [page.segments._count(key) for key in ("all", "used", "unused")] == ["1", "1", "0"]
        assert page.topbar.totals.text.startswith("1 image")


async def test_a_search_shows_the_details_of_what_it_finds(qapp: QApplication) -> None:
    async with page_now() as (person, _fake, page):
        await person.type(page.search, "redis")
        await person.until(lambda: page.detail.title.text() == "redis:7", "what is found")
        await person.type(page.search, " ")
        await person.until(lambda: page.detail.title.text() == "postgres:16", "what was chosen")


async def test_an_image_that_goes_while_another_is_read_moves_nothing(qapp: QApplication) -> None:
    async with page_now() as (person, fake, page):
        found = fake.find_image("nginx:1")
        assert found is not None
        del fake.images[found.id]
        await fake.emit("image", "delete", found.id)
        await person.until(lambda: len(person.rows(page.table)) == 2, "the row to go")
        assert page.detail.title.text() == "postgres:16"
        assert person.rows(page.table)[page.table.current_key][0] == "postgres"


async def test_names_and_values_of_the_overview_share_a_baseline(qapp: QApplication) -> None:
    theme = Theme("light", qapp)
    theme.apply(qapp)
    overview = _Overview(theme)
    overview.resize(600, 400)
    # Letters without a tail, so that the lowest ink of a line is its baseline.
    overview.show_details(
        ImageDetails(id=ImageId("aa"), config=ContainerConfig(env=("A=1", "B=2"), user="nn", cmd=("aa",)))
    )
    overview.show()
    assert not overview.grab().isNull()
    inner = overview.widget()
    assert inner is not None
    grid = inner.layout()
    assert isinstance(grid, QGridLayout)
    for row, letters in enumerate(("Id", "Command", "User", "Environment")):
        name, value = (item.widget() for item in map(grid.itemAtPosition, (row, row), (0, 1)) if item is not None)
        assert isinstance(name, PlainLabel)
        assert isinstance(value, PlainLabel)
        assert name.text() == letters
        assert baseline(inner, name) == baseline(inner, value), letters


def baseline(inner: QWidget, part: QWidget) -> int:
    """The lowest row of ink of the first line of words."""
    image: QImage = part.grab().toImage()
    ink = [
        y for y in range(image.height())
        if any(image.pixelColor(x, y).lightness() < 150 for x in range(image.width()))
    ]  # fmt: skip
    first = next((at for at, y in enumerate(ink[:-1]) if ink[at + 1] > y + 1), len(ink) - 1)
    return part.geometry().top() + ink[first]


async def test_one_image_is_counted_as_one(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_image("nginx:1")
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        page = cast("ImagesPage", await person.nav("images"))
        told = "".join(words for words, _strong in page.topbar.totals._parts)
        assert told.startswith("1 image ·")


@pytest.mark.parametrize("column", [c for c in (*COLUMNS, *LAYER_COLUMNS) if c.key in ("age", "size")])
async def test_ages_and_sizes_are_never_cut(qapp: QApplication, column: Column) -> None:
    theme = Theme("light", qapp)
    theme.apply(qapp)
    widest = [age_text(59 * 60), age_text(364 * 86_400)] if column.key == "age" else [bytes_text(999_000_000)]
    needs = max(QFontMetricsF(theme.font("body")).horizontalAdvance(text) for text in widest)
    assert needs <= column.min_width - column.pad


async def test_values_of_the_environment_show_for_the_eye_and_hide_with_the_next_image(qapp: QApplication) -> None:
    theme = Theme("light", qapp)
    theme.apply(qapp)
    overview = _Overview(theme)
    overview.resize(600, 400)
    overview.show_details(ImageDetails(id=ImageId("aa"), config=ContainerConfig(env=("A=CANARY=1", "B=CANARY 2"))))
    overview.show()

    def words() -> str:
        return "\n".join(label.text() for label in overview.findChildren(PlainLabel))

    assert "A=••••••••\nB=••••••••" in words()
    overview.eye.click()
    assert "A=CANARY=1\nB=CANARY 2" in words()
    assert overview.eye.accessibleName() == "Hide values"
    overview.show_details(ImageDetails(id=ImageId("bb"), config=ContainerConfig(env=("A=CANARY",))))
    assert "CANARY" not in words()
    overview.show_details(ImageDetails(id=ImageId("cc")))
    assert not overview.eye.isVisible()


async def test_a_clean_up_that_would_take_more_than_is_listed_is_shown_again_first(qapp: QApplication) -> None:
    fake = FakeEngine()
    fake.add_image("free:1")
    holder = fake.add_container("holds", "exited", "held:1")
    async with fake.serve() as endpoint, at_desk(endpoint) as person:
        await person.nav("images")
        await person.press("Clean up…")
        dialog = await person.find(CleanUpDialog, "the clean-up", lambda _d: True)
        await person.choose(dialog.choice, "unused")
        await person.sees("Remove 1\u00a0image")
        del fake.containers[holder]  # And no event tells it.
        await person.press("Remove 1\u00a0image")
        await person.sees("This has changed. Look again.")
        assert len(fake.images) == 2
        assert "held:1" in dialog.listing.text()
        await person.press("Remove 2\u00a0images")
        await person.until(lambda: not person.window.dialogs_open(), "the clean-up to begin")
        await person.done(person.last("Clean up"))
        assert not fake.images


async def test_what_is_ticked_is_removed_from_the_bar_that_floats_over_the_list(qapp: QApplication) -> None:
    async with page_now() as (person, fake, page):
        for name in ("nginx", "redis"):
            page.table.set_current(person.key_of(page.table, name))
            page.table.setFocus()
            await person.keys(Qt.Key.Key_Space)
        assert person.says("2 selected")
        assert page.left.rect().contains(page.selection.geometry()), "it fits the list beside the details"
        await person.click(page.selection.buttons["remove"])
        await person.press("Remove 2\xa0images")
        await person.until(lambda: [i.tags for i in fake.images.values()] == [["postgres:16"]], "the others to go")
        await person.until(lambda: not page.selection.isVisible(), "the bar to leave")


async def test_the_way_back_stands_where_other_pages_have_it(qapp: QApplication) -> None:
    async with page_now() as (person, _fake, page):
        person.window.resize(900, 600)
        back = page.detail.back
        await person.until(
            lambda: back.isVisible() and back.mapTo(page, back.rect().topLeft()).x() == 10, "the way back in its place"
        )
        person.window.resize(1280, 800)
        await person.until(lambda: not back.isVisible() and page.detail.title.x() == 16, "the title in its place")


async def test_the_arrow_stands_at_the_column_that_sorts(qapp: QApplication) -> None:
    async with page_now() as (_person, _fake, page):
        assert (page.table.sort_column, page.table.descending) == ("image", False)
