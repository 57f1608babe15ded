"""Who runs the engine, read with distrust: what the supervisor wrote may be cut, old or somebody's joke."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import NamedTuple

from backend.embedded.identity import Identity, alive
from backend.embedded.paths import EmbeddedPaths


class Held(NamedTuple):
    """A supervisor that lives: who, and which kind of engine ("dockerd", "rootless", "podman")."""

    who: Identity
    kind: str


def held(paths: EmbeddedPaths) -> Held | None:
    """The supervisor of this home's engine; None when none lives or the file does not tell."""
    try:
        found = json.loads(paths.state.read_bytes())
        who = Identity(int(found["supervisor"]), int(found["started"]), str(found["boot"]))
        kind = str(found.get("kind", "dockerd"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return Held(who, kind) if alive(who) else None


def revived(paths: EmbeddedPaths, engine: Held) -> bool:
    """Whether the containers that come back with podman did so since this engine started."""
    try:
        return paths.revived.read_bytes() == _told(engine)
    except OSError:
        return False


def note_revived(paths: EmbeddedPaths, engine: Held) -> None:
    """They did; where that cannot be written they are started once more."""
    with suppress(OSError):
        descriptor = os.open(paths.revived, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(_told(engine))


def _told(engine: Held) -> bytes:
    return f"{engine.who.pid} {engine.who.started} {engine.who.boot}\n".encode()


def locked(paths: EmbeddedPaths) -> bool:
    """Whether some supervisor holds the lock, a starting one that has not written its state among them."""
    try:
        descriptor = os.open(paths.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    import fcntl  # Windows has none, and no lock of ours.

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
