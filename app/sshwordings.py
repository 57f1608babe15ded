"""The sentences for what keeps an engine on another host from being used over SSH."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.filewordings import CHOOSE
from app.notices import Notice, Step, sentence
from app.presentation.units import joined
from backend.ssh import errors as e


def connect_step(error: e.SshError, label: str = "Connect…") -> Step:
    """Opens the dialog for the host that is meant."""
    return Step(label, "connect-ssh", error.where)


def _any(error: e.SshError) -> Notice:
    return Notice(f"{error.host} cannot be used", sentence(error.reason), connect_step(error))


def _unreachable(error: e.SshUnreachable) -> Notice:
    return Notice(
        f"{error.host} does not answer over SSH",
        f"No connection came about with {error.where}: {sentence(error.reason)}",
        Step("Try now", "retry"),
    )


def _name(error: e.SshNameUnknown) -> Notice:
    return Notice(
        f"No host named {error.host} was found",
        f"The name has no address ({error.reason}). Check its spelling, and whether a VPN is needed.",
        connect_step(error),
    )


def _config(error: e.SshConfigUnusable) -> Notice:
    return Notice(f"Your SSH configuration for {error.host} cannot be followed", sentence(error.reason), CHOOSE)


def _unknown(error: e.SshKeyUnknown) -> Notice:
    return Notice(
        f"{error.host} has not been seen before",
        f"Its {error.kind} key is {error.fingerprint}. Compare it with what whoever runs the host says, "
        "before you trust it.",
        connect_step(error, "Look at it…"),
        "warning",
    )


def _changed(error: e.SshKeyChanged) -> Notice:
    return Notice(
        f"The key of {error.host} has changed",
        f"It shows {error.kind} {error.fingerprint}, and {error.place} holds {error.known}. "
        "Somebody may be listening in between, or the host was set up anew: ask whoever runs it. "
        "Only if they confirm the new key, remove that line. Nothing was sent.",
        CHOOSE,
    )


def _revoked(error: e.SshKeyRevoked) -> Notice:
    return Notice(
        f"The key of {error.host} is revoked",
        f"{error.place} says that nobody may trust {error.fingerprint}. Ask whoever runs the host.",
        CHOOSE,
    )


def _wanted(error: e.SshSecretWanted) -> Notice:
    if error.key:
        return Notice("A key is locked", f"{error.key} opens with its passphrase.", connect_step(error), "info")
    words = f"No key signs {error.user} in there."
    return Notice(f"{error.host} asks for a password", words, connect_step(error), "info")


def _password(error: e.SshPasswordRefused) -> Notice:
    if error.key:
        return Notice("That is not the passphrase", f"{error.key} stays locked.", connect_step(error))
    words = f"It does not let {error.user} in with it. Check the user name too."
    return Notice(f"{error.host} refuses the password", words, connect_step(error))


def _key(error: e.SshKeyRefused) -> Notice:
    tried = f"Tried: {joined(error.tried)}." if error.tried else "You have none here, in an agent or in ~/.ssh."
    return Notice(
        f"{error.host} accepts none of your keys",
        f"{tried} The public half belongs into ~/.ssh/authorized_keys of {error.user} there.",
        connect_step(error),
    )


def _key_file(error: e.SshKeyFileUnusable) -> Notice:
    return Notice("A key file cannot be used", f"{error.path} {error.reason}. Nothing was sent.", connect_step(error))


def _missing(error: e.SshEngineMissing) -> Notice:
    return Notice(
        f"No engine is running on {error.host}",
        f"You are signed in, and there is no engine at {joined(error.looked)}. Start or install one there.",
        Step("Try now", "retry"),
    )


def _denied(error: e.SshEngineDenied) -> Notice:
    who = f"the group {error.group}" if error.group else "others"
    return Notice(
        f"{error.user} may not use the engine of {error.host}",
        f"{error.socket} is for {who} there. Whoever runs the host can add {error.user} to it, which equals root, "
        "or set up a rootless engine.",
        connect_step(error),
    )


def _forbidden(error: e.SshForwardingForbidden) -> Notice:
    return Notice(
        f"{error.host} lets nobody through to its engine",
        "Its SSH server forwards no sockets (AllowStreamLocalForwarding), and no docker program could stand in.",
        CHOOSE,
    )


SSH_WORDINGS: dict[type[BaseException], Callable[[Any], Notice]] = {
    e.SshError: _any,
    e.SshUnreachable: _unreachable,
    e.SshNameUnknown: _name,
    e.SshConfigUnusable: _config,
    e.SshKeyUnknown: _unknown,
    e.SshKeyChanged: _changed,
    e.SshKeyRevoked: _revoked,
    e.SshSecretWanted: _wanted,
    e.SshPasswordRefused: _password,
    e.SshKeyRefused: _key,
    e.SshKeyFileUnusable: _key_file,
    e.SshEngineMissing: _missing,
    e.SshEngineDenied: _denied,
    e.SshForwardingForbidden: _forbidden,
}
