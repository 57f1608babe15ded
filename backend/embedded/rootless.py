"""The plans for an ordinary user: dockerd inside rootlesskit, or podman's service where that is what is installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from backend.embedded import dockerd
from backend.embedded.paths import EmbeddedPaths

# dockerd-rootless.sh does the same: links of the host's /run (copied up) would lead to another engine's files.
_INSIDE = 'rm -f /run/docker /run/containerd /run/xtables.lock; exec "$@"'


def rootlesskit_plan(paths: EmbeddedPaths, programs: Mapping[str, str], facts: Mapping[str, object]) -> dict[str, Any]:
    """Dockerd in rootlesskit's user, mount, network and process namespaces; ports through its built-in driver."""
    command = [
        programs["rootlesskit"],
        f"--state-dir={paths.runtime / 'rootlesskit'}",
        "--net=slirp4netns",
        "--mtu=65520",
        "--slirp4netns-sandbox=auto",
        "--slirp4netns-seccomp=auto",
        "--disable-host-loopback",
        "--port-driver=builtin",
        "--copy-up=/etc",
        "--copy-up=/run",
        "--propagation=rslave",
        "--pidns",
        "/bin/sh",
        "-c",
        _INSIDE,
        "sh",
        programs["dockerd"],
        *(
            word
            for word in dockerd.arguments(paths)
            if not word.startswith(("--group", "--cgroup-parent", "--exec-opt"))
        ),
    ]
    return {
        **dockerd.common(paths, facts),
        "command": command,
        "environment": _environment(paths),
        "stale": [str(paths.exec_root), str(paths.runtime / "rootlesskit"), str(paths.runtime / "docker.pid")],
    }


def podman_plan(paths: EmbeddedPaths, programs: Mapping[str, str], facts: Mapping[str, object]) -> dict[str, Any]:
    """`podman system service` with storage of its own."""
    return {
        **dockerd.common(paths, facts),
        "command": [*podman_command(paths, programs), "system", "service", "--time=0", f"unix://{paths.socket}"],
        "environment": _environment(paths),
    }


def podman_command(paths: EmbeddedPaths, programs: Mapping[str, str]) -> list[str]:
    """Podman on the embedded engine's storage."""
    return [
        programs["podman"],
        f"--root={paths.podman_root}",
        f"--runroot={paths.runtime / 'podman'}",
        f"--tmpdir={paths.runtime / 'libpod'}",
        "--cgroup-manager=cgroupfs",
        "--events-backend=file",
    ]


def _environment(paths: EmbeddedPaths) -> dict[str, str]:
    given = os.environ.get
    return {
        **dockerd.environment(),
        "XDG_RUNTIME_DIR": given("XDG_RUNTIME_DIR", str(paths.runtime)),
        "HOME": given("HOME", os.path.expanduser("~")),
    }
