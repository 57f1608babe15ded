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

_SYSTEMS = {"debian": 0, "ubuntu": 0, "fedora": 1, "arch": 2}
"""The ID of a system in os-release(5), and which of INSTALL is for it."""

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
TUN = "/dev/net/tun"


def find_programs(names: tuple[str, ...]) -> dict[str, str]:
    """Name to absolute path, for those that are installed."""
    found = {name: shutil.which(name, path=search_path()) for name in names}
    return {name: path for name, path in found.items() if path}


def missing_programs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are not installed, in the order given."""
    found = find_programs(names)
    return tuple(name for name in names if name not in found)


def install_steps() -> tuple[tuple[str, str], ...]:
    """The command that installs all on this system, without the system's name; those of all where it is not known.

    What calls itself like Debian or Arch Linux has their packages; what is like Fedora has other ones.
    """
    said = dict(line.split("=", 1) for line in _read("/etc/os-release").splitlines() if "=" in line)
    own, like = (said.get(key, "").strip("\"'").split() for key in ("ID", "ID_LIKE"))
    for word in (*own, *(one for one in like if one != "fedora")):
        if word in _SYSTEMS:
            return (("", INSTALL[_SYSTEMS[word]][1]),)
    return INSTALL


def program_requirements(names: tuple[str, ...]) -> list[Requirement]:
    """One for each program."""
    found = find_programs(names)
    steps = () if len(found) == len(names) else install_steps()
    return [
        Requirement(name, True, f"{name} is at {found[name]}")
        if name in found
        else Requirement(name, False, f"{name} is not installed", steps, program=True)
        for name in names
    ]


def rootless_requirements() -> list[Requirement]:
    """What the kernel and the system must allow an ordinary user; each refusal names what to change."""
    return [_user_namespaces(), _ids("subuid"), _ids("subgid"), tunnel()]


def tunnel() -> Requirement:
    """The device through which slirp4netns gives a network namespace its way out."""
    if not os.path.exists(TUN):
        return Requirement(TUN, False, f"{TUN} is missing: the kernel has no tun module loaded", _step("modprobe tun"))
    if not os.access(TUN, os.R_OK | os.W_OK):
        words = f"{TUN} may not be opened by this user: its mode should be 0666"
        return Requirement(TUN, False, words, _step(f"chmod 0666 {TUN}"))
    return Requirement(TUN, True, f"{TUN} can be opened")


def _user_namespaces() -> Requirement:
    name = "user namespaces"
    for setting, words, wanted in (
        ("kernel.unprivileged_userns_clone", "should be 1", 1),
        ("user.max_user_namespaces", "should be above 0", 28633),  # docs.docker.com/engine/security/rootless
    ):
        if _read(f"/proc/sys/{setting.replace('.', '/')}") == "0":
            said = f"The kernel forbids user namespaces: {setting} is 0 ({words})"
            return Requirement(name, False, said, _setting(setting, wanted))
    if _may_unshare():
        return Requirement(name, True, "The kernel allows user namespaces")
    setting = "kernel.apparmor_restrict_unprivileged_userns"
    if _read(f"/proc/sys/{setting.replace('.', '/')}") == "1":
        said = f"The kernel forbids user namespaces: AppArmor restricts them: {setting} is 1"
        return Requirement(name, False, said, _setting(setting, 0))
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
        (("", f"sudo usermod {option} 100000-165535 {name}"),),
    )


def _step(command: str) -> tuple[tuple[str, str], ...]:
    """One that is the same on every system."""
    return (("", f"sudo {command}"),)


def _setting(name: str, value: int) -> tuple[tuple[str, str], ...]:
    """The step to a setting of the kernel that lasts beyond the next start of the computer."""
    return _step(f"sh -c 'echo {name}={value} >> /etc/sysctl.d/60-rootless.conf; sysctl --system'")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
