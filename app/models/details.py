"""What an inspect says about a container, as sections of names and values for the overview."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.presentation.containers import Troubles, image_text, port_key
from app.presentation.units import NBSP, age_text, bytes_text, parse_time, plural, short_id
from backend.types.containers import ContainerDetails, Mount, PortBinding

_OPEN: Final = frozenset(("", "0.0.0.0", "::"))  # noqa: S104 -- compared with, never bound


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section. `secret` values are hidden until asked for; `warn` says what to look at."""

    name: str
    value: str
    secret: bool = False
    mono: bool = True
    warn: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its lines; `empty` stands there when there are none."""

    key: str
    title: str
    icon: str
    lines: tuple[Line, ...]
    empty: str = ""


def sections(details: ContainerDetails, now: float, troubles: Troubles | None = None) -> tuple[Section, ...]:
    """Everything that the overview shows, in its order. `now` is Unix time, `troubles` are ports without an answer."""
    return (
        Section("state", "State", "activity", tuple(_state(details, now))),
        Section("ports", "Ports", "plug", tuple(_ports(details, troubles or {})), "No ports"),
        Section("mounts", "Mounts", "hard-drive", tuple(_mounts(details)), "No volumes or folders are mounted"),
        Section("networks", "Networks", "network", tuple(_networks(details)), "Not in a network"),
        Section("run", "Image and command", "layers", tuple(_run(details))),
        Section("limits", "Limits and policy", "gauge", tuple(_limits(details))),
        Section("env", "Environment", "key", tuple(_env(details)), "No variables"),
        Section("labels", "Labels", "tag", tuple(_labels(details)), "No labels"),
    )


def _since(text: str, now: float) -> str:
    at = parse_time(text)
    return "" if at is None else f"{age_text(now - at)} ago"


def _state(details: ContainerDetails, now: float) -> Iterable[Line]:
    state = details.state
    yield Line("Status", state.status.capitalize(), mono=False)
    if state.running and (since := _since(state.started_at, now)):
        yield Line("Started", since, mono=False)
    if not state.running and (since := _since(state.finished_at, now)):
        yield Line("Ended", since, mono=False)
        yield Line("Exit code", str(state.exit_code), warn="Out of memory" if state.oom_killed else "")
    if state.error:
        yield Line("Error", state.error, warn="The engine's own words")
    if state.health is not None and state.health.status not in ("", "none"):
        failing = plural(state.health.failing_streak, "failed check") if state.health.failing_streak else ""
        yield Line("Health", state.health.status.capitalize(), mono=False, warn=failing)
        last = (state.health.log or ())[-1:]
        if last and last[0].output.strip():
            yield Line("Last check", last[0].output.strip()[:2000])
    if details.restart_count:
        yield Line("Restarts", f"{details.restart_count:,}", mono=False)
    yield Line("Created", _since(details.created, now) or "–", mono=False)
    yield Line("Id", details.id)


def _ports(details: ContainerDetails, troubles: Troubles) -> Iterable[Line]:
    ports = details.network_settings.ports or {}
    for name, bindings in sorted(ports.items(), key=lambda item: _port_order(item[0])):
        if not bindings:
            yield Line(name, "exposed, not published", mono=False)
        for binding in _merged(bindings or ()):
            wide = binding.host_ip in _OPEN
            where = binding.host_port if wide else f"{binding.host_ip}:{binding.host_port}"
            trouble = troubles.get(_key(name, binding), "")
            yield Line(name, where, warn=trouble or ("Open to the network" if wide else ""))


def _key(name: str, binding: PortBinding) -> tuple[str, str, int]:
    return port_key(name.partition("/")[2] or "tcp", binding.host_ip, _port_order(binding.host_port)[0])


def _port_order(name: str) -> tuple[int, str]:
    number = name.partition("/")[0]
    return (int(number) if number.isdecimal() and len(number) <= 5 else 0), name


def _merged(bindings: tuple[PortBinding, ...]) -> Iterable[PortBinding]:
    seen: set[tuple[bool, str, str]] = set()
    for binding in bindings:
        wide = binding.host_ip in _OPEN
        key = (wide, "" if wide else binding.host_ip, binding.host_port)
        if key not in seen:
            seen.add(key)
            yield binding


def _mounts(details: ContainerDetails) -> Iterable[Line]:
    for mount in details.mounts or ():
        yield Line(mount.destination, _source(mount), warn="" if mount.rw else "Read only")


def _source(mount: Mount) -> str:
    if mount.type == "volume":
        anonymous = len(mount.name) == 64
        return f"volume {short_id(mount.name) + ', anonymous' if anonymous else mount.name}"
    return mount.source or mount.type


def _networks(details: ContainerDetails) -> Iterable[Line]:
    for name, endpoint in sorted((details.network_settings.networks or {}).items()):
        yield Line(name, endpoint.ip_address or "no address")


def _run(details: ContainerDetails) -> Iterable[Line]:
    config = details.config
    yield Line("Image", image_text(config.image or details.image))
    yield Line("Image id", short_id(details.image))
    for name, words in (("Entrypoint", config.entrypoint), ("Command", config.cmd)):
        if words:
            yield Line(name, shlex.join(words))
    for name, text in (("Folder", config.working_dir), ("User", config.user), ("Host name", config.hostname)):
        if text:
            yield Line(name, text)
    if config.tty:
        yield Line("Terminal", "yes", mono=False)


def _limits(details: ContainerDetails) -> Iterable[Line]:
    host = details.host_config
    yield Line("Memory", bytes_text(host.memory) if host.memory else "no limit", mono=False)
    yield Line("CPUs", f"{host.nano_cpus / 1e9:g}" if host.nano_cpus else "no limit", mono=False)
    yield Line("Restart", _policy(details), mono=False)
    if host.auto_remove:
        yield Line("Afterwards", "removed when it ends", mono=False)
    if host.log_config.type:
        yield Line("Log driver", host.log_config.type)
    if host.privileged:
        yield Line("Privileged", "yes", mono=False, warn="It can do on the host what root can")
    if host.cap_add:
        yield Line("Capabilities", " ".join(host.cap_add), warn="More than usual")
    if host.pid_mode == "host":
        yield Line("Processes", "those of the host", mono=False, warn="It sees every process")


def _policy(details: ContainerDetails) -> str:
    policy = details.host_config.restart_policy
    words = {"always": "always", "unless-stopped": "unless stopped", "on-failure": "on failure"}.get(
        policy.name, "never"
    )
    if policy.name == "on-failure" and policy.maximum_retry_count:
        words += f", {policy.maximum_retry_count}{NBSP}times at most"
    return words


def _env(details: ContainerDetails) -> Iterable[Line]:
    for pair in sorted(details.config.env or ()):
        name, _, value = pair.partition("=")
        yield Line(name, value, secret=True)


def _labels(details: ContainerDetails) -> Iterable[Line]:
    for name, value in sorted((details.config.labels or {}).items()):
        yield Line(name, value)
