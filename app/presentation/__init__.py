"""From values to words and colour roles: bytes, ages, ports, states. Pure, without Qt.

Widgets import `app.presentation.units`, which knows nothing of the engine's types; everybody else may import from here.
"""

from app.presentation.containers import (
    PublishedPort,
    Reason,
    StateView,
    folder_text,
    group_of,
    image_text,
    is_problem,
    is_running,
    is_stopped,
    port_text,
    published_ports,
    reason_of,
    state_of,
)
from app.presentation.units import (
    DASH,
    NBSP,
    age_text,
    bytes_text,
    clock_text,
    count_text,
    joined,
    masked,
    parse_time,
    percent_text,
    plural,
    rate_text,
    short_id,
)

__all__ = [
    "DASH",
    "NBSP",
    "PublishedPort",
    "Reason",
    "StateView",
    "age_text",
    "bytes_text",
    "clock_text",
    "count_text",
    "folder_text",
    "group_of",
    "image_text",
    "is_problem",
    "is_running",
    "is_stopped",
    "joined",
    "masked",
    "parse_time",
    "percent_text",
    "plural",
    "port_text",
    "published_ports",
    "rate_text",
    "reason_of",
    "short_id",
    "state_of",
]
