"""Text from outside reaches the screen through one module; nothing waits in a loop of its own; one style sheet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent
ALLOWED = {
    "QLabel": {"widgets/text.py"},
    "QMessageBox": {"widgets/text.py"},
    "QErrorMessage": set(),
    "setToolTip": {"widgets/text.py"},
    "setTextFormat": {"widgets/text.py"},
    "setHtml": set(),
    "insertHtml": set(),
    "appendHtml": set(),
    "setStyleSheet": {"theme.py"},
    "processEvents": set(),
    "exec": {"main.py", "cli.py"},
    "exec_": set(),
}
# Tool tips of actions and items go through `tooltip`, which escapes as `set_tooltip` does.
ESCAPED = "tooltip"


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
                if isinstance(node.func.value, ast.Attribute | ast.Name):
                    value = node.func.value
                    yield (value.attr if isinstance(value, ast.Attribute) else value.id), node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node


def is_harmless(name: str, call: ast.Call) -> bool:
    if name == "setToolTip":
        return any(isinstance(a, ast.Call) and isinstance(a.func, ast.Name) and a.func.id == ESCAPED for a in call.args)
    return name == "setTextFormat" and ast.unparse(call.args[0]) == "Qt.TextFormat.PlainText"


def offences(source: str, place: str) -> list[str]:
    found = []
    for name, call in calls(ast.parse(source)):
        if name not in ALLOWED or place in ALLOWED[name] or is_harmless(name, call):
            continue
        found.append(f"{place}:{call.lineno} {name}")
    return found


def test_no_text_sink_outside_its_module() -> None:
    found: list[str] = []
    for path in sorted(ROOT.rglob("*.py")):
        found += offences(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "QLabel('x')",
        "w.setToolTip(name)",
        "QtWidgets.QMessageBox.about(w, a, b)",
        "dialog.exec()",
        "w.setStyleSheet(s)",
    ],
)
def test_the_lint_sees(line: str) -> None:
    assert offences(line, "pages/x.py")
