"""Reading a file from the web, from any byte on; proxies and certificate authorities are the system's."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Mapping

SECONDS = 30.0
"""Without a byte; how long all of it takes is the caller's business."""


async def read(url: str, start: int) -> AsyncGenerator[bytes, None]:
    """The bytes of a file from `start` on. Raises OSError: FileNotFoundError where there is none.

    A server that knows no ranges sends all of it; what was not asked for is dropped here.
    """
    import httpx  # Whoever has an image never needs it.
    import truststore

    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        async with (
            httpx.AsyncClient(
                verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), follow_redirects=True, timeout=SECONDS
            ) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code in (404, 410):
                raise FileNotFoundError(f"{url} is not there ({answer.status_code})")
            if answer.status_code not in (200, 206):
                raise OSError(f"the server says {answer.status_code} {answer.reason_phrase}".rstrip())
            left_out = start if answer.status_code == 200 else start - _begins(answer.headers, start)
            async for piece in answer.aiter_raw():
                if left_out >= len(piece):
                    left_out -= len(piece)
                    continue
                yield piece[left_out:]
                left_out = 0
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(str(error) or type(error).__name__) from error


def _begins(headers: Mapping[str, str], start: int) -> int:
    """Where a part begins, as its server says. Raises OSError where that is behind what was asked for."""
    said = headers.get("Content-Range", "")
    first = said.removeprefix("bytes ").partition("-")[0]
    if not first.isdigit() or int(first) > start:
        raise OSError(f"the server sent another part: {said!r}")
    return int(first)
