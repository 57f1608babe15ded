"""The theme: tokens, fonts that are really loaded, icons in their colour, switching while running."""

from __future__ import annotations

import logging

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFontInfo, QFontMetricsF
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from app.theme import Theme, parse_color, tokens
from app.widgets.states import Illustration


@pytest.fixture
def light(qapp: QApplication) -> Theme:
    theme = Theme("light", qapp)
    theme.apply(qapp)
    return theme


def test_a_colour_may_carry_alpha_last() -> None:
    color = parse_color("#18212C66")
    assert (color.red(), color.green(), color.blue(), color.alpha()) == (0x18, 0x21, 0x2C, 0x66)


@pytest.mark.parametrize("type_name", list(tokens()["type"]))
def test_fonts_are_the_bundled_ones_in_their_weight(light: Theme, type_name: str) -> None:
    font = light.font(type_name)
    size, _line, weight, _spacing = tokens()["type"][type_name]
    found = QFontInfo(font)
    assert found.family() == ("JetBrains Mono" if type_name.startswith("mono") else "Inter")
    assert (found.pixelSize(), found.weight()) == (size, weight)


@pytest.mark.parametrize("type_name", ["body", "body_strong", "mono"])
def test_figures_are_equally_wide(light: Theme, type_name: str) -> None:
    metrics = QFontMetricsF(light.font(type_name))
    widths = [metrics.horizontalAdvance(digit * 10) for digit in "0123456789"]
    assert max(widths) - min(widths) < 0.5


def test_a_heavier_weight_is_wider(light: Theme) -> None:
    words = "Containers and images"
    widths = [QFontMetricsF(light.make_font(13, weight)).horizontalAdvance(words) for weight in (400, 500, 600)]
    assert widths == sorted(set(widths))


def test_switching_tells_after_the_application_has_the_palette(light: Theme, qapp: QApplication) -> None:
    seen: list[str] = []
    light.changed.connect(lambda: seen.append(qapp.palette().window().color().name()))
    light.set_choice("dark")
    light.set_choice("dark")
    light.set_choice("light")
    assert seen == [tokens()["color"][mode]["surface"].lower() for mode in ("dark", "light")]


def test_widgets_take_the_new_palette_at_once(light: Theme) -> None:
    window = QWidget()
    window.show()
    light.set_choice("dark")
    assert window.palette().window().color() == light.color("surface")


def test_system_follows_the_system(light: Theme) -> None:
    light.set_choice("system")
    assert light.mode == "light"
    light._on_scheme_changed(Qt.ColorScheme.Light)
    assert light.mode == "light"


def test_icons_have_the_colour_of_their_token_in_each_mode(light: Theme) -> None:
    for mode in ("light", "dark"):
        light.set_choice("light" if mode == "light" else "dark")
        image = light.pixmap("square", "danger", 16, 2.0).toImage()
        assert image.size() == QSize(32, 32)
        solid = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() > 250]
        assert solid
        assert {color.name() for color in solid} == {light.color("danger").name()}


def test_icons_are_kept_per_device_ratio(light: Theme) -> None:
    one = light.pixmap("square", "text", 16, 1.0)
    assert light.pixmap("square", "text", 16, 1.0).cacheKey() == one.cacheKey()
    assert light.pixmap("square", "text", 16, 1.5).width() == 24


def test_an_unknown_icon_is_blank_and_logged(light: Theme, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert light.pixmap("no-such-icon").width() == 16
    assert "no-such-icon" in caplog.text


def test_motion_is_nothing_where_stillness_is_asked_for(light: Theme) -> None:
    assert light.still
    assert light.motion("dialog") == 0
    assert light.motion("toast_stay") == 5000


def test_the_drawing_has_no_place_left_open(light: Theme) -> None:
    for mode in ("light", "dark"):
        light.set_choice("light" if mode == "light" else "dark")
        assert b"{" not in light.illustration("tug")
    drawing = Illustration(light, "tug", QSize(270, 148))
    assert not drawing.grab().isNull()


def test_the_style_sheet_holds_tokens_only(light: Theme, qapp: QApplication) -> None:
    import re

    known = {text.lower() for text in tokens()["color"]["light"].values()}
    assert set(re.findall(r"#[0-9a-f]{6,8}", qapp.styleSheet())) <= known


def test_a_tooltip_of_one_line_is_as_high_as_in_the_pictures(light: Theme, qapp: QApplication) -> None:
    host = QWidget()
    host.show()
    QToolTip.showText(QPoint(10, 10), "Restart", host)
    tip = next(w for w in qapp.topLevelWidgets() if w.inherits("QTipLabel") and w.isVisible())
    assert tip.height() == 24
    QToolTip.hideText()
    host.close()
