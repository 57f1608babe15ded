"""The recipe: from packages and our own files to the trees of the root and of the initrd."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from vm.guest import debs, disk, elf, modules
from vm.guest.archive import Package
from vm.guest.packages import ENGINE, FOREIGN, LIBRARIES, LIBRARY, MODULES, PACKAGES, TERMS
from vm.guest.tree import Tree

FILES = Path(__file__).with_name("files")
# Raised when an older image could no longer use what this one leaves on the data disk.
LAYOUT = 1
EARLY_MODULES = ("virtio_blk", "virtio_mmio", "squashfs", "overlay")
APPLETS = Path(__file__).with_name("applets.txt").read_text(encoding="utf-8").split()
IN_SBIN = (
    "acpid",
    "halt",
    "init",
    "insmod",
    "lsmod",
    "modinfo",
    "modprobe",
    "nologin",
    "poweroff",
    "reboot",
    "rmmod",
    "sysctl",
    "udhcpc",
)
IPTABLES = [f"{kind}{verb}" for kind in ("iptables", "ip6tables") for verb in ("", "-save", "-restore", "-nft")]


@dataclass
class Parts:
    """What an image is made of; the trees are complete when every package was taken."""

    arch: str
    root: Tree = field(default_factory=Tree)
    initrd: Tree = field(default_factory=Tree)
    kernel: bytes = b""
    release: str = ""
    engine: int = 0


def assemble(arch: str, packages: Iterable[tuple[Package, bytes]], say: Callable[[str], None]) -> Parts:
    """Both trees and the kernel. Raises ValueError where something that the image needs is in no package."""
    parts = Parts(arch)
    _skeleton(parts.root)
    drivers: dict[str, bytes] = {}
    for package, content in packages:
        if package.name.startswith("linux-image-"):
            _take_kernel(parts, drivers, content)
        else:
            _take(parts, package.name, content)
        if package.name == ENGINE:
            parts.engine = int(package.version.partition(".")[0])
    say("Choosing modules of the kernel")
    every = modules.read(drivers)
    _put_modules(parts, every)
    _put_files(parts)
    _put_links(parts)
    _drop_unused_libraries(parts.root)
    _check(parts)
    return parts


def _skeleton(root: Tree) -> None:
    for name in ("dev", "proc", "sys", "run", "mnt", "var/lib/pilothouse", "var/log", "usr/local/bin", "etc/ssl/certs"):
        root.folder(name)
    root.folder("root", 0o700)
    for name in ("tmp", "var/tmp"):
        root.folder(name, 0o1777)
    for name in ("bin", "sbin", "lib"):
        root.link(name, f"usr/{name}")
    root.link("lib64", "usr/lib64")
    root.link("var/run", "/run")
    root.link("etc/os-release", "../usr/lib/os-release")
    root.link("etc/service", "/run/service")


def _take_kernel(parts: Parts, drivers: dict[str, bytes], content: bytes) -> None:
    for path, entry, data in debs.files(content):
        if path.startswith("boot/vmlinuz-") and entry.isreg():
            parts.kernel, parts.release = data, path.removeprefix("boot/vmlinuz-")
        elif entry.isreg() and path.endswith("/modules.builtin"):
            parts.root.file(path, data)
        elif entry.isreg() and path.endswith((".ko", ".ko.xz")):
            drivers[path.removeprefix("usr/").removeprefix("lib/modules/").partition("/")[2]] = data
        elif path.startswith("usr/share/doc/") and path.endswith("/copyright"):
            parts.root.file(path, data)


def _take(parts: Parts, name: str, content: bytes) -> None:
    wanted = [*PACKAGES.get(name, ()), *TERMS]
    if name in LIBRARIES:
        wanted += LIBRARY
    if name == "qemu-user":
        foreign = FOREIGN[parts.arch]
        wanted += [f"usr/bin/qemu-{foreign}", f"usr/libexec/qemu-binfmt/{foreign}-binfmt-P"]
        wanted.append(f"usr/share/qemu/binfmt.d/qemu-{foreign}.conf")
    found = set()
    for path, entry, data in debs.files(content):
        if any(fnmatchcase(path, each) for glob in wanted for each in _braces(glob)):
            found.add(path)
            if entry.issym():
                parts.root.link(path, entry.linkname)
            elif entry.isreg():
                parts.root.file(path, data, entry.mode & 0o755)
    if missing := [glob for glob in wanted if not any(mark in glob for mark in "*{") and glob not in found]:
        raise ValueError(f"{name} has no {', '.join(missing)}")


def _braces(glob: str) -> list[str]:
    head, opened, rest = glob.partition("{")
    if not opened:
        return [glob]
    inner, _, tail = rest.partition("}")
    return [f"{head}{each}{tail}" for each in inner.split(",")]


def _put_modules(parts: Parts, every: dict[str, modules.Module]) -> None:
    base = f"usr/lib/modules/{parts.release}"
    chosen = modules.choose(every, MODULES)
    for module in chosen.values():
        parts.root.file(f"{base}/{module.path}", module.content)
    for name, content in modules.tables(chosen).items():
        parts.root.file(f"{base}/{name}", content)
    order = []
    for module in modules.in_order(modules.choose(every, EARLY_MODULES)):
        name = PurePosixPath(module.path).name
        parts.initrd.file(f"modules/{name}", module.content)
        order.append(f"{name}\n")
    parts.initrd.file("modules/order", "".join(order).encode())


def _put_files(parts: Parts) -> None:
    for part, tree in (("root", parts.root), ("initrd", parts.initrd)):
        for file in sorted(each for each in (FILES / part).rglob("*") if each.is_file()):
            content = file.read_bytes()
            name = file.relative_to(FILES / part).as_posix()
            tree.file(name, content, 0o755 if content.startswith(b"#!") else 0o644)
    root = parts.root
    root.file("etc/shadow", root.content("etc/shadow") or b"", 0o600)
    root.file("usr/lib/pilothouse/blank-disk", disk.BLANK)
    root.file("usr/lib/pilothouse/data-mark", disk.mark(disk.DataVersion(LAYOUT, parts.engine)))
    authorities = [path for path, _ in root if path.startswith("usr/share/ca-certificates/")]
    bundle = b"".join((root.content(path) or b"").rstrip() + b"\n" for path in authorities)
    for path in authorities:
        del root.entries[path]
    root.file("usr/share/pilothouse/certificates.pem", bundle)
    rule = f"qemu-{FOREIGN[parts.arch]}.conf"
    root.file(f"usr/lib/binfmt.d/{rule}", root.content(f"usr/share/qemu/binfmt.d/{rule}") or b"")
    del root.entries[f"usr/share/qemu/binfmt.d/{rule}"]


def _put_links(parts: Parts) -> None:
    root = parts.root
    for applet in APPLETS:
        folder = "sbin" if applet in IN_SBIN else "bin"
        if f"usr/{folder}/{applet}" not in root.entries:
            root.link(f"usr/{folder}/{applet}", "/usr/bin/busybox")
    for name in IPTABLES:
        root.link(f"usr/sbin/{name}", "xtables-nft-multi")
    root.link("usr/bin/nc", "nc.openbsd")
    for name in ("fsck", "mkfs"):
        root.link(f"usr/sbin/{name}.ext4", "e2fsck" if name == "fsck" else "mke2fs")
    busybox = root.content("usr/bin/busybox")
    if busybox is None:
        raise ValueError("busybox is missing")
    parts.initrd.file("bin/busybox", busybox, 0o755)
    parts.initrd.link("bin/sh", "busybox")
    for name in ("dev", "proc", "sys"):
        parts.initrd.folder(name)


def _libraries(root: Tree) -> dict[str, str]:
    """The path of every shared library by its name."""
    return {PurePosixPath(path).name: path for path, entry in root if ".so" in path and path.startswith("usr/lib")}


def _asked(root: Tree, paths: Iterable[str]) -> dict[str, set[str]]:
    """The libraries that these files ask for, and those that they ask for in turn, each with who asks."""
    places = _libraries(root)
    asked: dict[str, set[str]] = {}
    open_paths = list(paths)
    while open_paths:
        path = open_paths.pop()
        content = root.content(path) or b""
        for name in elf.needed(content) if elf.is_elf(content) and not path.endswith(".ko") else ():
            if name not in asked and name in places:
                open_paths.append(places[name])
            asked.setdefault(name, set()).add(path)
    return asked


def _drop_unused_libraries(root: Tree) -> None:
    asked = _asked(
        root,
        [path for path, entry in root if (entry.mode & 0o111 and ".so" not in path) or "/xtables/" in path],
    )
    places = _libraries(root)
    kept = {"libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2", "libgcc_s.so.1"} | set(asked)
    for name in list(kept):
        if name in places and (target := root.entries[places[name]].target):
            kept.add(PurePosixPath(target).name)
    for name, path in places.items():
        if name not in kept and "/xtables/" not in path and "ld-linux" not in name:
            del root.entries[path]


def _check(parts: Parts) -> None:
    places = _libraries(parts.root)
    asked = _asked(parts.root, [path for path, entry in parts.root if entry.content is not None])
    if missing := {name: sorted(who)[0] for name, who in asked.items() if name not in places}:
        raise ValueError(f"libraries are missing: {missing}")
    if not parts.kernel:
        raise ValueError("no package holds the kernel")


def squash(root: Tree, out: Path, when: int, compression: Sequence[str]) -> None:
    """Write the root as a squashfs; the same tree and the same squashfs-tools give the same bytes."""
    out.unlink(missing_ok=True)
    command = ["mksquashfs", "-", str(out), "-tar", "-quiet", "-no-progress", "-no-xattrs", "-reproducible"]
    command += ["-root-mode", "0755", "-mkfs-time", str(when), "-all-time", str(when), *compression]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    with process.stdin as stream:
        root.write_tar(stream, when)
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command)


def squash_version() -> str:
    """The version of squashfs-tools on this computer."""
    command = ["mksquashfs", "-version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return said.split()[2] if len(said.split()) > 2 else ""
