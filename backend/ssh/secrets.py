"""Secrets: passwords and passphrases, in memory for this run, and in the system's keyring where the person wants it."""

from __future__ import annotations

import threading
from typing import Protocol

SERVICE = "pilothouse"


class Keyring(Protocol):
    """What is asked of a keyring; the backends of the library `keyring` have it."""

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept under a name."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keeps it."""


def name_of_key(path: str) -> str:
    """The name under which the passphrase of a key file is kept."""
    return f"key {path}"


class Secrets:
    """Answers from memory, then from the keyring. All of it may wait for the person to unlock it: call it in a thread.

    A keyring that fails counts as one that is not there.
    """

    def __init__(self, keyring: Keyring | None) -> None:
        self._keyring = keyring
        self._held: dict[str, str] = {}
        self._refused: set[str] = set()
        self._lock = threading.Lock()

    @property
    def can_keep(self) -> bool:
        """Whether there is a keyring."""
        return self._keyring is not None

    def get(self, name: str) -> str | None:
        """A secret that was not refused, or None."""
        with self._lock:
            if name in self._held:
                return self._held[name]
            if self._keyring is None or name in self._refused:
                return None
        try:
            return self._keyring.get_password(SERVICE, name)
        except Exception:  # Each system's keyring has its own; the person is asked instead.
            return None

    def put(self, name: str, secret: str, *, keep: bool) -> bool:
        """Holds a secret for this run, and with `keep` in the keyring; whether it is as wanted."""
        with self._lock:
            self._held[name] = secret
            self._refused.discard(name)
        if not keep or self._keyring is None:
            return not keep
        try:
            self._keyring.set_password(SERVICE, name, secret)
        except Exception:
            return False
        return True

    def refused(self, name: str) -> None:
        """A secret did not open what it is for: the person is asked again."""
        with self._lock:
            self._held.pop(name, None)
            self._refused.add(name)


def system_keyring() -> Keyring | None:
    """The keyring of this computer, None where there is none that is safe. Call it in a thread."""
    import keyring.errors

    try:
        found = keyring.get_keyring()
        safe = found.priority >= 1  # What the library recommends; less are files in plain text, or nothing.
    except (RuntimeError, OSError, keyring.errors.KeyringError):
        return None
    return found if safe else None
