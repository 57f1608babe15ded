"""Manifests survive writing and reading, and a folder is compared with its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.guest.images import CONTENT, PRIVATE, PUBLIC, manifest
from vm.errors import ImageDamaged, ImageUnreadable, ImageUnsigned
from vm.guest import __main__, signing
from vm.guest.manifest import MANIFEST, SIGNATURE, check_folder, decode, encode, ordinal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / MANIFEST).write_bytes(encode(manifest()))
    return tmp_path


def test_it_reads_what_it_wrote() -> None:
    assert decode(encode(manifest())) == manifest()


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", encode(manifest()).replace(b"20260102.1", b"new")])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        decode(text)


def test_versions_are_numbers() -> None:
    assert ordinal("20260102.10") > ordinal("20260102.9")


def test_a_folder_is_compared_with_its_manifest(folder: Path) -> None:
    assert check_folder(folder) == manifest()
    (folder / "initrd").write_bytes(b"")
    with pytest.raises(ImageDamaged) as caught:
        check_folder(folder)
    assert caught.value.name == "initrd"
    (folder / "initrd").unlink()
    with pytest.raises(ImageDamaged):
        check_folder(folder)


def test_a_release_is_signed_with_a_key_from_a_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    key = tmp_path_factory.mktemp("key") / "key.pem"
    key.write_bytes(PRIVATE)
    assert __main__.main(["sign", "--key", str(key), str(folder)]) == 0
    signing.verify((folder / MANIFEST).read_bytes(), (folder / SIGNATURE).read_bytes(), [PUBLIC])
    with pytest.raises(ImageUnsigned):
        signing.verify(b"other", (folder / SIGNATURE).read_bytes(), [PUBLIC])
    with pytest.raises(ImageUnsigned):
        signing.verify((folder / MANIFEST).read_bytes(), b"AAAA\n", [PUBLIC])


def test_the_command_says_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["check", str(folder)]) == 0
    assert "amd64 20260102.1" in capsys.readouterr().err
    (folder / "root").write_bytes(b"short")
    assert __main__.main(["check", str(folder)]) == 1
    assert "root has 5 bytes" in capsys.readouterr().err
    (folder / "key.pem").write_bytes(b"no key")
    assert __main__.main(["sign", "--key", str(folder / "key.pem"), str(folder)]) == 1
