"""Containers in words: what state a row shows and why, which ports can be opened, which group it is in."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct

from app.presentation.units import plural, short_id
from backend.types.containers import FOLDER_LABEL, ContainerDetails, ContainerSummary

ALIVE = frozenset(("running", "paused", "restarting"))
"""States with a process inside, which a removal would have to kill."""
_CODE = re.compile(r"\((-?\d{1,10})\)")
_STOPPED_BY_HAND = {130: "interrupted", 137: "killed", 143: "stopped"}
_CODES = {125: "could not start", 126: "not executable", 127: "command not found", 134: "aborted", 139: "crashed"}
_ALIASES = {"stopped": "exited", "configured": "created", "initialized": "created", "stopping": "running"}
_OPEN = frozenset(("", "0.0.0.0", "::", "[::]"))  # noqa: S104 -- compared with, never bound
_SECURE = frozenset((443, 8443))


class Reason(Struct, frozen=True):
    """What only an inspect knows about a container in trouble; `failing` is the streak of failed health checks."""

    oom: bool = False
    failing: int = 0
    restarts: int = 0
    error: str = ""


Troubles = Mapping[tuple[str, str, int], str]
"""Why published ports do not answer on this computer, by `port_key`."""


class StateView(Struct, frozen=True):
    """How a state is shown. `role` is success, warning, danger or empty for at rest; a calm state is in grey.

    `icon` is empty for a running container, which shows a dot in its role's colour.
    """

    icon: str
    word: str
    reason: str = ""
    role: str = ""
    calm: bool = True


class PublishedPort(Struct, frozen=True):
    """One port that can be reached at the engine's host; `open` when it listens on every interface."""

    host: int
    container: int
    protocol: str
    ip: str
    open: bool

    def url(self, host: str = "localhost") -> str:
        """Where a browser finds it, or nothing for what is not TCP. The engine's `host` stands in for `any address`."""
        if self.protocol != "tcp":
            return ""
        name = host if self.open or self.ip.startswith("127.") or self.ip == "::1" else self.ip
        if ":" in name and not name.startswith("["):
            name = f"[{name}]"
        return f"{'https' if self.container in _SECURE else 'http'}://{name}:{self.host}"


def reason_of(details: ContainerDetails) -> Reason:
    """What an inspect says about why a container is in trouble."""
    state = details.state
    failing = state.health.failing_streak if state.health is not None else 0
    return Reason(state.oom_killed, failing, details.restart_count, state.error)


def _normal(row: ContainerSummary) -> str:
    state = row.state.lower()
    return _ALIASES.get(state, state)


def exit_code(row: ContainerSummary) -> int | None:
    """The exit code in the engine's own words (`Exited (137) 41 minutes ago`), None when they hold none."""
    return _code(row.status)


def _code(status: str) -> int | None:
    found = _CODE.search(status)
    return int(found[1]) if found else None


def state_of(row: ContainerSummary, reason: Reason | None = None) -> StateView:
    """The state of a row; `reason` adds what an inspect found."""
    return _state(_normal(row), row.status, reason)


@lru_cache(maxsize=2048)
def _state(state: str, status: str, reason: Reason | None) -> StateView:
    if state == "running":
        return _running(status.lower(), reason)
    if state == "exited":
        return _exited(_code(status), reason)
    if state == "restarting":
        tries = _ordinal(reason.restarts) + " try" if reason is not None and reason.restarts else ""
        return StateView("refresh-cw", "Restarting", tries, "warning", calm=False)
    if state == "dead":
        return StateView("circle-x", "Dead", "could not be removed", "danger", calm=False)
    calm = {"paused": ("pause", "Paused"), "created": ("circle", "Created"), "removing": ("trash-2", "Removing")}
    return StateView(*calm.get(state, ("circle-help", "Unknown")))


def _running(status: str, reason: Reason | None) -> StateView:
    if "(unhealthy)" in status:
        failed = plural(reason.failing, "failed check") if reason is not None and reason.failing else ""
        return StateView("heart-pulse", "Unhealthy", failed, "warning", calm=False)
    if "(paused)" in status:
        return StateView("pause", "Paused")
    return StateView("", "Running", "starting" if "(health: starting)" in status else "", "success")


def _exited(code: int | None, reason: Reason | None) -> StateView:
    if code is None:
        return StateView("circle-stop", "Exited")
    if reason is not None and reason.oom:
        return StateView("circle-x", f"Exited {code}", "out of memory", "danger", calm=False)
    if code == 0 or code in _STOPPED_BY_HAND:
        return StateView("circle-stop", f"Exited {code}", _STOPPED_BY_HAND.get(code, ""))
    return StateView("circle-x", f"Exited {code}", _CODES.get(code, ""), "danger", calm=False)


def _ordinal(number: int) -> str:
    tail = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{tail}"


def is_running(row: ContainerSummary) -> bool:
    """Whether its processes run now."""
    return state_of(row).word in ("Running", "Unhealthy")


def is_stopped(row: ContainerSummary) -> bool:
    """Whether it has no processes and could be started."""
    return _normal(row) in ("exited", "created", "dead")


def is_problem(row: ContainerSummary, reason: Reason | None = None) -> bool:
    """Whether a person should look at it."""
    return not state_of(row, reason).calm


def wants_reason(row: ContainerSummary) -> bool:
    """Whether an inspect would tell why: killed, failing its checks, or restarting."""
    state = state_of(row)
    return state.word in ("Unhealthy", "Restarting") or (_normal(row) == "exited" and exit_code(row) == 137)


def published_ports(row: ContainerSummary) -> tuple[PublishedPort, ...]:
    """Published ports by host port; the pair of 0.0.0.0 and :: is one."""
    found: dict[tuple[int, int, str, str], PublishedPort] = {}
    for port in row.ports or ():
        if port.public:
            wide = port.ip in _OPEN
            key = (port.public, port.private, port.protocol, "" if wide else port.ip)
            found.setdefault(key, PublishedPort(port.public, port.private, port.protocol, port.ip, wide))
    return tuple(sorted(found.values(), key=lambda p: (p.host, p.protocol, p.ip)))


def port_key(protocol: str, ip: str, port: int) -> tuple[str, str, int]:
    """A published port, 0.0.0.0 and :: being one."""
    return protocol, "" if ip in _OPEN else ip, port


def trouble_of(port: PublishedPort, troubles: Troubles) -> str:
    """Why it does not answer here; empty where it does."""
    return troubles.get(port_key(port.protocol, port.ip, port.host), "")


def port_text(port: PublishedPort) -> str:
    """A chip's words: `8000`, or `53/udp`."""
    return str(port.host) if port.protocol == "tcp" else f"{port.host}/{port.protocol}"


def port_tip(port: PublishedPort, trouble: str = "") -> str:
    """A port in one sentence, saying when it is open to the network, or why it does not answer."""
    if trouble:
        return f"{port.host} does not answer here. {trouble}"
    where = "every address of the engine's computer, so the network can reach it" if port.open else port.ip
    return f"{port.host} on {where} leads to {port.container}/{port.protocol}"


def image_text(image: str) -> str:
    """An image as a row shows it: an id shortened, Docker Hub's own prefixes gone."""
    if image.startswith("sha256:"):
        return short_id(image)
    for prefix in ("docker.io/library/", "docker.io/"):
        if image.startswith(prefix):
            return image.removeprefix(prefix)
    return image


def group_of(row: ContainerSummary) -> tuple[str, str]:
    """The compose project and its folder with the home as `~`; both empty for a container on its own."""
    return row.project, folder_text((row.labels or {}).get(FOLDER_LABEL, ""))


def short_names(project: Iterable[ContainerSummary]) -> dict[str, str]:
    """Names by id without what the heading says: `web` for shop-web-1 in shop, `web 2` where a service has several.

    A name that was given by hand is not made by compose's rule (project-service-number), and is left as it is.
    """
    made: dict[str, tuple[str, str]] = {}
    for row in project:
        rest = row.name.removeprefix(row.project)
        service, number = rest[1:].rpartition("-")[::2] if rest[:1] == "-" else rest[1:].rpartition("_")[::2]
        if rest != row.name and rest[:1] in ("-", "_") and number.isdecimal() and service == row.service:
            made[row.id] = (service, number)
    scale = Counter(service for service, _ in made.values())
    return {key: f"{service} {number}" if scale[service] > 1 else service for key, (service, number) in made.items()}


def folder_text(path: str) -> str:
    """A folder of this computer, with the person's home as `~`."""
    home = os.path.expanduser("~")
    if home not in ("", "/") and (path == home or path.startswith(home + os.sep)):
        return "~" + path[len(home) :]
    return path
