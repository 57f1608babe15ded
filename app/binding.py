"""Loads Qt's Python binding, the way this program needs it; imported before all that is loaded after Qt."""

from __future__ import annotations

import builtins
import os

os.environ.setdefault("QT_API", "pyside6")  # For qasync.

_plain_import = builtins.__import__

import PySide6.QtWidgets  # noqa: E402, F401

# PySide puts a function of its own in place of `import`, for the switches of `from __feature__ import …`: it reads the
# source text of every module that is loaded from then on, and keeps it. Nothing here uses those switches.
builtins.__import__ = _plain_import
