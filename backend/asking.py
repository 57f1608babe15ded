"""What every question to an engine shares: the query as text, and what went wrong as a typed error."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

import msgspec

from backend.dial import tls_refused, unreachable
from backend.endpoint import Endpoint, Tcp
from backend.endpoint import text as endpoint_text
from backend.errors import (
    AnswerTooLarge,
    BackendError,
    BadRequest,
    EndpointError,
    EngineGone,
    EngineTimeout,
    EngineUnreachable,
    ProtocolError,
    TlsFault,
    TlsRefused,
)


def query_text(query: Mapping[str, object] | None) -> str:
    """`?a=1&b=…`, or nothing. None is left out, bool becomes 1 or 0, a list repeats its key, a dict becomes JSON."""
    pairs: list[tuple[str, str]] = []
    for key, value in (query or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            pairs.append((key, "1" if value else "0"))
        elif isinstance(value, dict):
            pairs.append((key, msgspec.json.encode(value).decode()))
        elif isinstance(value, list | tuple):
            pairs.extend((key, str(v)) for v in value)
        else:
            pairs.append((key, str(value)))
    return "?" + urlencode(pairs, errors="surrogateescape") if pairs else ""


@contextmanager
def translated(what: str, endpoint: Endpoint | None = None, deadline: float | None = None) -> Iterator[None]:
    """Turns what httpx and asyncio raise into EngineUnreachable, EngineTimeout, EngineGone or ProtocolError."""
    try:
        yield
    except TimeoutError as error:
        raise EngineTimeout(what, deadline or 0) from error
    except EndpointError:  # Told before a connection was tried, also where OpenSSL said it.
        raise
    except Exception as error:
        told = _of_tls(error, what, endpoint)
        if told is None and "httpx" in sys.modules:
            told = _of_httpx(error, what, endpoint, deadline)
        if told is None:
            raise
        raise told from error


@contextmanager
def tls_agreed(endpoint: Endpoint) -> Iterator[None]:
    """Around the first question to an engine: what a disagreement about TLS looks like there becomes TlsRefused.

    A server refuses our certificate once it has come, and the reset of the connection may overtake its word.
    """
    try:
        yield
    except EngineGone as error:
        if not isinstance(endpoint, Tcp) or endpoint.tls is None:
            raise
        reason = "the connection was closed before the first answer"
        raise TlsRefused(endpoint_text(endpoint), reason, TlsFault.OUR_CERTIFICATE) from error
    except BadRequest as error:
        if not isinstance(endpoint, Tcp) or endpoint.tls is not None or "https" not in error.message.lower():
            raise
        raise TlsRefused(endpoint_text(endpoint), error.message, TlsFault.TLS_WANTED) from error


def _of_tls(error: Exception, what: str, endpoint: Endpoint | None) -> BackendError | None:
    """The typed error for what OpenSSL said while an answer was read; None for any other."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__
    if cause is None:
        return None
    if endpoint is None or isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return EngineGone(what, str(cause)) if cause is error else None
    return tls_refused(endpoint_text(endpoint), cause)


def _of_httpx(error: Exception, what: str, endpoint: Endpoint | None, deadline: float | None) -> BackendError | None:
    """The typed error for one of httpx; None for any other."""
    import httpx

    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return _connect_error(error, endpoint, what)
        case httpx.ReadTimeout() | httpx.WriteTimeout() | httpx.PoolTimeout():
            return EngineTimeout(what, deadline or 0)
        case httpx.ProtocolError():
            return _protocol_error(error, what)
        case httpx.TransportError() | httpx.StreamError():
            return EngineGone(what, str(error) or type(error).__name__)
        case httpx.InvalidURL():
            return ProtocolError(what, str(error))
        case _:
            return None


def _connect_error(error: Exception, endpoint: Endpoint | None, what: str) -> EngineUnreachable | EngineTimeout:
    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return EngineTimeout(what, 5)
    where = endpoint_text(endpoint) if endpoint is not None else what
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # One for each address of a name.
            cause = cause.exceptions[0]
        # anyio's own words around it carry no number.
        if isinstance(cause, OSError) and endpoint is not None and (cause.errno is not None or not cause.__cause__):
            return unreachable(endpoint, cause)
        cause = cause.__cause__ or cause.__context__
    return EngineUnreachable(where, str(error) or "no connection")


def _protocol_error(error: Exception, what: str) -> EngineGone | ProtocolError:
    words = str(error)
    if "disconnected" in words or "closed connection" in words:
        return EngineGone(what, words)
    if "too long" in words or "too much" in words.lower():
        return AnswerTooLarge(what, words)
    return ProtocolError(what, words)
