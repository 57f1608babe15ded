"""The engine's refusals: status and message into the typed errors that the window words."""

from __future__ import annotations

import re

import msgspec

from backend.errors import (
    ApiError,
    BadRequest,
    Conflict,
    DiskFull,
    EngineFault,
    ImageInUse,
    NameInUse,
    NotFound,
    PortInUse,
    PullFailed,
    RateLimited,
    RegistryDenied,
    RegistryUnreachable,
    Unauthorized,
)

LONGEST_MESSAGE = 4096
_NAME_TAKEN = re.compile(r'name "?/?([^"\s]+)"? is already in use(?: by (?:container )?"?([0-9a-f]{12,64}))?')
_VOLUME_TAKEN = re.compile(r"(?:volume|network) (?:with )?name \"?(\S+?)\"? already (?:exists|used)")
_IMAGE_USED = re.compile(r"(?:is being used by|is using its referenced image|is in use|used by) .*?", re.S)
_HOLDER = re.compile(r"(?:container|used by) ([0-9a-f]{12,64})")
_PORT_WORDS = ("port is already allocated", "address already in use", "ports are not available")
_TAGS = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.S | re.I)

_DENIED = (
    "pull access denied",
    "unauthorized",
    "authentication required",
    "denied:",
    "access to the resource is denied",
    "no basic auth credentials",
    "insufficient_scope",
)
_UNREACHABLE = (
    "no such host",
    "connection refused",
    "i/o timeout",
    "network is unreachable",
    "no route to host",
    "tls handshake timeout",
    "client.timeout exceeded",
    "server misbehaving",
    "context deadline exceeded",
    "temporary failure in name resolution",
    "connection reset",
    "x509:",
    "server gave http response",
    "dial tcp",
)


class _Message(msgspec.Struct):
    message: str = ""
    cause: str = ""


def message_of(body: bytes, content_type: str = "") -> str:
    """The engine's own words out of the body of an error: JSON `message`, or the text, or the text of an HTML page."""
    try:
        found = msgspec.json.decode(body, type=_Message)
        words = found.message or found.cause
    except (msgspec.DecodeError, RecursionError):
        words = body[: 4 * LONGEST_MESSAGE].decode("utf-8", "replace")
        if "html" in content_type or words.lstrip()[:1] == "<":
            from html import unescape  # Late: engines speak JSON, proxies speak this.

            words = unescape(_TAGS.sub(" ", words))
    return " ".join(words.split())[:LONGEST_MESSAGE]


def api_error(status: int, message: str, what: str) -> ApiError:
    """The error for an answer of `status` with the engine's `message`; `what` was asked for."""
    low = message.lower()
    if "no space left on device" in low or "disk quota exceeded" in low:
        return DiskFull(status, message, what)
    if any(words in low for words in _PORT_WORDS):
        return PortInUse(status, message, what, port=_port(message))
    if status == 409 or (status >= 500 and ("already in use" in low or "already exists" in low)):
        return _conflict(status, message, what)
    if status == 404:
        return NotFound(status, message, what)
    if status in (401, 403):
        return Unauthorized(status, message, what)
    return EngineFault(status, message, what) if status >= 500 else BadRequest(status, message, what)


def _conflict(status: int, message: str, what: str) -> Conflict:
    if taken := _NAME_TAKEN.search(message) or _VOLUME_TAKEN.search(message):
        holder = taken[2] or "" if taken.re is _NAME_TAKEN else ""
        return NameInUse(status, message, what, name=taken[1], holder=holder)
    if "image" in message and _IMAGE_USED.search(message):
        holder = _HOLDER.search(message)
        running = "running container" in message
        return ImageInUse(status, message, what, holder=holder[1] if holder else "", running=running)
    return Conflict(status, message, what)


def _port(message: str) -> int:
    """The port out of `Bind for 0.0.0.0:80 failed`, `listen tcp4 127.0.0.1:80: bind` and their like."""
    for found in re.finditer(r"(?:\d|\]|::|\blocalhost|\*):(\d{1,5})\b", message):
        if 0 < (port := int(found[1])) < 65536:
            return port
    found_word = re.search(r"\bport (\d{1,5})\b", message)
    return int(found_word[1]) if found_word else 0


def pull_failed(reference: str, message: str) -> PullFailed:
    """The error for what a pull or push said in its stream."""
    low = message.lower()
    if "toomanyrequests" in low or "rate limit" in low or "429" in low:
        return RateLimited(reference, message)
    if any(words in low for words in _DENIED):
        return RegistryDenied(reference, message)
    if any(words in low for words in _UNREACHABLE):
        return RegistryUnreachable(reference, message)
    return PullFailed(reference, message)
