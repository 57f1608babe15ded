"""The data disk through blank, killed, grown, foreign, damaged and newer; and the guest of the other architecture."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.guest.machine import PROGRAMS, Guest, blank_disk, built
from tests.e2e.machine.programs import need
from vm.guest.disk import BLANK, SECTOR, mark, read_mark
from vm.guest.manifest import MANIFEST, decode

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
SMALL = 1 << 30


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def test_data_outlive_a_kill_and_a_larger_disk_and_a_stop(other_guest: Guest) -> None:
    guest = other_guest
    blank_disk(guest.disk, SMALL)
    guest.start()
    guest.wait_for("READY")
    before = int(guest.ssh("df -m /var/lib/pilothouse | tail -n 1").split()[1])
    guest.ssh(f"docker import - {images.BUSYBOX}", images.busybox_tar())
    # It ends at once when it is told to, and counts how often it was told.
    counts = 'trap "echo told >>/kept/told; exit" TERM; while :; do sleep 1; done'
    guest.ssh(
        f"docker run -d --restart unless-stopped --name counter -v kept:/kept {images.BUSYBOX} /bin/sh -c '{counts}'"
    )
    guest.ssh("sync")
    guest.kill()
    with guest.disk.open("rb") as disk:
        first = disk.read(4096)
    assert first[:SECTOR] == BLANK[:SECTOR]
    assert read_mark(first) == decode((built("amd64") / MANIFEST).read_bytes()).data
    assert not first[2048:].strip(b"\0"), "it could be formatted once more"

    with guest.disk.open("r+b") as disk:
        disk.truncate(2 * SMALL)
    guest.start()
    guest.wait_for("READY")
    assert int(guest.ssh("df -m /var/lib/pilothouse | tail -n 1").split()[1]) > before + 900
    guest.eventually("docker inspect -f '{{.State.Running}}' counter", "true")
    guest.power()
    assert "STEP stop ok" in guest.console

    guest.start()
    guest.wait_for("READY")
    guest.eventually("docker inspect -f '{{.State.Running}}' counter", "true")
    assert guest.ssh("docker exec counter cat /kept/told") == "told\n"
    guest.power()
    used_with = read_mark(first)
    assert used_with is not None
    for newer in (used_with._replace(engine=99), used_with._replace(layout=99)):
        with guest.disk.open("r+b") as disk:
            disk.seek(SECTOR)
            disk.write(mark(newer))
        before_it = digest(guest.disk)
        guest.start()
        assert guest.wait_for("STEP data").rstrip().endswith("failed newer")
        guest.kill()
        assert digest(guest.disk) == before_it


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("zeros", "foreign"), ("a boot disk", "foreign"), ("ext4", "foreign"), ("ours, no ext4", "corrupt")],
)
def test_a_disk_that_is_not_ours_is_refused_and_left_alone(other_guest: Guest, kind: str, reason: str) -> None:
    begins = {"a boot disk": b"\xeb\x63\x90 GRUB" + bytes(500) + b"\x55\xaa", "ours, no ext4": BLANK[:1024]}
    other_guest.disk.write_bytes(begins.get(kind, b""))
    with other_guest.disk.open("r+b") as disk:
        disk.truncate(64 << 20)
    if kind == "ext4":
        need("mke2fs")
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", str(other_guest.disk)], check=True)
    before = digest(other_guest.disk)
    other_guest.start()
    assert other_guest.wait_for("STEP data").rstrip().endswith(f"failed {reason}")
    if kind == "zeros":
        other_guest.wait_for("STEP ssh ok")
        assert "dockerd" not in other_guest.ssh("ps -o args")
    other_guest.kill()
    assert digest(other_guest.disk) == before


def test_a_damaged_disk_is_repaired_or_refused(other_guest: Guest) -> None:
    guest = other_guest
    blank_disk(guest.disk, SMALL)
    # As if killed in the middle of its first format: what ext4 wrote is there, and our mark that nothing was used yet.
    subprocess.run([str(need("mke2fs")), "-q", "-F", "-t", "ext4", str(guest.disk)], check=True)
    with guest.disk.open("r+b") as disk:
        disk.write(bytes(1024))
        disk.seek(2048)
        disk.write(BLANK[2048:])
    guest.start()
    assert guest.wait_for("STEP data").rstrip().endswith("ok")
    guest.wait_for("STEP ssh ok")
    guest.ssh("echo kept >/var/lib/pilothouse/mine; sync")
    guest.kill()
    with guest.disk.open("r+b") as disk:  # The first block of ext4; it keeps copies.
        disk.seek(1024)
        disk.write(bytes(1024))
    guest.start()
    assert guest.wait_for("STEP data").rstrip().endswith("ok")
    guest.wait_for("STEP ssh ok")
    assert guest.ssh("cat /var/lib/pilothouse/mine") == "kept\n"
    guest.kill()
    with guest.disk.open("r+b") as disk:  # Every copy.
        disk.seek(1024)
        disk.write(b"\xff" * (SMALL - 1024))
    guest.start()
    assert guest.wait_for("STEP data").rstrip().endswith("failed corrupt")


def test_without_a_disk_it_says_so(other_guest: Guest) -> None:
    blank_disk(other_guest.disk, SMALL)
    other_guest.serial = "something-else"
    other_guest.start()
    assert other_guest.wait_for("STEP data").rstrip().endswith("failed missing")


def test_the_guest_for_arm64_boots_and_runs_its_engine(tmp_path: Path) -> None:
    for name in (PROGRAMS["arm64"], "mksquashfs", "ssh"):
        need(name)
    guest = Guest(tmp_path, blank_disk(tmp_path / "data"), arch="arm64")
    try:
        guest.start()
        guest.wait_for("READY")
        assert "linux/arm64" in guest.ssh("docker version")
        assert guest.ssh("uname -m").strip() == "aarch64"
        assert "enabled" in guest.ssh("cat /proc/sys/fs/binfmt_misc/qemu-x86_64")
        guest.power()
        assert "STEP stop ok" in guest.console
    finally:
        guest.kill()
