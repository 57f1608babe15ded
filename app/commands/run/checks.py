"""Says what keeps a form from running, and at which of its fields the engine's refusal belongs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from app.commands.containers import name_problem
from app.commands.run.body import build
from app.commands.run.form import PortRow, Problem, RunForm
from app.commands.run.values import BadValue, port_range
from backend.errors import ApiError, BackendError, InvalidReference, NameInUse, NotFound, PortInUse, PullFailed
from backend.references import check_image
from vm.errors import PathNotShared

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - addresses to compare with
# The flags among the extras of which moby and runc say this.
_FLAG_WORDS = (
    (r"adding custom device", "--device"),
    (r"runtime specified|runtime name", "--runtime"),
    (r"logging plugin|log driver|logger", "--log-driver"),
    (r"log opt", "--log-opt"),
    (r"sysctl", "--sysctl"),
    (r"memory reservation", "--memory-reservation"),
    (r"memoryswap|swap limit", "--memory-swap"),
    (r"cpu cfs period", "--cpu-period"),
    (r"cpu cfs quota", "--cpu-quota"),
    (r"requested cpus", "--cpuset-cpus"),
    (r"requested memory nodes", "--cpuset-mems"),
    (r"security-opt", "--security-opt"),
    (r"storage-opt", "--storage-opt"),
    (r"rlimit|ulimit", "--ulimit"),
    (r"isolation", "--isolation"),
    (r"invalid signal", "--stop-signal"),
    (r"unable to find group", "--group-add"),
    (r"device driver", "--gpus"),
    (r"user specified ip address", "--ip"),
)
# What moby and runc say, and whose field it is about; the first that fits wins.
_WORDS = (
    (r"invalid reference format", "image"),
    (r"working directory", "workdir"),
    (r"^interval in healthcheck", "health_interval"),
    (r"^timeout in healthcheck", "health_timeout"),
    (r"^startperiod in healthcheck", "health_start_period"),
    (r"^retries in healthcheck", "health_retries"),
    (r"sethostname|invalid hostname", "hostname"),
    (r"capdrop", "cap_drop"),
    (r"capadd", "cap_add"),
    (r"mount|volume|bind source|read-only file system.*mkdir", "mounts"),
    (r"minimum memory|memory limit|memory\.|memoryswap|swap limit", "memory"),
    (r"range of cpus|nanocpus|cpu", "cpus"),
    (r"executable file not found|no such file or directory: unknown|exec: |permission denied: unknown", "command"),
    (r"unable to find user|no matching entries in passwd", "user"),
    (r"network|hostname and network|ip address", "network"),
    (r"restart policy|maximum retry", "restart"),
    (r"platform", "platform"),
    (r"capabilit", "cap_add"),
    (r"invalid environment|environment variable", "env"),
)


def check(form: RunForm, taken: Container[str] = ()) -> tuple[Problem, ...]:
    """Every problem of a form, in the order of its fields. `taken` are the names of the containers there are."""
    return (*_image(form), *_name(form, taken), *_twins(form), *build(form)[1])


def image_problem(text: str) -> str:
    """Why a text names no image; empty when it does, or is an id."""
    if not text:
        return "Type the image"
    try:
        check_image(text)
    except InvalidReference as error:
        return error.reason[:1].upper() + error.reason[1:]
    return ""


def place_of(error: BaseException, form: RunForm) -> str:
    """The field that a failed run is about (`image`, `ports.1`, …); empty when it is about none."""
    if isinstance(error, NameInUse):
        return "name"
    if isinstance(error, PortInUse):
        return _port_row(form, error.port)
    if isinstance(error, PullFailed | InvalidReference):
        return "image"
    if isinstance(error, PathNotShared):
        rows = [i for i, row in enumerate(form.mounts) if row.kind == "bind" and row.source == error.path]
        return f"mounts.{rows[0]}.source" if rows else "mounts"
    message = error.message.lower() if isinstance(error, ApiError) else ""
    if isinstance(error, NotFound) and ("no such image" in message or "manifest" in message):
        return "image"
    if "cannot assign requested address" in message:
        return next((f"ports.{i}" for i, row in enumerate(form.ports) if row.host_ip and row.host_ip in message), "")
    if message.startswith("no such container") and form.network.startswith("container:"):
        return "network"
    if message and (row := _extra_row(form, message)):
        return row
    if isinstance(error, BackendError) and message:
        return next((field for words, field in _WORDS if re.search(words, message)), "")
    return ""


def _port_row(form: RunForm, port: int) -> str:
    rows = [i for i, row in enumerate(form.ports) if not port or port in _host_ports(row.host)]
    return f"ports.{rows[0]}" if rows else "ports"


def _extra_row(form: RunForm, message: str) -> str:
    """The row under More flags that a message is about: of the flag it speaks of, or with the value that it quotes."""
    about = [flag for words, flag in _FLAG_WORDS if re.search(words, message)]
    named = [i for i, extra in enumerate(form.extras) if extra.flag in about]
    quoted = [i for i, extra in enumerate(form.extras) if _quotes(message, extra.value.lower())]
    both = [i for i in named if i in quoted]
    found = both or named or quoted
    return f"extras.{found[0]}" if found else ""


def _quotes(message: str, value: str) -> bool:
    """Whether a message repeats a value, or the part of it that names something; short ones stand in any sentence."""
    parts = [value, *re.split(r"[=:]", value)]
    return any(
        len(p) > 3 and p != "host" and re.search(rf"(?<![\w./-]){re.escape(p)}(?![\w/-])", message) for p in parts
    )


def _image(form: RunForm) -> Iterator[Problem]:
    if words := image_problem(form.image.strip()):
        yield Problem("image", words)


def _name(form: RunForm, taken: Container[str]) -> Iterator[Problem]:
    name = form.name.strip()
    if name and (words := name_problem(name)):
        yield Problem("name", words)
    elif name and name in taken:
        yield Problem("name", f"{name} is taken")


def _host_ports(text: str) -> range:
    """The ports of `80` or `80-82`; none when it is no such text."""
    try:
        low, high = port_range(text, "")
    except BadValue:
        return range(0)
    return range(low, high + 1)


def _twin(row: PortRow, other: PortRow) -> int:
    """The first host port that both rows take for certain: of a range for one port the engine picks another."""
    mine, theirs = _host_ports(row.host), _host_ports(other.host)
    if any(len(ports) > 1 and "-" not in r.container for r, ports in ((row, mine), (other, theirs))):
        return 0
    low, high = max(mine.start, theirs.start), min(mine.stop, theirs.stop)
    return low if low < high else 0


def _twins(form: RunForm) -> Iterator[Problem]:
    for index, row in enumerate(form.ports):
        for other in form.ports[:index]:
            meets = row.host_ip == other.host_ip or row.host_ip in EVERYWHERE or other.host_ip in EVERYWHERE
            if meets and row.protocol == other.protocol and (twin := _twin(row, other)):
                yield Problem(f"ports.{index}.host", f"{twin} is already in a row above")
                break
    for field, names in (("env", [e.name for e in form.env]), ("labels", [e.name for e in form.labels])):
        for index, name in enumerate(names):
            if name and name in names[:index]:
                yield Problem(f"{field}.{index}", f"{name} is already in a row above")
    targets = [mount.target.rstrip("/") for mount in form.mounts]
    for index, target in enumerate(targets):
        if target and target in targets[:index]:
            yield Problem(f"mounts.{index}.target", f"{target} is already in a row above")
