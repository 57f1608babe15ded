"""What the host hands to the guest at boot: each value is a file of its own, so that the guest has nothing to parse.

The guest reads them from QEMU's firmware interface (`-fw_cfg name=opt/pilothouse/NAME,file=PATH`). Those that may
change while it runs are given over SSH: `pilothouse set NAME`, with the value on standard input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

# A busy host lets the kernel's test of its timer fail, and the kernel then stops (seen under emulation).
KERNEL_WORDS = "quiet no_timer_check"


class Proxy(msgspec.Struct, frozen=True):
    """Addresses as a URL; `no` are names that are reached without one."""

    http: str = ""
    https: str = ""
    no: Sequence[str] = ()


class Handover(msgspec.Struct, frozen=True):
    """Everything that a guest can be told.

    `authorized_key` is a line as of authorized_keys; `host_key` is the guest's private key as OpenSSH writes it;
    `certificates` are PEM; `resolver` holds ADDRESS or ADDRESS#PORT, and without any the one of QEMU is asked.
    """

    authorized_key: str
    host_key: str
    hostname: str = "pilothouse"
    resolver: Sequence[str] = ()
    proxy: Proxy = Proxy()
    certificates: str = ""

    def files(self) -> Mapping[str, bytes]:
        """The values by their names; what is not set is left out. Raises ValueError where a value cannot be told."""
        lines = {"http": self.proxy.http, "https": self.proxy.https, "no": ",".join(self.proxy.no)}
        proxy = [f"{key}={_line(value)}" for key, value in lines.items() if value]
        values = {
            "authorized_key": _text([_line(self.authorized_key)]),
            "host_key": _text([self.host_key.rstrip("\n")]),
            "hostname": _text([_line(self.hostname)]),
            "resolver": _text([_line(each) for each in self.resolver]),
            "proxy": _text(proxy),
            "certificates": _text([self.certificates.rstrip("\n")] if self.certificates else []),
        }
        return {name: value for name, value in values.items() if value}


def _line(value: str) -> str:
    if "\n" in value or "\r" in value or "\0" in value:
        raise ValueError(f"more than one line: {value!r}")
    return value


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
