"""The embedded engine of an ordinary user: a real one, made for the test and removed after it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from backend.embedded.dockerd import search_path
from tests.e2e import images

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.getuid() != 0, reason="only root can make a user")]
ROOT = Path(__file__).parents[2]

OPEN_TUN = (
    'mount -t tmpfs -o mode=0755 none "$1" && mknod -m "$2" "$1/tun" c 10 200 && mount --bind "$1/tun" /dev/net/tun'
)
HIDE = 'for name in $3; do path=$(command -v "$name") && mount --bind /dev/null "$path"; done'
AS_USER = 'shift 3; exec setpriv --reuid "$STORY_UID" --regid "$STORY_UID" --clear-groups -- "$@"'
SCRIPT = f"set -e; {OPEN_TUN}; {HIDE}; {AS_USER}"


@dataclass(frozen=True)
class Person:
    name: str
    uid: int
    place: Path


@pytest.fixture
def person() -> Iterator[Person]:
    """An ordinary user with a home of its own and ids of its own to give to containers."""
    name = f"ph{uuid.uuid4().hex[:8]}"
    place = Path("/tmp") / name
    subprocess.run(["useradd", "--create-home", "--home-dir", str(place), "--user-group", name], check=True)
    try:
        for option, path in (("--add-subuids", "/etc/subuid"), ("--add-subgids", "/etc/subgid")):
            kept = Path(path).read_text() if Path(path).exists() else ""
            if f"{name}:" not in kept:
                subprocess.run(["usermod", option, "900000000-900065535", name], check=True)
        shutil.copytree(ROOT / "backend", place / "lib" / "backend")
        shutil.copytree(Path(msgspec.__file__).parent, place / "lib" / "msgspec")
        (place / "busybox.tar").write_bytes(images.busybox_tar())
        yield Person(name, pwd.getpwnam(name).pw_uid, place)
    finally:
        _end_all_of(pwd.getpwnam(name).pw_uid)
        subprocess.run(["userdel", name], check=True)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def tell(person: Person, tmp_path: Path) -> Callable[..., dict[str, object]]:
    """`tell(tun="0666", hide=("dockerd",))`: the story as that user, in a mount namespace with that /dev/net/tun."""

    def run(*, tun: str = "0666", hide: tuple[str, ...] = ()) -> dict[str, object]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
        story = [python, str(person.place / "story.py"), str(person.place / "e"), str(person.place / "r"), str(port)]
        shutil.copy(Path(__file__).with_name("rootless_story.py"), person.place / "story.py")
        mounts = tmp_path / "dev"
        mounts.mkdir(exist_ok=True)
        command = ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", str(mounts), tun, " ".join(hide)]
        environment = {"PATH": search_path(), "HOME": str(person.place), "STORY_UID": str(person.uid)}
        environment |= {"PYTHONPATH": str(person.place / "lib"), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
        done = subprocess.run(
            [*command, *story, str(person.place / "busybox.tar")],
            capture_output=True,
            text=True,
            env=environment,
            cwd="/",
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return told

    return run


def test_an_ordinary_user_gets_a_rootless_dockerd(tell: Callable[..., dict[str, object]], person: Person) -> None:
    told = tell()
    assert "error" not in told, told
    assert told["kind"] == "rootless"
    assert told["page"] == "hello", told
    assert told["socket"] == "0o600"
    assert told["after"] == "stopped"
    assert _ends(lambda: not _processes_of(person.uid))


def test_podman_serves_where_there_is_no_dockerd(tell: Callable[..., dict[str, object]], person: Person) -> None:
    if shutil.which("podman") is None:
        told = tell(hide=("dockerd",))
        assert told["error"] == "EngineProgramMissing"
        return
    told = tell(hide=("dockerd",))
    assert "error" not in told, told
    assert told["kind"] == "podman"
    assert told["page"] == "hello", told
    assert told["after"] == "stopped"


def test_what_the_system_forbids_is_named(tell: Callable[..., dict[str, object]]) -> None:
    told = tell(tun="0600")
    assert told["error"] == "RootlessForbidden"
    assert "/dev/net/tun may not be opened" in str(told["words"])


def _ends(true: Callable[[], bool]) -> bool:
    """The last of them are buried by the system a moment later."""
    for _ in range(100):
        if true():
            return True
        time.sleep(0.05)
    return False


def _processes_of(uid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _end_all_of(uid: int) -> None:
    """This user was made by the test, so every process of it was started by the test."""
    for pid in _processes_of(uid):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
    assert _ends(lambda: not _processes_of(uid))
