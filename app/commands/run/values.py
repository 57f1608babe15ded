"""Turns texts as docker writes them (sizes, durations, ports) into the numbers of the API."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from app.commands.run.form import PortRow

# docker/go-units size.go: decimal number, optional space, one letter, 1024 each.
_SIZE = re.compile(r"^(\d+(?:\.\d+)?) ?([kKmMgGtTpP])?(?:i?[bB])?$")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
# Go's time.ParseDuration.
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
# moby daemon/daemon_unix.go linuxMinMemory: 6 MiB since 20.10.
LEAST_MEMORY = 6 * 1024**2
MOST = 2**63 - 1
"""The API's numbers are Go's int64."""
LAST_PORT = 65535
PROTOCOLS = ("tcp", "udp", "sctp")


class BadValue(ValueError):
    """A text that cannot be used; the message is a sentence for the person. `part` names which part of a row it is."""

    def __init__(self, sentence: str, part: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.part = part


def size(text: str) -> int:
    """Bytes of `512m`, `1.5g`, `64MiB` or a bare number of bytes."""
    match = _SIZE.match(text.strip())
    if match is None:
        raise BadValue("Use a size such as 512m or 2g")
    value = Decimal(match[1]) * 1024 ** _POWERS[(match[2] or "").lower()]
    if value > MOST:
        raise BadValue("That is more than any computer has")
    return int(value)


def memory(text: str) -> int:
    """Bytes of a memory limit; the engine refuses less than 6 MB."""
    value = size(text)
    if 0 < value < LEAST_MEMORY:
        if text.strip().isdigit():
            raise BadValue(f"That is {text.strip()} bytes. Add a unit, such as {text.strip()}m")
        raise BadValue("The least is 6m")
    return value


def nano_cpus(text: str) -> int:
    """CPUs in 1e-9 of one, from a decimal number such as 1.5, or a fraction as docker takes it, such as 1/2."""
    above, slash, below = text.strip().partition("/")
    try:
        value = Decimal(above)
        if slash:
            value = _divided(value, Decimal(below))
    except InvalidOperation:
        raise BadValue("Use a number of CPUs such as 0.5 or 2") from None
    if not value.is_finite() or value < 0 or value > 10_000 or value * 10**9 != (value * 10**9).to_integral_value():
        raise BadValue("Use a number of CPUs such as 0.5 or 2")
    return int(value * 10**9)


def _divided(above: Decimal, below: Decimal) -> Decimal:
    """A fraction of whole numbers; docker refuses one that is no number of 1e-9 (docker/cli opts/opts.go ParseCPUs)."""
    if any(n != n.to_integral_value() for n in (above, below)) or not 0 <= above <= 10**12 or not 0 < below <= 10**12:
        raise InvalidOperation
    return above / below


def duration(text: str) -> int:
    """Nanoseconds of `30s`, `1m30s`, `500ms`."""
    text = text.strip()
    if text == "0":
        return 0
    pieces = list(_DURATION.finditer(text))
    if not pieces or "".join(p[0] for p in pieces) != text:
        raise BadValue("Use a time such as 30s or 1m30s")
    value = sum(Decimal(p[1]) * _NANOSECONDS[p[2]] for p in pieces)
    if value > MOST:
        raise BadValue("That is longer than any container lasts")
    return int(value)


def whole(text: str, least: int = 0, most: int = MOST) -> int:
    """A whole number between `least` and `most`."""
    text = text.strip()
    if not re.fullmatch(r"-?\d{1,20}", text, re.ASCII) or not least <= int(text) <= most:
        raise BadValue(f"Use {least:,} to {most:,}" if most < 2**31 else f"Use a whole number from {least:,}")
    return int(text)


def address(text: str) -> str:
    """An IPv4 or IPv6 address, without brackets."""
    try:
        return str(ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]")))
    except ValueError:
        raise BadValue("Use an address such as 127.0.0.1") from None


@dataclass(frozen=True, slots=True)
class Published:
    """One container port and where it is published; `host_port` is empty, a port, or a range to choose from."""

    container: int
    protocol: str
    host_ip: str
    host_port: str

    @property
    def key(self) -> str:
        """The API's name of the container port, `80/tcp`."""
        return f"{self.container}/{self.protocol}"


def port_range(text: str, part: str) -> tuple[int, int]:
    """First and last port of `80` or `8000-8005`."""
    first, dash, last = text.strip().partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(re.fullmatch(r"\d{1,5}", n, re.ASCII) and 1 <= int(n) <= LAST_PORT for n in numbers):
        raise BadValue("Use 1 to 65535", part)
    low, high = (int(n) for n in numbers)
    if low > high:
        raise BadValue("The range runs backwards", part)
    return low, high


def published(row: PortRow) -> tuple[Published, ...]:
    """Every container port of a row, by the rules of `docker run -p` (docker/go-connections nat.ParsePortSpec)."""
    if row.protocol not in PROTOCOLS:
        raise BadValue("Use tcp, udp or sctp", "protocol")
    host_ip = ""
    if row.host_ip:
        try:
            host_ip = address(row.host_ip)
        except BadValue as bad:
            raise BadValue(bad.sentence, "host_ip") from None
    if not row.container.strip():
        raise BadValue("Say which port of the container", "container")
    low, high = port_range(row.container, "container")
    count = high - low + 1
    if not row.host.strip():
        return tuple(Published(p, row.protocol, host_ip, "") for p in range(low, high + 1))
    host_low, host_high = port_range(row.host, "host")
    if count == 1:
        text = str(host_low) if host_low == host_high else f"{host_low}-{host_high}"
        return (Published(low, row.protocol, host_ip, text),)
    if host_high - host_low + 1 != count:
        raise BadValue("Both ranges must be equally long", "host")
    return tuple(Published(low + i, row.protocol, host_ip, str(host_low + i)) for i in range(count))
