"""Folders of this computer in a real machine: bound, read and written from both sides, kept through breaks, watched."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.machine.computer import Computer, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
COUNT = "exec 3>>/work/log; i=0; while true; do i=$((i+1)); echo $i >&3 || echo failed; sleep 0.2; done"

WATCH = r"""
my ($init, $add) = `uname -m` =~ /x86/ ? (294, 254) : (26, 27);
my $descriptor = syscall($init, 0);
my $place = "/work";
syscall($add, $descriptor, $place, 2) >= 0 or die "no watch: $!";
open(my $events, "<&=", $descriptor) or die;
$| = 1;
print "watching\n";
while (sysread($events, my $came, 4096)) {
  while (length $came) {
    my $length = unpack("x12 I", $came);
    print unpack("Z*", substr($came, 16, $length)), "\n";
    substr($came, 0, 16 + $length) = "";
  }
}
"""
"""Says each file of /work that is written to (IN_MODIFY), as tools that reload learn of it."""
PERL = [word for name in ("/usr/bin/perl", "/usr/lib", "/lib64") for word in ("-v", f"{name}:{name}:ro")]
"""The machine's own, which is the only program there that may ask for such events."""


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

    def begin(self, name: str, *words: str, options: Sequence[str] = ()) -> None:
        """A container that goes on, with it at /work."""
        options = ["--name", name, "-v", f"{self.path}:/work", *options]
        self.computer.docker("run", "-d", *options, images.BUSYBOX, *words)

    def lines(self, name: str) -> list[str]:
        """The lines of a file, as far as they are whole."""
        return (self.path / name).read_text().split("\n")[:-1] if (self.path / name).exists() else []

    def goes_on(self, name: str) -> None:
        """Wait until a file has grown."""
        before = len(self.lines(name))
        eventually(lambda: len(self.lines(name)) > before + 5, 600)


@pytest.fixture(scope="module")
def shared(computer: Computer) -> Shared:
    """A folder with a name that has all that a name may have, shared while the machine runs."""
    computer.busybox()
    made = Shared(computer, computer.home.parent / 'it\'s, a "work" $HOME é 😀')
    said = computer.told("share", str(made.path), "--watch")
    assert said["shares"] == [{"path": str(made.path), "reason": "", "unwatched": ""}]
    return made


def refused(computer: Computer, path: Path) -> str:
    """Why a container that binds it does not start."""
    done = computer.tried("run", "--rm", "-v", f"{path}:/work", images.BUSYBOX, "true")
    assert done.returncode != 0
    return done.stderr.decode()


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
    script = "cd /work && ln -s deep/answer link && ln deep/answer twin && mv twin deep/moved && cat link"
    assert shared.run(f"{script} && rm -r deep link") == "back\nother\n"
    assert not answer.parent.exists()


def test_the_owner_cannot_be_changed_which_databases_try(shared: Shared) -> None:
    assert "Operation not permitted" in shared.run("mkdir /work/db; chown 999 /work/db 2>&1; rmdir /work/db")


def test_what_is_not_shared_cannot_be_bound(shared: Shared) -> None:
    for path in (shared.path.parent / "elsewhere", Path("/home/nobody-has-this"), Path("/nowhere/at/all")):
        assert "read-only file system" in refused(shared.computer, path)
        assert not path.exists()
    assert shared.computer.told("share", "/usr", code=1)["error"] == "ShareRefused"


def test_what_is_private_is_not_seen_in_a_folder_around_it(shared: Shared) -> None:
    around = shared.path.parent
    (shared.computer.home / ".ssh").mkdir()
    shared.give(shared.computer.home / ".ssh")
    assert shared.computer.told("share", str(around), "--read-only")["state"] == "running"
    script = "find /around -maxdepth 2; touch /around/x 2>&1 || true"
    command = ["run", "--rm", "-v", f"{around}:/around", images.BUSYBOX, "sh", "-c", script]
    seen = shared.computer.docker(*command).decode().splitlines()
    assert f"/around/{shared.path.name}" in seen
    assert f"/around/{shared.computer.home.name}" in seen
    assert {"data", ".ssh"}.isdisjoint(line.rpartition("/")[2] for line in seen)
    assert "touch: /around/x: Read-only file system" in seen
    assert not (around / "x").exists()
    left = shared.computer.told("unshare", str(around))["shares"]
    assert [each["path"] for each in left] == [str(shared.path)]
    shared.write("after", "there\n")
    assert shared.run("cat /work/after") == "there\n"


def test_a_change_here_is_seen_by_who_watches_there(shared: Shared) -> None:
    shared.write("main.py", "print(1)\n")
    shared.begin("reload", "/usr/bin/perl", "-e", WATCH, options=PERL)
    eventually(lambda: b"watching" in shared.computer.docker("logs", "reload"))

    def told() -> int:
        return shared.computer.docker("logs", "reload").decode().count("main.py")

    def changed() -> bool:
        shared.write("main.py", f"print({time.time()})\n")
        time.sleep(3)
        return told() > 0

    def still() -> bool:
        before = told()
        time.sleep(5)
        return told() == before

    eventually(changed)
    exact = (shared.path / "main.py").stat().st_mtime_ns
    eventually(still)
    assert (shared.path / "main.py").stat().st_mtime_ns == exact
    shared.computer.docker("rm", "-f", "reload")


def test_an_open_file_goes_on_without_the_window_over_another_connection_and_suspended(shared: Shared) -> None:
    computer = shared.computer
    shared.begin("counts", "sh", "-c", COUNT)
    eventually(lambda: len(shared.lines("log")) > 3)
    computer.leave()
    shared.goes_on("log")

    computer.tried("run", "--rm", "--privileged", "--pid", "host", images.BUSYBOX, "killall", "sshd-session")
    shared.goes_on("log")
    eventually(lambda: computer.cli("status").returncode == 0)

    assert computer.told("suspend")["state"] == "suspended"
    assert computer.told("start")["state"] == "running"
    shared.goes_on("log")
    said = computer.docker("logs", "counts")
    computer.docker("rm", "-f", "counts")
    assert said == b""
    lines = shared.lines("log")
    assert lines == [str(number) for number in range(1, len(lines) + 1)]


def test_what_is_shared_no_more_is_gone_for_those_who_have_it_too(shared: Shared) -> None:
    computer = shared.computer
    shared.write("mine", "mine\n")
    shared.begin("holds", "sh", "-c", "exec 3</work/mine; sleep 3600")
    assert computer.docker("exec", "holds", "cat", "/work/mine") == b"mine\n"
    assert computer.told("unshare", str(shared.path))["shares"] == []
    assert computer.tried("exec", "holds", "sh", "-c", "sleep 2; cat /work/mine || cat /proc/1/fd/3").returncode != 0
    computer.docker("rm", "-f", "holds")
    assert "read-only file system" in refused(computer, shared.path)

    computer.told("share", str(shared.path))
    assert computer.told("restart")["state"] == "running"
    eventually(lambda: [each["reason"] for each in computer.told("status")["shares"]] == [""])
    assert shared.run("cat /work/mine") == "mine\n"
    assert computer.told("unshare", str(shared.path))["shares"] == []
