"""A computer whose machine runs; and a real QEMU with the small guest, in a folder that is named as badly as can be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.e2e.machine.computer import Computer, a_computer
from tests.e2e.machine.programs import need
from tests.e2e.machine.smallguest import Arch, small_guest
from vm.qemu.accelerators import emulation
from vm.qemu.commandline import Drives, Hardware, Machine, free_port
from vm.qemu.disks import make_disk
from vm.qemu.events import Event
from vm.qemu.finding import Qemu, find_qemu
from vm.qemu.host import Host, this_host
from vm.qemu.probing import Trial
from vm.qemu.process import QemuProcess
from vm.qemu.starting import start

GIB = 1 << 30
MAGIC = b"the magic of a test"
BOOT_SECONDS = 180.0


class Bench:
    """One machine at the bench: what it is made of, how it is started, what its guest said."""

    def __init__(self, qemu: Qemu, host: Host, machine: Machine) -> None:
        self.qemu = qemu
        self.host = host
        self.machine = machine
        self.told: list[Event] = []
        self.running: QemuProcess | None = None

    def change(self, **fields: object) -> None:
        """Another machine from the next start on."""
        self.machine = msgspec.structs.replace(self.machine, **fields)

    def words(self, *words: str) -> None:
        """Words for the guest's kernel."""
        boot = msgspec.structs.replace(self.machine.boot, words=" ".join(("quiet", *words)))
        self.change(boot=boot)

    async def start(self) -> QemuProcess:
        """Start it, emulated: that is what runs everywhere."""
        self.told.clear()
        trial = Trial(emulation(self.host.arch), sandbox=True)
        self.running, self.machine = await start(self.qemu, self.host, trial, self.machine, self.told.append)
        return self.running

    async def says(self, words: str) -> str:
        """Wait until the console has these words; returns the console."""
        assert self.running is not None
        async with asyncio.timeout(BOOT_SECONDS):
            while words not in self.machine.console.read_text(errors="replace"):
                assert self.running.runs, self.running.console()
                await asyncio.sleep(0.05)
        return self.machine.console.read_text(errors="replace")

    async def happens(self, event: type[Event]) -> Event:
        """Wait for an event; returns it."""
        async with asyncio.timeout(BOOT_SECONDS):
            while True:
                for each in self.told:
                    if isinstance(each, event):
                        return each
                await asyncio.sleep(0.05)


@asynccontextmanager
async def a_bench(arch: Arch, folder: Path) -> AsyncIterator[Bench]:
    """A machine with a fresh disk, not started; what runs at the end is ended."""
    tool, program = need("qemu-img"), need(f"qemu-system-{arch}")
    for name in ("apt-get", "dpkg-deb"):
        need(name)
    found = await find_qemu(this_host())
    # The other processor's QEMU is of the same version; as a host it would not be usable, which is right.
    qemu = msgspec.structs.replace(found, program=program, image_tool=tool)
    place = folder / f'it\'s, a: "home" $HOME %s é 😀 {"long " * 12}'  # More than a unix socket's path could be.
    elsewhere = folder / "shared, with: 'all' é"
    place.mkdir()
    elsewhere.mkdir()
    boot = await asyncio.to_thread(small_guest, arch)
    root, data = elsewhere / "root, of.img", place / "data.qcow2"
    root.write_bytes(b"root".ljust(8192, b"\0"))
    (elsewhere / "config, of it").write_text("handed over\n")
    (place / "key").write_text("of this boot\n")
    await make_disk(tool, data, GIB, MAGIC)
    handed = (("config", elsewhere / "config, of it"), ("key", place / "key"))
    machine = Machine(place, boot, Drives(root, data), Hardware(2, 512), free_port(), handed)
    bench = Bench(qemu, Host("linux", arch), machine)
    bench.words()
    try:
        yield bench
    finally:
        if bench.running is not None and bench.running.runs:
            await bench.running.kill()


@pytest.fixture(params=["x86_64", "aarch64"])
def arch(request: pytest.FixtureRequest) -> Arch:
    """Both processors, one after the other."""
    found: Arch = request.param
    return found


@pytest.fixture(scope="package")
def person() -> Iterator[Computer]:
    """Whose machine the modules here use, one after the other."""
    with a_computer() as made:
        yield made


@pytest.fixture(scope="module")
def computer(person: Computer) -> Computer:
    """With a machine that runs; the tests of a module use it up in their order, and a boot is only paid after that."""
    said = person.cli("status")
    if said.returncode != 0:
        if not (person.machine / "machine.json").exists():
            person.create()
        person.start()
    return person
