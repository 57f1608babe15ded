"""What makes a container dangerous for the computer below it: one check for every way to make one."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]
SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")
ROOTS = ("/", "/etc", "/boot", "/dev", "/proc", "/sys", "/root", "/var", "/var/run", "/run", "/usr", "/lib")
CAPABILITIES = ("ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "NET_ADMIN", "DAC_READ_SEARCH", "BPF")


def dangers(body: Body) -> list[str]:
    """Sentences, one for each thing in a create request that reaches the host. Looks at Binds and Mounts alike."""
    host: Body = body.get("HostConfig") or {}
    found: list[str] = []
    if host.get("Privileged"):
        found.append("Privileged: it can do anything on the computer that the engine runs on.")
    for source in _sources(host):
        if source.rsplit("/", 1)[-1] in SOCKETS:
            found.append(f"{source}: whoever is inside can command the engine.")
        elif (source.rstrip("/") or "/") in ROOTS:
            found.append(f"{source}: it can change the system of the computer below.")
    for key, words in (
        ("PidMode", "It sees and can end the processes of the computer below."),
        ("NetworkMode", "It uses the network of the computer below as it is, without ports in between."),
        ("IpcMode", "It shares memory with programs of the computer below."),
        ("UsernsMode", "Its root is root of the computer below."),
    ):
        if host.get(key) == "host":
            found.append(words)
    if host.get("VolumesFrom"):
        found.append(f"It gets the mounts of {', '.join(host['VolumesFrom'])}, whatever they are.")
    if devices := [d.get("PathOnHost", "") for d in host.get("Devices") or ()]:
        found.append(f"It reaches devices of the computer below: {', '.join(devices)}.")
    added = [str(c).upper().removeprefix("CAP_") for c in host.get("CapAdd") or ()]
    if strong := [c for c in added if c in CAPABILITIES]:
        found.append(f"Capabilities that reach the computer below: {', '.join(strong)}.")
    return found


def _sources(host: Body) -> list[str]:
    binds = [str(b).split(":", 1)[0] for b in host.get("Binds") or ()]
    mounts = [str(m.get("Source", "")) for m in host.get("Mounts") or () if m.get("Type") == "bind"]
    return [source for source in (*binds, *mounts) if source.startswith("/")]
