"""What a person is told above a log: why it cannot be read, what of it is missing, what may be."""

from __future__ import annotations

from typing import Final

from app.notices import notice_for, sentence
from backend.errors import ApiError, BackendError, ProtocolError
from backend.types.containers import LogConfig

READABLE: Final = frozenset({"", "json-file", "local", "journald", "k8s-file"})
"""Drivers that an engine reads by itself; of others it may keep a copy."""


def trouble(phase: str, error: BackendError | None, log: LogConfig) -> str:
    """Words for a phase of a feed, by its value; empty when all is well."""
    said = _said(error)
    match phase:
        case "unreadable" if log.type == "none":
            return "This container keeps no log: its log driver is none."
        case "unreadable" if log.type not in READABLE:
            return f"This log goes to {log.type} and cannot be read here. {said}"
        case "unreadable":
            return f"The log cannot be read here. {said}"
        case "gone":
            return "The container is gone. What was read stays here."
        case "lost" if isinstance(error, ProtocolError):
            return f"The log broke off and is tried again. {said}"
        case "lost":
            return "The engine does not answer. The log goes on when it is back."
        case _ if said:
            return f"A part of this log could not be read and is missing here. {said}"
    return ""


def _said(error: BackendError | None) -> str:
    """What the engine said, or what is said of a connection that failed."""
    if error is None:
        return ""
    if isinstance(error, ApiError):
        return sentence(error.message)
    return sentence(error.reason) if isinstance(error, ProtocolError) else notice_for(error).detail


def caution(log: LogConfig) -> str:
    """What a log may lack by the way it is kept; empty for one that has every line."""
    if (log.config or {}).get("mode") == "non-blocking":
        return "This container does not wait for its log: lines may be missing where it wrote fast (mode=non-blocking)."
    return ""
