"""RunForm: what a person asks for when a container is made, as typed, before anybody checked it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MountKind = Literal["bind", "volume", "tmpfs"]
RESTARTS = ("no", "always", "unless-stopped", "on-failure")


@dataclass(frozen=True, slots=True)
class PortRow:
    """One published port. Texts as typed; a range is `8000-8005`; an empty `host` lets the engine choose.

    `host_ip` empty means every interface of the host, as `-p 80:80` does.
    """

    host: str = ""
    container: str = ""
    protocol: str = "tcp"
    host_ip: str = ""


@dataclass(frozen=True, slots=True)
class EnvRow:
    """One environment variable. `value` is text for its NAME."""

    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class MountRow:
    """One mount. `source` is a folder or file of the host (bind), a name or empty (volume), unused (tmpfs).

    `flag` is the docker flag that says the same: `--mount` (a missing host folder is an error), `-v` (the engine makes
    it) or `--tmpfs`. `options` is what that flag takes besides: `z,rshared` for -v, `tmpfs-size=64m,…` for --mount.
    """

    kind: MountKind = "bind"
    source: str = ""
    target: str = ""
    read_only: bool = False
    flag: Literal["--mount", "-v", "--tmpfs"] = "--mount"
    options: str = ""


@dataclass(frozen=True, slots=True)
class Extra:
    """One docker run flag that has no field of its own, e.g. Extra("--sysctl", "net.core.somaxconn=1024")."""

    flag: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class RunForm:
    """Everything that the Run dialog holds. Texts are as typed; app.commands.run.checks says what is wrong with them.

    `command` is quoted as for a POSIX shell and split into words, never run by one. `entrypoint` None means the
    image's own, an empty text none at all. `memory` is docker's `512m`, `cpus` a decimal number, `restart` one of
    RESTARTS or `on-failure:5`. `network` empty means the engine's default. `pull` is missing, always or never.
    """

    image: str = ""
    name: str = ""
    command: str = ""
    entrypoint: str | None = None
    env: tuple[EnvRow, ...] = ()
    ports: tuple[PortRow, ...] = ()
    publish_all: bool = False
    mounts: tuple[MountRow, ...] = ()
    network: str = ""
    aliases: tuple[str, ...] = ()
    hostname: str = ""
    restart: str = "no"
    memory: str = ""
    cpus: str = ""
    pids_limit: str = ""
    auto_remove: bool = False
    tty: bool = False
    interactive: bool = False
    init: bool = False
    user: str = ""
    workdir: str = ""
    labels: tuple[EnvRow, ...] = ()
    privileged: bool = False
    read_only: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    health_cmd: str = ""
    health_interval: str = ""
    health_timeout: str = ""
    health_start_period: str = ""
    health_retries: str = ""
    no_healthcheck: bool = False
    platform: str = ""
    pull: str = "missing"
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a form from running: `field` is the place (`ports.0.host`), `sentence` says what to change."""

    field: str
    sentence: str
