"""An engine of root alone, for an ordinary user: the group is named, and the way without it is offered and works."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from backend import endpoint
from backend.embedded.dockerd import search_path
from tests.e2e.test_rootless import AS_USER, OPEN_TUN, Person, person

__all__ = ["person"]
ROOT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3"
BIND = 'mount --bind "$2" "$PLACE/code"; mount --bind "$3" "$PLACE/packages"'
SCRIPT = f'set -e; {BIND}; set -- "$1" 0666 "" "${{@:4}}"; {OPEN_TUN}; {AS_USER}'


def same_python() -> bool:
    """Whether the system's python, which everybody may run, takes the packages of ours."""
    words = [PYTHON, "-c", "import sys; print(sys.version_info[:2])"]
    return Path(PYTHON).exists() and subprocess.run(words, capture_output=True, text=True).stdout.strip() == str(
        sys.version_info[:2]
    )


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0 or not same_python(), reason="needs root, and a python for everybody"),
]


@pytest.fixture
def roots_own(person: Person) -> Iterator[socket.socket]:
    """A socket as dockerd makes it: of root and of a group that this user is not in."""
    path = person.place / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        os.chown(path, 0, 1)
        path.chmod(0o660)
        yield listener


def test_the_group_is_named_and_the_rootless_engine_starts(
    person: Person, roots_own: socket.socket, tmp_path: Path
) -> None:
    path = roots_own.getsockname()
    for name in ("code", "packages"):
        (person.place / name).mkdir()
    packages = Path(msgspec.__file__).parents[1]
    environment = {
        "PATH": search_path(), "HOME": str(person.place), "STORY_UID": str(person.uid), "PLACE": str(person.place),
        "PYTHONPATH": f"{person.place}/code:{person.place}/packages", "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen", "DOCKER_HOST": f"unix://{path}",
        "PILOTHOUSE_HOME": str(person.place / "home"), "QT_API": "pyside6",
    }  # fmt: skip
    mounts = tmp_path / "dev"
    mounts.mkdir()
    story = [PYTHON, "-m", "tests.e2e.forbidden_story"]
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", SCRIPT, "bash", str(mounts), str(ROOT), str(packages), *story],
        capture_output=True, text=True, env=environment, cwd="/", timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["refused"] == "PermissionError"
    with pytest.raises(BlockingIOError):
        roots_own.accept()
    group = endpoint.group_name(path)
    assert group == "daemon"
    assert told["before"]["state"] == "stopped"
    assert told["before"]["code"] == 3
    (said,) = [n for n in told["notices"] if n.startswith("You may not use this engine")]
    assert f"Members of the group {group} may; that group equals root." in said
    assert said.endswith("The embedded engine needs no group. [Use the embedded engine]")
    assert any(f"Members of the group {group} may" in words for words in told["words"])
    assert told["status"]["state"] == "running"
    assert told["status"]["kind"] in ("rootless", "podman")
