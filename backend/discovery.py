"""Finds the engines of this computer: DOCKER_HOST, docker contexts, the usual sockets and pipes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backend import contexts, endpoint
from backend.client import Engine
from backend.dial import Tunnels
from backend.endpoint import Endpoint, NamedPipe, Ssh, Tcp, UnixSocket
from backend.errors import BackendError, ContextMissing, EndpointError, EngineGone, without_password


@dataclass(frozen=True, slots=True)
class Candidate:
    """Where an engine may answer.

    `source` says where the address comes from ("DOCKER_HOST", "docker context", "socket", …), `label` is its name for
    people, `current` whether the docker command line would use it. Without an `endpoint` there is an `error`.
    """

    label: str
    source: str
    endpoint: Endpoint | None
    error: BackendError | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What a candidate answered: `version` and `product`, or the error. One may be left unasked."""

    candidate: Candidate
    version: str = ""
    product: str = ""
    error: BackendError | None = None
    asked: bool = True

    @property
    def answers(self) -> bool:
        """Whether an engine is there, as far as was asked."""
        return self.asked and self.error is None


def usual_sockets(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Label and path of the sockets that engines make by themselves on Linux and macOS."""
    home = Path(environment.get("HOME") or Path.home())
    user = environment.get("XDG_RUNTIME_DIR") or (f"/run/user/{os.getuid()}" if hasattr(os, "getuid") else "")
    found = [("Docker", "/var/run/docker.sock")]
    if user:
        found += [("Docker, rootless", f"{user}/docker.sock"), ("Podman", f"{user}/podman/podman.sock")]
    found += [
        ("Docker Desktop", str(home / ".docker/run/docker.sock")),
        ("Docker Desktop", str(home / ".docker/desktop/docker.sock")),
        ("Podman, system", "/run/podman/podman.sock"),
        ("Podman machine", str(home / ".local/share/containers/podman/machine/podman.sock")),
        ("Colima", str(home / ".colima/default/docker.sock")),
        ("Rancher Desktop", str(home / ".rd/docker.sock")),
    ]
    return found


MACHINE = "machine"
"""The source of the machine of this computer, which docker's configuration may name as well."""
LAST = "last used"
"""The source of the engine of last time."""
USUAL_PIPES = (
    ("Docker Desktop", r"\\.\pipe\docker_engine"),
    ("Docker Desktop, Linux", r"\\.\pipe\dockerDesktopLinuxEngine"),
    ("Podman machine", r"\\.\pipe\podman-machine-default"),
)


def candidates(
    environment: Mapping[str, str] | None = None, *, platform: str = sys.platform, besides: Sequence[Candidate] = ()
) -> list[Candidate]:
    """All candidates, the one that the docker command line would use first. Nothing is opened yet.

    Sockets that are not there are left out, except the first one of docker, so that one can say that it is missing.
    `besides` are those that only the caller knows of.
    """
    known = os.environ if environment is None else environment
    found = [*_host(known), *_contexts(known)]
    found += _pipes() if platform == "win32" else _sockets(known)
    found += besides
    return _without_repeats(found, known)


def _host(environment: Mapping[str, str]) -> Iterable[Candidate]:
    if not (host := environment.get("DOCKER_HOST")):
        return
    try:
        yield Candidate(without_password(host), "DOCKER_HOST", contexts.from_environment(environment), current=True)
    except EndpointError as error:
        yield Candidate(without_password(host), "DOCKER_HOST", None, error, current=True)


def _contexts(environment: Mapping[str, str]) -> Iterable[Candidate]:
    folder = contexts.config_folder(environment)
    chosen = "" if environment.get("DOCKER_HOST") else contexts.current_name(folder, environment)
    if (broken := contexts.broken_config(folder)) is not None:
        yield Candidate("config.json", "docker context", None, broken)
    names = set()
    for context in contexts.contexts(folder):
        names.add(context.name)
        yield Candidate(
            context.name,
            "docker context",
            context.endpoint,
            context.error,
            current=bool(chosen) and context.name == chosen,
        )
    if chosen and chosen != "default" and chosen not in names:
        chooser = "DOCKER_CONTEXT" if environment.get("DOCKER_CONTEXT") else str(folder / "config.json")
        missing = ContextMissing(chosen, f"{chooser} chooses it")
        yield Candidate(chosen, "docker context", None, missing, current=True)


def _sockets(environment: Mapping[str, str]) -> Iterable[Candidate]:
    for number, (label, path) in enumerate(usual_sockets(environment)):
        if number == 0 or os.path.exists(path):
            yield Candidate(label, "socket", UnixSocket(path))


def _pipes() -> Iterable[Candidate]:
    for label, path in USUAL_PIPES:
        yield Candidate(label, "pipe", NamedPipe(path))


def _without_repeats(found: Sequence[Candidate], environment: Mapping[str, str]) -> list[Candidate]:
    seen: set[tuple[object, ...]] = set()
    kept: list[Candidate] = []
    for candidate in sorted(
        found, key=lambda c: (not c.current, not (c.source == LAST and isinstance(c.endpoint, Ssh)))
    ):
        key = _identity(candidate)
        if key not in seen:
            seen.add(key)
            kept.append(candidate)
        elif candidate.source == MACHINE:  # One of docker's contexts leads there; people know it by this name.
            at = next(i for i, each in enumerate(kept) if _identity(each) == key)
            kept[at] = replace(kept[at], label=candidate.label, source=MACHINE)
    if kept and not kept[0].current and not environment.get("DOCKER_HOST"):
        first = next((i for i, c in enumerate(kept) if c.source in ("socket", "pipe")), None)
        if first is not None:
            kept[first] = replace(kept[first], current=True)
            kept.insert(0, kept.pop(first))
    return kept


def _identity(candidate: Candidate) -> tuple[object, ...]:
    """What is equal only for the same engine, reached in the same way."""
    if candidate.endpoint is None:
        return candidate.source, candidate.label
    if isinstance(candidate.endpoint, UnixSocket):
        return (os.path.realpath(candidate.endpoint.path),)
    tls = candidate.endpoint.tls if isinstance(candidate.endpoint, Tcp) else None
    if tls is None:
        return (endpoint.text(candidate.endpoint),)
    # By content: docker copies the files of a context into a folder of its own.
    return endpoint.text(candidate.endpoint), tls.verify, *(_content(path) for path in (tls.ca, tls.cert, tls.key))


def _content(path: str) -> bytes | str:
    """What a file holds, to be compared; of one that cannot be read its path."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read(contexts.CAP)).digest()
    except OSError:
        return path


def is_wanted(candidate: Candidate) -> bool:
    """Whether a host of others may be asked unbidden: when the person's own settings choose it, or did last time."""
    return not isinstance(candidate.endpoint, Ssh) or candidate.current or candidate.source == LAST


async def probe(candidate: Candidate, *, deadline: float = 5, tunnels: Tunnels | None = None) -> Probe:
    """Asks a candidate for its version; never raises a BackendError."""
    if candidate.endpoint is None:
        return Probe(candidate, error=candidate.error)
    if not is_wanted(candidate):
        return Probe(candidate, asked=False)
    engine = Engine(candidate.endpoint, tunnels=tunnels)
    try:
        await engine.open(deadline=deadline)
        return Probe(candidate, engine.version.version, engine.product)
    except BackendError as error:
        return Probe(candidate, error=error)
    except OSError as error:
        return Probe(candidate, error=EngineGone(endpoint.text(candidate.endpoint), str(error)))
    finally:
        await engine.close()


async def probe_all(found: Iterable[Candidate], *, deadline: float = 5, tunnels: Tunnels | None = None) -> list[Probe]:
    """Asks all of them at once; the answers come in the order of the candidates."""
    return list(await asyncio.gather(*(probe(candidate, deadline=deadline, tunnels=tunnels) for candidate in found)))
