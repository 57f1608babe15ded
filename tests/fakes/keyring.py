"""Keyrings for tests: one that holds, and one that fails as a locked or broken one does."""

from __future__ import annotations

from keyring.errors import KeyringError, KeyringLocked


class HeldKeyring:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


class BrokenKeyring:
    """Is there and does nothing."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringError("broken")
