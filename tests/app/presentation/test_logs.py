"""What is said above a log."""

from __future__ import annotations

import pytest

from app.presentation.logs import caution, trouble
from backend.errors import BackendError, EngineFault, EngineGone, EngineTimeout, ProtocolError
from backend.types.containers import LogConfig

REFUSED = EngineFault(501, "configured logging driver does not support reading")
DAMAGED = ProtocolError("log stream", "Error grabbing logs: invalid character")


@pytest.mark.parametrize(
    ("phase", "error", "driver", "words"),
    [
        ("live", None, "json-file", ""),
        ("ended", None, "none", ""),
        ("unreadable", REFUSED, "none", "This container keeps no log: its log driver is none."),
        ("unreadable", REFUSED, "syslog", "This log goes to syslog and cannot be read here. Configured logging driver"),
        ("unreadable", REFUSED, "", "The log cannot be read here. Configured logging driver"),
        ("unreadable", EngineTimeout("GET /containers/x/logs", 10), "", "The log cannot be read here. It was asked"),
        ("gone", None, "", "The container is gone. What was read stays here."),
        ("lost", EngineGone("x", "y"), "", "The engine does not answer. The log goes on when it is back."),
        ("lost", DAMAGED, "", "The log broke off and is tried again. Error grabbing logs: invalid character."),
        ("live", DAMAGED, "", "A part of this log could not be read and is missing here. Error grabbing logs"),
    ],
)
def test_trouble(phase: str, error: BackendError | None, driver: str, words: str) -> None:
    said = trouble(phase, error, LogConfig(driver))
    assert said.startswith(words)
    assert bool(said) is bool(words)


@pytest.mark.parametrize(
    ("options", "warned"), [(None, False), ({"mode": "blocking"}, False), ({"mode": "non-blocking"}, True)]
)
def test_caution(options: dict[str, str] | None, warned: bool) -> None:
    assert ("lines may be missing" in caution(LogConfig("json-file", options))) is warned
