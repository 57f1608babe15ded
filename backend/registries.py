"""Logins to registries: read from the docker configuration or asked of its credential helpers, never kept or logged."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from backend.errors import InvalidReference
from backend.references import DEFAULT_DOMAIN, parse_reference

HUB_KEY = "https://index.docker.io/v1/"
HELPER_DEADLINE = 10.0
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_CONFIG_CAP = 4 * 1024 * 1024


class _Login(msgspec.Struct):
    auth: str = ""
    identitytoken: str = ""
    registrytoken: str = ""


class _Config(msgspec.Struct):
    auths: dict[str, _Login] | None = None
    creds_store: str = msgspec.field(default="", name="credsStore")
    cred_helpers: dict[str, str] | None = msgspec.field(default=None, name="credHelpers")


class _Answer(msgspec.Struct, rename="pascal"):
    username: str = ""
    secret: str = ""


def config_file() -> Path:
    """The docker configuration: $DOCKER_CONFIG/config.json, else ~/.docker/config.json."""
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


async def authorization(ref: str, *, config: Path | None = None, deadline: float = HELPER_DEADLINE) -> str:
    """X-Registry-Auth for the registry of `ref`: base64url of JSON, empty when nobody is logged in there.

    A broken configuration or helper counts as not logged in; the registry then says what it wants. Raises
    InvalidReference.
    """
    domain = parse_reference(ref).domain
    login = await _login(await asyncio.to_thread(_read, config or config_file()), domain, deadline)
    return encode(login) if login else ""


async def authorizations(refs: Iterable[str], *, config: Path | None = None, deadline: float = HELPER_DEADLINE) -> str:
    """X-Registry-Config for the registries of `refs`: base64url of a JSON object by registry, empty without logins.

    The docker program sends every login that it has; the engine needs those of the images that it will pull. What is no
    reference is passed over: the engine says so.
    """
    domains: dict[str, None] = {}
    for ref in refs:
        with suppress(InvalidReference):
            domains[parse_reference(ref).domain] = None
    if not domains:
        return ""
    found = await asyncio.to_thread(_read, config or config_file())
    logins = {_key(domain): await _login(found, domain, deadline) for domain in domains}
    return encode({key: login for key, login in logins.items() if login})


def _key(domain: str) -> str:
    return HUB_KEY if domain == DEFAULT_DOMAIN else domain


async def _login(found: _Config, domain: str, deadline: float) -> dict[str, str]:
    """Fields of an AuthConfig, none when nobody is logged in."""
    key = _key(domain)
    helper = (found.cred_helpers or {}).get(domain) or (found.cred_helpers or {}).get(key) or found.creds_store
    if helper:
        with suppress(OSError, TimeoutError, msgspec.DecodeError):
            if login := await _ask(helper, key, deadline):
                return login
    for name, login_ in (found.auths or {}).items():
        if _same(name, key) and (fields := _fields(login_, key)):
            return fields
    return {}


def _read(path: Path) -> _Config:
    try:
        if path.stat().st_size > _CONFIG_CAP:
            return _Config()
        return msgspec.json.decode(path.read_bytes(), type=_Config)
    except (OSError, msgspec.DecodeError, RecursionError):
        return _Config()


def _same(name: str, key: str) -> bool:
    """Old configurations write a registry as an URL."""

    def bare(text: str) -> str:
        return text.removeprefix("https://").removeprefix("http://").partition("/")[0]

    return name == key or bare(name) == bare(key)


def _fields(login: _Login, key: str) -> dict[str, str]:
    if login.identitytoken or login.registrytoken:
        return {"identitytoken": login.identitytoken, "registrytoken": login.registrytoken, "serveraddress": key}
    try:
        user, colon, password = base64.b64decode(login.auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"username": user, "password": password.rstrip("\0"), "serveraddress": key} if colon else {}


def encode(fields: Mapping[str, object]) -> str:
    """An AuthConfig, or several by their registry, as a header's text; empty fields are left out, and so is nothing."""
    kept = {k: _kept(v) for k, v in fields.items() if v}
    return base64.urlsafe_b64encode(msgspec.json.encode(kept)).decode() if kept else ""


def _kept(value: object) -> object:
    return {k: v for k, v in value.items() if v} if isinstance(value, dict) else value


def _program(helper: str) -> str:
    """The helper's absolute path, or an empty string."""
    found = shutil.which(f"docker-credential-{helper}") if _HELPER.match(helper) else None
    return os.path.abspath(found) if found else ""


async def _ask(helper: str, key: str, deadline: float) -> dict[str, str]:
    """Asks docker-credential-<helper> (github.com/docker/docker-credential-helpers); empty when it knows nothing."""
    program = _program(helper)
    if not program:
        return {}
    process = await asyncio.create_subprocess_exec(
        program,
        "get",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(deadline):
            out, _ = await process.communicate(key.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        return {}
    answer = msgspec.json.decode(out, type=_Answer)
    if answer.username == "<token>":
        return {"identitytoken": answer.secret, "serveraddress": key}
    return {"username": answer.username, "password": answer.secret, "serveraddress": key}
