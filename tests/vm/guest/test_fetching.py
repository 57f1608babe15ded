"""An image is fetched whole, goes on where it broke off, and is refused where it is not the one that was signed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vm.guest.images import CONTENT, PUBLIC, Published, manifest, published, throw_away_key
from vm.errors import (
    ImageDamaged,
    ImageError,
    ImageFetchFailed,
    ImageNoRoom,
    ImageTooOld,
    ImageUnreadable,
    ImageUnsigned,
    ImageWrongArchitecture,
)
from vm.guest import fetching
from vm.guest.fetching import fetch
from vm.guest.manifest import FILES, MANIFEST, SIGNATURE, Manifest, require
from vm.guest.trust import trusted

pytestmark = pytest.mark.asyncio
WHOLE = sum(len(content) for content in CONTENT.values())


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSE", 0.0)


async def bring(source: Published, folder: Path, **changed: object) -> Manifest:
    wanted = {"arch": "amd64", "public_keys": [PUBLIC], "at_least": "20260101.1", **changed}
    return await fetch(source, folder, **wanted)  # type: ignore[arg-type]


def check(folder: Path, at_least: str = "20260102.1") -> Manifest:
    found = trusted(folder, [throw_away_key()[1], PUBLIC])
    require(found, "amd64", at_least)
    return found


async def test_it_comes_whole_and_with_progress(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = await bring(published(), tmp_path / "image", progress=lambda *numbers: seen.append(numbers))
    assert found == manifest()
    assert {path.name for path in (tmp_path / "image").iterdir()} == {*FILES, MANIFEST, SIGNATURE}
    assert check(tmp_path / "image") == found
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, WHOLE), (WHOLE, WHOLE))


async def test_what_is_here_is_not_fetched_again(tmp_path: Path) -> None:
    await bring(published(), tmp_path)
    again = published()
    await bring(again, tmp_path)
    assert again.asked == [(MANIFEST, 0), (SIGNATURE, 0)]


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "breaks"])
async def test_a_broken_connection_goes_on_at_the_same_byte(tmp_path: Path, fails: bool) -> None:
    source = published()
    source.ends_after, source.fails = [15_000, 25_000, 0, 0, 90_000], fails
    await bring(source, tmp_path)
    assert [start for name, start in source.asked if name == "kernel"] == [0, 15_000, 40_000, 40_000, 40_000]
    check(tmp_path)


async def test_one_that_brings_nothing_is_given_up_and_the_part_is_kept(tmp_path: Path) -> None:
    source = published()
    source.ends_after = [15_000, 0, 0, 0]
    with pytest.raises(ImageFetchFailed) as caught:
        await bring(source, tmp_path)
    assert caught.value.name == "kernel"
    assert not (tmp_path / MANIFEST).exists(), "half an image looks like one"
    later = published()
    await bring(later, tmp_path)
    assert ("kernel", 15_000) in later.asked


async def test_cancelled_it_stops_at_once_and_goes_on_later(tmp_path: Path) -> None:
    source = published()
    task = asyncio.ensure_future(bring(source, tmp_path))

    def interrupt(at: int) -> None:
        if at == 60_000:
            task.cancel()

    source.before_piece = interrupt
    with pytest.raises(asyncio.CancelledError):
        await task
    later = published()
    await bring(later, tmp_path)
    first = next(start for name, start in later.asked if name == "kernel")
    assert 0 < first <= 70_000
    check(tmp_path)


async def test_wrong_bytes_are_deleted_and_fetched_again(tmp_path: Path) -> None:
    source = published()
    source.spoilt = 1
    await bring(source, tmp_path)
    assert source.asked.count(("root", 0)) == 2
    check(tmp_path)


async def test_a_source_that_keeps_giving_wrong_bytes_is_refused(tmp_path: Path) -> None:
    source = published()
    source.spoilt = 9
    with pytest.raises(ImageDamaged) as caught:
        await bring(source, tmp_path)
    assert caught.value.name == "root"
    assert source.asked.count(("root", 0)) == 2
    assert not list(tmp_path.glob("root*"))


async def test_a_source_that_gives_too_much_is_refused(tmp_path: Path) -> None:
    source = published()
    source.files["initrd"] += b"more"
    with pytest.raises(ImageDamaged):
        await bring(source, tmp_path)
    assert not (tmp_path / MANIFEST).exists()


async def test_a_damaged_image_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    await bring(published(), tmp_path)
    (tmp_path / "root").write_bytes(b"x" + CONTENT["root"][1:])
    with pytest.raises(ImageDamaged) as caught:
        check(tmp_path)
    assert (caught.value.name, caught.value.reason) == ("root", "has another checksum")
    await bring(published(), tmp_path)
    check(tmp_path)


def _unsigned(source: Published) -> None:
    del source.files[SIGNATURE]


def _empty_signature(source: Published) -> None:
    source.files[SIGNATURE] = b"\n"


def _garbled_signature(source: Published) -> None:
    source.files[SIGNATURE] = b"<html>not found</html>"


def _altered(source: Published) -> None:
    source.files[MANIFEST] = source.files[MANIFEST].replace(b"20260102", b"20270102")


def _other_key(source: Published) -> None:
    source.files = published(private=throw_away_key()[0]).files


def _other_schema(source: Published) -> None:
    changed = manifest()
    source.files = published(
        type(changed)(**{**{f: getattr(changed, f) for f in changed.__struct_fields__}, "schema": 9})
    ).files


def _endless(source: Published) -> None:
    source.files[MANIFEST] = b" " * 1_100_000


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_unsigned, ImageUnsigned),
        (_empty_signature, ImageUnsigned),
        (_garbled_signature, ImageUnsigned),
        (_altered, ImageUnsigned),
        (_other_key, ImageUnsigned),
        (_other_schema, ImageUnreadable),
        (_endless, ImageUnreadable),
    ],
)
async def test_a_manifest_that_cannot_be_trusted_is_refused_before_anything_is_fetched(
    tmp_path: Path, spoil: Callable[[Published], None], kind: type[ImageError]
) -> None:
    source = published()
    spoil(source)
    with pytest.raises(kind):
        await bring(source, tmp_path)
    assert not [name for name, _ in source.asked if name in FILES]
    assert not list(tmp_path.iterdir())


async def test_an_older_one_is_refused_here_and_there(tmp_path: Path) -> None:
    with pytest.raises(ImageTooOld) as caught:
        await bring(published(), tmp_path, at_least="20260102.2")
    assert (caught.value.found, caught.value.wanted) == ("20260102.1", "20260102.2")
    await bring(published(manifest("20260102.10")), tmp_path, at_least="20260102.9")
    with pytest.raises(ImageTooOld):
        check(tmp_path, at_least="20260103.1")


async def test_one_for_another_processor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageWrongArchitecture):
        await bring(published(manifest(arch="arm64")), tmp_path)


async def test_an_image_whose_signature_is_gone_is_not_used(tmp_path: Path) -> None:
    await bring(published(), tmp_path)
    (tmp_path / SIGNATURE).unlink()
    with pytest.raises(ImageUnsigned):
        check(tmp_path)


async def test_no_room_is_said_before_the_first_byte(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    huge = manifest()
    root = type(huge.root)(free * 2, huge.root.sha256)
    large = type(huge)(**{**{f: getattr(huge, f) for f in huge.__struct_fields__}, "root": root})
    source = published(large)
    with pytest.raises(ImageNoRoom) as caught:
        await bring(source, tmp_path)
    assert caught.value.needed > caught.value.free
    assert not [name for name, _ in source.asked if name in FILES]
