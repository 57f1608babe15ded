"""What can keep an engine on another host from being used over SSH, as typed facts; app.sshwordings words them.

SshError (an EngineUnreachable)
├── SshUnreachable             nothing answers there, or no SSH
├── SshNameUnknown             the host's name has no address
├── SshConfigUnusable          a line of the person's configuration is not followed
├── SshKeyUnknown              the host's key was never seen
├── SshKeyChanged              it was seen, and was another
├── SshKeyRevoked              it is marked as one that nobody may trust
├── SshSecretWanted            a password or a passphrase is needed
├── SshPasswordRefused
├── SshKeyRefused              none of the person's keys is let in
├── SshKeyFileUnusable         a key of the person cannot be read
├── SshEngineMissing           the host is there and no engine answers on it
├── SshEngineDenied            an engine is there and the person may not open its socket
└── SshForwardingForbidden     the host lets nobody through to its engine
"""

from __future__ import annotations

from backend.errors import EngineUnreachable


class SshError(EngineUnreachable):
    """The root. `where` is the endpoint's text, `host` what the person calls the host that is meant.

    `lasting`: it stays so until somebody does something, and asking again would not help.
    """

    lasting = True

    def __init__(self, where: str, host: str, reason: str) -> None:
        super().__init__(where, reason)
        self.host = host


class SshUnreachable(SshError):
    """Nothing answers at `host`, or what answers speaks no SSH that we know; `reason` is the system's words."""

    lasting = False


class SshNameUnknown(SshError):
    """No address is known for the name `host`."""

    lasting = False


class SshConfigUnusable(SshError):
    """The configuration for `host` cannot be followed; `reason` is a sentence about it."""


class SshKeyUnknown(SshError):
    """The key of `host` was never seen: `kind` and `fingerprint` for people, `name` and `key` to be kept."""

    def __init__(self, where: str, host: str, kind: str, fingerprint: str, name: str = "", key: bytes = b"") -> None:
        super().__init__(where, host, f"its {kind} key {fingerprint} is not known")
        self.kind, self.fingerprint, self.name, self.key = kind, fingerprint, name, key


class SshKeyChanged(SshError):
    """`host` shows a key (`kind`, `fingerprint`) other than the `known` one, which `place` (file:line) holds."""

    def __init__(self, where: str, host: str, kind: str, fingerprint: str, known: str, place: str) -> None:
        super().__init__(where, host, f"its key is {kind} {fingerprint}, and {place} holds {known}")
        self.kind, self.fingerprint, self.known, self.place = kind, fingerprint, known, place


class SshKeyRevoked(SshError):
    """The key that `host` shows is marked as revoked at `place`."""

    def __init__(self, where: str, host: str, fingerprint: str, place: str) -> None:
        super().__init__(where, host, f"{place} revokes {fingerprint}")
        self.fingerprint, self.place = fingerprint, place


class SshSecretWanted(SshError):
    """A secret is needed: the password of `user`, or the passphrase of the key file `key` where that is not empty.

    `name` is the one under which it is kept.
    """

    def __init__(self, where: str, host: str, user: str, key: str = "", name: str = "") -> None:
        super().__init__(where, host, f"the passphrase of {key}" if key else f"the password of {user}")
        self.user, self.key, self.name = user, key, name


class SshPasswordRefused(SshError):
    """`host` does not accept the password of `user`, or the passphrase does not open `key`; `name` as above."""

    def __init__(self, where: str, host: str, user: str, key: str = "", name: str = "") -> None:
        super().__init__(where, host, f"not the passphrase of {key}" if key else f"not the password of {user}")
        self.user, self.key, self.name = user, key, name


class SshKeyRefused(SshError):
    """`host` accepts none of the keys in `tried` for `user`; `ways` are those of signing in that it names."""

    def __init__(
        self, where: str, host: str, user: str, tried: tuple[str, ...] = (), ways: tuple[str, ...] = ()
    ) -> None:
        super().__init__(where, host, f"{user} is not let in with {', '.join(tried) or 'no key'}")
        self.user, self.tried, self.ways = user, tried, ways


class SshKeyFileUnusable(SshError):
    """The key file at `path` cannot be used; `reason` goes on as a sentence about it ("is missing")."""

    def __init__(self, where: str, host: str, path: str, reason: str) -> None:
        super().__init__(where, host, reason)
        self.path = path


class SshEngineMissing(SshError):
    """No engine answers on `host`; `looked` are the sockets that were tried."""

    lasting = False

    def __init__(self, where: str, host: str, looked: tuple[str, ...] = ()) -> None:
        super().__init__(where, host, f"no engine at {', '.join(looked)}")
        self.looked = looked


class SshEngineDenied(SshError):
    """`user` may not open the engine's `socket` on `host`; `group` may, when it is not empty."""

    def __init__(self, where: str, host: str, user: str, socket: str, group: str = "") -> None:
        super().__init__(where, host, f"{user} may not open {socket}")
        self.user, self.socket, self.group = user, socket, group


class SshForwardingForbidden(SshError):
    """`host` forwards no sockets and has no docker program that could stand in."""
