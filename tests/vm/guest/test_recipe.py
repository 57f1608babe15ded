"""The recipe's parts against real packages, tar and cpio programs; and the locks against the table of packages."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from vm.errors import ImageBuildFailed
from vm.guest import archive, debs, elf, image, modules, recipe
from vm.guest.packages import LIBRARIES, PACKAGES
from vm.guest.tree import Tree

ARCHES = ("amd64", "arm64")


@pytest.fixture
def package(tmp_path: Path) -> bytes:
    folder = tmp_path / "package"
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "DEBIAN/control").write_text("Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n")
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "usr/bin/tool").write_bytes(b"#!/bin/sh\n")
    (folder / "usr/bin/tool").chmod(0o755)
    (folder / "usr/bin/other").symlink_to("tool")
    made = tmp_path / "x.deb"
    subprocess.run(
        ["dpkg-deb", "-Zxz", "--root-owner-group", "-b", str(folder), str(made)], check=True, capture_output=True
    )
    return made.read_bytes()


def test_a_package_is_read_without_dpkg(package: bytes) -> None:
    found = {path: (entry, content) for path, entry, content in debs.files(package)}
    assert found["usr/bin/tool"][1] == b"#!/bin/sh\n"
    assert found["usr/bin/tool"][0].mode == 0o755
    assert found["usr/bin/other"][0].linkname == "tool"
    with pytest.raises(ValueError, match="not a Debian package"):
        list(debs.files(b"<html>"))


def tree() -> Tree:
    made = Tree()
    made.link("bin", "usr/bin")
    made.file("usr/bin/tool", b"content", 0o755)
    made.link("usr/bin/other", "tool")
    made.link("usr/lib/far", "/usr/bin/other")
    made.folder("tmp", 0o1777)
    return made


def test_a_tree_follows_its_links() -> None:
    made = tree()
    assert made.content("usr/lib/far") == b"content"
    assert made.content("none") is None
    with pytest.raises(ValueError, match="no folder"):
        made.file("usr/bin/tool/x", b"")


def test_a_tar_is_the_same_each_time_and_owned_by_root() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    tree().write_tar(first, 1000)
    tree().write_tar(second, 1000)
    assert first.getvalue() == second.getvalue()
    with tarfile.open(fileobj=io.BytesIO(first.getvalue())) as tar:
        entries = tar.getmembers()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries} == {(0, 0, 1000)}


@pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox unpacks the archive")
def test_a_cpio_is_one_for_others_too(tmp_path: Path) -> None:
    out = subprocess.run(
        ["busybox", "cpio", "-i", "-d"], input=tree().cpio(), cwd=tmp_path, capture_output=True, check=False
    )
    assert out.returncode == 0, out.stderr
    assert (tmp_path / "usr/bin/other").read_bytes() == b"content"
    assert (tmp_path / "usr/bin/tool").stat().st_mode & 0o777 == 0o755


def test_libraries_are_found_as_the_linker_finds_them() -> None:
    program = Path("/bin/sh").resolve()
    if not elf.is_elf(program.read_bytes()):
        pytest.skip("/bin/sh is not a 64-bit program")
    assert any(name.startswith("libc.so") for name in elf.needed(program.read_bytes()))
    assert not elf.is_elf(b"#!/bin/sh")


def module(name: str, *facts: tuple[str, str]) -> modules.Module:
    return modules.Module(f"kernel/{name}.ko", name.encode(), facts)


def test_modules_bring_what_they_need_and_load_in_order() -> None:
    every = {
        each.name: each
        for each in (
            module("virtio-blk", ("depends", ""), ("alias", "virtio:d00000002v*")),
            module("ext4", ("depends", "jbd2,mbcache"), ("softdep", "pre: crc32c"), ("alias", "fs-ext4")),
            module("jbd2", ("depends", "")),
            module("mbcache", ("depends", "")),
            module("crc32c", ("depends", "")),
            module("sound", ("depends", "")),
        )
    }
    chosen = modules.choose(every, ["virtio_blk", "ext*", "built_in"])
    assert set(chosen) == {"virtio_blk", "ext4", "jbd2", "mbcache", "crc32c"}
    names = [each.name for each in modules.in_order(chosen)]
    assert names.index("ext4") > max(names.index("jbd2"), names.index("mbcache"), names.index("crc32c"))
    tables = modules.tables(chosen)
    assert b"alias fs-ext4 ext4\n" in tables["modules.alias"]
    line = next(line for line in tables["modules.dep"].decode().splitlines() if line.startswith("kernel/ext4.ko:"))
    assert set(line.split()[1:]) == {"kernel/jbd2.ko", "kernel/mbcache.ko", "kernel/crc32c.ko"}


@pytest.mark.parametrize("arch", ARCHES)
def test_the_lock_names_every_package_once(arch: str) -> None:
    lock = archive.read_lock(arch)
    names = [package.name for package in lock.packages]
    assert len(names) == len(set(names))
    assert {*PACKAGES, *LIBRARIES, "qemu-user"} == {name for name in names if not name.startswith("linux-image-")}
    assert len(names) == len(PACKAGES) + len(LIBRARIES) + 2
    assert {len(package.sha256) for package in lock.packages} == {64}
    assert all(package.path.endswith((f"_{arch}.deb", "_all.deb")) for package in lock.packages)


def test_both_architectures_have_the_same_age() -> None:
    dates = {image.version_of(archive.read_lock(arch).date) for arch in ARCHES}
    assert len(dates) == 1


def test_the_recipe_has_a_digest_of_its_own_for_each_architecture() -> None:
    assert image.recipe_digest("amd64") == image.recipe_digest("amd64") != image.recipe_digest("arm64")


def test_every_script_of_the_guest_is_one_for_its_shell() -> None:
    scripts = [path for path in recipe.FILES.rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert len(scripts) > 20
    for path in scripts:
        check = ["perl", "-c"] if b"perl" in path.read_bytes().partition(b"\n")[0] else ["sh", "-n"]
        done = subprocess.run([*check, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path}: {done.stderr}"


def test_a_package_that_is_not_the_locked_one_is_never_used(tmp_path: Path) -> None:
    locked = archive.Package("x", "1", "debian/pool/x_1_all.deb", 4, hashlib.sha256(b"good").hexdigest())
    lock = archive.Lock("amd64", 0, (locked,))
    kept = tmp_path / f"{locked.sha256}.deb"
    kept.write_bytes(b"good")
    assert [content for _, content in archive.fetch(lock, tmp_path, print)] == [b"good"]
    kept.write_bytes(b"evil")
    assert not archive.is_locked(locked, kept.read_bytes())


def test_a_build_that_cannot_be_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(ImageBuildFailed):
        image.build("amd64", tmp_path / "out", blocked / "cache", lambda _: None)
