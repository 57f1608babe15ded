"""The mark of the data disk: what host and guest both read before anything is touched."""

from __future__ import annotations

import pytest

from tests.vm.guest.images import manifest
from vm.guest.disk import BLANK, SECTOR, DataVersion, mark, read_mark
from vm.guest.manifest import Content, Manifest


def test_a_mark_is_one_sector_and_read_as_it_was_written() -> None:
    written = mark(DataVersion(3, 29))
    assert len(written) == SECTOR
    assert read_mark(BLANK[:SECTOR] + written) == DataVersion(3, 29)


@pytest.mark.parametrize("beginning", [b"", BLANK, bytes(1024), b"x" * 1024, BLANK[:512] + b"layout 1 engine x\n"])
def test_a_disk_without_one_says_nothing(beginning: bytes) -> None:
    assert read_mark(beginning) is None


@pytest.mark.parametrize(
    ("found", "image", "newer"),
    [((1, 26), (1, 26), False), ((1, 26), (2, 29), False), ((2, 26), (1, 29), True), ((1, 29), (2, 26), True)],
)
def test_data_are_newer_where_either_number_is(found: tuple[int, int], image: tuple[int, int], newer: bool) -> None:
    assert DataVersion(*found).newer_than(DataVersion(*image)) is newer


def test_an_image_knows_the_data_of_its_engine() -> None:
    made = manifest()
    assert made.data == DataVersion(1, 0)
    package = Content("docker.io", "26.1.5+dfsg1-9", 1, "0" * 64)
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    assert Manifest(**{**fields, "packages": (package,)}).data == DataVersion(1, 26)
