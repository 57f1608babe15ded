"""What the embedded engine needs of this computer, each with a word on what is missing and how to get it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from backend.embedded.dockerd import search_path
from backend.embedded.facts import Requirement

INSTALL = (
    (
        "Debian, Ubuntu",
        "sudo apt-get install docker.io iptables slirp4netns iproute2 rootlesskit uidmap fuse-overlayfs",
    ),
    (
        "Fedora",
        "sudo dnf install moby-engine iptables-nft slirp4netns iproute rootlesskit shadow-utils fuse-overlayfs",
    ),
    ("Arch Linux", "sudo pacman -S docker iptables-nft slirp4netns iproute2 rootlesskit shadow fuse-overlayfs"),
)
"""System, and the one command that installs everything.

`ip` is what rootlesskit calls; without fuse-overlayfs a kernel that has no overlay for users copies every layer.
"""

ROOT_PROGRAMS = ("dockerd", "containerd", "runc", "iptables", "slirp4netns")
ROOTLESS_PROGRAMS = (
    "dockerd",
    "containerd",
    "runc",
    "iptables",
    "slirp4netns",
    "rootlesskit",
    "newuidmap",
    "newgidmap",
)
PODMAN_PROGRAMS = ("podman", "newuidmap", "newgidmap", "slirp4netns")


def find_programs(names: tuple[str, ...]) -> dict[str, str]:
    """Name to absolute path, for those that are installed."""
    found = {name: shutil.which(name, path=search_path()) for name in names}
    return {name: path for name, path in found.items() if path}


def missing_programs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are not installed, in the order given."""
    found = find_programs(names)
    return tuple(name for name in names if name not in found)


def program_requirements(names: tuple[str, ...]) -> list[Requirement]:
    """One for each program."""
    found = find_programs(names)
    return [
        Requirement(name, True, f"{name} is at {found[name]}")
        if name in found
        else Requirement(name, False, f"{name} is not installed", INSTALL)
        for name in names
    ]


def rootless_requirements() -> list[Requirement]:
    """What the kernel and the system must allow an ordinary user; each refusal names what to change."""
    return [_user_namespaces(), _ids("subuid"), _ids("subgid"), tunnel()]


def tunnel() -> Requirement:
    """/dev/net/tun, through which slirp4netns gives a network namespace its way out."""
    path = "/dev/net/tun"
    if not os.path.exists(path):
        return Requirement(path, False, f"{path} is missing: the kernel has no tun module loaded (modprobe tun)")
    if not os.access(path, os.R_OK | os.W_OK):
        return Requirement(path, False, f"{path} may not be opened by this user: its mode should be 0666")
    return Requirement(path, True, f"{path} can be opened")


def _user_namespaces() -> Requirement:
    name = "user namespaces"
    for path, forbidding, words in (
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0 (should be 1)"),
        ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces is 0 (should be above 0)"),
    ):
        if _read(path) == forbidding:
            return Requirement(name, False, f"The kernel forbids user namespaces: {words}")
    if _may_unshare():
        return Requirement(name, True, "The kernel allows user namespaces")
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        words = "AppArmor restricts them: kernel.apparmor_restrict_unprivileged_userns is 1"
        return Requirement(name, False, f"The kernel forbids user namespaces: {words}")
    return Requirement(name, False, "The kernel forbids user namespaces to this user (unshare was refused)")


def _may_unshare() -> bool:
    program = shutil.which("unshare", path=search_path())
    if program is None:
        return True
    true = shutil.which("true", path=search_path()) or "/bin/true"
    done = subprocess.run(
        [program, "--user", "--map-root-user", "--mount", true], capture_output=True, check=False, timeout=10
    )
    return done.returncode == 0


def _ids(kind: str) -> Requirement:
    """65,536 ids below the user's own, in /etc/subuid or /etc/subgid (subuid(5): name:first:count)."""
    path = f"/etc/{kind}"
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    for line in _read(path).splitlines():
        parts = line.split(":")
        if len(parts) == 3 and parts[0] in (name, str(os.getuid())) and parts[2].isdigit() and int(parts[2]) >= 65536:
            return Requirement(path, True, f"{path} gives {name} ids of its own")
    option = "--add-subuids" if kind == "subuid" else "--add-subgids"
    return Requirement(
        path,
        False,
        f"{path} gives {name} no range of 65,536 ids",
        (("All", f"sudo usermod {option} 100000-165535 {name}"),),
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
