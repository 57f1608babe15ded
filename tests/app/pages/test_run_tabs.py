"""What the tabs of the Run dialog say by themselves."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from app.commands.run.form import Problem
from app.pages.run.tabs import ResourcesTab
from app.theme import Theme
from app.widgets.forms import Field
from app.widgets.text import PlainLabel

GB = 1024**3
HELP = "It is ended when it needs more"


def said(field: Field) -> str:
    """The line below a field: the label's own words are its first."""
    return field.findChildren(PlainLabel)[-1].text()


@pytest.fixture
def tab(qapp: QApplication) -> ResourcesTab:
    theme = Theme("light", qapp)
    theme.apply(qapp)
    return ResourcesTab(theme)


@pytest.mark.parametrize(
    ("limit", "beyond"), [("", False), ("512m", False), ("2g", False), ("2049m", True), ("1t", True), ("many", False)]
)
def test_a_memory_limit_above_the_engines_memory_is_said_and_forbids_nothing(
    tab: ResourcesTab, limit: str, beyond: bool
) -> None:
    field = tab.bound["memory"].field
    tab.show_engine(2 * GB, 2)
    tab.memory.setText(limit)
    tab.show_problems([])
    assert (said(field) == "This engine has 2.1\u00a0GB, so the limit is never reached") is beyond
    assert (said(field).endswith(HELP)) is not beyond
    assert tab.memory.accessibleDescription() == said(field)
    assert not field.error()
    assert not tab.beyond_engine()


def test_it_is_said_also_when_the_engine_answers_late_and_gives_way_to_what_is_wrong(tab: ResourcesTab) -> None:
    field = tab.bound["memory"].field
    tab.memory.setText("4g")
    tab.show_problems([])
    assert said(field) == HELP
    tab.show_engine(2 * GB, 2)
    assert "never reached" in said(field)
    tab.show_problems([Problem("memory", "The engine refused it")])
    assert field.error() == said(field) == "The engine refused it"
    tab.show_problems([])
    assert "never reached" in said(field)
    tab.memory.setText("1g")
    tab.show_problems([])
    assert said(field).endswith(HELP)
