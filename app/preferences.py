"""Preferences: what a person chose and where the window stood, kept in one ini file."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, cast

from PySide6.QtCore import QObject, QSettings, Signal

T = TypeVar("T")
FILE_NAME = "pilothouse.ini"
_OURS = re.compile(rb"[\t\r\n -~]*")


class Preferences(QObject):
    """Values by key ("containers/sort"), each stored as JSON so that it comes back with its type.

    A file that cannot be read is set aside as `pilothouse.ini.broken`, which `set_aside` then names; a value of another
    type than the default counts as absent. Nothing here ever raises because of the file, which this person alone can
    read.
    """

    changed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = folder / FILE_NAME
        self.set_aside = ""
        self._settings = self._open()

    def get(self, key: str, default: T) -> T:
        """The value of `key`, or `default` when there is none of the default's type."""
        raw = self._settings.value(key)
        if not isinstance(raw, str):
            return default
        try:
            value: object = json.loads(raw)
        except ValueError:
            return default
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            return cast("T", float(value))
        return value if type(value) is type(default) else default

    def set(self, key: str, value: object) -> None:
        """Keeps `value` (text, number, bool, list or dict of these)."""
        raw = json.dumps(value, ensure_ascii=True)
        if self._settings.value(key) != raw:
            self._settings.setValue(key, raw)
            self.changed.emit(key)

    def forget(self, key: str) -> None:
        """Drops `key`, so that its default holds again."""
        self._settings.remove(key)
        self.changed.emit(key)

    def save(self) -> None:
        """Writes to disk now instead of when the event loop is idle."""
        self._settings.sync()

    def _open(self) -> QSettings:
        sound = _is_sound(self.path)
        settings = _ini(self.path)
        settings.allKeys()
        if sound and settings.status() is QSettings.Status.NoError:
            return settings
        aside = self.path.with_suffix(".ini.broken")
        try:
            self.path.replace(aside)
        except OSError:
            self.set_aside = str(self.path)
            return _ini(self.path.with_suffix(".new.ini"))
        self.set_aside = str(aside)
        return _ini(self.path)


def _is_sound(path: Path) -> bool:
    """Whether the file could be one of ours, which hold printable ASCII only; one that is not there could be."""
    try:
        return bool(_OURS.fullmatch(path.read_bytes()))
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _ini(path: Path) -> QSettings:
    with suppress(OSError):  # QSettings keeps the mode of a file that is there; one that it makes is open to all
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    return QSettings(str(path), QSettings.Format.IniFormat)
