"""Mounts of the form: from and to docker's -v, --mount and --tmpfs, and into the API's request."""

from __future__ import annotations

import csv
import io
import re

from app.commands.run.extras import Body, host
from app.commands.run.form import MountKind, MountRow
from app.commands.run.values import BadValue, size

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_VOLUME_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")
_KINDS: dict[str, MountKind] = {"bind": "bind", "volume": "volume", "tmpfs": "tmpfs"}
_TRUE = ("", "true", "1")
_OPTION_KEYS: dict[str, tuple[str, ...]] = {
    "bind": ("bind-propagation", "bind-nonrecursive", "consistency"),
    "volume": ("volume-nocopy", "volume-driver", "volume-opt", "volume-label", "volume-subpath", "consistency"),
    "tmpfs": ("tmpfs-size", "tmpfs-mode"),
}
# What docker's -v takes after the second colon (moby volume/mounts/linux_parser.go). `ro` is the row's tick box.
_PROPAGATIONS = ("shared", "rshared", "slave", "rslave", "private", "rprivate")
_MODES = frozenset(("rw", "z", "Z", "nocopy", *_PROPAGATIONS, "consistent", "cached", "delegated"))


def from_volume(value: str) -> tuple[MountRow, tuple[str, ...]]:
    """The row of `-v value`, and the modes in it that docker does not know. Raises BadValue."""
    parts = _colons(value)
    if len(parts) > 3 or not parts[-1]:
        raise BadValue("Use source:target or source:target:ro")
    if len(parts) == 1:
        return MountRow("volume", "", parts[0], flag="-v"), ()
    modes = [m for m in (parts[2].split(",") if len(parts) == 3 else ()) if m]
    kind: MountKind = "bind" if is_path(parts[0]) else "volume"
    rest = ",".join(m for m in modes if m in _MODES)
    unknown = tuple(m for m in modes if m != "ro" and m not in _MODES)
    return MountRow(kind, parts[0], parts[1], "ro" in modes, "-v", rest), unknown


def from_mount(value: str) -> tuple[MountRow, tuple[str, ...]]:
    """The row of `--mount value`, and the settings in it that are not understood. Raises BadValue."""
    kind, source, target, read_only = "volume", "", "", False
    options: list[str] = []
    for piece in next(csv.reader(io.StringIO(value)), []):
        key, _, rest = piece.partition("=")
        key = key.strip().lower()
        if key == "type":
            kind = rest.lower()
        elif key in ("source", "src"):
            source = rest
        elif key in ("target", "dst", "destination"):
            target = rest
        elif key in ("readonly", "ro"):
            read_only = rest.lower() in _TRUE
        else:
            options.append(piece)
    if kind not in _KINDS:
        raise BadValue(f"Mounts of type {kind} cannot be made here")
    known = [o for o in options if o.partition("=")[0].lower() in _OPTION_KEYS[kind]]
    unknown = tuple(o for o in options if o not in known)
    return MountRow(_KINDS[kind], source, target, read_only, "--mount", _csv(known)), unknown


def from_tmpfs(value: str) -> MountRow:
    """The row of `--tmpfs value`."""
    target, _, options = value.partition(":")
    modes = [m for m in options.split(",") if m]
    rest = ",".join(m for m in modes if m != "ro")
    return MountRow("tmpfs", "", target, "ro" in modes, "--tmpfs", rest)


def flag_and_value(row: MountRow) -> tuple[str, str]:
    """The docker flag of a row, and its value."""
    if row.flag == "--tmpfs":
        modes = ",".join(filter(None, ("ro" if row.read_only else "", row.options)))
        return "--tmpfs", row.target + (f":{modes}" if modes else "")
    if row.flag == "-v":
        return "-v", _bind(row)
    pieces = [f"type={row.kind}"]
    if row.source and row.kind != "tmpfs":
        pieces.append(f"source={row.source}")
    pieces.append(f"target={row.target}")
    if row.read_only:
        pieces.append("readonly")
    pieces += next(csv.reader(io.StringIO(row.options)), [])
    return "--mount", _csv(pieces)


def apply(body: Body, row: MountRow) -> None:
    """Puts a row into the request. Raises BadValue whose `part` is source, target or options."""
    check(row)
    if row.flag == "--tmpfs":
        modes = ",".join(filter(None, ("ro" if row.read_only else "", row.options)))
        host(body).setdefault("Tmpfs", {})[row.target] = modes
    elif row.flag == "-v" and not row.source:
        body.setdefault("Volumes", {})[row.target] = {}
    elif row.flag == "-v":
        host(body).setdefault("Binds", []).append(_bind(row))
    else:
        host(body).setdefault("Mounts", []).append(_mount(row))


def check(row: MountRow) -> None:
    """Raises BadValue with the sentence for the part that is wrong."""
    _check_source(row)
    if not row.target.strip():
        raise BadValue("Say where in the container", "target")
    if not (row.target.startswith("/") or _DRIVE.match(row.target)):
        raise BadValue("Give the whole path in the container, from / on", "target")
    if row.target.rstrip("/") == "":
        raise BadValue("The container's own root cannot be replaced", "target")
    if row.flag == "-v":
        if ":" in _DRIVE.sub("", row.source) or ":" in _DRIVE.sub("", row.target):
            raise BadValue("A path with a colon cannot be mounted this way", "source")
        for mode in filter(None, row.options.split(",")):
            if mode not in _MODES:
                raise BadValue(f"{mode} is not a mount option", "options")


def _check_source(row: MountRow) -> None:
    if row.kind == "bind":
        if not row.source.strip():
            raise BadValue("Name a folder or file of the computer that the engine is on", "source")
        if not (row.source.startswith("/") or _DRIVE.match(row.source) or row.source.startswith("\\\\")):
            raise BadValue("Give the whole path, from the root on", "source")
    if row.kind == "volume" and row.source and not _VOLUME_NAME.match(row.source):
        raise BadValue("A volume's name has letters, digits, _ . and -, at least two", "source")
    if row.kind == "volume" and not row.source and row.read_only:
        raise BadValue("A new volume without a name cannot be read-only", "source")


def is_path(source: str) -> bool:
    """Whether a source of -v is a path of the host, not the name of a volume."""
    return source.startswith(("/", ".", "~", "\\\\", "$", "`", "%")) or bool(_DRIVE.match(source))


def _bind(row: MountRow) -> str:
    """Without a source there are no modes: docker would take the target for it."""
    modes = [m for m in row.options.split(",") if m and not (m == "rw" and row.read_only)]
    text = ",".join(["ro", *modes] if row.read_only else modes)
    return ":".join(filter(None, (row.source, row.target, text))) if row.source else row.target


def _mount(row: MountRow) -> Body:
    mount: Body = {"Type": row.kind, "Target": row.target}
    if row.source and row.kind != "tmpfs":
        mount["Source"] = row.source
    if row.read_only:
        mount["ReadOnly"] = True
    for piece in next(csv.reader(io.StringIO(row.options)), []):
        key, _, value = piece.partition("=")
        _option(mount, row.kind, key.strip().lower(), value)
    return mount


def _option(mount: Body, kind: str, key: str, value: str) -> None:
    if key not in _OPTION_KEYS[kind]:
        raise BadValue(f"{key} is not an option of this mount", "options")
    part: Body = mount.setdefault({"bind": "BindOptions", "volume": "VolumeOptions", "tmpfs": "TmpfsOptions"}[kind], {})
    if key == "consistency":
        mount["Consistency"] = value
    elif key == "bind-propagation":
        part["Propagation"] = value
    elif key == "bind-nonrecursive":
        part["NonRecursive"] = value.lower() in _TRUE
    elif key == "volume-nocopy":
        part["NoCopy"] = value.lower() in _TRUE
    elif key == "volume-subpath":
        part["Subpath"] = value
    elif key == "volume-driver":
        part.setdefault("DriverConfig", {})["Name"] = value
    elif key in ("volume-opt", "volume-label"):
        name, _, text = value.partition("=")
        owner = part.setdefault("DriverConfig", {}) if key == "volume-opt" else part
        owner.setdefault("Options" if key == "volume-opt" else "Labels", {})[name] = text
    elif key == "tmpfs-size":
        part["SizeBytes"] = _sized(value)
    elif key == "tmpfs-mode":
        if not re.fullmatch("[0-7]{3,4}", value):
            raise BadValue("The mode is three or four octal digits", "options")
        part["Mode"] = int(value, 8)


def _sized(value: str) -> int:
    try:
        return size(value)
    except BadValue as bad:
        raise BadValue(bad.sentence, "options") from None


def _colons(value: str) -> list[str]:
    """Splits at colons, leaving a drive letter with its path."""
    parts = value.split(":")
    joined: list[str] = []
    while parts:
        first = parts.pop(0)
        if parts and len(first) == 1 and first.isalpha() and parts[0][:1] in ("\\", "/") and not joined:
            first = f"{first}:{parts.pop(0)}"
        joined.append(first)
    return joined


def _csv(pieces: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(pieces)
    return out.getvalue() if pieces else ""
