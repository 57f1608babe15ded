"""The base images of the end-to-end tests, made from Debian's own packages; nothing comes from a registry."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import platform
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vm.guest import archive, debs

BUSYBOX = "pilothouse-test/busybox:1"
DEBIAN = "pilothouse-test/debian:12"
CACHE = Path(os.environ.get("PILOTHOUSE_TEST_CACHE", "") or Path.home() / ".cache" / "pilothouse-tests")

BUILDX_VERSION = "0.13.1+ds1-3"
BUILDX_SHA256 = {
    "amd64": "fcf8c48204d1603c8f209451d7827eb91bf30759578baf7704e9e1a87e5f1d7f",
    "arm64": "6cf361ab892b55753b728adcbd1a99f0616711df853dba64a5297a4a676d96b0",
}
REGISTRY_VERSION = "2.8.2+ds1-1"
REGISTRY_SHA256 = {
    "amd64": "a9bd06c0e006854608f8469b4371743f40604ad90975532bb3b7ceeb72fe2913",
    "arm64": "652d4e3fe828ccf9b80962dce13f813fb969f1d5e1dae7d7ceff79ec9a5ed651",
}
POOL = "http://deb.debian.org/debian/pool/main/d"


def busybox_tar() -> bytes:
    """A root file system of busybox-static alone, with a link for every applet."""
    busybox = shutil.which("busybox") or "/bin/busybox"
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "root", "proc", "sys", "dev", "var", "usr"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _add_file(tar, "bin/busybox", Path(busybox).read_bytes(), 0o755)
        _add_file(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644)
        _add_file(tar, "etc/group", b"root:x:0:\n", 0o644)
        for applet in applets:
            if applet != "busybox":
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
    return out.getvalue()


def debian_tar() -> Path:
    """A minimal Debian 12 (mmdebstrap, kept in the cache), apt ready for use."""
    return _cached("debian-12-1.tar", _bootstrap)


def buildx_plugin() -> Path:
    """Debian 13's docker-buildx, taken from its package with a pinned checksum, without installing it."""
    return _cached(f"docker-buildx-{BUILDX_VERSION}", _unpack_buildx)


def compose_plugin() -> Path:
    """Debian 13's docker compose, the very package that the machine's image holds."""
    return _cached("docker-compose", _unpack_compose)


def registry_program() -> Path:
    """Debian 12's docker-registry, in the same way."""
    return _cached(f"docker-registry-{REGISTRY_VERSION}", _unpack_registry)


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    kept = CACHE / name
    with open(CACHE / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            fresh = CACHE / f".{name}.new"
            fresh.unlink(missing_ok=True)
            make(fresh)
            fresh.rename(kept)
    return kept


def _bootstrap(target: Path) -> None:
    command = ["mmdebstrap", "--variant=minbase", "--mode=root" if os.getuid() == 0 else "--mode=unshare"]
    command += ["--include=ca-certificates", "--dpkgopt=path-exclude=/usr/share/doc/*"]
    command += ["--dpkgopt=path-exclude=/usr/share/locale/*", "--format=tar", "bookworm", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]


def _unpack_buildx(target: Path) -> None:
    _unpack(f"docker-buildx/docker-buildx_{BUILDX_VERSION}", BUILDX_SHA256, "cli-plugins/docker-buildx", target)


def _unpack_registry(target: Path) -> None:
    _unpack(f"docker-registry/docker-registry_{REGISTRY_VERSION}", REGISTRY_SHA256, "bin/docker-registry", target)


def _unpack_compose(target: Path) -> None:
    lock = archive.read_lock({"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()])
    one = replace(lock, packages=tuple(each for each in lock.packages if each.name == "docker-compose"))
    ((_, content),) = archive.fetch(one, CACHE / "guest" / "packages", lambda _: None)
    (program,) = [data for path, _, data in debs.files(content) if path.endswith("cli-plugins/docker-compose")]
    target.write_bytes(program)
    target.chmod(0o755)


def _unpack(package: str, checksums: dict[str, str], program: str, target: Path) -> None:
    """Fetches a package of Debian, and takes one program out of it once its checksum is the pinned one."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    kept = target.with_suffix(".deb")
    with urllib.request.urlopen(f"{POOL}/{package}_{machine}.deb", timeout=300) as answer:
        kept.write_bytes(answer.read())
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    assert found == checksums[machine], f"{package} has checksum {found}, not the one that is pinned"
    folder = target.with_suffix(".dir")
    subprocess.run(["dpkg-deb", "-x", str(kept), str(folder)], check=True)
    next(folder.rglob(program)).rename(target)
    shutil.rmtree(folder)
    kept.unlink()
