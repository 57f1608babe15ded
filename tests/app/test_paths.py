"""The folders of the program: one person's, short enough, movable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app import paths


def test_one_home_for_everything(own_home: Path) -> None:
    made = [paths.data_dir(), paths.config_dir(), paths.log_dir()]
    assert all(path.parent == own_home for path in made)
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}


def test_the_runtime_folder_is_short_and_of_its_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path) if len(str(tmp_path)) < 40 else "")
    first = paths.runtime_dir()
    monkeypatch.setenv("PILOTHOUSE_HOME", str(tmp_path / ("deep" * 40)))
    second = paths.runtime_dir()
    try:
        assert first != second
        assert len(os.fsencode(second)) < 70
    finally:
        second.rmdir()


def test_a_folder_that_others_may_enter_is_closed(own_home: Path) -> None:
    (own_home / "data").mkdir(mode=0o755)
    assert paths.data_dir().stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_person_is_refused(own_home: Path) -> None:
    (own_home / "config").mkdir()
    os.chown(own_home / "config", 12345, 12345)
    with pytest.raises(PermissionError, match="another user"):
        paths.config_dir()


def test_a_home_that_is_made_is_of_this_person_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PILOTHOUSE_HOME", str(tmp_path / "deep" / "home"))
    paths.data_dir()
    assert (tmp_path / "deep" / "home").stat().st_mode & 0o077 == 0
