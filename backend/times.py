"""Times as the engine writes them."""

from __future__ import annotations

from datetime import datetime


def unix_seconds(text: str) -> float:
    """RFC 3339 with any number of digits as Unix seconds; 0 for "never" (year 1) and for what is no time."""
    if not text or text.startswith("0001-"):
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0
