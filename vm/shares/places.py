"""Which folders may be shared, where they lie in the guest, and what in them stays private."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

PRIVATE = (
    *(
        ".ssh",
        ".gnupg",
        ".mozilla",
        ".thunderbird",
        ".password-store",
        ".local/share/keyrings",
        ".local/share/kwalletd",
    ),
    *(
        ".config/google-chrome",
        ".config/chromium",
        ".config/microsoft-edge",
        ".config/BraveSoftware",
        ".config/vivaldi",
    ),
    *(".config/opera", ".var/app/org.mozilla.firefox", ".var/app/com.google.Chrome", "snap/firefox", "snap/chromium"),
    *("Library/Keychains", "Library/Safari", "Library/Cookies", "Library/Application Support/Google/Chrome"),
    *("Library/Application Support/Firefox", "Library/Application Support/Microsoft Edge"),
    *("Library/Application Support/BraveSoftware", "Library/Application Support/Chromium"),
    *("AppData/Local/Google/Chrome", "AppData/Local/Microsoft/Edge", "AppData/Roaming/Mozilla"),
    *("AppData/Local/BraveSoftware", "AppData/Local/Mozilla", "AppData/Roaming/Microsoft/Credentials"),
)
"""Below the home folder: keys and browser profiles, which are shared only when they themselves are named."""
GUESTS_OWN = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/var/lib")
"""What lies there is the guest's, with all that is below it."""
GUESTS_ROOTS = ("/", "/tmp", "/var", "/var/log", "/var/run", "/var/tmp")  # noqa: S108 - names to compare with
"""The guest's as well, while folders below them may be shared."""
_DRIVE = re.compile(r"^([A-Za-z]):[\\/]*(.*)$", re.DOTALL)


class Share(msgspec.Struct, frozen=True):
    """A folder of this computer that the machine sees; `watch` relays changes, no `writable` lets only read."""

    path: str
    watch: bool = False
    writable: bool = True


def guest_path(path: str) -> str:
    r"""Where a folder of this computer lies in the guest: at the same path, and `C:\x y` at `/c/x y`."""
    if found := _DRIVE.match(path):
        rest = "/".join(part for part in re.split(r"[\\/]+", found[2]) if part)
        return f"/{found[1].lower()}/{rest}".rstrip("/")
    return posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else path


def named(path: str) -> str:
    """A folder of this computer as a share has it."""
    return os.path.normpath(path)


def problem(path: str) -> str:
    """Why a folder cannot be shared; empty where it can."""
    if not os.path.isabs(path):
        return "is no full path"
    if any(ord(letter) < 32 for letter in path):
        return "has a line break or another sign in its name that cannot be passed on"
    inside = guest_path(path)
    if inside in GUESTS_ROOTS or any(_below(inside, own) for own in GUESTS_OWN):
        return "is a folder of the machine's own system too"
    if not os.path.isdir(path):
        return "is no folder" if os.path.exists(path) else "is not there"
    return ""


def covered(path: str, shares: Iterable[Share]) -> bool:
    """Whether the machine sees this path of this computer."""
    return any(_below(guest_path(path), guest_path(share.path)) for share in shares)


def reached(path: str, shares: Iterable[Share]) -> bool:
    """Whether a container of the machine finds what is meant by this path: a shared folder, or what is its own."""
    inside = guest_path(path)
    return inside == "/" or any(_below(inside, own) for own in (*GUESTS_OWN, "/var/run")) or covered(path, shares)


def private_places(home: Path, ours: Iterable[Path]) -> tuple[str, ...]:
    """What stays private: below the home folder, and the program's own folders."""
    return (*(str(home / name) for name in PRIVATE), *(str(folder) for folder in ours))


def hidden_below(share: Share, private: Iterable[str]) -> tuple[str, ...]:
    """The private places that lie in a share, as paths below it; a share that lies in one was named."""
    root = os.path.realpath(share.path)
    below = (os.path.relpath(os.path.realpath(place), root) for place in private)
    return tuple(each for each in below if each != "." and not each.startswith(".."))


def in_order(shares: Iterable[Share]) -> tuple[Share, ...]:
    """In the order in which they are mounted: outer folders before those that lie in them."""
    return tuple(sorted(shares, key=lambda share: guest_path(share.path)))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
