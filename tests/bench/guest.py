"""The machine: its cold boot, its engine through the tunnel, what it sends through, what it and its image weigh."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import shutil
import socket
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from tests.bench import machine as kernel
from tests.bench import shares
from tests.bench.rows import Row, allowed
from tests.e2e.guest.machine import built
from vm.guest.manifest import FILES, check_folder
from vm.machine import Machine
from vm.making import ARCHES, GIB, Settings
from vm.paths import MachinePaths
from vm.qemu.host import this_host
from vm.report import Report
from vm.supervisor.boot import Boot

ROUNDS = 3
PINGS = 300
LOAD_BYTES = 200 << 20
HANDED_OVER = "STEP root ok"
"""The initrd says it as it hands over to the root's init."""
BOOT_LIMIT, RESUME_LIMIT, LOAD_LIMIT = 4.0, 0.12, 1 / 0.8
OURS_MB, GUEST_MB, IMAGE_MB = 60, 200, 150
EMULATED = ("process", "wake", "guest", "ssh", "engine")


def measure() -> list[Row]:
    """Every row of it; the seconds of a boot, step by step, are printed beside."""
    place = Path(tempfile.mkdtemp(prefix="ph-bench-", dir="/tmp"))
    made = Machine(MachinePaths.below(place / "data", place / "run"))
    try:
        return asyncio.run(_measure(made))
    finally:
        asyncio.run(made.delete(10))
        shutil.rmtree(place, ignore_errors=True)


async def _measure(made: Machine) -> list[Row]:
    image = built(ARCHES[this_host().arch])
    await made.create(Settings(cpus=2, memory=2048, disk=8 * GIB), image)
    await made.start()  # The first time its disk is made, and the computer reads all of it from its own disk.
    colds, floors, parts, work, least = [], [], [], [], []
    for _ in range(ROUNDS):
        await made.stop()
        seconds, cpu = await _handed_over(made.paths)
        floors.append(seconds)
        least.append(cpu)
        seconds, steps = await _started(made)
        colds.append(seconds)
        parts.append(steps)
        work.append(kernel.cpu_seconds((await made.inspect()).pid))
    resumes = []
    for _ in range(ROUNDS):
        await made.suspend()
        resumes.append((await _started(made))[0])
    _print_boot(parts[colds.index(sorted(colds)[ROUNDS // 2])])
    found = [Row("boot to ping / to an empty init", *_medians(colds, floors, "s"), BOOT_LIMIT)]
    found.append(Row("boot to ping / to an empty init, CPU time", *_medians(work, least, "s")))
    found.append(Row("resume to ping / boot to ping", *_medians(resumes, colds, "s"), RESUME_LIMIT))
    report = await made.inspect()
    found += await asyncio.to_thread(_measure_running, made, report, _ssh(made.paths, report.ssh_port))
    found += await shares.measure(made, _ssh(made.paths, report.ssh_port), made.paths.home.parents[1] / "shared")
    weight = sum(check_folder(image).file(name).size for name in FILES) / 1e6
    return [*found, allowed("image, all of it / 150 MB", weight, "MB", IMAGE_MB, IMAGE_MB)]


def _measure_running(made: Machine, report: Report, ssh: Sequence[str]) -> list[Row]:
    time.sleep(20)  # Until it has settled.
    used = int(_said(ssh, "free -m | grep ^Mem").split()[2])
    idle, resident = (value / 1e6 for value in reversed(kernel.memory(report.supervisor)))
    outside, inside = _pings(made.paths.socket), _pings_inside(ssh)
    through, bare = _load(made.paths.socket), _bare(ssh)
    after = kernel.memory(report.supervisor)[0] / 1e6
    return [
        Row("ping over SSH / at the socket inside", outside, "ms", inside),
        Row("200 MB into the engine / ssh cat", through, "s", bare, LOAD_LIMIT),
        allowed("our own processes, proportional / 60 MB", idle, "MB", OURS_MB, OURS_MB),
        allowed("our own processes, resident / 60 MB", resident, "MB", OURS_MB, OURS_MB),
        allowed("our own processes after 200 MB / 60 MB", after, "MB", OURS_MB, OURS_MB),
        allowed("memory used in the idle guest / 200 MB", used, "MB", GUEST_MB, GUEST_MB),
    ]


async def _started(made: Machine) -> tuple[float, list[tuple[str, float]]]:
    """Seconds from the start of QEMU to an answered ping, booted or woken, and when each step came since then."""
    seen: dict[str, float] = {}

    def told(report: Report) -> None:
        for step in report.steps:
            seen.setdefault(step.told if step.told.startswith("STEP") else step.name, time.monotonic())

    report = await made.start(told)
    took = {step.name: step.seconds for step in report.steps}
    began = seen["process"]
    steps = [(name, at - began) for name, at in seen.items() if at > began]
    whole = sum(took.get(name, 0.0) for name in EMULATED)
    return whole, [*steps, ("ping", whole)]


async def _handed_over(paths: MachinePaths) -> tuple[float, float]:
    """Seconds from the start of QEMU until kernel and initrd are through and an empty init would be there; CPU time."""
    boot = Boot(paths, lambda _: None, lambda _: None, dict)
    try:
        for requirement in boot.requirements:
            began = time.monotonic()
            await requirement.meet()
            if requirement.name == "process":
                break
        while HANDED_OVER not in boot.machine.console.read_text(errors="replace"):
            await asyncio.sleep(0.02)
        assert boot.running is not None
        return time.monotonic() - began, kernel.cpu_seconds(boot.running.pid)
    finally:
        await boot.undo()


def _print_boot(steps: Sequence[tuple[str, float]]) -> None:
    print("Seconds of a cold boot, from the start of QEMU:")
    for name, at in steps:
        print(f"  {at:6.1f}  {name}")


def _medians(values: Sequence[float], floors: Sequence[float], unit: str) -> tuple[float, str, float]:
    return statistics.median(values), unit, statistics.median(floors)


def _ssh(paths: MachinePaths, port: int) -> list[str]:
    """OpenSSH's own client, for the floors."""
    words = ["ssh", "-q", "-F", "none", "-p", str(port), "-i", str(paths.user_key), "-o", "IdentitiesOnly=yes"]
    words += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@127.0.0.1"]
    return words


def _said(ssh: Sequence[str], command: str, stdin: bytes = b"") -> str:
    return subprocess.run([*ssh, command], input=stdin, capture_output=True, check=True).stdout.decode()


class _Here(http.client.HTTPConnection):
    """HTTP on a unix socket, from the standard library: as thin as a client can be."""

    def __init__(self, path: Path) -> None:
        super().__init__("engine", timeout=600)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(600)
        self.sock.connect(str(self._path))


def _pings(path: Path) -> float:
    """Milliseconds of one, on a connection that stays."""
    asking = _Here(path)
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        asking.request("GET", "/_ping")
        asking.getresponse().read()
        took.append(time.perf_counter() - began)
    asking.close()
    return statistics.median(took) * 1000


def _pings_inside(ssh: Sequence[str]) -> float:
    """The same from inside, all of them sent at once: nothing there is as quick as a client that need not wait."""
    head = "GET /_ping HTTP/1.1\r\nHost: engine\r\n"
    asked = f"{head}\r\n" * (PINGS - 1) + f"{head}Connection: close\r\n\r\n"
    now = "cut -d ' ' -f 1 /proc/uptime"
    send = "nc.openbsd -U /run/docker.sock </run/pings | grep -c ^OK"
    began, answers, ended = _said(ssh, f"cat >/run/pings; {now}; {send}; {now}; rm /run/pings", asked.encode()).split()
    assert int(answers) == PINGS, answers
    return (float(ended) - float(began)) * 1000 / PINGS


def _noise() -> bytes:
    """An image of one layer that no compression makes smaller."""
    layer = BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("noise")
        entry.size = LOAD_BYTES
        tar.addfile(entry, BytesIO(os.urandom(LOAD_BYTES)))
    return layer.getvalue()


def _load(path: Path) -> float:
    """Seconds until the engine has taken an image."""
    content = _noise()
    asking = _Here(path)
    began = time.perf_counter()
    asking.request("POST", "/images/create?fromSrc=-&repo=noise&tag=1", content)
    said = asking.getresponse().read().decode()
    took = time.perf_counter() - began
    assert re.search("sha256:", said), said
    asking.request("DELETE", "/images/noise:1")
    asking.getresponse().read()
    asking.close()
    return took


def _bare(ssh: Sequence[str]) -> float:
    """Seconds that OpenSSH takes for the same bytes, thrown away in the guest."""
    content = _noise()
    began = time.perf_counter()
    _said(ssh, "cat >/dev/null", content)
    return time.perf_counter() - began
