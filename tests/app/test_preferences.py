"""Preferences come back with their type, and a broken file costs nothing but itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.preferences import FILE_NAME, Preferences


def test_values_come_back_with_their_type(tmp_path: Path) -> None:
    kept = Preferences(tmp_path)
    kept.set("a/list", [1, "two"])
    kept.set("a/flag", True)
    kept.set("a/text", "7")
    kept.save()
    again = Preferences(tmp_path)
    assert again.get("a/list", [0]) == [1, "two"]
    assert again.get("a/flag", False) is True
    assert again.get("a/text", "") == "7"
    assert again.get("a/text", 3) == 3
    again.forget("a/flag")
    assert again.get("a/flag", False) is False


def test_a_broken_file_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"\x00\xff[[[\n=\n\x01")
    kept = Preferences(tmp_path)
    assert kept.get("theme", "system") == "system"
    kept.set("theme", "dark")
    kept.save()
    assert Preferences(tmp_path).get("theme", "system") == "dark"


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
@pytest.mark.parametrize("before", [None, b"", b"\x00\xff[[[\n=\n\x01"])
def test_the_file_is_for_this_person_alone(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / FILE_NAME
    if before is not None:
        path.write_bytes(before)
        path.chmod(0o644)
    kept = Preferences(tmp_path)
    kept.set("theme", "dark")
    kept.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
