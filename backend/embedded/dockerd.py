"""The plan of a dockerd as root: its command line, its network namespace and the files that both need."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backend import portproxy
from backend.embedded.paths import EmbeddedPaths

LOG_BYTES = 2_000_000
BRIDGE = "10.213.0.1/24"
POOL = "base=10.213.128.0/17,size=24"
"""Bridge and pool of our own: nothing else hands these addresses out, and Docker's 172.17.0.0/16 is left to Docker."""
SLIRP_CIDR = "10.213.127.0/24"
RESOLVER = "10.213.127.3"
"""slirp4netns answers DNS at the third address of its network."""
KEPT_OUT = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "NOTIFY_SOCKET")
"""What would lead the engine to another one."""


def plan(paths: EmbeddedPaths, programs: Mapping[str, str], facts: Mapping[str, object]) -> dict[str, Any]:
    """The supervisor's plan for dockerd in a network namespace of its own. `programs`: name to absolute path."""
    return {
        **common(paths, facts),
        "command": [
            programs["dockerd"],
            *arguments(paths),
            f"--userland-proxy-path={paths.port_proxy}",
            f"--dns={RESOLVER}",
        ],
        "environment": environment(),
        "cgroup": cgroup(paths),
        "stale": [str(paths.exec_root), str(paths.runtime / "docker.pid")],
        "network": {
            "host_net": str(paths.host_net),
            "resolv": str(paths.resolv),
            "binds": [[str(paths.runtime / "containerd"), "/run/containerd"]],
            "slirp": [
                programs["slirp4netns"],
                "--configure",
                "--mtu=65520",
                "--disable-host-loopback",
                f"--cidr={SLIRP_CIDR}",
                "--netns-type=path",
            ],
        },
    }


def host_plan(paths: EmbeddedPaths, programs: Mapping[str, str], facts: Mapping[str, object]) -> dict[str, Any]:
    """The plan for dockerd in the host's own network, where no other engine owns the firewall and slirp is missing."""
    return {
        **common(paths, facts),
        "command": [programs["dockerd"], *arguments(paths)],
        "environment": environment(),
        "cgroup": cgroup(paths),
    }


def common(paths: EmbeddedPaths, facts: Mapping[str, object]) -> dict[str, Any]:
    """What every plan holds."""
    return {
        "lock": str(paths.lock),
        "state": str(paths.state),
        "log": str(paths.log),
        "log_bytes": LOG_BYTES,
        "without": list(KEPT_OUT),
        "cgroup": "",
        "stale": [],
        "facts": dict(facts),
        "network": None,
    }


def arguments(paths: EmbeddedPaths) -> list[str]:
    """Dockerd's options, whoever runs it."""
    return [
        f"--config-file={paths.config}",
        f"--data-root={paths.data_root}",
        f"--exec-root={paths.exec_root}",
        f"--pidfile={paths.runtime / 'docker.pid'}",
        f"--host=unix://{paths.socket}",
        f"--bip={BRIDGE}",
        f"--default-address-pool={POOL}",
        f"--cgroup-parent=/{cgroup(paths)}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--group=root",
    ]


def cgroup(paths: EmbeddedPaths) -> str:
    """The control group above this engine's containers."""
    return "pilothouse-" + hashlib.sha256(os.fsencode(paths.home)).hexdigest()[:10]


def environment() -> dict[str, str]:
    """What the engine's environment has in place of ours; sbin is added, where iptables and runc are.

    The rest it inherits: a plan is a file, and variables may hold credentials.
    """
    return {"PATH": search_path()}


def search_path() -> str:
    """The person's PATH and the system's own program folders, which an ordinary user's PATH may lack."""
    parts = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(
        dict.fromkeys([*filter(None, parts), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"])
    )


def write_files(paths: EmbeddedPaths, made: Mapping[str, Any]) -> None:
    """The files that the plan names; OSError where the disk does not take them."""
    (paths.runtime / "containerd").mkdir(mode=0o700, exist_ok=True)
    _write(paths.config, "{}\n", 0o600)
    _write(paths.resolv, f"nameserver {RESOLVER}\n", 0o644)
    command = shlex.join([sys.executable, "-I", "-S", str(Path(portproxy.__file__).absolute()), str(paths.host_net)])
    _write(paths.port_proxy, f'#!/bin/sh\nexec {command} "$@"\n', 0o700)
    _write(paths.plan, json.dumps(made), 0o600)


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
