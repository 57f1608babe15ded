"""FakeMachine: a machine that is only said to be there; tests say what it reports and what comes of what is asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from vm import making
from vm.errors import MachineError
from vm.guest.fetching import Progress
from vm.machine import Machine
from vm.making import Settings
from vm.paths import MachinePaths
from vm.qemu.errors import QemuError
from vm.report import Report, ShareState, Step
from vm.shares.places import Share

SAID = ("image", "qemu", "accelerator", "disk", "process", "guest", "ssh", "engine")


@dataclass(frozen=True)
class _Elsewhere(MachinePaths):
    at: Path

    @property
    def socket(self) -> Path:
        return self.at


class FakeMachine(Machine):
    """`asked` holds the verbs in their order. `fault` is raised by the next start; `gate` holds a start up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(MachinePaths.below(folder / "data", folder / "run"))
        self.report = Report("absent")
        self.asked: list[str] = []
        self.fault: MachineError | QemuError | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    def serve_at(self, socket: str) -> None:
        """Its engine is the one that answers there."""
        self.paths = _Elsewhere(self.paths.home, self.paths.runtime, Path(socket))

    @property
    def created(self) -> bool:
        return self.report.state != "absent"

    async def create(
        self,
        settings: Settings | None = None,
        image: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
        progress: Progress = lambda *_: None,
    ) -> None:
        self.asked.append("create")
        for part in ("image", "keys", "disk"):
            say(part)
            await asyncio.sleep(0)
        self.report = Report("stopped")

    async def start(self, told: Callable[[Report], None] = lambda _: None) -> Report:
        self.asked.append("start")
        steps: tuple[Step, ...] = ()
        for name in SAID:
            told(Report("starting", accelerator="tcg", steps=(*steps, Step(name, "begun"))))
            if name == "guest":
                await self.gate.wait()
                if self.fault is not None:
                    self.report = Report("failed")
                    raise self.fault
            steps = (*steps, Step(name, "met", "tcg" if name == "accelerator" else "", 1.0))
        self.report = Report(
            "running", str(self.paths.socket), 4711, 4700, "running", "28.1.1", "tcg", steps=steps, ssh_port=40022
        )
        told(self.report)
        return self.report

    def keep(self, settings: Settings) -> None:
        """What it is made of, where the window reads it."""
        self.paths.make()
        making.write(self.paths, settings)

    def leave_socket(self) -> None:
        """A socket where its engine would answer; nobody does."""
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(self.paths.socket))

    async def share(self, path: str, *, watch: bool = False, writable: bool = True) -> Report:
        self.asked.append("share")
        known = making.read(self.paths)
        others = tuple(one for one in known.shares if one.path != path)
        self.keep(replace(known, shares=(*others, Share(path, watch, writable))))
        self.report = replace(self.report, shares=(*self.report.shares, ShareState(path)))
        return self.report

    async def unshare(self, path: str) -> Report:
        self.asked.append("unshare")
        known = making.read(self.paths)
        self.keep(replace(known, shares=tuple(one for one in known.shares if one.path != path)))
        return self.report

    async def rest(self) -> Report:
        self.asked.append("rest")
        self.paths.socket.unlink(missing_ok=True)
        self.report = Report("suspended")
        return self.report

    async def change(
        self, settings: Settings, told: Callable[[Report], None] = lambda _: None, seconds: float = 30
    ) -> Report:
        self.asked.append("change")
        self.keep(settings)
        return self.report

    async def stop(self, seconds: float = 30) -> Report:
        self.asked.append("stop")
        self.report = Report("stopped")
        return self.report

    async def delete(self, seconds: float = 30) -> None:
        self.asked.append("delete")
        self.report = Report("absent")

    async def inspect(self) -> Report:
        return self.report
