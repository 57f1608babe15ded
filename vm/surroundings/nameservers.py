"""The nameservers that this computer asks at the moment."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")
MOST = 3
"""As resolv.conf(5): more are not asked."""


def nameservers() -> tuple[str, ...]:
    """Their addresses in the order in which they are asked; none where nothing is known of any."""
    return tuple(dict.fromkeys(each for each in _said() if _is_address(each)))[:MOST]


def _is_address(text: str) -> bool:
    with suppress(ValueError):
        return not ipaddress.ip_address(text).is_unspecified
    return False


if sys.platform == "win32":
    import winreg

    INTERFACES = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces"

    def _said() -> Iterable[str]:
        """What was set for an interface goes before what its network said; one without an address is not in use."""
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, INTERFACES) as every:
            for number in range(winreg.QueryInfoKey(every)[0]):
                with suppress(OSError), winreg.OpenKey(every, winreg.EnumKey(every, number)) as one:
                    found = [winreg.EnumValue(one, at) for at in range(winreg.QueryInfoKey(one)[1])]
                    values = {name: value for name, value, _ in found}
                    if not any(str(values.get(name, "")).strip("[]'0., ") for name in ("IPAddress", "DhcpIPAddress")):
                        continue
                    said = str(values.get("NameServer") or values.get("DhcpNameServer") or "")
                    yield from said.replace(",", " ").split()

else:

    def _said() -> Iterable[str]:
        try:  # macOS writes the file as well, for the network that is asked first.
            lines = RESOLV_CONF.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return
        for words in map(str.split, lines):
            if words[:1] == ["nameserver"] and len(words) > 1:
                yield words[1]
