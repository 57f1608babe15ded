"""What a start of the embedded engine takes: what this computer must have, the supervisor's plan, and its launch."""

from __future__ import annotations

import os
import subprocess
from typing import Any, Literal

from backend.embedded import dockerd, firewall, identity, requirements, rootless
from backend.embedded.facts import Requirement
from backend.embedded.launch import launch
from backend.embedded.paths import EmbeddedPaths
from backend.errors import EngineProgramMissing, EngineStartFailed, FirewallOwned, RootlessForbidden

Kind = Literal["dockerd", "rootless", "podman"]


def check() -> list[Requirement]:
    """What this computer must have."""
    if os.geteuid() == 0:
        return [*requirements.program_requirements(requirements.ROOT_PROGRAMS), requirements.tunnel()]
    names: tuple[str, ...] = requirements.ROOTLESS_PROGRAMS
    if requirements.missing_programs(names) and not requirements.missing_programs(requirements.PODMAN_PROGRAMS):
        names = requirements.PODMAN_PROGRAMS
    return [*requirements.program_requirements(names), *requirements.rootless_requirements()]


def plan(paths: EmbeddedPaths) -> dict[str, Any]:
    """The supervisor's plan for this user on this computer.

    Raises EngineProgramMissing, RootlessForbidden or FirewallOwned where there is none.
    """
    if os.geteuid() != 0:
        return _user_plan(paths)
    missing = requirements.missing_programs(requirements.ROOT_PROGRAMS)
    if set(missing) - {"slirp4netns"}:
        raise EngineProgramMissing(missing)
    programs = requirements.find_programs(requirements.ROOT_PROGRAMS)
    if not missing and requirements.tunnel().ok:
        return dockerd.plan(paths, programs, _facts(paths, "dockerd"))
    owner = firewall.owner(programs["iptables"])
    if owner and not _left_by_us(paths, owner):
        raise FirewallOwned(owner)
    return dockerd.host_plan(paths, programs, _facts(paths, "dockerd"))


def launched(paths: EmbeddedPaths, plan: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Writes the plan and starts the supervisor on it. Raises EngineStartFailed."""
    paths.make()
    try:
        dockerd.write_files(paths, plan)
        if plan["facts"].get("kind") == "dockerd" and plan["network"] is None:
            (paths.home / firewall.OWN_MARK).write_text(identity.boot_id(), encoding="ascii")
        return launch(paths)
    except OSError as error:
        reason = error.strerror or error
        raise EngineStartFailed(f"The engine's files cannot be written below {paths.home}: {reason}") from error


def _user_plan(paths: EmbeddedPaths) -> dict[str, Any]:
    forbidden = tuple(one.words for one in requirements.rootless_requirements() if not one.ok)
    missing = requirements.missing_programs(requirements.ROOTLESS_PROGRAMS)
    names: tuple[str, ...] = requirements.ROOTLESS_PROGRAMS
    if missing and not requirements.missing_programs(requirements.PODMAN_PROGRAMS):
        names, missing = requirements.PODMAN_PROGRAMS, ()
    if missing:
        raise EngineProgramMissing(missing)
    if forbidden:
        raise RootlessForbidden(forbidden)
    programs = requirements.find_programs(names)
    if "podman" in names:
        return rootless.podman_plan(paths, programs, _facts(paths, "podman"))
    return rootless.rootlesskit_plan(paths, programs, _facts(paths, "rootless"))


def _facts(paths: EmbeddedPaths, kind: Kind) -> dict[str, object]:
    return {"kind": kind, "socket": str(paths.socket), "boot": identity.boot_id()}


def _left_by_us(paths: EmbeddedPaths, owner: str) -> bool:
    """Whether chains without a dockerd are those that our own engine left in this boot."""
    mark = paths.home / firewall.OWN_MARK
    try:
        return owner.startswith("the chain") and mark.read_text(encoding="ascii").strip() == identity.boot_id()
    except OSError:
        return False
