"""Finds the engines of this computer: DOCKER_HOST, docker contexts, the usual sockets and pipes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend import contexts
from backend.client import Engine
from backend.endpoint import Endpoint, NamedPipe, Ssh, TlsFiles, UnixSocket, parse, text
from backend.errors import EndpointError, InvalidEndpoint, UnsupportedEndpoint

WINDOWS_PIPES = (
    ("docker_engine", "Docker"),
    ("dockerDesktopLinuxEngine", "Docker Desktop"),
    ("podman-machine-default", "Podman"),
)


@dataclass(frozen=True)
class Candidate:
    """A place where an engine may answer: `endpoint`, or the `error` that says why its address cannot be used.

    `source` is where we have it from ("DOCKER_HOST", "context", "socket", "embedded"), `label` what people call it;
    `current` marks the one that the docker command line would take.
    """

    endpoint: Endpoint | None
    error: EndpointError | None
    source: str
    label: str
    current: bool = False


@dataclass(frozen=True)
class Found:
    """Candidates, the one to try first in front, without doubles; `problems` name what could not be read."""

    candidates: tuple[Candidate, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What an engine said of itself."""

    product: str
    version: str
    api: str


def find(
    *, environ: Mapping[str, str] | None = None, home: Path | None = None, embedded: UnixSocket | None = None
) -> Found:
    """Look everywhere. It reads a few small files and opens no connection."""
    environ = os.environ if environ is None else environ
    home = Path.home() if home is None else home
    read = contexts.read(contexts.config_folder(environ, home), environ)
    host = environ.get("DOCKER_HOST", "")
    problems = list(read.problems)
    candidates = []
    if host:
        candidates.append(_from_host(host, environ, home))
    chosen = "" if host else read.current
    for context in read.found:
        candidates.append(_candidate(context.host, context.tls, "context", context.name, context.name == chosen))
    if chosen and chosen not in {context.name for context in read.found}:
        error = InvalidEndpoint(chosen, "this docker context is chosen and does not exist")
        candidates.append(Candidate(None, error, "context", chosen, current=True))
    candidates += _usual(environ, home, default_is_current=not host and not chosen)
    if embedded is not None:
        candidates.append(Candidate(embedded, None, "embedded", "Embedded engine"))
    candidates.sort(key=lambda one: not one.current)
    return Found(_without_doubles(candidates), tuple(problems))


async def probe(candidate: Candidate, deadline: float = 3) -> Answer:
    """Ask the engine who it is. Raises the candidate's own error, or EngineUnreachable and the like."""
    if candidate.error is not None:
        raise candidate.error
    if candidate.endpoint is None:
        raise InvalidEndpoint(candidate.label, "it has no address")
    engine = Engine(candidate.endpoint)
    try:
        await engine.open(deadline=deadline)
        return Answer(engine.product, engine.version.version, engine.api)
    finally:
        await engine.close()


def _from_host(host: str, environ: Mapping[str, str], home: Path) -> Candidate:
    """DOCKER_HOST with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH; TLS without its files is an error, not plain TCP."""
    tls = None
    if environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS"):
        folder = Path(environ.get("DOCKER_CERT_PATH", "") or contexts.config_folder(environ, home))
        files = {part: folder / f"{part}.pem" for part in ("ca", "cert", "key")}
        missing = [path.name for path in files.values() if not path.is_file()]
        if missing:
            reason = f"DOCKER_TLS_VERIFY asks for TLS and {folder} lacks {', '.join(missing)}"
            return Candidate(None, InvalidEndpoint(host, reason), "DOCKER_HOST", "DOCKER_HOST", current=True)
        verify = bool(environ.get("DOCKER_TLS_VERIFY"))
        tls = TlsFiles(str(files["ca"]), str(files["cert"]), str(files["key"]), verify)
    return _candidate(host, tls, "DOCKER_HOST", "DOCKER_HOST", current=True)


def _candidate(host: str, tls: TlsFiles | None, source: str, label: str, current: bool) -> Candidate:
    try:
        endpoint = parse(host, tls=tls)
    except EndpointError as error:
        return Candidate(None, error, source, label, current)
    if isinstance(endpoint, Ssh):
        return Candidate(
            endpoint,
            UnsupportedEndpoint(text(endpoint), "ssh:// hosts come with a later version"),
            source,
            label,
            current,
        )
    return Candidate(endpoint, None, source, label, current)


def _usual(environ: Mapping[str, str], home: Path, *, default_is_current: bool) -> list[Candidate]:
    """Docker's own socket always, so that its absence can be told; the others where they exist."""
    if sys.platform == "win32":
        return [
            Candidate(NamedPipe(rf"\\.\pipe\{name}"), None, "socket", label, default_is_current and index == 0)
            for index, (name, label) in enumerate(WINDOWS_PIPES)
        ]
    found = [Candidate(UnixSocket("/var/run/docker.sock"), None, "socket", "Docker", default_is_current)]
    for path, label in _sockets(environ, home):
        if os.path.exists(path):
            found.append(Candidate(UnixSocket(path), None, "socket", label))
    return found


def _sockets(environ: Mapping[str, str], home: Path) -> list[tuple[str, str]]:
    uid = os.getuid() if hasattr(os, "getuid") else 0
    runtime = environ.get("XDG_RUNTIME_DIR", "") or f"/run/user/{uid}"
    colima = environ.get("COLIMA_HOME", "") or str(home / ".colima")
    return [
        (f"{runtime}/docker.sock", "Docker (rootless)"),
        (f"{home}/.docker/run/docker.sock", "Docker Desktop"),
        (f"{home}/.docker/desktop/docker.sock", "Docker Desktop"),
        (f"{home}/.rd/docker.sock", "Rancher Desktop"),
        (f"{colima}/default/docker.sock", "Colima"),
        (f"{colima}/docker.sock", "Colima"),
        (f"{runtime}/podman/podman.sock", "Podman (rootless)"),
        ("/run/podman/podman.sock", "Podman"),
        (f"{home}/.local/share/containers/podman/machine/podman.sock", "Podman machine"),
    ]


def _without_doubles(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """The first of each place stays; /run and /var/run are one place."""
    kept: dict[object, Candidate] = {}
    for one in candidates:
        key: object = one.endpoint or (one.source, one.label)
        if isinstance(one.endpoint, UnixSocket):
            key = os.path.realpath(one.endpoint.path)
        kept.setdefault(key, one)
    return tuple(kept.values())
