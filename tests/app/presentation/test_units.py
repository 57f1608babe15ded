"""Numbers and times in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.presentation import (
    DASH,
    age_text,
    bytes_text,
    count_text,
    masked,
    parse_time,
    percent_text,
    plural,
    rate_text,
    short_id,
)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (512, "512 B"), (999, "999 B"), (1000, "1 kB"), (97_000, "97 kB"), (999_499, "999 kB"),
        (999_600, "1 MB"), (212_300_000, "212 MB"), (1_400_000_000, "1.4 GB"), (999_960_000_000, "1.0 TB"),
        (None, DASH), (-1, DASH), (math.nan, DASH),
    ],
)  # fmt: skip
def test_bytes(count: float | None, text: str) -> None:
    assert bytes_text(count).replace("\u00a0", " ") == text


@given(st.integers(0, 10**18))
def test_bytes_are_short_with_one_unit(count: int) -> None:
    number, unit = bytes_text(count).split("\u00a0")
    assert float(number) <= 1000
    assert unit in ("B", "kB", "MB", "GB", "TB", "PB")


def test_rates_and_shares() -> None:
    assert rate_text(97_000) == "97\u00a0kB/s"
    assert rate_text(None) == DASH
    assert percent_text(0.042) == "4.2\u00a0%"
    assert percent_text(0.124, 0) == "12\u00a0%"
    assert percent_text(0.0994) == "9.9\u00a0%"
    assert percent_text(0.0996) == "10\u00a0%"
    assert percent_text(1.042) == "104\u00a0%"
    assert percent_text(1.042, 1) == "104.2\u00a0%"
    assert percent_text(12.5) == "1,250\u00a0%"
    assert percent_text(None) == DASH
    assert percent_text(math.nan) == DASH


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"), (12, "12 s"), (60, "1 min"), (41 * 60, "41 min"), (3 * 3600, "3 h"), (86_400 * 12, "12 d"),
        (86_400 * 400, "1 y"), (None, DASH),
    ],
)  # fmt: skip
def test_ages(seconds: float | None, text: str) -> None:
    assert age_text(seconds).replace("\u00a0", " ") == text


def test_times_of_the_engine() -> None:
    assert parse_time("1970-01-01T00:00:10.123456789Z") == pytest.approx(10.123456789)
    assert parse_time("1970-01-01T01:00:10+01:00") == 10
    assert parse_time("0001-01-01T00:00:00Z") is None
    assert parse_time("<b>yesterday</b>") is None
    assert parse_time("2024-99-99T00:00:00Z") is None


def test_counts_and_ids() -> None:
    assert count_text(1204) == "1,204"
    assert count_text(None) == DASH
    assert plural(1, "container") == "1\u00a0container"
    assert plural(2, "query", "queries") == "2\u00a0queries"
    assert short_id("sha256:9f3c2ab81d041111") == "9f3c2ab81d04"
    assert masked("a") == masked("a very long secret")
