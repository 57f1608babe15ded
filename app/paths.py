"""The folders of Pilothouse on this computer, each made with mode 0700 on first use.

`PILOTHOUSE_HOME` puts all four under one folder (tests, a USB stick). Otherwise they follow the system:
`~/.local/share/pilothouse`, `~/.config/pilothouse`, `~/.local/state/pilothouse/log` and `$XDG_RUNTIME_DIR/pilothouse`
on Linux, and their like on macOS and Windows.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs

NAME = "pilothouse"
SHORT_HOME = 56
"""Bytes; what is left of 107 holds the longest name of a socket below the runtime folder."""


def data_dir() -> Path:
    """What must last: the embedded engine's images and volumes, the builds that were made."""
    return _made(_below("data") or platformdirs.user_data_path(NAME, appauthor=False))


def config_dir() -> Path:
    """What the person chose."""
    return _made(_below("config") or platformdirs.user_config_path(NAME, appauthor=False))


def log_dir() -> Path:
    """Our own log and crash reports."""
    return _made(_below("log") or platformdirs.user_log_path(NAME, appauthor=False))


def settle() -> str:
    """Makes sure of all four folders; where one cannot be used, this run gets a fresh folder of its own instead.

    Returns what is wrong, or nothing. Only for the window: what outlives it must not land in a folder for one run.
    """
    try:
        for folder in (data_dir(), config_dir(), log_dir(), runtime_dir()):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except OSError as error:
        os.environ["PILOTHOUSE_HOME"] = tempfile.mkdtemp(prefix=f"{NAME}-")
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return ""


def runtime_dir() -> Path:
    """Sockets and locks, gone after a restart of the computer.

    The path is short, since a unix socket's path holds 108 bytes: a `PILOTHOUSE_HOME` that is deep has a folder of its
    own elsewhere that stands for it.
    """
    home = _home()
    if home is None:
        return _made(_runtime_root() / NAME)
    if len(os.fsencode(home)) <= SHORT_HOME:
        return _made(home / "run")
    import hashlib  # Late: few homes are that deep.

    key = hashlib.sha256(os.fsencode(home)).hexdigest()[:10]
    return _made(_runtime_root() / f"{NAME}-{key}")


def _runtime_root() -> Path:
    if sys.platform in ("win32", "darwin"):
        return Path(tempfile.gettempdir())
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/") and len(given) < 40 and os.access(given, os.W_OK):
        return Path(given)
    uid = os.getuid()
    for root in (Path("/run") if uid == 0 else Path(f"/run/user/{uid}"),):
        if root.is_dir() and os.access(root, os.W_OK):
            return root
    return _made(Path("/tmp") / f"{NAME}-{uid}")  # noqa: S108


def _home() -> Path | None:
    given = os.environ.get("PILOTHOUSE_HOME", "")
    return Path(given).absolute() if given else None


def _below(name: str) -> Path | None:
    home = _home()
    return None if home is None else home / name


def _made(path: Path) -> Path:
    if (home := _home()) is not None:
        home.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            home.mkdir(mode=0o700)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid"):
        _check_owner(path)
    return path


def _check_owner(path: Path) -> None:
    """A folder of another person (a trap laid in /tmp, say) is refused; one that others may enter is closed."""
    found = path.stat()
    if found.st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user")
    if found.st_mode & 0o077:
        path.chmod(0o700)


def named() -> tuple[tuple[str, str], ...]:
    """The folders that a person may want to see, each with its name."""
    return (("Data", str(data_dir())), ("Settings", str(config_dir())), ("Logs", str(log_dir())))
