"""WCAG 2.1 contrast of every pair of tokens that is shown together."""

from __future__ import annotations

import pytest

from app.theme import tokens

GROUNDS = ("bg", "surface", "surface-alt", "raised", "hover", "raised-hover", "selection", "code-bg")
WORDS = ("text", "text-secondary", "text-tertiary", "accent", "success", "warning", "danger", "info")
OTHER = (
    ("on-accent", "accent-fill"),
    ("on-accent", "accent-hover"),
    ("on-accent", "accent-pressed"),
    ("on-danger", "danger-fill"),
    ("text", "accent-soft"),
    ("accent", "accent-soft"),
    ("success", "success-soft"),
    ("warning", "warning-soft"),
    ("danger", "danger-soft"),
    ("info", "info-soft"),
    ("text-secondary", "danger-soft"),
    ("text-secondary", "warning-soft"),
    ("text-secondary", "info-soft"),
    ("text", "match"),
    ("on-match", "match-current"),
    ("syn-keyword", "code-bg"),
    ("syn-string", "code-bg"),
    ("syn-number", "code-bg"),
    ("syn-comment", "code-bg"),
    ("syn-variable", "code-bg"),
    *(
        (f"syn-{kind}", under)
        for kind in ("keyword", "string", "number")
        for under in ("surface", "hover", "selection")
    ),
    ("surface", "text"),
)
MARKS = (
    "control-border",
    "focus",
    "success-fill",
    "warning-fill",
    "danger-fill",
    "info-fill",
    *(f"chart-{number}" for number in range(1, 7)),
)
MODES = ("light", "dark")


def luminance(text: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(text[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(mode: str, one: str, other: str) -> float:
    colors = tokens()["color"][mode]
    light, dark = sorted((luminance(colors[one]), luminance(colors[other])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", MODES)
def test_words_can_be_read_on_every_ground(mode: str) -> None:
    pairs = [(word, ground) for word in WORDS for ground in GROUNDS] + list(OTHER)
    low = {pair: round(ratio(mode, *pair), 2) for pair in pairs if ratio(mode, *pair) < 4.5}
    assert low == {}


@pytest.mark.parametrize("mode", MODES)
def test_marks_can_be_found_on_every_ground(mode: str) -> None:
    grounds = ("bg", "surface", "surface-alt", "raised")
    low = [(m, g) for m in MARKS for g in grounds if ratio(mode, m, g) < 3]
    assert low == []


def test_both_modes_have_the_same_tokens() -> None:
    colors = tokens()["color"]
    assert colors["light"].keys() == colors["dark"].keys()


def test_the_ratio_is_that_of_wcag() -> None:
    assert int(100 * ratio("light", "text", "surface")) == 1624
    assert int(100 * ratio("dark", "danger-fill", "raised")) == 317
