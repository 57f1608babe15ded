"""Folders of this computer in a real machine: bound, read and written from both sides, kept through breaks, watched."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.machine.test_life import Computer, computer, eventually

__all__ = ["computer"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
COUNT = "exec 3>>/work/log; i=0; while true; do i=$((i+1)); echo $i >&3 || echo failed; sleep 0.2; done"


class Shared:
    """A folder that the machine sees, as the person who has it."""

    def __init__(self, computer: Computer, path: Path) -> None:
        self.computer, self.path = computer, path
        path.mkdir()
        self.give(path)

    def give(self, path: Path) -> None:
        """Who runs the machine is no root; what a test makes as root is theirs."""
        owner = self.computer.home.stat()
        if os.getuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)

    def write(self, name: str, content: str) -> None:
        """Write a file here."""
        (self.path / name).write_text(content)
        self.give(self.path / name)

    def run(self, script: str, *options: str) -> str:
        """What a container says that has it at /work."""
        command = ["run", "--rm", *options, "-v", f"{self.path}:/work", images.BUSYBOX, "sh", "-c", script]
        return self.computer.docker(*command).decode()

    def lines(self, name: str) -> list[str]:
        """The lines of a file, as far as they are whole."""
        return (self.path / name).read_text().split("\n")[:-1] if (self.path / name).exists() else []


@pytest.fixture(scope="module")
def shared(computer: Computer) -> Shared:
    """A folder with a name that has all that a name may have, shared while the machine runs."""
    computer.docker("import", "-", images.BUSYBOX, stdin=images.busybox_tar())
    made = Shared(computer, computer.home / 'it\'s, a: "work" $HOME é 😀')
    said = computer.told("share", str(made.path), "--watch")
    assert said["shares"] == [{"path": str(made.path), "reason": "", "unwatched": ""}]
    return made


def refused(computer: Computer, path: Path) -> str:
    """Why a container that binds it does not start."""
    command = [
        "docker",
        "-H",
        f"unix://{computer.socket}",
        "run",
        "--rm",
        "-v",
        f"{path}:/work",
        images.BUSYBOX,
        "true",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode != 0
    return done.stderr


def test_a_bind_mount_is_read_and_written_from_both_sides(shared: Shared) -> None:
    shared.write("from here", "hello\n")
    script = "cat '/work/from here'; mkdir /work/deep; echo back >/work/deep/answer; chmod 750 /work/deep/answer"
    assert shared.run(script) == "hello\n"
    answer = shared.path / "deep" / "answer"
    assert answer.read_text() == "back\n"
    assert stat.S_IMODE(answer.stat().st_mode) == 0o750
    assert answer.stat().st_uid == shared.computer.home.stat().st_uid
    assert shared.run("stat -c %u:%g /work/deep/answer") == "0:0\n"
    assert shared.run("cat /work/deep/answer; echo other >>/work/deep/answer", "-u", "1234:1234") == "back\n"
    script = (
        "cd /work && ln -s deep/answer link && ln deep/answer twin && mv twin deep/moved && cat link && rm -r deep link"
    )
    assert shared.run(script) == "back\nother\n"
    assert not answer.parent.exists()


def test_the_owner_cannot_be_changed_which_databases_try(shared: Shared) -> None:
    assert "Operation not permitted" in shared.run("mkdir /work/db; chown 999 /work/db 2>&1; rmdir /work/db")


def test_what_is_not_shared_cannot_be_bound(shared: Shared) -> None:
    for path in (shared.computer.home / "elsewhere", Path("/home/nobody-has-this"), Path("/nowhere/at/all")):
        assert "read-only file system" in refused(shared.computer, path)
        assert not path.exists()


def test_our_own_data_stays_private_in_a_folder_around_it(shared: Shared) -> None:
    home = shared.computer.home
    assert shared.computer.told("share", str(home), "--read-only")["state"] == "running"
    run = ["run", "--rm", "-v", f"{home}:/home", images.BUSYBOX, "sh", "-c"]
    seen = shared.computer.docker(
        *run, "ls -a /home; ls /home/data /home/run 2>&1; touch /home/x 2>&1 || true"
    ).decode()
    assert shared.path.name in seen
    assert {"data", "run"}.isdisjoint(seen.split("\n"))
    assert seen.count("No such file or directory") == 2
    assert "ead-only file system" in seen
    assert not (home / "x").exists()
    left = shared.computer.told("unshare", str(home))["shares"]
    assert [each["path"] for each in left] == [str(shared.path)]
    assert shared.run("ls /work") == shared.run("ls /work")
    assert shared.computer.told("share", "/usr", code=1)["error"] == "ShareRefused"


def test_a_change_here_is_seen_by_who_watches_there(shared: Shared) -> None:
    shared.write("main.py", "print(1)\n")
    name = ["--name", "reload", "-v", f"{shared.path}:/work"]
    shared.computer.docker("run", "-d", *name, images.BUSYBOX, "inotifyd", "-", "/work:cwey")

    def told() -> str:
        return shared.computer.docker("logs", "reload").decode()

    def changed() -> bool:
        shared.write("main.py", f"print({time.time()})\n")
        time.sleep(3)
        return "main.py" in told()

    eventually(changed)
    before = shared.path / "main.py"
    exact = before.stat().st_mtime_ns
    time.sleep(3)
    assert before.stat().st_mtime_ns == exact
    seen = told().count("main.py")
    time.sleep(5)
    assert told().count("main.py") == seen
    shared.computer.docker("rm", "-f", "reload")


def test_it_goes_on_without_the_window_and_over_another_connection(shared: Shared) -> None:
    computer = shared.computer
    computer.docker("run", "-d", "--name", "counts", "-v", f"{shared.path}:/work", images.BUSYBOX, "sh", "-c", COUNT)
    eventually(lambda: len(shared.lines("log")) > 3)
    assert computer.owner is not None
    os.kill(computer.owner.pid, signal.SIGKILL)
    computer.owner.communicate()
    before = len(shared.lines("log"))
    eventually(lambda: len(shared.lines("log")) > before + 5)

    cut = ["run", "--rm", "--privileged", "--pid", "host", images.BUSYBOX, "killall", "sshd-session"]
    subprocess.run(["docker", "-H", f"unix://{computer.socket}", *cut], capture_output=True, timeout=600, check=False)
    before = len(shared.lines("log"))
    eventually(lambda: len(shared.lines("log")) > before + 5)
    eventually(lambda: computer.told("status")["state"] == "running")
    said = computer.docker("logs", "counts")
    computer.docker("rm", "-f", "counts")
    assert said == b""
    lines = shared.lines("log")
    assert lines == [str(number) for number in range(1, len(lines) + 1)]


def test_what_is_shared_no_more_is_gone_for_those_who_have_it_too(shared: Shared) -> None:
    computer = shared.computer
    shared.write("mine", "mine\n")
    bound = ["-v", f"{shared.path}:/work", images.BUSYBOX, "sh", "-c"]
    computer.docker("run", "-d", "--name", "holds", *bound, "exec 3</work/mine; sleep 3600")
    assert computer.docker("exec", "holds", "cat", "/work/mine") == b"mine\n"
    assert computer.told("unshare", str(shared.path))["shares"] == []
    script = "sleep 2; cat /work/mine || cat <&3"
    command = ["docker", "-H", f"unix://{computer.socket}", "exec", "holds", "sh", "-c", script]
    assert subprocess.run(command, capture_output=True, timeout=600, check=False).returncode != 0
    computer.docker("rm", "-f", "holds")
    assert "read-only file system" in refused(computer, shared.path)

    computer.told("share", str(shared.path))
    assert shared.run("cat /work/mine") == "mine\n"
    assert [each["reason"] for each in computer.told("restart")["shares"]] in ([""], [])
    eventually(lambda: [each["reason"] for each in computer.told("status")["shares"]] == [""])
    assert shared.run("cat /work/mine") == "mine\n"
