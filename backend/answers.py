"""Answer: an engine's answer whose body is still coming, whoever reads the connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

from backend.asking import translated
from backend.decoding import JSON_CAP
from backend.errors import AnswerTooLarge

if TYPE_CHECKING:
    import httpx

    from backend.stream import RawStream


class Answer:
    """`headers` may be looked up by names in small letters; `chunks()` gives the body."""

    def __init__(
        self, what: str, status: int, headers: Mapping[str, str], pieces: Callable[[], AsyncIterator[bytes]]
    ) -> None:
        self._what = what
        self.status = status
        self._headers = headers
        self._pieces = pieces

    @classmethod
    def of_response(cls, response: httpx.Response, what: str) -> Answer:
        """What httpx reads."""
        return cls(what, response.status_code, response.headers, response.aiter_raw)

    @classmethod
    def of_raw(cls, stream: RawStream, what: str) -> Answer:
        """What our own reader reads."""
        headers = stream.head.headers if stream.head is not None else {}
        return cls(what, stream.status, headers, stream.__aiter__)

    def header(self, name: str) -> str:
        """A header's value, or an empty string."""
        return self._headers.get(name.lower(), "")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises EngineGone when it is cut."""
        with translated(self._what):
            pieces = self._pieces()
            async for chunk in pieces:
                yield chunk

    async def body(self, cap: int = JSON_CAP) -> bytes:
        """The whole body. Raises AnswerTooLarge past `cap` bytes."""
        length = self.header("content-length")
        if length.isdigit() and int(length) > cap:
            raise AnswerTooLarge(self._what, f"{length} bytes")
        parts, held = [], 0
        async for chunk in self.chunks():
            held += len(chunk)
            if held > cap:
                raise AnswerTooLarge(self._what, f"more than {cap} bytes")
            parts.append(chunk)
        return b"".join(parts)
