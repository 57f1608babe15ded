"""The one style sheet: what Qt draws itself and what cannot be painted by a widget of ours."""

from __future__ import annotations

from collections.abc import Callable

# Qt adds the padding of a tooltip to a margin that it makes of it: these are 24 px high, with 8 px beside the words.
_SHEET = """
QToolTip {{ background: {text}; color: {surface}; border: 0px; border-radius: 4px; padding: 0px 3px; }}
QScrollBar {{ background: transparent; border: 0px; margin: 0px; }}
QScrollBar:vertical {{ width: 6px; }}
QScrollBar:horizontal {{ height: 6px; }}
QScrollBar::handle {{ background: {track}; border-radius: 3px; }}
QScrollBar::handle:hover, QScrollBar::handle:pressed {{ background: {control_border}; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0px; height: 0px; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QAbstractScrollArea {{ border: 0px; }}
QAbstractScrollArea::corner {{ background: transparent; }}
QMenu {{ background: transparent; border: 0px; padding: 5px; }}
QMenu::item {{ min-height: 28px; padding: 0px 32px 0px 38px; }}
QMenu::separator {{ height: 9px; }}
QListView#suggestions {{ background: {raised}; color: {text}; border: 1px solid {border_strong}; padding: 2px;
  outline: 0px; }}
QListView#suggestions::item {{ height: 28px; padding: 0px 8px; border-radius: 4px; }}
QListView#suggestions::item:hover, QListView#suggestions::item:selected {{ background: {raised_hover}; color: {text}; }}
QLineEdit, QSpinBox {{ background: transparent; border: 0px; padding: 0px;
  lineedit-password-character: 8226; }}
QSplitter::handle {{ background: {border}; }}
"""


def build(css: Callable[[str], str]) -> str:
    """The sheet with colours from `css(token)`; nothing but tokens ever goes in."""
    names = ("text", "surface", "track", "control-border", "border", "border-strong", "raised", "raised-hover")
    return _SHEET.format(**{name.replace("-", "_"): css(name) for name in names})
