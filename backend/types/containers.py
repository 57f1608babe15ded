"""Containers as the engine lists, inspects and measures them."""

from __future__ import annotations

from typing import NewType

from msgspec import Raw, Struct, field

ContainerId = NewType("ContainerId", str)
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
FOLDER_LABEL = "com.docker.compose.project.working_dir"


class Port(
    Struct, frozen=True, rename={"private": "PrivatePort", "public": "PublicPort", "ip": "IP", "protocol": "Type"}
):
    """One port of a container; `public` is None while it is only exposed."""

    private: int = 0
    public: int | None = None
    ip: str = ""
    protocol: str = "tcp"


class Mount(Struct, frozen=True, rename="pascal"):
    """One mount; `type` is bind, volume, tmpfs or npipe."""

    type: str = ""
    name: str = ""
    source: str = ""
    destination: str = ""
    driver: str = ""
    mode: str = ""
    rw: bool = field(default=True, name="RW")


class ContainerSummary(Struct, frozen=True, rename="pascal"):
    """One row of GET /containers/json. `created` is Unix seconds, sizes are bytes (only with size=1)."""

    id: ContainerId = ContainerId("")
    names: tuple[str, ...] | None = None
    image: str = ""
    image_id: str = field(default="", name="ImageID")
    command: str | None = None
    created: int = 0
    ports: tuple[Port, ...] | None = None
    labels: dict[str, str] | None = None
    state: str = "unknown"
    status: str = ""
    size_rw: int | None = None
    size_root_fs: int | None = None
    mounts: tuple[Mount, ...] | None = None

    @property
    def name(self) -> str:
        """The container's own name, without the slash and without link aliases."""
        for name in self.names or ():
            if name.count("/") == 1:
                return name.lstrip("/")
        return self.id[:12]

    @property
    def project(self) -> str:
        """The compose project, or an empty string."""
        return (self.labels or {}).get(PROJECT_LABEL, "")

    @property
    def service(self) -> str:
        """The compose service, or an empty string."""
        return (self.labels or {}).get(SERVICE_LABEL, "")


class HealthProbe(Struct, frozen=True, rename="pascal"):
    """One run of a health check."""

    start: str = ""
    end: str = ""
    exit_code: int = 0
    output: str = ""


class Health(Struct, frozen=True, rename="pascal"):
    """`status` is starting, healthy, unhealthy or none."""

    status: str = ""
    failing_streak: int = 0
    log: tuple[HealthProbe, ...] | None = None


class ContainerState(Struct, frozen=True, rename="pascal"):
    """State of an inspected container. Times are RFC 3339 with nanoseconds, `0001-01-01…` when never."""

    status: str = "unknown"
    running: bool = False
    paused: bool = False
    restarting: bool = False
    oom_killed: bool = field(default=False, name="OOMKilled")
    dead: bool = False
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None


class ContainerConfig(Struct, frozen=True, rename="pascal"):
    """What the image and the person asked for (Config of inspect); `env` is NAME=value."""

    hostname: str = ""
    user: str = ""
    tty: bool = False
    open_stdin: bool = False
    env: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    image: str = ""
    labels: dict[str, str] | None = None
    working_dir: str = ""
    exposed_ports: dict[str, dict[str, str]] | None = None
    volumes: dict[str, dict[str, str]] | None = None
    stop_signal: str = ""


class PortBinding(Struct, frozen=True, rename="pascal"):
    """Where a container port is published; `host_port` is text, as the API has it."""

    host_ip: str = ""
    host_port: str = ""


class RestartPolicy(Struct, frozen=True, rename="pascal"):
    """`name` is no, always, unless-stopped, on-failure or empty."""

    name: str = ""
    maximum_retry_count: int = 0


class LogConfig(Struct, frozen=True, rename="pascal"):
    """The log driver and its options."""

    type: str = ""
    config: dict[str, str] | None = None


class HostConfig(Struct, frozen=True, rename="pascal"):
    """What of the host a container gets. `memory` is bytes, `nano_cpus` 1e-9 CPUs; 0 means no limit."""

    binds: tuple[str, ...] | None = None
    network_mode: str = ""
    port_bindings: dict[str, tuple[PortBinding, ...] | None] | None = None
    restart_policy: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    memory: int = 0
    nano_cpus: int = 0
    privileged: bool = False
    pid_mode: str = ""
    cap_add: tuple[str, ...] | None = None
    volumes_from: tuple[str, ...] | None = None
    log_config: LogConfig = LogConfig()


class EndpointSettings(Struct, frozen=True, rename="pascal"):
    """One network that a container is in."""

    network_id: str = field(default="", name="NetworkID")
    ip_address: str = field(default="", name="IPAddress")
    gateway: str = ""
    mac_address: str = ""
    aliases: tuple[str, ...] | None = None


class NetworkSettings(Struct, frozen=True, rename="pascal"):
    """The networks by name, and the ports as published now."""

    networks: dict[str, EndpointSettings] | None = None
    ports: dict[str, tuple[PortBinding, ...] | None] | None = None


class ContainerDetails(Struct, frozen=True, rename="pascal"):
    """GET /containers/{id}/json. Sizes are bytes and only there with size=1."""

    id: ContainerId = ContainerId("")
    name: str = ""
    created: str = ""
    path: str = ""
    args: tuple[str, ...] | None = None
    image: str = ""
    state: ContainerState = ContainerState()
    config: ContainerConfig = ContainerConfig()
    host_config: HostConfig = HostConfig()
    network_settings: NetworkSettings = NetworkSettings()
    mounts: tuple[Mount, ...] | None = None
    restart_count: int = 0
    size_rw: int | None = None
    size_root_fs: int | None = None
    log_path: str = ""
    platform: str = ""


class Inspected(Struct, frozen=True):
    """An inspect answer: the typed `value` and the JSON text `raw` as the engine sent it."""

    value: ContainerDetails
    raw: bytes


class Top(Struct, frozen=True, rename="pascal"):
    """GET /containers/{id}/top: column titles and rows of text."""

    titles: tuple[str, ...] | None = None
    processes: tuple[tuple[str, ...], ...] | None = None


class Stats(Struct, frozen=True):
    """One sample of a container's use, already worked out.

    `at` is Unix seconds. `cpu` is a share of one core (1.0 = one core busy) since the sample before, None when it
    cannot be known (first sample, counters that went back). `memory` is bytes without page cache, `memory_limit`
    bytes or 0; `net_*` and `block_*` are totals in bytes since the container started; `pids` a count.
    """

    at: float
    cpu: float | None
    memory: int | None
    memory_limit: int
    net_in: int
    net_out: int
    block_read: int
    block_write: int
    pids: int
    cores: int


class Created(Struct, frozen=True, rename="pascal"):
    """The answer to a create."""

    id: ContainerId = ContainerId("")
    warnings: tuple[str, ...] | None = None


class ExecState(Struct, frozen=True, rename="pascal"):
    """GET /exec/{id}/json."""

    id: str = field(default="", name="ID")
    running: bool = False
    exit_code: int | None = None
    pid: int = 0


class WireSummary(Struct, frozen=True, rename="pascal"):
    """The least of a row, for a row whose other fields do not decode."""

    id: ContainerId = ContainerId("")
    rest: Raw = Raw()


class Change(Struct, frozen=True, rename="pascal"):
    """One path that differs from the image; `kind` is 0 changed, 1 added, 2 deleted."""

    path: str = ""
    kind: int = 0
