"""What the fake engine holds: containers, images, volumes, networks, as the API writes them."""

from __future__ import annotations

import hashlib
import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_numbers = itertools.count(1)


def new_id() -> str:
    """64 hexadecimal digits, another each time, the same in every run."""
    return hashlib.sha256(str(next(_numbers)).encode()).hexdigest()


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


@dataclass
class LogLine:
    """`stream` is 1 or 2; `text` has its own newline."""

    at: float
    stream: int
    text: bytes


@dataclass
class FakeContainer:
    name: str
    image: str
    image_id: str
    state: str = "running"
    id: str = field(default_factory=new_id)
    labels: dict[str, str] = field(default_factory=dict)
    ports: list[dict[str, Any]] = field(default_factory=list)
    env: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=lambda: ["sleep", "1d"])
    created: int = field(default_factory=lambda: int(time.time()))
    exit_code: int = 0
    tty: bool = False
    health: str = ""
    mounts: list[dict[str, Any]] = field(default_factory=list)
    host: dict[str, Any] = field(default_factory=dict)
    size_rw: int = 4096
    auto_remove: bool = False
    logs: list[LogLine] = field(default_factory=list)
    samples: int = 0
    override: dict[str, Any] = field(default_factory=dict)
    """Fields of the list row to replace, e.g. with something of the wrong type."""

    @property
    def running(self) -> bool:
        return self.state in ("running", "paused", "restarting")

    @property
    def status(self) -> str:
        health = f" ({self.health})" if self.health else ""
        words = {"running": f"Up 2 minutes{health}", "paused": "Up 2 minutes (Paused)", "created": "Created"}
        return words.get(self.state, f"Exited ({self.exit_code}) 5 minutes ago")

    def row(self) -> dict[str, Any]:
        row = {
            "Id": self.id, "Names": [f"/{self.name}"], "Image": self.image, "ImageID": self.image_id,
            "Command": " ".join(self.command), "Created": self.created, "Labels": self.labels, "State": self.state,
            "Ports": self.ports if self.running else [], "Status": self.status, "Mounts": self.mounts,
            "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {}},
        }  # fmt: skip
        return {**row, **self.override}

    def details(self) -> dict[str, Any]:
        bindings: dict[str, list[dict[str, str]]] = {}
        for port in self.ports:
            found = bindings.setdefault(f"{port['PrivatePort']}/{port.get('Type', 'tcp')}", [])
            if port.get("PublicPort"):
                found.append({"HostIp": port.get("IP", ""), "HostPort": str(port["PublicPort"])})
        state = {
            "Status": self.state, "Running": self.running, "Paused": self.state == "paused", "ExitCode": self.exit_code,
            "Pid": 4242 if self.running else 0, "StartedAt": stamp(self.created), "FinishedAt": "0001-01-01T00:00:00Z",
        }  # fmt: skip
        if self.health:
            state["Health"] = {"Status": self.health, "FailingStreak": 0, "Log": []}
        return {
            "Id": self.id, "Name": f"/{self.name}", "Created": stamp(self.created), "Image": self.image_id,
            "Path": self.command[0] if self.command else "", "Args": self.command[1:], "State": state,
            "Config": {
                "Image": self.image, "Env": self.env, "Cmd": self.command, "Labels": self.labels, "Tty": self.tty,
                "Hostname": self.id[:12], "WorkingDir": "/", "ExposedPorts": {k: {} for k in bindings},
            },
            "HostConfig": {
                "NetworkMode": "bridge", "PortBindings": bindings, "RestartPolicy": {"Name": "no"},
                "LogConfig": {"Type": "json-file", "Config": {}}, "AutoRemove": self.auto_remove, **self.host,
            },
            "NetworkSettings": {
                "Networks": {"bridge": {"IPAddress": "172.17.0.2", "NetworkID": "n"}}, "Ports": bindings,
            },
            "Mounts": self.mounts, "RestartCount": 0, "SizeRw": self.size_rw, "SizeRootFs": self.size_rw + 1_000_000,
        }  # fmt: skip

    def sample(self, once: bool) -> dict[str, Any]:
        """One sample of stats: half a core, 20 MB without 5 MB of cache, one more kB each time."""
        self.samples += 1
        n = self.samples
        if not self.running:
            return {
                "read": "0001-01-01T00:00:00Z",
                "preread": "0001-01-01T00:00:00Z",
                "cpu_stats": {},
                "memory_stats": {},
            }

        def cpu(i: int) -> dict[str, Any]:
            return {
                "cpu_usage": {"total_usage": i * 500_000_000},
                "system_cpu_usage": i * 2_000_000_000,
                "online_cpus": 2,
            }

        now = time.time()
        return {
            "read": stamp(now), "preread": stamp(now - 1) if n > 1 and not once else "0001-01-01T00:00:00Z",
            "cpu_stats": cpu(n), "precpu_stats": cpu(n - 1) if n > 1 and not once else {},
            "memory_stats": {"usage": 25_000_000, "limit": 1_000_000_000, "stats": {"inactive_file": 5_000_000}},
            "networks": {"eth0": {"rx_bytes": n * 1000, "tx_bytes": n * 500}}, "pids_stats": {"current": 3},
            "blkio_stats": {
                "io_service_bytes_recursive": [{"op": "Read", "value": 4096}, {"op": "Write", "value": 8192}]
            },
        }  # fmt: skip


@dataclass
class FakeImage:
    tags: list[str]
    id: str = field(default_factory=lambda: "sha256:" + new_id())
    size: int = 212_000_000
    created: int = field(default_factory=lambda: int(time.time()) - 86400)
    labels: dict[str, str] = field(default_factory=dict)
    exposed: list[str] = field(default_factory=list)
    env: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=lambda: ["sh"])
    layers: list[dict[str, Any]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return {
            "Id": self.id, "ParentId": "", "RepoTags": self.tags or None, "RepoDigests": None, "Created": self.created,
            "Size": self.size, "VirtualSize": self.size, "SharedSize": -1, "Containers": -1, "Labels": self.labels,
        }  # fmt: skip

    def details(self) -> dict[str, Any]:
        diffs = [f"{self.id}-{at}" for at, row in enumerate(self.history()) if row["Size"]]
        return {
            "Id": self.id, "RepoTags": self.tags, "RepoDigests": [], "Created": stamp(self.created), "Size": self.size,
            "Architecture": "amd64", "Os": "linux",
            "Config": {"Env": self.env, "Cmd": self.command, "ExposedPorts": {p: {} for p in self.exposed}},
            "RootFS": {"Type": "layers", "Layers": diffs},
        }  # fmt: skip

    def history(self) -> list[dict[str, Any]]:
        base = {
            "Id": self.id,
            "Created": self.created,
            "CreatedBy": "/bin/sh -c #(nop) CMD",
            "Tags": self.tags,
            "Size": 0,
            "Comment": "",
        }
        below = {
            **base,
            "Id": "<missing>",
            "CreatedBy": "/bin/sh -c #(nop) ADD file:1 in /",
            "Tags": None,
            "Size": self.size,
        }
        return self.layers or [base, below]
