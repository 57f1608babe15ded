"""What ~/.ssh/config says of a host: its address, port, user, keys and the hosts on the way; nothing in it is run."""

from __future__ import annotations

import getpass
import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from backend import endpoint as ep
from backend.endpoint import SSH_PORT, Ssh
from backend.errors import InvalidEndpoint
from backend.ssh.errors import SshConfigUnusable

if TYPE_CHECKING:
    import paramiko

CAP = 1_000_000
DEEPEST = 8
"""Files that include each other, and hosts on the way."""
DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_INCLUDE = re.compile(r"\s*include(?:\s*=\s*|\s+)(.+)", re.I)
_HEADER = re.compile(r"\s*(?:host|match)(?:\s*=\s*|\s+)", re.I)
_MATCH = re.compile(r"\s*match(?:\s*=\s*|\s+)(.+)", re.I)
_ALONE = frozenset(("all", "canonical", "final"))
_WITH_VALUE = frozenset(("host", "originalhost", "user", "localuser"))
_NEVER = "Host never.pilothouse.invalid"


class Route(Struct, frozen=True):
    """How one host is reached. `name` is what the person calls it; `keys` are files that may not be there."""

    name: str
    address: str
    port: int
    user: str
    keys: tuple[str, ...] = ()
    only_keys: bool = False
    key_name: str = ""
    through: tuple[Route, ...] = ()

    @property
    def one_key(self) -> bool:
        """Whether the person chose one key file."""
        return self.only_keys and len(self.keys) == 1

    @property
    def text(self) -> str:
        """As an address, without the hosts on the way."""
        return ep.text(Ssh(self.address, self.port, self.user))


class SshConfig:
    """The person's file, read anew for each question: it may have been edited meanwhile."""

    def __init__(self, home: Path) -> None:
        self._folder = home / ".ssh"

    def route(self, endpoint: Ssh) -> Route:
        """The way to a host, with the hosts between. Raises SshConfigUnusable."""
        where = ep.text(endpoint)
        return self._route(endpoint, self._parsed(where, endpoint.host), where, DEEPEST)

    def _route(self, wanted: Ssh, config: paramiko.SSHConfig, where: str, left: int) -> Route:
        host = wanted.host
        if not left:
            raise SshConfigUnusable(where, host, "The hosts on the way (ProxyJump) lead in a circle.")
        found = config.lookup(host)
        jumps = str(found.get("proxyjump", "none"))
        command = str(found.get("proxycommand") or "none")
        if jumps.lower() == "none" and command.lower() != "none":
            raise SshConfigUnusable(
                where, host, f"A ProxyCommand stands there for {host}, and no program is run for it. Use ProxyJump."
            )
        port = wanted.port if wanted.port != SSH_PORT else _port(str(found.get("port", SSH_PORT)), where, host)
        files = (wanted.key,) if wanted.key else tuple(found.get("identityfile", ()))
        keys = files or tuple(str(self._folder / name) for name in DEFAULT_KEYS)
        through: tuple[Route, ...] = ()
        if jumps.lower() != "none":
            through = tuple(self._jump(word, config, where, host, left) for word in jumps.split(","))
        address = str(found.get("hostname") or host)
        return Route(
            host,
            address,
            port,
            wanted.user or str(found.get("user") or getpass.getuser()),
            tuple(os.path.expanduser(key) for key in keys),
            bool(wanted.key) or str(found.get("identitiesonly", "no")).lower() == "yes",
            str(found.get("hostkeyalias") or ""),
            through,
        )

    def _jump(self, word: str, config: paramiko.SSHConfig, where: str, host: str, left: int) -> Route:
        word = word.strip()
        try:
            jump = ep.parse(word if word.startswith("ssh://") else f"ssh://{word}")
        except InvalidEndpoint as error:
            raise SshConfigUnusable(where, host, f"{word} cannot be a host on the way (ProxyJump).") from error
        assert isinstance(jump, Ssh)
        return self._route(jump, config, where, left - 1)

    def _parsed(self, where: str, host: str) -> paramiko.SSHConfig:
        import paramiko

        try:
            text = "\n".join(self._lines(self._folder / "config", DEEPEST))
            return paramiko.SSHConfig.from_text(text)
        except FileNotFoundError:
            return paramiko.SSHConfig()
        except OSError as error:
            reason = f"{self._folder / 'config'} {ep.why_unread(error)}."
            raise SshConfigUnusable(where, host, reason) from error
        except (paramiko.SSHException, ValueError) as error:
            reason = f"{self._folder / 'config'} is not what ssh reads there ({error})."
            raise SshConfigUnusable(where, host, reason) from error

    def _lines(self, path: Path, left: int) -> Iterator[str]:
        """The lines with those of included files, which paramiko does not read, without conditions that run programs.

        After an included file the block goes on in which the Include stood.
        """
        header = "Host *"
        with path.open("rb") as file:
            text = file.read(CAP).decode("utf-8", "replace")
        for line in text.splitlines():
            if (found := _INCLUDE.fullmatch(line)) is not None and left:
                for word in found[1].split():
                    yield from self._included(word.strip('"'), left)
                yield header
                continue
            if _HEADER.match(line):
                header = line = line if _can_hold(line) else _NEVER
            yield line

    def _included(self, word: str, left: int) -> Iterator[str]:
        pattern = os.path.join(self._folder, os.path.expanduser(word))
        for path in sorted(glob.glob(pattern)):
            try:
                yield from self._lines(Path(path), left - 1)
            except OSError:  # ssh passes over files that it may not read as well
                continue


def _can_hold(line: str) -> bool:
    """Whether a Host or Match has only conditions that paramiko judges; of others it holds all for true."""
    found = _MATCH.fullmatch(line)
    words = iter(found[1].split() if found is not None else ())
    for word in words:
        kind = word.lstrip("!").lower()
        if kind in _WITH_VALUE:
            next(words, "")
        elif kind not in _ALONE:
            return False
    return True


def _port(text: str, where: str, host: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536:
        return int(text)
    raise SshConfigUnusable(where, host, f"{text} is not a port.")
