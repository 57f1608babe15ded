"""The icons that lie in resources are those that the program shows, no more and no fewer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import app
from app.icons import FOLDER

ROOM = Path(app.__file__).parent
ICONS = {file.stem for file in FOLDER.glob("*.svg")}
PLACES = {"IconMark": 1, "IconTile": 1, "pixmap": 0}
"""Callables whose argument of that number is an icon without being called so."""


def trees() -> Iterator[ast.Module]:
    for file in sorted(ROOM.rglob("*.py")):
        yield ast.parse(file.read_text("utf-8"))


def takers() -> dict[str, int]:
    """Classes and functions with a parameter or a field `icon`, and its number; only where a name has one meaning."""
    found: dict[str, set[int]] = {name: {at} for name, at in PLACES.items()}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [
                    f.target.id for f in node.body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)
                ]
                if "icon" in fields:
                    found.setdefault(node.name, set()).add(fields.index("icon"))
                made = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
                names = [a.arg for a in made[0].args.args][1:] if made else []
                if "icon" in names:
                    found.setdefault(node.name, set()).add(names.index("icon"))
            elif isinstance(node, ast.FunctionDef) and node.name not in ("__init__", "set", "add"):
                names = [a.arg for a in node.args.args if a.arg != "self"]
                if "icon" in names:
                    found.setdefault(node.name, set()).add(names.index("icon"))
    return {name: next(iter(places)) for name, places in found.items() if len(places) == 1}


def words(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)


def asked_for() -> set[str]:
    """What stands where an icon is wanted."""
    places = takers()
    found: set[str] = set()
    for tree in trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            at = places.get(name)
            given = [call.args[at]] if at is not None and at < len(call.args) else []
            given += [keyword.value for keyword in call.keywords if keyword.arg in ("icon", "trailing")]
            found.update(text for node in given for text in words(node) if text)
    return found


def test_every_icon_that_is_asked_for_is_there() -> None:
    asked = asked_for()
    assert len(asked) > 60
    assert asked <= ICONS, asked - ICONS


def test_every_icon_that_is_there_is_shown() -> None:
    literals = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert literals >= ICONS, ICONS - literals
