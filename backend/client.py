"""Engine: one engine behind one endpoint, as typed calls, streams of JSON and upgraded connections."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from backend import decoding, negotiation
from backend import endpoint as ep
from backend.answers import Answer
from backend.asking import query_text, tls_agreed, translated
from backend.decoding import JSON_CAP
from backend.dial import Tunnels
from backend.endpoint import Endpoint, Ssh, Tcp, UnixSocket
from backend.errors import AnswerTooLarge, ProtocolError
from backend.failures import api_error, message_of
from backend.heads import HEAD_CAP
from backend.ndjson import LineSplitter
from backend.stream import RawStream, open_raw
from backend.types.system import Feature, Version
from backend.upgraded import Upgraded

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
Query = Mapping[str, object]
Content = bytes | AsyncIterable[bytes]
CALL_LIMIT = 8
LONG_CALL = 30.0
"""A call that may take longer does not take one of the few connections for short calls."""
ERROR_CAP = 1024 * 1024


async def _loaded() -> None:
    """Loads httpx beside the loop for the first call that needs it: it costs a third of a start, and 10 MB."""
    if "anyio._backends._asyncio" not in sys.modules:
        await asyncio.to_thread(_load)


def _load() -> None:
    import httpcore  # noqa: F401, I001 - httpcore loads anyio's part at its first connection, on the loop
    import httpx  # noqa: F401
    import anyio._backends._asyncio  # noqa: F401 - the last, so that all is there when it is


class Engine:
    """One engine. Nothing is opened before the first call; `open` learns what the engine is, `is_open`: it is known.

    `transport` replaces the connections of short calls and JSON streams, for a fake engine; `tunnels` opens those to
    another host.
    """

    def __init__(
        self, endpoint: Endpoint, *, transport: httpx.AsyncBaseTransport | None = None, tunnels: Tunnels | None = None
    ) -> None:
        self.endpoint, self.tunnels = endpoint, tunnels
        self.version = Version()
        self.api = negotiation.OLDEST
        self.product = negotiation.DOCKER
        self.features: frozenset[Feature] = frozenset()
        self.is_open = False
        self._transport = transport
        self._calls: httpx.AsyncClient | None = None
        self._streams: httpx.AsyncClient | None = None

    async def open(self, *, deadline: float = 5) -> None:
        """Pings and negotiates, anew each time.

        Raises EngineUnreachable and its kinds, EngineTimeout, ApiVersionUnsupported, ProtocolError.
        """
        with translated("opening", self.endpoint, deadline), tls_agreed(self.endpoint):
            async with asyncio.timeout(deadline):
                async with self.stream("GET", "/_ping", versioned=False, deadline=None) as answer:
                    await answer.body(ERROR_CAP)
                    ping = {name: answer.header(name) for name in negotiation.PING_HEADERS}
                version = await self.call("GET", "/version", type=Version, versioned=False, deadline=None)
        found = negotiation.negotiate(version, ping)
        self.version, self.api, self.product, self.features = version, found.api, found.product, found.features
        self.is_open = True

    async def ping(self, *, deadline: float = 5) -> None:
        """Asks whether the engine is there."""
        await self.fetch("GET", "/_ping", versioned=False, deadline=deadline, cap=ERROR_CAP)

    @overload
    async def call(
        self,
        method: str,
        path: str,
        *,
        type: type[T],
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = 30,
        versioned: bool = True,
    ) -> T: ...
    @overload
    async def call(
        self,
        method: str,
        path: str,
        *,
        type: None = None,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = 30,
        versioned: bool = True,
    ) -> None: ...
    async def call(
        self,
        method: str,
        path: str,
        *,
        type: type[Any] | None = None,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = 30,
        versioned: bool = True,
    ) -> Any:
        """One call; `body` is sent as JSON, the answer comes as a `type` (None: it is not looked at).

        Raises ApiError and its kinds, EngineTimeout, EngineGone, EngineUnreachable, ProtocolError.
        """
        data = await self.fetch(
            method, path, query=query, body=body, headers=headers, deadline=deadline, versioned=versioned
        )
        return None if type is None else decoding.decode(data, type, f"{method} {path}")

    async def get(self, path: str, *, type: type[T], query: Query | None = None, deadline: float | None = 30) -> T:
        """A GET."""
        return await self.call("GET", path, type=type, query=query, deadline=deadline)

    async def post(
        self, path: str, *, type: type[T], query: Query | None = None, body: object = None, deadline: float | None = 30
    ) -> T:
        """A POST."""
        return await self.call("POST", path, type=type, query=query, body=body, deadline=deadline)

    async def delete(self, path: str, *, query: Query | None = None, deadline: float | None = 30) -> None:
        """A DELETE whose answer does not matter."""
        await self.call("DELETE", path, query=query, deadline=deadline)

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = 30,
        versioned: bool = True,
        cap: int = JSON_CAP,
    ) -> bytes:
        """One call; the answer's bytes, at most `cap`."""
        what = f"{method} {path}"
        with translated(what, self.endpoint, deadline):
            async with (
                asyncio.timeout(deadline),
                self.stream(
                    method,
                    path,
                    query=query,
                    body=body,
                    headers=headers,
                    versioned=versioned,
                    deadline=None,
                    short=deadline is not None and deadline <= LONG_CALL,
                ) as answer,
            ):
                return await answer.body(cap)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = 30,
        versioned: bool = True,
        short: bool = False,
    ) -> AsyncIterator[Answer]:
        """An answer whose body is read by the caller; leaving the block drops the connection.

        `deadline` is seconds until the answer's head, None for as long as it takes (an upload, a wait).
        """
        what = f"{method} {path}"
        if method == "GET" and body is None and content is None and not headers and self._reads_itself:
            async with await self._raw(path, query, versioned, deadline) as source:
                yield Answer.of_raw(source, what)
            return
        await _loaded()
        request, client = self._request(method, path, query, body, content, headers, versioned, short)
        with translated(what, self.endpoint, deadline):
            async with asyncio.timeout(deadline):
                response = await _send(client, request)
        try:
            with translated(what):
                await self._check(response, what)
            yield Answer.of_response(response, what)
        finally:
            await response.aclose()

    async def ndjson(
        self,
        method: str,
        path: str,
        type: type[T],
        *,
        query: Query | None = None,
        body: object = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = 30,
        opened: Any = None,
    ) -> AsyncGenerator[T, None]:
        """JSON values as they come, one a line. `opened()` is called once the engine has accepted.

        Closing the iterator or cancelling its reader drops the connection.
        """
        what = f"{method} {path}"
        splitter = LineSplitter(what)
        decode = msgspec.json.Decoder(type).decode
        async with self.stream(
            method, path, query=query, body=body, content=content, headers=headers, deadline=deadline
        ) as answer:
            if opened is not None:
                opened()
            chunks = answer.chunks()  # Held, so that it does not end before the connection that it reads is closed.
            async for chunk in chunks:
                for line in splitter.feed(chunk):
                    yield _decoded(decode, line, what)
            for line in splitter.finish():
                yield _decoded(decode, line, what)

    async def raw(self, path: str, *, query: Query | None = None, deadline: float = 10) -> RawStream:
        """A stream of bytes past httpx, for logs and stats; see backend.stream."""
        ep.check(self.endpoint)
        return await open_raw(
            self.endpoint, f"/v{self.api}{path}{query_text(query)}", deadline=deadline, tunnels=self.tunnels
        )

    @property
    def _reads_itself(self) -> bool:
        """Questions over a local socket need no httpx: a new connection is cheaper there than its parser."""
        return self._transport is None and isinstance(self.endpoint, UnixSocket)

    async def _raw(self, path: str, query: Query | None, versioned: bool, deadline: float | None) -> RawStream:
        target = f"{f'/v{self.api}' if versioned else ''}{path}{query_text(query)}"
        return await open_raw(self.endpoint, target, deadline=deadline, http="1.1")

    async def hijack(
        self,
        path: str,
        body: object = None,
        *,
        query: Query | None = None,
        deadline: float = 10,
        protocol: str = "tcp",
        headers: Mapping[str, str] | None = None,
    ) -> Upgraded:
        """Turns a POST into a connection both ways (exec start, attach, session). Close it."""
        what = f"POST {path}"
        upgrade = {**(headers or {}), "Connection": "Upgrade", "Upgrade": protocol}
        await _loaded()
        request, client = self._request("POST", path, query, body, None, upgrade, True, False)
        with translated(what, self.endpoint, deadline):
            async with asyncio.timeout(deadline):
                response = await client.send(request, stream=True)
                try:
                    await self._check(response, what, upgrade=True)
                except BaseException:
                    await response.aclose()
                    raise
        return Upgraded(response, what)

    async def reset(self) -> None:
        """Drops every connection; the next call opens new ones. What the engine is has to be learnt anew."""
        self.is_open = False
        clients, self._calls, self._streams = (self._calls, self._streams), None, None
        for client in clients:
            if client is not None:
                await client.aclose()

    async def close(self) -> None:
        """Drops every connection."""
        await self.reset()

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: object,
        content: Content | None,
        headers: Mapping[str, str] | None,
        versioned: bool,
        short: bool,
    ) -> tuple[httpx.Request, httpx.AsyncClient]:
        ep.check(self.endpoint)
        client = self._client(short)
        sent = dict(headers or {})
        if body is not None:
            content = msgspec.json.encode(body)
            sent.setdefault("Content-Type", "application/json")
        elif content is None and method == "POST":
            content = b""
        url = f"{self._base()}{f'/v{self.api}' if versioned else ''}{path}{query_text(query)}"
        return client.build_request(method, url, content=content, headers=sent), client

    def _base(self) -> str:
        match self.endpoint:
            case Tcp(host, port, files):
                return f"{'https' if files else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
            case _:
                return "http://docker"

    async def _check(self, response: httpx.Response, what: str, upgrade: bool = False) -> None:
        """Raises for everything but what was asked for. 304 is success: it is already so."""
        if sum(len(k) + len(v) for k, v in response.headers.raw) > HEAD_CAP:
            raise AnswerTooLarge(what, f"headers of more than {HEAD_CAP} bytes")
        status = response.status_code
        if status >= 400:
            try:
                body = await Answer.of_response(response, what).body(ERROR_CAP)
            except AnswerTooLarge:
                body = b""
            raise api_error(status, message_of(body, response.headers.get("content-type", "")), what)
        if upgrade != (status == 101) or (status >= 300 and status != 304):
            raise ProtocolError(what, f"an answer of status {status}")

    def _client(self, short: bool) -> httpx.AsyncClient:
        if short:
            self._calls = self._calls or self._new_client(CALL_LIMIT, 4)
            return self._calls
        self._streams = self._streams or self._new_client(None, 2)
        return self._streams

    def _new_client(self, limit: int | None, kept: int) -> httpx.AsyncClient:
        import httpx

        from backend.transports import transport_to

        limits = httpx.Limits(max_connections=limit, max_keepalive_connections=kept, keepalive_expiry=60)
        return httpx.AsyncClient(
            transport=self._transport or transport_to(self.endpoint, limits, self.tunnels),
            # Over SSH the person's agent may be asked first; that way has limits of its own.
            timeout=httpx.Timeout(None, connect=None if isinstance(self.endpoint, Ssh) else 5),
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": "pilothouse", "Accept-Encoding": "identity"},
        )


async def _send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Sends it; a GET once more when a kept connection turned out to be closed, which only its use can show."""
    import httpx

    try:
        return await client.send(request, stream=True)
    except httpx.RemoteProtocolError as error:
        if request.method != "GET" or "without sending" not in str(error):
            raise
    return await client.send(request, stream=True)


def _decoded(decode: Any, line: bytes, what: str) -> Any:
    try:
        return decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolError(what, f"a line that is not the JSON that was promised ({error})") from error
