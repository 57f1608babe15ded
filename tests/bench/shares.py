"""A shared folder of the machine against the guest's own disk: bytes and files in a second, from inside the guest.

Printed, and not held to a limit: most of it is a way through two kernels, and under emulation nearly all.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.rows import Row
from vm.machine import Machine

MEGABYTES, FILES = 32, 100
_UPTIME = "cut -d ' ' -f 1 /proc/uptime"
_WORK = {
    "write": f"dd if=/dev/zero of=PLACE/large bs=1M count={MEGABYTES} conv=fsync 2>/dev/null",
    "read": "echo 3 >/proc/sys/vm/drop_caches; cat PLACE/large >/dev/null",
    "create": f"mkdir PLACE/many; for n in $(seq {FILES}); do : >PLACE/many/$n; done; sync",
    "stat": f"echo 3 >/proc/sys/vm/drop_caches; sleep 2; for n in $(seq {FILES}); do [ -e PLACE/many/$n ]; done",
    "list": "echo 3 >/proc/sys/vm/drop_caches; sleep 2; ls -l PLACE/many >/dev/null",
    "remove": "rm -r PLACE/many PLACE/large; sync",
}
_PAUSES = {"stat": 2.0, "list": 2.0}
_AMOUNTS = {"write": MEGABYTES, "read": MEGABYTES}


async def measure(made: Machine, ssh: Sequence[str], folder: Path) -> list[Row]:
    """Each kind of work in a folder, shared for it, against the same on the guest's data disk."""
    folder.mkdir()
    try:
        await made.share(str(folder))
        shared, own = _took(ssh, str(folder)), _took(ssh, "/var/lib/pilothouse/bench")
        await made.unshare(str(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, seconds in shared.items():
        unit = "MB/s" if name in _AMOUNTS else "files/s"
        amount = _AMOUNTS.get(name, FILES)
        print(f"  share: {name} {amount / seconds:8.1f} {unit}, own disk {amount / own[name]:8.1f} {unit}")
    return [Row(f"shared folder, {name} / own disk", seconds, "s", own[name]) for name, seconds in shared.items()]


def _took(ssh: Sequence[str], place: str) -> dict[str, float]:
    """Seconds of each."""
    script = [f"mkdir -p {shlex.quote(place)}"]
    for name, work in _WORK.items():
        script += [f"echo {name} $({_UPTIME})", work.replace("PLACE", shlex.quote(place)), f"echo {name} $({_UPTIME})"]
    done = subprocess.run([*ssh, "sh"], input="\n".join(script), capture_output=True, text=True, check=True)
    took: dict[str, float] = {}
    for name in _WORK:
        began, ended = (float(found) for found in re.findall(rf"^{name} ([\d.]+)$", done.stdout, re.MULTILINE))
        took[name] = max(0.01, ended - began - _PAUSES.get(name, 0.0))
    return took
