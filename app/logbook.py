"""The program's own log: one bounded file, 0600, without bodies of requests or values."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

log = logging.getLogger("pilothouse")
MAX_BYTES = 1_000_000


class _FromFirstLine(logging.Handler):
    """Opens the file, and loads what rotates it, at the first line: most starts write none."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line."""
        try:
            self._file = self._file or self._open()
        except OSError:
            self.handleError(record)
        else:
            self._file.emit(record)

    def _open(self) -> logging.Handler:
        from app.logfile import PrivateFile

        file = PrivateFile(self._path, maxBytes=MAX_BYTES, backupCount=3, encoding="utf-8", errors="replace")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        return file

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
        super().close()


def open_log(folder: Path) -> Path:
    """Begins to write `folder`/pilothouse.log (three old ones are kept); returns its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "pilothouse.log"
    log.addHandler(_FromFirstLine(path))
    log.setLevel(logging.INFO)
    return path


def close_log() -> None:
    """Closes the file."""
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


def catch_all(
    tell: Callable[[BaseException], None], loop: asyncio.AbstractEventLoop | None = None
) -> Callable[[], None]:
    """Whatever nobody caught, in a slot, a thread, a callback of `loop` or a finalizer, is logged and told.

    `tell` is called in the thread where it happened (a finalizer's is only logged). Returns the undo.
    """
    old = sys.excepthook, threading.excepthook, sys.unraisablehook

    def on_exception(_kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("not caught: %s", type(error).__name__, exc_info=(type(error), error, trace))
        tell(error)

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    def on_unraisable(args: Any) -> None:
        log.error("in a finalizer: %s", args.err_msg, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))

    def on_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        trace = (type(error), error, error.__traceback__) if isinstance(error, BaseException) else None
        log.error("in the loop: %s", context.get("message", ""), exc_info=trace)
        if isinstance(error, BaseException):
            tell(error)

    sys.excepthook, threading.excepthook, sys.unraisablehook = on_exception, on_thread, on_unraisable
    handler = loop.get_exception_handler() if loop is not None else None
    if loop is not None:
        loop.set_exception_handler(on_loop)

    def undo() -> None:
        if loop is not None:
            loop.set_exception_handler(handler)
        sys.excepthook, threading.excepthook, sys.unraisablehook = old

    return undo
