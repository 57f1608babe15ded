"""The fake engine's end of the wire: requests in, answers out, and the faults between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Fault:
    """What goes wrong with answers to paths that contain `path`; `times` None means always.

    `raw` replaces the whole answer. `delay` is seconds before the first byte, `drip` seconds between single bytes,
    `cut_after` and `garble_at` count bytes of the answer (head included); `hang` answers nothing, ever.
    `seen` counts the answers that it touched.
    """

    path: str
    method: str = ""
    raw: bytes | None = None
    delay: float = 0
    drip: float = 0
    cut_after: int | None = None
    garble_at: int | None = None
    hang: bool = False
    times: int | None = None
    seen: int = 0


@dataclass
class Request:
    """One request; `path` is decoded and without the version, `target` is as it came."""

    method: str
    target: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    http10: bool

    def first(self, key: str, default: str = "") -> str:
        return self.query.get(key, [default])[0]

    def flag(self, key: str) -> bool:
        return self.first(key).lower() in ("1", "true")

    def filters(self) -> dict[str, list[str]]:
        found = json.loads(self.first("filters", "{}"))
        return {k: list(v) for k, v in found.items()}

    def json(self) -> dict[str, object]:
        found = json.loads(self.body or b"{}")
        assert isinstance(found, dict)
        return found


class Cut(ConnectionError):
    """The fault cut the connection."""


@dataclass
class Wire:
    """Writes answers, through a fault where there is one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http10: bool = False
    fault: Fault | None = None
    sent: int = 0
    closing: bool = False
    chunked: bool = field(default=False)

    async def write(self, data: bytes) -> None:
        fault = self.fault
        if fault is None:
            self.writer.write(data)
            await self.writer.drain()
            return
        if fault.garble_at is not None and self.sent <= fault.garble_at < self.sent + len(data):
            at = fault.garble_at - self.sent
            data = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        if fault.cut_after is not None and self.sent + len(data) >= fault.cut_after:
            self.writer.write(data[: fault.cut_after - self.sent])
            await self.writer.drain()
            raise Cut
        for piece in [data[i : i + 1] for i in range(len(data))] if fault.drip else [data]:
            self.writer.write(piece)
            await self.writer.drain()
            self.sent += len(piece)
            if fault.drip:
                await asyncio.sleep(fault.drip)

    async def head(self, status: int, headers: dict[str, str], reason: str = "X") -> None:
        lines = [f"HTTP/1.{0 if self.http10 else 1} {status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
        await self.write("\r\n".join([*lines, "", ""]).encode())

    async def answer(self, status: int = 200, body: object = None, content_type: str = "application/json") -> None:
        """A whole answer; `body` is JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Api-Version": "1.45", "Server": "Docker/27.0 (fake)"}
        if status not in (204, 304):
            headers["Content-Length"] = str(len(data))
        await self.head(status, headers)
        if data and status not in (204, 304):
            await self.write(data)

    async def begin(self, content_type: str = "application/json") -> None:
        """The head of a stream."""
        self.closing = self.http10
        self.chunked = not self.http10
        headers = {"Content-Type": content_type}
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        await self.head(200, headers)

    async def send(self, data: bytes) -> None:
        """A piece of a stream."""
        await self.write(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    async def send_json(self, value: object) -> None:
        await self.send(json.dumps(value).encode() + b"\r\n")

    async def end(self) -> None:
        """The end of a stream."""
        if self.chunked:
            await self.write(b"0\r\n\r\n")


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest if line)}
    body = await _read_body(reader, headers)
    parts = urlsplit(target)
    path = parts.path
    if path.startswith("/v1."):
        path = "/" + path.split("/", 2)[2]
    return Request(
        method,
        target,
        unquote(path),
        parse_qs(parts.query, keep_blank_values=True),
        headers,
        body,
        version == "HTTP/1.0",
    )


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readuntil(b"\n"), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
