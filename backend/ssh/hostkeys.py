"""Host keys: which ones the person's and the system's known_hosts files hold, and our own file for those accepted here.

The format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Authorities (@cert-authority) are passed over: host
certificates are not asked for.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from backend.ssh.errors import SshKeyChanged, SshKeyRevoked, SshKeyUnknown

if TYPE_CHECKING:
    from backend.ssh.config import Route

FILE_NAME = "known_hosts"
CAP = 4 * 1024 * 1024
_KINDS = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}


class HostKey(Struct, frozen=True):
    """A public key as it goes over the wire, and its type in the protocol's words."""

    type: str
    blob: bytes

    @property
    def kind(self) -> str:
        """For people, as ssh says it."""
        return _KINDS.get(self.type, "ECDSA" if self.type.startswith("ecdsa-") else self.type)

    @property
    def fingerprint(self) -> str:
        """SHA-256, as `ssh-keygen -l` writes it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"


class Entry(Struct, frozen=True):
    """One line of a file: the names that it is for, the key, whether it is revoked, and where it stands."""

    names: str
    key: HostKey
    revoked: bool
    place: str

    def is_for(self, name: str) -> bool:
        """Whether the line is for a host, by name, by pattern or by hash."""
        if self.names.startswith("|"):
            return _same_hash(self.names, name)
        found = False
        for pattern in self.names.lower().split(","):
            if pattern.startswith("!") and _fits(name, pattern[1:]):
                return False
            found = found or _fits(name, pattern)
        return found


class Verdict(Struct, frozen=True):
    """What the files say of a key: `known`, or the entry that it contradicts (`other`) or that revokes it."""

    known: bool = False
    other: Entry | None = None
    revoked: Entry | None = None


def name_of(host: str, port: int) -> str:
    """The name under which a host's key stands in the files."""
    low = host.lower()
    return low if port == 22 else f"[{low}]:{port}"


def theirs(environment_home: Path) -> tuple[Path, ...]:
    """The files that ssh reads for this person."""
    mine = environment_home / ".ssh"
    found = [mine / "known_hosts", mine / "known_hosts2"]
    if sys.platform != "win32":
        found += [Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2")]
    return tuple(found)


class KnownHosts:
    """The files of others, which are only read, and `ours`, to which the person's acceptances are added."""

    def __init__(self, ours: Path, others: Sequence[Path] = ()) -> None:
        self.ours, self._others = ours, tuple(others)

    def verdict(self, name: str, key: HostKey) -> Verdict:
        """What is known of a host's key. One known key that is equal is enough; else any other one contradicts."""
        known, other = False, None
        for entry in self._entries():
            if entry.revoked and entry.key.blob == key.blob and entry.is_for(name):
                return Verdict(revoked=entry)
            if entry.revoked or not entry.is_for(name):
                continue
            known = known or entry.key.blob == key.blob
            if other is None or (entry.key.type == key.type and other.key.type != key.type):
                other = entry
        return Verdict(True) if known else Verdict(other=other)

    def check(self, where: str, route: Route, key: HostKey) -> None:
        """Lets a known key pass. Raises SshKeyUnknown, SshKeyChanged and SshKeyRevoked."""
        name = _name(route)
        found = self.verdict(name, key)
        if found.revoked is not None:
            raise SshKeyRevoked(where, route.name, key.fingerprint, found.revoked.place)
        if found.other is not None:
            old = f"{found.other.key.kind} {found.other.key.fingerprint}"
            raise SshKeyChanged(where, route.name, key.kind, key.fingerprint, old, found.other.place)
        if not found.known:
            raise SshKeyUnknown(where, route.name, key.kind, key.fingerprint, name, key.blob)

    def types(self, route: Route) -> tuple[str, ...]:
        """The types of the keys that are known of a host, so that it is asked for one of those."""
        name = _name(route)
        return tuple(dict.fromkeys(e.key.type for e in self._entries() if not e.revoked and e.is_for(name)))

    def accept(self, unknown: SshKeyUnknown) -> None:
        """Keeps a key that the person has seen and accepted, in our file alone. Raises OSError."""
        kind = unknown.key[4 : 4 + int.from_bytes(unknown.key[:4], "big")].decode("ascii", "replace")
        self.ours.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = f"{unknown.name} {kind} {base64.b64encode(unknown.key).decode()}\n"
        handle = os.open(self.ours, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "ab") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(handle, 0o600)
            file.write(line.encode())
            file.flush()
            os.fsync(handle)

    def _entries(self) -> Iterator[Entry]:
        for path in (*self._others, self.ours):
            try:
                with path.open("rb") as file:
                    text = file.read(CAP).decode("utf-8", "replace")
            except OSError:
                continue
            yield from read(text.splitlines(), str(path))


class Pinned:
    """One key that was agreed upon beforehand, for a host that we set up ourselves."""

    def __init__(self, key: HostKey) -> None:
        self._key = key

    def types(self, _route: Route) -> tuple[str, ...]:
        """The type of the key."""
        return (self._key.type,)

    def check(self, where: str, route: Route, key: HostKey) -> None:
        """Lets no other key pass. Raises SshKeyChanged."""
        if key.blob != self._key.blob:
            old = f"{self._key.kind} {self._key.fingerprint}"
            raise SshKeyChanged(where, route.name, key.kind, key.fingerprint, old, "the key that was set up")


def _name(route: Route) -> str:
    return route.key_name.lower() or name_of(route.address, route.port)


def read(lines: Iterable[str], path: str = "") -> Iterator[Entry]:
    """The entries of a file; lines that are none are passed over, as ssh does."""
    for number, line in enumerate(lines, 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked"):
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        if blob:
            yield Entry(words[0], HostKey(words[1], blob), marker == "@revoked", f"{path}:{number}")


def _fits(name: str, pattern: str) -> bool:
    """Whether `*` and `?` of a pattern fit; brackets are those of `[host]:port`."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]")) if pattern else False


def _same_hash(names: str, name: str) -> bool:
    """`|1|salt|hash` of OpenSSH's HashKnownHosts."""
    try:
        _, magic, salt, digest = names.split("|")
        made = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return magic == "1" and hmac.compare_digest(made, base64.b64decode(digest))
    except (binascii.Error, ValueError):
        return False
