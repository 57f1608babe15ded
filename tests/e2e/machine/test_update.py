"""Another image for the machine, the way back, data that are too new; every check and repair of one that runs."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.e2e.machine.computer import Computer, a_computer, eventually
from vm.guest.disk import DataVersion, mark
from vm.guest.manifest import MANIFEST, decode, describe, encode
from vm.guest.trust import mark_built

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
SECOND, THIRD = "20990101.1", "20990101.2"
CANARY = "canary-7f3a9c51e2"


@pytest.fixture(scope="module")
def computer() -> Iterator[Computer]:
    """With a machine that runs; the tests below use it up in their order."""
    with a_computer() as made:
        made.environment["SOME_TOKEN"] = CANARY
        made.create()
        made.start()
        yield made


def another(computer: Computer, version: str, *, initrd: bytes | None = None) -> Path:
    """The same image with another version in its manifest: what is compared is only that."""
    made = computer.home.parent / version
    shutil.copytree(computer.home.parent / "image", made, copy_function=os.link)
    found = decode((made / MANIFEST).read_bytes())
    if initrd is not None:
        (made / "initrd").unlink()
        (made / "initrd").write_bytes(initrd)
    changed = msgspec.structs.replace(found, version=version, initrd=describe(made / "initrd"))
    (made / MANIFEST).unlink()
    (made / MANIFEST).write_bytes(encode(changed))
    (made / "built.json").unlink()
    mark_built(made)
    return made


def checks(computer: Computer, *words: str, code: int = 0) -> dict[str, dict[str, str]]:
    """What the checks found, by their names."""
    return {each["name"]: each for each in computer.told("diagnose", *words, code=code)["checks"]}


def test_every_part_of_one_that_runs_is_looked_at(computer: Computer) -> None:
    found = checks(computer)
    assert len(found) == 16
    assert not [each for each in found.values() if each["result"] in ("bad", "unknown")]
    for name in ("image", "disk", "folders", "process", "socket", "ssh", "engine", "room", "time", "ports", "shares"):
        assert found[name]["result"] == "good", found[name]
    assert "host.docker.internal: " in found["names"]["told"]
    assert "host.docker.internal: no answer" not in found["names"]["told"]


def test_what_is_broken_is_found_and_mended(computer: Computer) -> None:
    before = computer.told("status")
    computer.socket.unlink()
    found = checks(computer, code=1)
    assert (found["socket"]["result"], found["socket"]["repair"]) == ("bad", "socket")
    assert found["engine"]["result"] == "bad"
    assert found["ssh"]["result"] == "good"
    assert checks(computer, "--repair", "socket")["engine"]["result"] == "good"

    (computer.machine / "keys").chmod(0o755)
    assert checks(computer, code=1)["folders"]["repair"] == "folders"
    assert checks(computer, "--repair", "folders")["folders"]["result"] == "good"

    assert computer.told("diagnose", "--repair", "restart", code=2)["error"] == "NotConfirmed"
    assert computer.told("diagnose", "--repair", "nonsense", code=2)["error"] == "NotConfirmed"
    assert computer.told("status")["pid"] == before["pid"]


def test_the_bundle_is_private_and_holds_no_secret(computer: Computer) -> None:
    bundle = computer.home / "report.zip"
    computer.told("diagnose", "--bundle", str(bundle))
    assert bundle.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(bundle) as packed:
        texts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert {"versions.json", "report.json", "checks.json", "guest.log", "logs/supervisor.log"} <= set(texts)
    assert "STEP data ok" in texts["guest.log"]
    every = "\n".join(texts.values())
    private = (computer.machine / "keys" / "user").read_text().splitlines()[1:-1]
    assert not [line for line in private if line in every]
    assert CANARY not in every
    assert str(computer.home) not in every


def test_an_update_leaves_data_alone_and_a_failed_one_offers_the_way_back(computer: Computer) -> None:
    busybox = computer.busybox()
    keep = ("-v", "kept:/kept", busybox, "sh", "-c")
    computer.docker("run", "--rm", *keep, "echo precious > /kept/said; sync")
    first = computer.told("status")["image"]
    second = another(computer, SECOND)
    assert computer.told("update", "--image", str(second), code=2)["error"] == "NotConfirmed"
    said = computer.told("update", "--image", str(second), "--yes")
    assert (said["state"], said["image"], said["rollback"]) == ("running", SECOND, first)
    assert computer.docker("run", "--rm", *keep, "cat /kept/said") == b"precious\n"
    assert (
        computer.told("update", "--image", str(computer.home.parent / "image"), "--yes", code=1)["error"]
        == "ImageTooOld"
    )

    broken = another(computer, THIRD, initrd=gzip.compress(b"nothing that boots"))
    failed = computer.told("update", "--image", str(broken), "--yes", code=1)
    assert failed["error"] == "UpdateFailed"
    assert "pilothouse machine rollback" in failed["words"][0]
    assert computer.told("status", code=3)["rollback"] == SECOND
    back = computer.told("rollback", "--yes")
    assert (back["image"], back["rollback"]) == (SECOND, "")
    assert computer.told("rollback", "--yes", code=1)["error"] == "RollbackMissing"
    assert computer.told("start")["image"] == SECOND
    eventually(lambda: computer.tried("run", "--rm", *keep, "cat /kept/said").stdout == b"precious\n")


def test_data_of_a_newer_machine_are_refused_and_not_touched(computer: Computer) -> None:
    assert computer.told("stop", "--timeout", "60")["state"] == "stopped"
    disk = computer.machine / "data.qcow2"
    sector = computer.home.parent / "mark"
    sector.write_bytes(mark(DataVersion(1, 99)))
    write = ["qemu-io", "-f", "qcow2", "-c", f"write -s {sector} 512 512", str(disk)]
    subprocess.run(write, check=True, capture_output=True)
    before = disk.read_bytes()
    failed = computer.told("start", code=1)
    assert failed["error"] == "MachineStartFailed"
    assert computer.told("status", code=3)["failure"]["kind"] == "DataNewer"
    assert checks(computer, code=1)["disk"]["hint"] == "DataNewer"
    assert (
        computer.told("update", "--image", str(another(computer, "20990301.1")), "--yes", code=1)["error"]
        == "DataNewer"
    )
    assert disk.read_bytes() == before
