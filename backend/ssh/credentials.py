"""Credentials: keys of the agent, key files and passwords, and where their secrets are kept."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import paramiko

from backend.endpoint import why_unread
from backend.ssh.config import Route
from backend.ssh.errors import SshKeyFileUnusable, SshKeyRefused, SshPasswordRefused, SshSecretWanted
from backend.ssh.secrets import Secrets, name_of_key

MOST_KEYS = 5
"""Servers hang up after six tries (MaxAuthTries of sshd_config(5))."""
PASSWORD_WAYS = frozenset(("password", "keyboard-interactive"))


class Agent(Protocol):
    """An agent that holds keys."""

    def get_keys(self) -> tuple[paramiko.PKey, ...]:
        """Its keys."""

    def close(self) -> None:
        """Lets it go."""


class KeyPair:
    """One key that we made ourselves, and nothing else."""

    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def log_in(self, where: str, route: Route, transport: paramiko.Transport) -> None:
        """Signs in with the key. Raises SshKeyRefused."""
        try:
            transport.auth_publickey(route.user, self._key)
        except paramiko.AuthenticationException as error:
            raise SshKeyRefused(where, route.name, route.user, ("our key",)) from error


class PersonLogin:
    """Signs in as ssh would: the keys of the agent, the key files of the route, then a password where one is known.

    With `only_keys` in the route, keys of the agent count when they are those of the files.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def log_in(self, where: str, route: Route, transport: paramiko.Transport) -> None:
        """Returns when signed in. Raises SshSecretWanted, SshPasswordRefused, SshKeyRefused, SshKeyFileUnusable."""
        tried: list[str] = []
        locked = ""
        offered = self._offered(route, transport)
        if transport.is_authenticated():
            return
        with _agent_keys() as held:
            for label, key, path in self._keys(where, route, held):
                if key is None:
                    locked = locked or path
                    continue
                tried.append(label)
                offered = self._try_key(route, transport, key, offered)
                if transport.is_authenticated():
                    return
                if len(tried) >= MOST_KEYS or not transport.is_active():
                    break
        if locked and not self._secrets.get(route.text):
            raise SshSecretWanted(where, route.name, route.user, locked, name_of_key(locked))
        self._password(where, route, transport, tuple(tried), offered)

    def _offered(self, route: Route, transport: paramiko.Transport) -> tuple[str, ...]:
        """The ways of signing in that the host names; a host may let everybody in."""
        try:
            transport.auth_none(route.user)
        except paramiko.BadAuthenticationType as error:
            return tuple(error.allowed_types)
        except paramiko.AuthenticationException:
            pass
        return ()

    def _keys(
        self, where: str, route: Route, held: tuple[paramiko.PKey, ...]
    ) -> Iterator[tuple[str, paramiko.PKey | None, str]]:
        """Keys to try, with a label for people; None for one that is locked, with its path."""
        public = {blob for path in route.keys if (blob := _public(path))}
        inside = [key for key in held if key.asbytes() in public or not route.only_keys]
        inside.sort(key=lambda key: key.asbytes() not in public)
        for key in inside:
            yield f"the agent's {key.get_name().removeprefix('ssh-')} key", key, ""
        shown = {key.asbytes() for key in inside}
        for path in route.keys:
            if _public(path) not in shown and (os.path.exists(path) or route.one_key):
                try:
                    yield path, self._loaded(where, route, path), path
                except SshKeyFileUnusable:
                    if route.one_key:
                        raise

    def _loaded(self, where: str, route: Route, path: str) -> paramiko.PKey | None:
        """The key of a file; None when it is locked and its passphrase is not known."""
        name = name_of_key(path)
        passphrase = self._secrets.get(name)
        try:
            return load_key(path, passphrase)
        except paramiko.PasswordRequiredException:
            return None
        except paramiko.SSHException as error:
            if passphrase is None:
                raise SshKeyFileUnusable(where, route.name, path, str(error)) from error
            self._secrets.refused(name)
            raise SshPasswordRefused(where, route.name, route.user, path, name) from error
        except OSError as error:
            raise SshKeyFileUnusable(where, route.name, path, why_unread(error)) from error

    def _try_key(
        self, route: Route, transport: paramiko.Transport, key: paramiko.PKey, offered: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Tries a key; the ways of signing in that are left."""
        if offered and "publickey" not in offered:
            return offered
        try:
            further = transport.auth_publickey(route.user, key)
        except paramiko.BadAuthenticationType as error:
            return tuple(error.allowed_types)
        except paramiko.AuthenticationException:
            return offered
        except paramiko.SSHException:
            if not transport.is_active():
                raise
            return offered  # The agent would not sign, or its key is of a type that the host does not know.
        return tuple(further)

    def _password(
        self,
        where: str,
        route: Route,
        transport: paramiko.Transport,
        tried: tuple[str, ...],
        offered: tuple[str, ...],
    ) -> None:
        if not PASSWORD_WAYS & set(offered) or not transport.is_active():
            raise SshKeyRefused(where, route.name, route.user, tried, offered)
        password = self._secrets.get(route.text)
        if password is None:
            raise SshSecretWanted(where, route.name, route.user, "", route.text)
        try:
            transport.auth_password(route.user, password)
        except paramiko.AuthenticationException as error:
            self._secrets.refused(route.text)
            raise SshPasswordRefused(where, route.name, route.user, "", route.text) from error
        if not transport.is_authenticated():
            raise SshKeyRefused(where, route.name, route.user, (*tried, "a password"), offered)


def load_key(path: str, passphrase: str | None = None) -> paramiko.PKey:
    """A private key in any form that OpenSSH writes.

    Raises OSError, PasswordRequiredException when it is locked, SSHException for a wrong passphrase or no key.
    """
    wrong: Exception | None = None
    with open(path, "rb") as file:
        if b"PRIVATE KEY" not in file.read(65536):
            raise paramiko.SSHException("holds no private key")
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key: paramiko.PKey = kind.from_private_key_file(path, passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError, IndexError) as error:
            wrong = error
            continue
        if os.path.exists(f"{path}-cert.pub"):
            with suppress(paramiko.SSHException, ValueError, OSError):
                key.load_certificate(f"{path}-cert.pub")
        return key
    raise paramiko.SSHException("holds no private key that can be read") from wrong


def _public(path: str) -> bytes:
    """The public half beside a key file; empty when it is not there."""
    try:
        with open(f"{path}.pub", "rb") as file:
            return base64.b64decode(file.read(65536).split()[1])
    except (OSError, IndexError, ValueError):
        return b""


_AGENT = threading.Lock()


@contextmanager
def _agent_keys() -> Iterator[tuple[paramiko.PKey, ...]]:
    """The keys of the person's agent, while it is asked to sign; none where there is no agent or it fails."""
    path = os.environ.get("SSH_AUTH_SOCK")
    if path is not None and not os.path.exists(path):
        yield ()
        return
    with _AGENT:
        try:
            agent = paramiko.Agent()
        except (paramiko.SSHException, OSError, EOFError):
            yield ()
            return
        try:
            yield tuple(agent.get_keys())
        finally:
            agent.close()
