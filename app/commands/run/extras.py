"""The docker run flags that have no field of their own: what each takes and where it goes in the API's request."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from app.commands.run.values import BadValue, address, duration, port_range, size, whole

Body = dict[str, Any]
Apply = Callable[[Body, str], None]
Takes = Literal["nothing", "one", "many"]


@dataclass(frozen=True, slots=True)
class ExtraFlag:
    """`takes` nothing (a switch), one value or many; `apply` puts a value into the body or raises BadValue."""

    flag: str
    takes: Takes
    apply: Apply
    short: str = ""


def host(body: Body) -> Body:
    """The HostConfig of a body."""
    part: Body = body.setdefault("HostConfig", {})
    return part


def endpoint(body: Body) -> Body:
    """The settings of the one network that the container starts in."""
    name = host(body).get("NetworkMode") or "default"
    part: Body = body.setdefault("NetworkingConfig", {}).setdefault("EndpointsConfig", {}).setdefault(name, {})
    return part


def _text(key: str, *, of: Callable[[Body], Body] = host) -> Apply:
    def apply(body: Body, value: str) -> None:
        if not value.strip():
            raise BadValue("It needs a value")
        of(body)[key] = value

    return apply


def _texts(key: str, *, check: Callable[[str], str] = str) -> Apply:
    def apply(body: Body, value: str) -> None:
        if not value.strip():
            raise BadValue("It needs a value")
        host(body).setdefault(key, []).append(check(value))

    return apply


def _number(key: str, parse: Callable[[str], int], *, of: Callable[[Body], Body] = host) -> Apply:
    def apply(body: Body, value: str) -> None:
        of(body)[key] = parse(value)

    return apply


def _map(key: str) -> Apply:
    def apply(body: Body, value: str) -> None:
        name, equals, rest = value.partition("=")
        if not name or not equals:
            raise BadValue("Use name=value")
        host(body).setdefault(key, {})[name] = rest

    return apply


def _switch(key: str) -> Apply:
    def apply(body: Body, value: str) -> None:
        if value.strip():
            raise BadValue("It is on or left out, and takes no value")
        host(body)[key] = True

    return apply


def _top(body: Body) -> Body:
    return body


def _add_host(text: str) -> str:
    name, sign, where = text.partition("=") if "=" in text else text.partition(":")
    if not name or not sign or not where:
        raise BadValue("Use host:address")
    where = where.removeprefix("[").removesuffix("]")
    return f"{name}:{where if where == 'host-gateway' else address(where)}"


def _expose(body: Body, value: str) -> None:
    ports, _, protocol = value.partition("/")
    low, high = port_range(ports, "")
    for port in range(low, high + 1):
        body.setdefault("ExposedPorts", {})[f"{port}/{protocol or 'tcp'}"] = {}


def _device(body: Body, value: str) -> None:
    parts = value.split(":")
    if not parts[0] or len(parts) > 3:
        raise BadValue("Use /dev/name, /dev/name:/dev/inside or with :rwm")
    permissions, inside = "rwm", parts[0]
    if len(parts) == 3:
        inside, permissions = parts[1], parts[2]
    elif len(parts) == 2 and re.fullmatch("[rwm]{1,3}", parts[1]):
        permissions = parts[1]
    elif len(parts) == 2:
        inside = parts[1]
    if not re.fullmatch("[rwm]{1,3}", permissions):
        raise BadValue("Permissions are letters of rwm")
    device = {"PathOnHost": parts[0], "PathInContainer": inside, "CgroupPermissions": permissions}
    host(body).setdefault("Devices", []).append(device)


def _gpus(body: Body, value: str) -> None:
    # docker/cli opts/gpus.go: CSV of count, device, driver, capabilities, options; `all` is -1.
    request: Body = {"Driver": "", "Count": 0, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}}
    for piece in next(csv.reader(io.StringIO(value)), []):
        key, equals, rest = piece.partition("=")
        if not equals:
            key, rest = "count", piece
        if key == "count":
            request["Count"] = -1 if rest == "all" else whole(rest, 1, 1000)
        elif key == "device":
            request["DeviceIDs"] = rest.split(",")
        elif key == "driver":
            request["Driver"] = rest
        elif key == "capabilities":
            request["Capabilities"] = [[*dict.fromkeys([*rest.split(","), "gpu"])]]
        else:
            raise BadValue("Use all, a number or device=…")
    if not request["Count"] and request["DeviceIDs"] is None:
        request["Count"] = 1
    host(body).setdefault("DeviceRequests", []).append(request)


def _ulimit(body: Body, value: str) -> None:
    match = re.fullmatch(r"([a-z]+)=(-?\d+)(?::(-?\d+))?", value)
    if match is None:
        raise BadValue("Use name=soft:hard, such as nofile=1024:2048")
    soft = whole(match[2], -1)
    hard = whole(match[3], -1) if match[3] else soft
    host(body).setdefault("Ulimits", []).append({"Name": match[1], "Soft": soft, "Hard": hard})


def _security(body: Body, value: str) -> None:
    # docker/cli cli/command/container/opts.go parseSystemPaths.
    if value == "systempaths=unconfined":
        host(body)["MaskedPaths"], host(body)["ReadonlyPaths"] = [], []
        return
    name, _, rest = value.partition("=")
    if name == "seccomp" and rest not in ("unconfined", "builtin"):
        raise BadValue("A seccomp profile is a file; only unconfined and builtin can be set here")
    if not value:
        raise BadValue("It needs a value")
    host(body).setdefault("SecurityOpt", []).append(value)


def _log_driver(body: Body, value: str) -> None:
    if not value:
        raise BadValue("It needs a value")
    host(body).setdefault("LogConfig", {"Config": {}})["Type"] = value


def _log_option(body: Body, value: str) -> None:
    name, equals, rest = value.partition("=")
    if not name or not equals:
        raise BadValue("Use name=value")
    host(body).setdefault("LogConfig", {"Type": "", "Config": {}})["Config"][name] = rest


def _rate(key: str, parse: Callable[[str], int], name: str = "Rate") -> Apply:
    def apply(body: Body, value: str) -> None:
        path, colon, rest = value.rpartition(":")
        if not colon or not path.startswith("/dev/"):
            raise BadValue("Use /dev/name:amount")
        host(body).setdefault(key, []).append({"Path": path, name: parse(rest)})

    return apply


def _ipam(key: str) -> Apply:
    def apply(body: Body, value: str) -> None:
        settings = endpoint(body).setdefault("IPAMConfig", {})
        if key == "LinkLocalIPs":
            settings.setdefault(key, []).append(address(value))
        else:
            settings[key] = address(value)

    return apply


def _start_interval(body: Body, value: str) -> None:
    body.setdefault("Healthcheck", {})["StartInterval"] = duration(value)


def _swap(text: str) -> int:
    return -1 if text.strip() == "-1" else size(text)


def _below(most: int, least: int = 0) -> Callable[[str], int]:
    return lambda text: whole(text, least, most)


_FLAGS = (
    ExtraFlag("--domainname", "one", _text("Domainname", of=_top)),
    ExtraFlag("--mac-address", "one", _text("MacAddress", of=_top)),
    ExtraFlag("--stop-signal", "one", _text("StopSignal", of=_top)),
    ExtraFlag("--stop-timeout", "one", _number("StopTimeout", _below(2**31 - 1, -1), of=_top)),
    ExtraFlag("--expose", "many", _expose),
    ExtraFlag("--ip", "one", _ipam("IPv4Address")),
    ExtraFlag("--ip6", "one", _ipam("IPv6Address")),
    ExtraFlag("--link-local-ip", "many", _ipam("LinkLocalIPs")),
    ExtraFlag("--dns", "many", _texts("Dns", check=address)),
    ExtraFlag("--dns-search", "many", _texts("DnsSearch")),
    ExtraFlag("--dns-option", "many", _texts("DnsOptions")),
    ExtraFlag("--add-host", "many", _texts("ExtraHosts", check=_add_host)),
    ExtraFlag("--link", "many", _texts("Links")),
    ExtraFlag("--volumes-from", "many", _texts("VolumesFrom")),
    ExtraFlag("--volume-driver", "one", _text("VolumeDriver")),
    ExtraFlag("--device", "many", _device),
    ExtraFlag("--device-cgroup-rule", "many", _texts("DeviceCgroupRules")),
    ExtraFlag("--gpus", "many", _gpus),
    ExtraFlag("--pid", "one", _text("PidMode")),
    ExtraFlag("--ipc", "one", _text("IpcMode")),
    ExtraFlag("--uts", "one", _text("UTSMode")),
    ExtraFlag("--userns", "one", _text("UsernsMode")),
    ExtraFlag("--cgroupns", "one", _text("CgroupnsMode")),
    ExtraFlag("--cgroup-parent", "one", _text("CgroupParent")),
    ExtraFlag("--runtime", "one", _text("Runtime")),
    ExtraFlag("--isolation", "one", _text("Isolation")),
    ExtraFlag("--security-opt", "many", _security),
    ExtraFlag("--group-add", "many", _texts("GroupAdd")),
    ExtraFlag("--sysctl", "many", _map("Sysctls")),
    ExtraFlag("--storage-opt", "many", _map("StorageOpt")),
    ExtraFlag("--annotation", "many", _map("Annotations")),
    ExtraFlag("--ulimit", "many", _ulimit),
    ExtraFlag("--log-driver", "one", _log_driver),
    ExtraFlag("--log-opt", "many", _log_option),
    ExtraFlag("--shm-size", "one", _number("ShmSize", size)),
    ExtraFlag("--memory-reservation", "one", _number("MemoryReservation", size)),
    ExtraFlag("--memory-swap", "one", _number("MemorySwap", _swap)),
    ExtraFlag("--memory-swappiness", "one", _number("MemorySwappiness", _below(100, -1))),
    ExtraFlag("--kernel-memory", "one", _number("KernelMemory", size)),
    ExtraFlag("--cpu-shares", "one", _number("CpuShares", whole), short="-c"),
    ExtraFlag("--cpu-period", "one", _number("CpuPeriod", whole)),
    ExtraFlag("--cpu-quota", "one", _number("CpuQuota", _below(2**63 - 1, -1))),
    ExtraFlag("--cpu-rt-period", "one", _number("CpuRealtimePeriod", whole)),
    ExtraFlag("--cpu-rt-runtime", "one", _number("CpuRealtimeRuntime", whole)),
    ExtraFlag("--cpuset-cpus", "one", _text("CpusetCpus")),
    ExtraFlag("--cpuset-mems", "one", _text("CpusetMems")),
    ExtraFlag("--blkio-weight", "one", _number("BlkioWeight", _below(1000))),
    ExtraFlag("--blkio-weight-device", "many", _rate("BlkioWeightDevice", _below(1000), "Weight")),
    ExtraFlag("--device-read-bps", "many", _rate("BlkioDeviceReadBps", size)),
    ExtraFlag("--device-write-bps", "many", _rate("BlkioDeviceWriteBps", size)),
    ExtraFlag("--device-read-iops", "many", _rate("BlkioDeviceReadIOps", whole)),
    ExtraFlag("--device-write-iops", "many", _rate("BlkioDeviceWriteIOps", whole)),
    ExtraFlag("--oom-kill-disable", "nothing", _switch("OomKillDisable")),
    ExtraFlag("--oom-score-adj", "one", _number("OomScoreAdj", _below(1000, -1000))),
    ExtraFlag("--health-start-interval", "one", _start_interval),
)
EXTRAS = {f.flag: f for f in _FLAGS}
