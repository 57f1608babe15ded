"""A web server for downloads that knows ranges, and misbehaves on request."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class WebServer:
    """Files by their path. `cuts` are the bytes after which each next answer about a large file is cut off."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[tuple[str, str]] = []
        self.cuts: list[int] = []
        self.ranges = True
        self.status = 200
        self.moved = ""
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.answer(self)

            def log_message(self, *_: object) -> None:
                """Nothing; tests look at `asked`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/images"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        name = handler.path.rpartition("/")[2]
        asked = handler.headers.get("Range", "")
        self.asked.append((name, asked))
        if self.moved and not handler.path.startswith(self.moved):
            handler.send_response(302)
            handler.send_header("Location", f"{self.moved}/{name}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        content = self.files.get(name)
        if content is None or self.status != 200:
            handler.send_error(404 if content is None else self.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        handler.send_response(206 if asked and self.ranges else 200)
        if asked and self.ranges:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        body = content[start:]
        if self.cuts and len(content) > 10_000:
            handler.wfile.write(body[: self.cuts.pop(0)])
            handler.close_connection = True
            return
        handler.wfile.write(body)

    def __enter__(self) -> WebServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
