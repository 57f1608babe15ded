"""Numbers and times as people read them: a unit after a no-break space, a dash for what is not known."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime

NBSP = "\u00a0"
DASH = "–"
MASK = "••••••••"
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


def bytes_text(count: float | None) -> str:
    """Bytes in decimal units, as docker writes them: `212 MB`, `1.8 GB`. One decimal from GB on."""
    if count is None or count != count or count < 0:
        return DASH
    value, unit = float(count), 0
    while unit < len(_UNITS) - 1 and value >= (999.5 if unit < 3 else 999.95):
        value, unit = value / 1000, unit + 1
    return f"{value:.{1 if unit >= 3 else 0}f}{NBSP}{_UNITS[unit]}"


def rate_text(count: float | None) -> str:
    """Bytes a second: `97 kB/s`."""
    text = bytes_text(count)
    return text if text == DASH else f"{text}/s"


def percent_text(share: float | None, digits: int | None = None) -> str:
    """A share (1.0 is one hundred per cent) as `4.2 %`; from ten on as `12 %`, unless `digits` are asked for.

    Thousands stand apart: `1,250 %`.
    """
    if share is None or share != share or share < 0:
        return DASH
    if digits is None:
        digits = 1 if share < 0.0995 else 0
    return f"{share * 100:,.{digits}f}{NBSP}%"


def count_text(count: int | None) -> str:
    """A count with thousands apart: `1,204`."""
    return DASH if count is None else f"{count:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 container`, `3 containers`."""
    return f"{count:,}{NBSP}{one if count == 1 else many or one + 's'}"


def joined(names: Sequence[str]) -> str:
    """Names in a sentence: `api, migrate`; the first two and how many more when they are over three."""
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:2])} and {plural(len(names) - 2, 'more', 'more')}"


def age_text(seconds: float | None) -> str:
    """A span in its largest whole unit: `12 s`, `41 min`, `3 h`, `2 d`, `1 y`."""
    if seconds is None or seconds != seconds:
        return DASH
    left = max(0, int(seconds))
    for size, unit in ((365 * 86_400, "y"), (86_400, "d"), (3_600, "h"), (60, "min")):
        if left >= size:
            return f"{left // size}{NBSP}{unit}"
    return f"{left}{NBSP}s"


def clock_text(at: float, *, seconds: bool = False) -> str:
    """A Unix time on this computer's clock: `14:32` or `14:32:07`."""
    return time.strftime("%H:%M:%S" if seconds else "%H:%M", time.localtime(at))


def parse_time(text: str) -> float | None:
    """RFC 3339 with any number of decimals, as the engine writes it, to Unix seconds; None for never (year 1)."""
    found = _RFC3339.match(text)
    if found is None or text.startswith("0001-"):
        return None
    zone = (found[3] or "Z").upper().replace("Z", "+00:00")
    try:
        at = datetime.fromisoformat(found[1].upper() + zone).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return at + float(found[2] or 0)


def short_id(text: str) -> str:
    """An id without its algorithm, twelve digits, as docker shows it."""
    return text.rpartition(":")[2][:12]


def masked(_value: str) -> str:
    """What stands for a value that must not be seen; always as long, so that it tells nothing."""
    return MASK
