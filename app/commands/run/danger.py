"""What makes a container dangerous for the computer below it: one check for every way to make one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]
SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")
ROOTS = ("/", "/etc", "/boot", "/dev", "/proc", "/sys", "/root", "/var", "/var/run", "/run", "/usr", "/lib")
ENGINE_ROOTS = ("/var/lib/docker", "/var/lib/containerd", "/var/lib/containers")
CAPABILITIES = ("ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "NET_ADMIN", "DAC_READ_SEARCH", "BPF")
_SHARED = (
    ("PidMode", "It sees and can end the processes of the computer below."),
    ("NetworkMode", "It uses the network of the computer below as it is, without ports in between."),
    ("IpcMode", "It shares memory with programs of the computer below."),
    ("UsernsMode", "Its root is root of the computer below."),
    ("UTSMode", "It can change the name of the computer below."),
    ("CgroupnsMode", "It sees the control groups of the computer below."),
)


def dangers(body: Body) -> list[str]:
    """Sentences, one for each thing in a create request that reaches the host. Looks at Binds and Mounts alike."""
    host: Body = body.get("HostConfig") or {}
    found: list[str] = []
    if host.get("Privileged"):
        found.append("Privileged: it can do anything on the computer that the engine runs on.")
    found += _mounts(host)
    found += [words for key, words in _SHARED if host.get(key) == "host"]
    if str(host.get("PidMode", "")).startswith("container:"):
        found.append(f"It sees and can end the processes of {host['PidMode'].partition(':')[2]}.")
    if host.get("VolumesFrom"):
        found.append(f"It gets the mounts of {', '.join(host['VolumesFrom'])}, whatever they are.")
    if devices := [d.get("PathOnHost", "") for d in host.get("Devices") or ()]:
        found.append(f"It reaches devices of the computer below: {', '.join(devices)}.")
    if rules := host.get("DeviceCgroupRules"):
        found.append(f"It may use devices of the computer below: {', '.join(rules)}.")
    added = [str(c).upper().removeprefix("CAP_") for c in host.get("CapAdd") or ()]
    if strong := [c for c in added if c in CAPABILITIES]:
        found.append(f"Capabilities that reach the computer below: {', '.join(strong)}.")
    found += _unprotected(host)
    return found


def _mounts(host: Body) -> Iterator[str]:
    for source in _sources(host):
        # Twice: a path may begin with two slashes, which normpath keeps.
        path = posixpath.normpath(posixpath.normpath(source).replace("//", "/"))
        if path.rsplit("/", 1)[-1] in SOCKETS:
            yield f"{source}: whoever is inside can command the engine."
        elif path in ROOTS or path in ENGINE_ROOTS:
            yield f"{source}: it can change the system of the computer below{_meant(source, path)}."


def _meant(source: str, path: str) -> str:
    return "" if (source.rstrip("/") or "/") == path else f" (it is {path})"


def _sources(host: Body) -> list[str]:
    binds = [str(b).split(":", 1)[0] for b in host.get("Binds") or ()]
    mounts = [str(m.get("Source", "")) for m in host.get("Mounts") or () if m.get("Type") == "bind"]
    options = [(m.get("VolumeOptions") or {}).get("DriverConfig") or {} for m in host.get("Mounts") or ()]
    devices = [str((o.get("Options") or {}).get("device", "")) for o in options]
    return [source for source in (*binds, *mounts, *devices) if source.startswith("/")]


def _unprotected(host: Body) -> Iterator[str]:
    for option in host.get("SecurityOpt") or ():
        name = option.replace(":", "=", 1)
        if name in ("seccomp=unconfined", "apparmor=unconfined", "label=disable"):
            yield f"One of the engine's protections is off: {option}."
    if host.get("MaskedPaths") == [] or host.get("ReadonlyPaths") == []:
        yield "Files of the kernel that the engine keeps hidden can be read and changed."
