"""The design tokens of resources/tokens.json as colours, fonts, sizes and icons, light and dark."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

import resources
from app import icons, stylesheet

Mode = Literal["light", "dark"]
Choice = Literal["system", "light", "dark"]
FOLDER = Path(resources.__file__).parent
_FONTS = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")
_MONO_FONTS = ("JetBrainsMono-Regular.ttf", "JetBrainsMono-Medium.ttf", "JetBrainsMono-SemiBold.ttf")
_UI_FALLBACK = ("Noto Sans", "Segoe UI", "Helvetica Neue", "sans-serif")
_MONO_FALLBACK = ("Noto Sans Mono", "Consolas", "Menlo", "monospace")


@lru_cache(maxsize=1)
def tokens() -> dict[str, Any]:
    """The content of resources/tokens.json."""
    loaded: dict[str, Any] = json.loads((FOLDER / "tokens.json").read_text("utf-8"))
    return loaded


def parse_color(text: str) -> QColor:
    """A colour from `#RRGGBB` or, as in CSS, `#RRGGBBAA`."""
    color = QColor(text[:7])
    if len(text) == 9:
        color.setAlpha(int(text[7:], 16))
    return color


class Theme(QObject):
    """Light or dark, as chosen or as the system says; `changed` follows each switch, after the application has it."""

    changed = Signal()

    def __init__(self, choice: Choice = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens()
        self._choice: Choice = choice
        self._app: QApplication | None = None
        self._still: bool | None = None
        self._fonts: dict[str, QFont] = {}
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        self._icons: dict[tuple[str, str, int], QIcon] = {}
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._on_scheme_changed)
        self.mode: Mode = "light"
        self._colors: dict[str, QColor] = {}
        self._load(self._wanted())

    # -- which of the two -------------------------------------------------

    @property
    def choice(self) -> Choice:
        """What the person chose."""
        return self._choice

    def set_choice(self, choice: Choice) -> None:
        """Switch at once; `system` follows the system from now on."""
        self._choice = choice
        self._tell_system()
        self._switch()

    def _wanted(self) -> Mode:
        if self._choice != "system":
            return self._choice
        return "dark" if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else "light"

    def _load(self, mode: Mode) -> None:
        self.mode = mode
        self._colors = {name: parse_color(text) for name, text in self._tokens["color"][mode].items()}
        self._pixmaps.clear()
        self._icons.clear()

    def _switch(self) -> None:
        if self._wanted() == self.mode:
            return
        self._load(self._wanted())
        if self._app is not None:
            self._dress(self._app)
        self.changed.emit()

    def _on_scheme_changed(self, _scheme: Qt.ColorScheme) -> None:
        self._switch()

    def _tell_system(self) -> None:
        """Let the window frame follow an explicit choice."""
        if self._app is None:
            return
        hints = self._app.styleHints()
        if self._choice == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if self._choice == "dark" else Qt.ColorScheme.Light)

    # -- values -----------------------------------------------------------

    def color(self, token: str) -> QColor:
        """The colour of a token, such as `text-secondary`; a shared value, do not change it."""
        return self._colors[token]

    def css(self, token: str) -> str:
        """The colour as Qt's style sheets write it: `#RRGGBB` or `#AARRGGBB`."""
        color = self._colors[token]
        return color.name() if color.alpha() == 255 else color.name(QColor.NameFormat.HexArgb)

    def font(self, type_name: str) -> QFont:
        """The font of a type token, such as `body` or `mono`; a shared value, copy it before changing it."""
        font = self._fonts.get(type_name)
        if font is None:
            size, _line, weight, spacing = self._tokens["type"][type_name]
            font = self.make_font(size, weight, mono=type_name.startswith("mono"), spacing=spacing)
            self._fonts[type_name] = font
        return font

    def make_font(self, size: int, weight: int, *, mono: bool = False, spacing: float = 0) -> QFont:
        """A font of `size` pixels that no type token names, with tabular figures (or without ligatures, if mono)."""
        families = self._tokens["font"]
        if mono:
            _load_mono_fonts()
        names = [families["mono"], *_MONO_FALLBACK] if mono else [families["ui"], *_UI_FALLBACK]
        font = QFont(names)
        font.setPixelSize(size)
        font.setWeight(QFont.Weight(weight))
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        if mono:
            font.setStyleHint(QFont.StyleHint.Monospace)
            font.setFixedPitch(True)
        if spacing:
            font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
        for tag, value in families["mono_features" if mono else "features"].items():
            font.setFeature(QFont.Tag(tag), value)
        return font

    def line(self, type_name: str) -> int:
        """The line height of a type token in pixels."""
        return int(self._tokens["type"][type_name][1])

    def height(self, name: str) -> int:
        """The height of a part, such as `row` or `control`, in pixels."""
        return int(self._tokens["height"][name])

    def width(self, name: str) -> int:
        """The width of a part, such as `sidebar` or `dialog`, in pixels."""
        return int(self._tokens["width"][name])

    def space(self, step: str | int) -> int:
        """The distance of a step, such as `4`, in pixels."""
        return int(self._tokens["space"][str(step)])

    def radius(self, name: str) -> int:
        """The corner of `chip`, `control`, `card`, `popover`, `dialog` or `bar` in pixels."""
        return int(self._tokens["radius"][name])

    def icon_size(self, name: str) -> int:
        """The edge of an icon in a place, such as `row` or `button`, in pixels."""
        return int(self._tokens["icon"][name])

    def shadow(self, name: str) -> tuple[int, int, int, QColor]:
        """Offset right and down, blur (all pixels) and colour of the shadow of `popover` or `dialog`."""
        right, down, blur, color = self._tokens["shadow"][name]
        return int(right), int(down), int(blur), parse_color(color)

    def motion(self, name: str) -> int:
        """Milliseconds of a motion or a delay; a motion is 0 when the system asks for less movement."""
        value = int(self._tokens["motion_ms"][name])
        delays = ("toast_stay", "skeleton_delay", "busy_delay")
        return 0 if name not in delays and self.still else value

    @property
    def still(self) -> bool:
        """Whether the system asks for no movement (also without a screen, so that tests do not wait)."""
        if self._still is None:
            self._still = _asks_for_stillness()
        return self._still

    # -- icons ------------------------------------------------------------

    def pixmap(self, name: str, token: str = "text-secondary", size: int = 16, ratio: float | None = None) -> QPixmap:
        """An icon tinted with `token`; `size` in logical pixels, cached per device `ratio`."""
        scale = ratio if ratio is not None else self._ratio()
        key = (name, token, size, scale)
        pixmap = self._pixmaps.get(key)
        if pixmap is None:
            pixmap = icons.draw(name, self._colors[token], size, scale, self._stroke(size))
            self._pixmaps[key] = pixmap
        return pixmap

    def icon(self, name: str, token: str = "text-secondary", size: int = 16) -> QIcon:
        """The same as a QIcon, with a disabled look. For the colours of now: ask again after `changed`."""
        key = (name, token, size)
        icon = self._icons.get(key)
        if icon is None:
            icon = QIcon(self.pixmap(name, token, size))
            icon.addPixmap(self.pixmap(name, "text-disabled", size), QIcon.Mode.Disabled)
            self._icons[key] = icon
        return icon

    def illustration(self, name: str) -> bytes:
        """The SVG of a drawing in resources/illustrations with its `{token}` places filled in."""
        text = (FOLDER / "illustrations" / f"{name}.svg").read_text("utf-8")
        for token, color in self._colors.items():
            text = text.replace("{" + token + "}", color.name())
        return text.encode()

    def _stroke(self, size: int) -> float:
        """Lines of small icons are a little stronger, so that they stay lines."""
        stroke = float(self._tokens["icon"]["stroke"])
        return stroke + 0.75 if size <= 10 else stroke + 0.4 if size <= 12 else stroke

    def _ratio(self) -> float:
        return self._app.devicePixelRatio() if self._app is not None else 1.0

    # -- the application --------------------------------------------------

    def apply(self, app: QApplication) -> None:
        """Give `app` the fonts, the palette and the style sheet (Fusion is main's choice); it follows switches."""
        self._app = app
        _load_fonts()
        app.setFont(self.font("body"))
        self._tell_system()
        self._dress(app)

    def _dress(self, app: QApplication) -> None:
        app.setPalette(self.palette())
        app.setStyleSheet(stylesheet.build(self.css))

    def palette(self) -> QPalette:
        """Qt's roles in our tokens."""
        role, group, color = QPalette.ColorRole, QPalette.ColorGroup, self._colors
        palette = QPalette()
        for name, token in _ROLES.items():
            palette.setColor(role[name], color[token])
        for name in ("WindowText", "Text", "ButtonText"):
            palette.setColor(group.Disabled, role[name], color["text-disabled"])
        return palette


_ROLES = {
    "Window": "surface",
    "WindowText": "text",
    "Base": "surface",
    "AlternateBase": "surface-alt",
    "Text": "text",
    "Button": "raised",
    "ButtonText": "text",
    "BrightText": "on-accent",
    "PlaceholderText": "text-tertiary",
    "Highlight": "accent-fill",
    "HighlightedText": "on-accent",
    "Accent": "accent-fill",
    "Link": "accent",
    "LinkVisited": "accent",
    "ToolTipBase": "text",
    "ToolTipText": "surface",
    "Light": "surface-alt",
    "Midlight": "hover",
    "Mid": "border-strong",
    "Dark": "control-border",
    "Shadow": "border-strong",
}


@lru_cache(maxsize=1)
def _load_fonts() -> None:
    for name in _FONTS:
        QFontDatabase.addApplicationFont(str(FOLDER / "fonts" / name))


@lru_cache(maxsize=1)
def _load_mono_fonts() -> None:
    """When the first text is set in it; a list has none."""
    for name in _MONO_FONTS:
        QFontDatabase.addApplicationFont(str(FOLDER / "fonts" / name))


def _asks_for_stillness() -> bool:
    if os.environ.get("PILOTHOUSE_STILL") or QGuiApplication.platformName() in ("offscreen", "minimal"):
        return True
    from PySide6.QtWidgets import QStyle  # Late: its many enums cost a start 5 ms.

    style = QApplication.style()
    return style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) == 0
