"""The machine as a person has it: made, started, used by docker, killed in every way, started again, thrown away."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests.e2e import images
from tests.e2e.machine.computer import PATIENCE, Computer, eventually, fetched, is_gone
from vm.qemu.commandline import free_port
from vm.qemu.identity import Identity, identity_of
from vm.qemu.locks import Owners

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
WRITES = "while :; do head -c 65536 /dev/urandom >>/kept/noise; done"


def port_of(computer: Computer, address: str) -> int:
    """Where the web server is published on an address."""
    found: list[int] = [each["port"] for each in computer.told("status")["ports"] if each["address"] == address]
    return found[0]


def test_it_runs_and_names_its_socket_which_is_for_this_person_alone(computer: Computer) -> None:
    said = computer.told("status")
    assert said["state"] == "running"
    assert said["qemu"] == "running"
    assert said["host"] == f"unix://{computer.socket}"
    if said["accelerator"] == "tcg":
        words = computer.cli("status").stdout
        assert "Every instruction is translated" in words
        assert sys.platform != "linux" or "KVM: " in words
    assert stat.S_IMODE(computer.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(computer.socket.parent.stat().st_mode) == 0o700
    assert computer.docker("version", "--format", "{{.Server.Version}}").decode().strip() == said["engine"]
    private = (computer.machine / "keys" / "user").read_text().splitlines()[1]
    for pid in (said["pid"], said["supervisor"]):
        assert Path(f"/proc/{pid}").stat().st_uid == computer.home.stat().st_uid
        assert private not in Path(f"/proc/{pid}/cmdline").read_text()


def test_a_second_start_finds_the_one_that_runs(computer: Computer) -> None:
    before = computer.told("status")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: computer.told("start"), range(3)))
    assert {(each["pid"], each["supervisor"]) for each in found} == {(before["pid"], before["supervisor"])}
    again = [*computer.python, "-m", "vm.supervisor", str(computer.machine), str(computer.runtime)]
    assert subprocess.run(again, cwd=computer.root, env=computer.environment, check=False).returncode == 75
    assert computer.told("create", code=1)["error"] == "MachineExists"


def test_what_a_container_publishes_answers_here(computer: Computer) -> None:
    computer.docker("import", "-", images.BUSYBOX, stdin=images.busybox_tar())
    everywhere, private = free_port(), free_port()
    serve = "mkdir -p /www && echo hello > /www/said && exec httpd -f -p 80 -h /www"
    ports = ["-p", f"{everywhere}:80", "-p", f"127.0.0.1:{private}:80"]
    computer.docker("run", "-d", "--name", "web", *ports, "-v", "kept:/kept", images.BUSYBOX, "sh", "-c", serve)
    eventually(lambda: fetched(everywhere).endswith(b"hello\n"))
    eventually(lambda: fetched(private).endswith(b"hello\n"))
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    assert f"127.0.0.1:{private} " in listening
    assert f"0.0.0.0:{private} " not in listening
    assert f"0.0.0.0:{everywhere} " in listening
    shown = {(each["address"], each["port"]) for each in computer.told("status")["ports"]}
    assert {("0.0.0.0", everywhere), ("127.0.0.1", private)} <= shown

    computer.docker("stop", "-t", "1", "web")
    eventually(lambda: f":{everywhere} " not in subprocess.check_output(["ss", "-Hltn"], text=True))
    computer.docker("start", "web")
    eventually(lambda: fetched(everywhere).endswith(b"hello\n"))


def test_what_is_piped_in_comes_back_whole_and_ends(computer: Computer) -> None:
    content = os.urandom(3 << 20)
    assert computer.docker("exec", "-i", "web", "cat", stdin=content) == content


def test_a_hundred_connections_at_once(computer: Computer) -> None:
    every = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    try:
        for each in every:
            each.settimeout(PATIENCE)
            each.connect(str(computer.socket))
        for each in every:
            each.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        for each in every:
            with each.makefile("rb") as answer:
                assert answer.read().endswith(b"OK")
    finally:
        for each in every:
            each.close()


def test_the_end_of_the_window_is_not_the_end_of_the_machine(computer: Computer) -> None:
    before = computer.told("status")
    port = port_of(computer, "0.0.0.0")
    assert computer.callers() == 0
    with computer.window() as window, computer.interactive("exec", "-i", "web", "cat") as going:
        assert going.stdin is not None
        assert going.stdout is not None
        going.stdin.write(b"before\n")
        going.stdin.flush()
        assert going.stdout.readline() == b"before\n"
        computer.leave()
        window.send_signal(signal.SIGKILL)
        assert window.wait(PATIENCE) == -signal.SIGKILL
        assert fetched(port).endswith(b"hello\n")
        going.stdin.write(b"after\n")
        going.stdin.flush()
        assert going.stdout.readline() == b"after\n"
        going.stdin.close()
        assert going.stdout.read() == b""
        assert going.wait(60) == 0
    eventually(lambda: computer.callers() == 0)
    after = computer.told("status")
    assert (after["state"], after["pid"], after["supervisor"]) == ("running", before["pid"], before["supervisor"])
    with computer.window():  # Started again it finds the machine that runs.
        assert computer.told("status")["pid"] == before["pid"]


def test_the_way_into_it_is_made_anew_when_it_broke(computer: Computer) -> None:
    private = port_of(computer, "127.0.0.1")
    before = computer.told("status")
    with computer.interactive("exec", "-i", "web", "cat") as going:
        cut = ("run", "--rm", "--pid=host", "--privileged", images.BUSYBOX, "killall", "-9", "sshd", "sshd-session")
        with computer.interactive(*cut) as cutting:
            assert cutting.wait(PATIENCE) != 0  # It loses its own connection with all others.
        assert going.wait(PATIENCE) != 0
    eventually(lambda: computer.cli("status").returncode == 0)
    assert computer.told("status")["pid"] == before["pid"]
    eventually(lambda: fetched(private).endswith(b"hello\n"))
    port = free_port()
    computer.docker("run", "-d", "--name", "new", "-p", f"{port}:80", images.BUSYBOX, "httpd", "-f")
    eventually(lambda: fetched(port) != b"")
    computer.docker("rm", "-f", "new")


def test_a_qemu_that_is_killed_is_told_with_the_consoles_last_lines_and_nothing_is_lost(computer: Computer) -> None:
    computer.docker("exec", "web", "sh", "-c", "echo precious > /kept/said && sync")
    computer.docker("run", "-d", "--name", "busy", "-v", "kept:/kept", images.BUSYBOX, "sh", "-c", WRITES)
    said = computer.told("status")
    port = port_of(computer, "0.0.0.0")
    os.kill(said["pid"], signal.SIGKILL)
    eventually(lambda: computer.told("status", code=3)["state"] == "failed")
    failed = computer.told("status", code=3)
    assert failed["failure"]["kind"] == "MachineEnded"
    assert any(line.startswith("READY") for line in failed["failure"]["console"])
    assert "READY" in computer.cli("status").stdout
    assert not computer.socket.exists()

    with subprocess.Popen(["sleep", "3600"]) as stranger:
        # As after a power cut: a file that names processes, whose numbers other programs have by now.
        owners = Owners(Identity(stranger.pid, "1"), identity_of(stranger.pid))
        (computer.machine / "data.qcow2.owners").write_bytes(msgspec.json.encode(owners))
        with ThreadPoolExecutor(3) as pool:  # And a person that cannot wait.
            every = list(pool.map(lambda _: computer.told("start"), range(3)))
        assert stranger.poll() is None
        stranger.kill()
    again = every[0]
    assert {(each["state"], each["pid"], each["supervisor"]) for each in every} == {
        ("running", again["pid"], again["supervisor"])
    }
    assert again["pid"] != said["pid"]
    assert images.BUSYBOX in computer.docker("images", "--format", "{{.Repository}}:{{.Tag}}").decode()
    computer.docker("start", "web")
    assert computer.docker("exec", "web", "cat", "/kept/said") == b"precious\n"
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    computer.docker("rm", "-f", "busy")


def test_a_supervisor_that_is_killed_leaves_a_machine_that_can_be_stopped(computer: Computer) -> None:
    said = computer.told("status")
    os.kill(said["supervisor"], signal.SIGKILL)
    eventually(lambda: computer.told("status", code=3)["state"] == "unresponsive")
    assert computer.told("stop")["state"] == "stopped"
    assert is_gone(said["pid"])


def test_it_stops_when_asked_and_is_deleted_when_confirmed(computer: Computer) -> None:
    again = computer.told("restart")
    assert computer.docker("ps", "-aq", "-f", "name=web")
    assert computer.told("stop", "--timeout", "60")["state"] == "stopped"
    assert not computer.socket.exists()
    assert is_gone(again["pid"])
    assert "stop: asked" in (computer.machine / "supervisor.log").read_text()
    assert computer.told("status", code=3)["state"] == "stopped"
    assert computer.told("delete", code=2)["error"] == "NotConfirmed"
    assert computer.told("delete", "--yes")["state"] == "absent"
    assert not computer.machine.exists()
