"""The exact command line of every platform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from vm.qemu.accelerators import Accelerator, choices, emulation
from vm.qemu.commandline import Boot, Drives, Hardware, Machine, argv, free_port
from vm.qemu.errors import FolderUnnameable
from vm.qemu.finding import Qemu
from vm.qemu.host import Arch, Host, System

HERE = Path("/home/o'brien, é/vm")
ELSEWHERE = Path('/opt/a, "b" é')
MACHINE = Machine(
    HERE,
    Boot(ELSEWHERE / "vmlinuz", ELSEWHERE / "initrd", "quiet root=/dev/disk/by-id/virtio-root"),
    Drives(ELSEWHERE / "root.squashfs", HERE / "data.qcow2"),
    Hardware(4, 2048),
    50022,
    (("config", HERE / "config.json"), ("host_key", ELSEWHERE / "host_key")),
)
SANDBOX = ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]
START = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-name", "pilothouse"]
Q35 = ["-machine", "q35,vmport=off,smm=off,dump-guest-core=off"]
NO_SLEEP = ["-global", "ICH9-LPC.disable_s3=1", "-global", "ICH9-LPC.disable_s4=1"]
DISKS = [
    "-blockdev",
    '{"driver":"raw","node-name":"root","file":{"driver":"file","filename":"/opt/a, \\"b\\" é/root.squashfs",'
    '"node-name":"root-file","read-only":true},"read-only":true}',
    "-device",
    "virtio-blk-pci,drive=root,serial=root",
    "-blockdev",
    '{"driver":"qcow2","node-name":"data","file":{"driver":"file","filename":"data.qcow2",'
    '"node-name":"data-file","discard":"unmap"},"discard":"unmap","detect-zeroes":"unmap"}',
    "-device",
    "virtio-blk-pci,drive=data,serial=data,discard=on,write-zeroes=on,werror=stop,rerror=report",
]
NET = [
    "-netdev",
    "user,id=net,net=198.51.100.0/24,host=198.51.100.2,dns=198.51.100.3,dhcpstart=198.51.100.15,ipv6=off,"
    "hostfwd=tcp:127.0.0.1:50022-:22",
    "-device",
    "virtio-net-pci,netdev=net,romfile=",
]
RNG = ["-device", "virtio-rng-pci"]
BALLOON = ["-device", "virtio-balloon-pci,free-page-reporting=on"]
PORTS = [
    "-device",
    "virtio-serial-pci,max_ports=2",
    "-chardev",
    "ringbuf,id=ready,size=4096",
    "-device",
    "virtserialport,id=ready,chardev=ready,name=org.pilothouse.ready",
    "-chardev",
    "file,id=console,path=serial.log,append=on",
    "-serial",
    "chardev:console",
]
HANDED = [
    "-fw_cfg",
    "name=opt/pilothouse/config,file=config.json",
    "-fw_cfg",
    'name=opt/pilothouse/host_key,file=/opt/a,, "b" é/host_key',
]
QMP = ["-chardev", "stdio,id=qmp,signal=off", "-mon", "chardev=qmp,mode=control"]


def boot(console: str) -> list[str]:
    check = " no_timer_check" if console == "ttyS0" else ""
    words = f"console={console} panic=1{check} quiet root=/dev/disk/by-id/virtio-root"
    kernel = ["-kernel", str(ELSEWHERE / "vmlinuz"), "-initrd", str(ELSEWHERE / "initrd"), "-append", words]
    return ["-smp", "4", "-m", "2048", *kernel]


def built(system: System, arch: Arch, accelerator: Accelerator, *, firmware: str = "") -> list[str]:
    host = Host(system, arch)
    qemu = Qemu(
        Path("/q") / host.emulator, Path("/q/qemu-img"), (11, 2, 0), "path", Path(firmware) if firmware else None
    )
    return argv(qemu, host, accelerator, MACHINE, sandbox=system == "linux")


def test_macos_on_apple_silicon() -> None:
    virt = ["-machine", "virt,gic-version=3,dump-guest-core=off", "-accel", "hvf", "-cpu", "host"]
    assert built("macos", "aarch64", Accelerator("hvf", "host"), firmware="/q/share/qemu") == [
        *["/q/qemu-system-aarch64", "-L", "/q/share/qemu", *START, *virt, *boot("ttyAMA0"), *DISKS, *NET, *RNG],
        *[*PORTS, "-device", "virtio-keyboard-pci", *HANDED, *QMP],
    ]


def test_macos_on_intel() -> None:
    accelerated = ["-accel", "hvf", "-cpu", "host,-avx512vl,-pdpe1gb"]
    assert built("macos", "x86_64", Accelerator("hvf", "host,-avx512vl,-pdpe1gb")) == [
        *["/q/qemu-system-x86_64", *START, *Q35, *accelerated, *NO_SLEEP, *boot("ttyS0"), *DISKS, *NET, *RNG],
        *[*PORTS, "-device", "pvpanic-pci", *HANDED, *QMP],
    ]


def test_windows() -> None:
    accelerated = ["-accel", "whpx", "-cpu", "host"]
    assert built("windows", "x86_64", Accelerator("whpx", "host")) == [
        *["/q/qemu-system-x86_64.exe", *START, *Q35, *accelerated, *NO_SLEEP, *boot("ttyS0"), *DISKS, *NET, *RNG],
        *[*PORTS, "-device", "pvpanic-pci", *HANDED, *QMP],
    ]


def test_linux_on_x86() -> None:
    accelerated = ["-accel", "kvm", "-cpu", "host"]
    assert built("linux", "x86_64", Accelerator("kvm", "host")) == [
        *["/q/qemu-system-x86_64", *START, *SANDBOX, *Q35, *accelerated, *NO_SLEEP, *boot("ttyS0"), *DISKS, *NET],
        *[*RNG, *BALLOON, *PORTS, "-device", "pvpanic-pci", *HANDED, *QMP],
    ]


def test_linux_on_arm() -> None:
    virt = ["-machine", "virt,gic-version=max,dump-guest-core=off", "-accel", "kvm", "-cpu", "host"]
    assert built("linux", "aarch64", Accelerator("kvm", "host")) == [
        *["/q/qemu-system-aarch64", *START, *SANDBOX, *virt, *boot("ttyAMA0"), *DISKS, *NET, *RNG, *BALLOON],
        *[*PORTS, "-device", "virtio-keyboard-pci", *HANDED, *QMP],
    ]


def test_emulation() -> None:
    words = built("linux", "x86_64", emulation("x86_64"))
    assert words[words.index("-accel") : words.index("-global")] == [
        "-accel",
        "tcg,thread=multi,tb-size=512",
        "-cpu",
        "max",
    ]
    words = built("linux", "aarch64", emulation("aarch64"))
    assert words[words.index("-cpu") + 1] == "max,pauth=off"


@pytest.mark.parametrize(("version", "threads"), [((7, 2, 22), "single"), ((8, 0, 5), "single"), ((8, 1, 0), "multi")])
def test_an_older_emulation_has_one_thread(version: tuple[int, int, int], threads: str) -> None:
    qemu = Qemu(Path("/q"), Path("/i"), version, "path")
    words = argv(qemu, Host("linux", "x86_64"), emulation("x86_64"), MACHINE, sandbox=False)
    assert words[words.index("-accel") + 1] == f"tcg,thread={threads},tb-size=512"


@pytest.mark.parametrize(
    ("system", "arch", "version", "tried"),
    [
        ("linux", "x86_64", (7, 2, 0), ["kvm host", "kvm host,-arch-capabilities", "tcg max"]),
        ("linux", "aarch64", (7, 2, 0), ["kvm host", "tcg max,pauth=off"]),
        ("macos", "aarch64", (9, 2, 0), ["hvf host", "hvf max", "tcg max,pauth=off"]),
        ("macos", "x86_64", (9, 2, 0), ["hvf host,-avx512vl,-pdpe1gb", "tcg max"]),
        ("windows", "x86_64", (11, 1, 0), ["whpx qemu64", "tcg max"]),
        ("windows", "x86_64", (11, 1, 1), ["whpx host", "tcg max"]),
        ("windows", "aarch64", (11, 0, 0), ["whpx host", "tcg max,pauth=off"]),
    ],
)
def test_what_is_tried(system: System, arch: Arch, version: tuple[int, int, int], tried: list[str]) -> None:
    assert [f"{each.name} {each.cpu}" for each in choices(Host(system, arch), version)] == tried


def test_a_machine_that_is_to_be_woken_does_not_begin() -> None:
    machine = structs.replace(MACHINE, halted=True)
    host = Host("linux", "x86_64")
    qemu = Qemu(Path("/q"), Path("/i"), (7, 2, 0), "path")
    words = argv(qemu, host, emulation("x86_64"), machine, sandbox=False)
    assert "-S" in words
    assert "-S" not in built("linux", "x86_64", emulation("x86_64"))
    assert "-sandbox" not in words


def test_the_disks_are_json_whatever_their_folder_is_called() -> None:
    words = built("linux", "x86_64", emulation("x86_64"))
    nodes = [json.loads(words[i + 1]) for i, word in enumerate(words) if word == "-blockdev"]
    assert [node["file"]["filename"] for node in nodes] == [str(ELSEWHERE / "root.squashfs"), "data.qcow2"]


@pytest.mark.parametrize("name", ["", "a,b", "é", "x" * 60])
def test_a_name_that_the_guest_cannot_read_is_refused(name: str) -> None:
    machine = structs.replace(MACHINE, handed=((name, HERE),))
    with pytest.raises(ValueError, match="not a name"):
        argv(Qemu(HERE, HERE, (7, 2, 0), "path"), Host("linux", "x86_64"), emulation("x86_64"), machine, sandbox=False)


def test_a_folder_whose_name_is_no_text_is_the_machines_own_or_refused() -> None:
    odd = Path("/home/\udcff")
    inside = Machine(odd, Boot(odd / "k", odd / "i"), Drives(odd / "r", odd / "d"), Hardware(1, 512), 1)
    qemu, host = Qemu(HERE, HERE, (7, 2, 0), "path"), Host("linux", "x86_64")
    words = argv(qemu, host, emulation("x86_64"), inside, sandbox=False)
    assert words[words.index("-kernel") + 1] == "k"
    with pytest.raises(FolderUnnameable):
        argv(qemu, host, emulation("x86_64"), structs.replace(inside, folder=HERE), sandbox=False)


def test_a_free_port_is_one_that_can_be_listened_on() -> None:
    assert len({free_port() for _ in range(3)} - {0}) > 1
