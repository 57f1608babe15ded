"""Light or dark: the choices, and taking one."""

from __future__ import annotations

from app.preferences import Preferences
from app.theme import Choice, Theme

THEMES: tuple[tuple[Choice, str], ...] = (("system", "System"), ("light", "Light"), ("dark", "Dark"))


def choose_colours(theme: Theme, preferences: Preferences, key: str) -> None:
    """Wears other colours at once, and the next time."""
    for choice, _text in THEMES:
        if choice == key:
            theme.set_choice(choice)
            preferences.set("look/theme", choice)
