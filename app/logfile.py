"""The file of the program's own log: of this person alone, and turned over when it is full."""

from __future__ import annotations

import os
from logging.handlers import RotatingFileHandler
from typing import Any


class PrivateFile(RotatingFileHandler):
    """Mode 0600."""

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, self.mode, encoding=self.encoding, errors=self.errors)
