"""ARCHITECTURE.md names what there is: every file that it names, and every module at the top of app/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:app|backend|vm|resources|packaging|tests)/[\w/]*(?:\.\w+)?)`", TEXT)))
BARE = sorted(set(re.findall(r"`(\w+\.py)`", TEXT)))


def test_it_names_files() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize("name", NAMED)
def test_what_it_names_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_a_file_is_named_with_its_folder() -> None:
    assert not BARE


@pytest.mark.parametrize("module", sorted(p.name for p in (ROOT / "app").glob("[!_]*.py")))
def test_every_module_of_the_app_has_its_room(module: str) -> None:
    assert f"app/{module}" in NAMED
