"""Docker contexts: the engines that a person named in docker's own configuration.

Layout of the files: docs.docker.com/engine/manage-resources/contexts.
`<config>/contexts/meta/<sha256 of name>/meta.json` holds the name and the address,
`<config>/contexts/tls/<sha256>/docker/` ca.pem, cert.pem and key.pem.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from backend import endpoint
from backend.endpoint import Endpoint, TlsFiles
from backend.errors import ContextBroken, EndpointError, TlsFilesUnusable

CAP = 1_000_000
T = TypeVar("T")


class _DockerEndpoint(msgspec.Struct, rename="pascal"):
    host: str = ""
    skip_tls_verify: bool = msgspec.field(default=False, name="SkipTLSVerify")


class _Meta(msgspec.Struct, rename="pascal"):
    name: str = ""
    endpoints: dict[str, _DockerEndpoint] = {}


class _Config(msgspec.Struct):
    current: str | None = msgspec.field(default=None, name="currentContext")


@dataclass(frozen=True, slots=True)
class Context:
    """One context: its endpoint, or the error that says why there is none."""

    name: str
    endpoint: Endpoint | None
    error: EndpointError | None = None


def config_folder(environment: Mapping[str, str]) -> Path:
    """DOCKER_CONFIG, or ~/.docker."""
    return Path(environment.get("DOCKER_CONFIG") or Path(environment.get("HOME") or Path.home()) / ".docker")


def current_name(folder: Path, environment: Mapping[str, str]) -> str:
    """DOCKER_CONTEXT, or the one chosen with `docker context use`; empty for the default one.

    A config.json that cannot be read counts as one without a choice.
    """
    if name := environment.get("DOCKER_CONTEXT"):
        return name
    try:
        return _config(folder / "config.json").current or ""
    except (ContextBroken, FileNotFoundError):
        return ""


def broken_config(folder: Path) -> EndpointError | None:
    """What is wrong with config.json, where something is; no such file is fine, and one that says nothing too."""
    try:
        _config(folder / "config.json")
    except FileNotFoundError:
        return None
    except ContextBroken as error:
        return error
    return None


def contexts(folder: Path) -> list[Context]:
    """Every context by name; one whose file is broken is listed with its error."""
    found: list[Context] = []
    try:
        folders = sorted((folder / "contexts" / "meta").iterdir())
    except OSError:
        return []
    for place in folders:
        path = place / "meta.json"
        try:
            meta = _decoded(path, _Meta)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except ContextBroken as error:
            found.append(Context(place.name[:12], None, error))
            continue
        found.append(_context(folder, path, meta))
    return sorted(found, key=lambda c: c.name)


def _config(path: Path) -> _Config:
    """What config.json says; an empty one says nothing, as for docker. Raises FileNotFoundError and ContextBroken."""
    try:
        return _decoded(path, _Config, silent=(b"", b"null"))
    except NotADirectoryError as error:
        raise ContextBroken(str(path), "lies below something that is no folder") from error


def _decoded(path: Path, kind: type[T], *, silent: tuple[bytes, ...] = ()) -> T:
    """What a file of docker's says; `silent` are the texts that say nothing.

    Raises FileNotFoundError and NotADirectoryError as they are, and ContextBroken for all else.
    """
    text = b""
    try:
        text = _read(path)
        return msgspec.json.decode(b"{}" if text.strip() in silent else text, type=kind)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContextBroken(str(path), _wrong(error, text)) from error


def _wrong(error: Exception, text: bytes) -> str:
    """What is wrong with a file, as what follows its name in a sentence."""
    match error:
        case OSError():
            return endpoint.why_unread(error)
        case UnicodeDecodeError():
            return "is not text"
        case RecursionError():
            return "is not what docker writes there: it is nested too deep"
        case msgspec.ValidationError():
            place = re.search(r"`\$\.(.+)`\Z", str(error))
            return f"is not what docker writes there{f': look at {place[1]}' if place else ''}"
    if (place := re.search(r"\(byte (\d{1,9})\)", str(error))) is None:
        return "is not what docker writes there: it ends too early"
    line = text.count(b"\n", 0, int(place[1])) + 1
    return f"is not what docker writes there: line {line} is not JSON"


def _context(folder: Path, path: Path, meta: _Meta) -> Context:
    docker = meta.endpoints.get("docker")
    if docker is None or not docker.host:
        return Context(meta.name or path.parent.name[:12], None, ContextBroken(str(path), "names no Docker engine"))
    try:
        return Context(meta.name, endpoint.parse(docker.host, tls=_tls(folder, meta.name, docker.skip_tls_verify)))
    except EndpointError as error:
        return Context(meta.name, None, error)


def _tls(folder: Path, name: str, skip: bool) -> TlsFiles | None:
    place = folder / "contexts" / "tls" / hashlib.sha256(name.encode()).hexdigest() / "docker"
    files = {key: str(place / f"{key}.pem") for key in ("ca", "cert", "key") if _is_there(place / f"{key}.pem")}
    return TlsFiles(**files, verify=not skip) if files or skip else None


def from_environment(environment: Mapping[str, str]) -> Endpoint:
    """The engine that DOCKER_HOST names, with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.

    Raises InvalidEndpoint, and TlsFilesUnusable when TLS is asked for and its files are not there.
    """
    host = environment["DOCKER_HOST"]
    folder = Path(environment.get("DOCKER_CERT_PATH") or config_folder(environment))
    if not environment.get("DOCKER_TLS_VERIFY") and not environment.get("DOCKER_CERT_PATH"):
        return endpoint.parse(host)
    files = {key: folder / f"{key}.pem" for key in ("ca", "cert", "key")}
    missing = [str(path) for path in files.values() if not _is_there(path)]
    if missing and host.startswith(("tcp://", "https://")):
        asks = "DOCKER_TLS_VERIFY" if environment.get("DOCKER_TLS_VERIFY") else "DOCKER_CERT_PATH"
        raise TlsFilesUnusable(missing[0], f"is missing, and {asks} asks for TLS")
    tls = TlsFiles(str(files["ca"]), str(files["cert"]), str(files["key"]), bool(environment.get("DOCKER_TLS_VERIFY")))
    return endpoint.parse(host, tls=tls)


def _is_there(path: Path) -> bool:
    """Whether a file is there, or something that keeps us from seeing it: who reads it says what."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(CAP + 1)
    if len(text) > CAP:
        raise OSError("it is larger than a configuration is")
    return text


def environment_here() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ
