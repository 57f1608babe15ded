"""Without a release's signature an image is used only where this computer built it, and nobody else can change it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vm.guest.images import CONTENT, PRIVATE, PUBLIC, manifest
from vm.errors import ImageDamaged, ImageUnsigned
from vm.guest import signing, trust
from vm.guest.manifest import MANIFEST, SIGNATURE, encode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there images are fetched, never built")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    folder.mkdir(mode=0o755)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(encode(manifest()))
    trust.mark_built(folder)
    return folder


def test_what_was_built_here_is_used(built: Path) -> None:
    assert trust.trusted(built, []) == manifest()


def _unmarked(folder: Path) -> None:
    (folder / trust.BUILT).unlink()


def _elsewhere(folder: Path) -> None:
    said = (folder / trust.BUILT).read_text()
    (folder / trust.BUILT).write_text(said.replace('"computer":"', '"computer":"0'))


def _another(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(encode(manifest("20990101.1")))


def _open_folder(folder: Path) -> None:
    folder.chmod(0o777)


def _open_file(folder: Path) -> None:
    (folder / "root").chmod(0o664)


def _nonsense(folder: Path) -> None:
    (folder / trust.BUILT).write_bytes(b"\xff{")


def _badly_signed(folder: Path) -> None:
    (folder / SIGNATURE).write_bytes(signing.sign(b"something else", PRIVATE))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_unmarked, "not built here"),
        (_elsewhere, "another computer"),
        (_another, "not the one that was built here"),
        (_open_folder, "others may change built"),
        (_open_file, "others may change root"),
        (_nonsense, "cannot be read"),
        (_badly_signed, "not made by a key that is trusted"),
    ],
)
def test_what_nobody_vouches_for_is_refused(built: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(built)
    with pytest.raises(ImageUnsigned, match=words):
        trust.trusted(built, [PUBLIC])


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root, to give a file away")
def test_what_belongs_to_another_is_refused(built: Path) -> None:
    os.chown(built / "kernel", 12345, 12345)
    with pytest.raises(ImageUnsigned, match="others may change kernel"):
        trust.trusted(built, [])


def test_what_is_vouched_for_must_be_whole_as_well(built: Path) -> None:
    (built / "root").write_bytes(b"short")
    with pytest.raises(ImageDamaged, match="root has 5 bytes"):
        trust.trusted(built, [])
    (built / "root").unlink()
    with pytest.raises(ImageDamaged):
        trust.trusted(built, [])
