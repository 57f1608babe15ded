"""What every question to an engine shares: the query as text, and what went wrong as a typed error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

import httpx
import msgspec

from backend.dial import unreachable
from backend.endpoint import Endpoint
from backend.endpoint import text as endpoint_text
from backend.errors import AnswerTooLarge, EngineGone, EngineTimeout, EngineUnreachable, ProtocolError


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
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _connect_error(error, endpoint, what) from error
    except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
        raise EngineTimeout(what, deadline or 0) from error
    except httpx.ProtocolError as error:
        raise _protocol_error(error, what) from error
    except (httpx.TransportError, httpx.StreamError) as error:
        raise EngineGone(what, str(error) or type(error).__name__) from error
    except httpx.InvalidURL as error:
        raise ProtocolError(what, str(error)) from error


def _connect_error(error: Exception, endpoint: Endpoint | None, what: str) -> EngineUnreachable | EngineTimeout:
    if isinstance(error, httpx.ConnectTimeout):
        return EngineTimeout(what, 5)
    where = endpoint_text(endpoint) if endpoint is not None else what
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and endpoint is not None:
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
