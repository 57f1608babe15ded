"""The Images page in front of an engine: what stands beside a list that is searched, and how details are set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app.pages.images.page import ImagesPage
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
