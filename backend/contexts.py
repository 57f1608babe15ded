"""The docker command line's contexts, read and never written: ~/.docker/config.json and ~/.docker/contexts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.endpoint import TlsFiles

FILE_CAP = 1 << 20
COUNT_CAP = 500


@dataclass(frozen=True)
class Context:
    """One context: its name, the engine's address as written, TLS files where it has any."""

    name: str
    host: str
    description: str = ""
    tls: TlsFiles | None = None


@dataclass(frozen=True)
class Contexts:
    """All that could be read. `current`: the chosen name ("" is the default); `problems`: a sentence for each broken file."""

    current: str
    found: tuple[Context, ...]
    problems: tuple[str, ...]


def config_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Where the docker command line keeps its files."""
    given = environ.get("DOCKER_CONFIG", "")
    return Path(given) if given else home / ".docker"


def read(folder: Path, environ: Mapping[str, str]) -> Contexts:
    """Every context of `folder`, sorted by name. Nothing in there can make this fail."""
    problems: list[str] = []
    found = []
    for path in _meta_files(folder, problems):
        context = _context(path, folder, problems)
        if context is not None:
            found.append(context)
    current = environ.get("DOCKER_CONTEXT", "") or _chosen(folder / "config.json", problems)
    names = {one.name for one in found}
    if current == "default":
        current = ""
    if current and current not in names:
        problems.append(f"The docker context {current} is chosen and does not exist")
    return Contexts(current, tuple(sorted(found, key=lambda one: one.name)), tuple(problems))


def _meta_files(folder: Path, problems: list[str]) -> list[Path]:
    root = folder / "contexts" / "meta"
    try:
        return sorted(entry / "meta.json" for entry in root.iterdir() if entry.is_dir())[:COUNT_CAP]
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{root} cannot be read: {error.strerror}")
        return []


def _chosen(path: Path, problems: list[str]) -> str:
    text = _load(path, problems).get("currentContext", "")
    return text if isinstance(text, str) else ""


def _context(path: Path, folder: Path, problems: list[str]) -> Context | None:
    if not path.exists():
        problems.append(f"{path} is missing")
        return None
    before = len(problems)
    meta = _load(path, problems)
    if len(problems) > before:
        return None
    name, docker = meta.get("Name"), _mapping(_mapping(meta, "Endpoints"), "docker")
    host = docker.get("Host", "")
    if not isinstance(name, str) or not name or not isinstance(host, str):
        problems.append(f"{path} has no name or no address of an engine")
        return None
    description = _mapping(meta, "Metadata").get("Description", "")
    tls = _tls(folder, name, skip=docker.get("SkipTLSVerify") is True)
    return Context(name, host, description if isinstance(description, str) else "", tls)


def _tls(folder: Path, name: str, *, skip: bool) -> TlsFiles | None:
    """Its folder is named by the SHA-256 of the context's name (docker/cli, context/store)."""
    place = folder / "contexts" / "tls" / hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest() / "docker"
    ca, cert, key = (
        str(place / f"{part}.pem") if (place / f"{part}.pem").is_file() else "" for part in ("ca", "cert", "key")
    )
    if not (ca or cert or key or skip):
        return None
    return TlsFiles(ca, cert, key, verify=not skip)


def _load(path: Path, problems: list[str]) -> Mapping[str, Any]:
    """A JSON object from a file; an empty one, and a sentence in `problems`, when it is not that."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_CAP + 1)
        if len(raw) > FILE_CAP:
            raise ValueError("it is larger than 1 MB")
        made = json.loads(raw)
        if not isinstance(made, dict):
            raise ValueError("it is not a JSON object")
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
        return {}
    except (ValueError, RecursionError) as error:
        problems.append(f"{path} cannot be understood: {error}")
        return {}
    return made


def _mapping(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key)
    return found if isinstance(found, dict) else {}
