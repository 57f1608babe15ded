"""What leads into the machine: TCP and UDP of containers, ports that others have, and the context of docker's own."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.machine.computer import PATIENCE, Computer, eventually, fetched
from vm.qemu.commandline import free_port
from vm.supervisor.listening import free_datagram_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
NAMES = ("chroot", "/guest", "/usr/sbin/dnsmasq", "-d", "-C", "/dev/null", "-R", "-h", "-A", "/#/192.0.2.7")
"""A server of UDP that the guest brings along: it answers every question for a name with one address."""
QUESTION = b"\1\0\0\1\0\0\0\0\0\0\4here\4test\0\0\1\0\1"
WEB = "mkdir -p /www && echo hello > /www/said && exec httpd -f -p 80 -h /www"
HOLD = "import socket, sys; s = socket.create_server(('0.0.0.0', 0)); print(s.getsockname()[1], flush=True); input()"
LOW = 85


def answered(asking: socket.socket, number: bytes) -> bool:
    """Whether this caller's own question is answered."""
    with contextlib.suppress(OSError):
        asking.send(number + QUESTION)
        answer = asking.recv(512)
        return answer[:2] == number and answer.endswith(bytes((192, 0, 2, 7)))
    return False


def error_of(computer: Computer, port: int) -> dict[str, str]:
    """What is said of a published port."""
    found: list[dict[str, str]] = [each for each in computer.told("status")["ports"] if each["port"] == port]
    return found[0] if found else {"error": "not published"}


def other_address() -> str:
    """An address of this computer that others can reach."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.connect(("192.0.2.1", 9))  # Nothing is sent.
        return str(asking.getsockname()[0])


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_udp_answers_each_of_two_clients_at_once(computer: Computer, address: str) -> None:
    port = free_datagram_port()
    published = f"127.0.0.1:{port}:53/udp" if address == "127.0.0.1" else f"{port}:53/udp"
    image = computer.busybox()
    computer.docker("run", "-d", "--name", "names", "-v", "/:/guest:ro", "-p", published, image, *NAMES)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one, socket.socket(family, socket.SOCK_DGRAM) as two:
        for each in (one, two):
            each.settimeout(2)
            each.connect((address if address != "0.0.0.0" else "127.0.0.1", port))
        eventually(lambda: answered(one, b"11"))
        eventually(lambda: answered(two, b"22"))
        for asking, number in ((one, b"33"), (two, b"44")):  # Both wait at once, and each gets its own.
            asking.send(number + QUESTION)
        for asking, number in ((two, b"44"), (one, b"33")):
            asking.settimeout(PATIENCE)
            assert asking.recv(512)[:2] == number
    with socket.socket(type=socket.SOCK_DGRAM) as elsewhere:
        elsewhere.settimeout(2)
        elsewhere.connect((other_address(), port))
        if address == "127.0.0.1":
            assert not answered(elsewhere, b"55")
        else:
            eventually(lambda: answered(elsewhere, b"55"))
    bound = subprocess.check_output(["ss", "-Hlun"], text=True)
    assert (f"127.0.0.1:{port} " in bound, f"0.0.0.0:{port} " in bound) == (
        address == "127.0.0.1",
        address != "127.0.0.1",
    )
    computer.docker("rm", "-f", "names")
    eventually(lambda: f":{port} " not in subprocess.check_output(["ss", "-Hlun"], text=True))


def test_what_is_published_on_127_0_0_1_is_this_computers_alone(computer: Computer) -> None:
    port, image = free_port(), computer.busybox()
    computer.docker("run", "-d", "--name", "private", "-p", f"127.0.0.1:{port}:80", image, "sh", "-c", WEB)
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((other_address(), port), timeout=20)
    computer.docker("rm", "-f", "private")


def test_a_port_that_is_taken_is_told_with_its_holder_and_answers_once_it_is_free(computer: Computer) -> None:
    image = computer.busybox()
    with subprocess.Popen(
        [*computer.python, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as it:
        assert it.stdout is not None
        port = int(it.stdout.readline())
        computer.docker("run", "-d", "--name", "late", "-p", f"0.0.0.0:{port}:80", image, "sh", "-c", WEB)
        eventually(lambda: error_of(computer, port)["error"] == "taken")
        assert error_of(computer, port)["holder"].endswith(f"(pid {it.pid})")
        assert f"(pid {it.pid}) has port {port}/tcp" in computer.cli("status").stdout
        it.communicate("\n")
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    eventually(lambda: error_of(computer, port)["error"] == "")
    computer.docker("rm", "-f", "late")


def test_a_port_that_only_root_may_have_is_told_with_the_way_out(computer: Computer) -> None:
    allowed = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= LOW
    image = computer.busybox()
    for protocol in ("tcp", "udp"):
        computer.docker("run", "-d", "--name", "low", "-p", f"127.0.0.1:{LOW}:80/{protocol}", image, "httpd", "-f")
        eventually(lambda: error_of(computer, LOW)["error"] == ("" if allowed else "forbidden"))
        if not allowed:
            assert f"ip_unprivileged_port_start={LOW}" in computer.cli("status").stdout
        computer.docker("rm", "-f", "low")


def test_ports_are_right_again_after_the_engine_was_killed(computer: Computer) -> None:
    before, after, image = free_port(), free_port(), computer.busybox()
    computer.docker("run", "-d", "--name", "stays", "-p", f"{before}:80", image, "sh", "-c", WEB)
    eventually(lambda: fetched(before).endswith(b"hello\n"))
    kill = ("run", "--rm", "--pid=host", "--privileged", image, "killall", "-9", "dockerd")
    with computer.interactive(*kill) as killing:
        assert killing.wait(PATIENCE) != 0  # It loses its own engine.
    eventually(lambda: computer.tried("ps", "-q").returncode == 0)
    assert fetched(before).endswith(b"hello\n")
    computer.docker("run", "-d", "--name", "comes", "-p", f"{after}:80", image, "sh", "-c", WEB)
    eventually(lambda: fetched(after).endswith(b"hello\n"))
    computer.docker("rm", "-f", "stays", "comes")
    eventually(lambda: not fetched(before) and not fetched(after))


def docker_of(computer: Computer) -> Callable[..., str]:
    """Docker as the person types it, without a word on where its engine is."""

    def docker(*words: str) -> str:
        command = ["docker", *words]
        done = subprocess.run(
            command, env=computer.environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    return docker


def chosen(docker: Callable[..., str]) -> str:
    """The context in use; `docker context show` is younger than the oldest docker that we know."""
    return docker("context", "ls", "--format", "{{if .Current}}{{.Name}}{{end}}").strip()


def test_docker_has_a_context_for_it_and_uses_it_when_the_person_says_so(computer: Computer) -> None:
    docker = docker_of(computer)
    config = computer.home / ".docker" / "config.json"
    assert chosen(docker) == "default"
    assert not config.exists()
    listed = docker("context", "ls", "--format", "{{.Name}} {{.DockerEndpoint}}").splitlines()
    assert f"pilothouse unix://{computer.socket}" in listed
    version = computer.told("status")["engine"]
    assert docker("--context", "pilothouse", "version", "--format", "{{.Server.Version}}") == version

    assert computer.told("context", "--use", "yes")["chosen"]
    assert chosen(docker) == "pilothouse"
    assert docker("version", "--format", "{{.Server.Version}}") == version
    assert docker("ps", "-q") == computer.docker("ps", "-q").decode().strip()
    assert not computer.told("context", "--use", "no")["chosen"]
    assert chosen(docker) == "default"
    # At its end it is given back by itself, and taken again at the next start.
    computer.told("context", "--use", "yes")
    computer.told("stop")
    assert chosen(docker) == "default"
    assert "pilothouse" in docker("context", "ls", "--format", "{{.Name}}").splitlines()
    assert computer.told("start")["state"] == "running"
    assert docker("version", "--format", "{{.Server.Version}}") == version
    # What the person chooses meanwhile stays chosen.
    (computer.home / ".docker").chmod(0o777)  # The person of this test is root, the machine's is not.
    docker("context", "use", "default")
    config.chmod(0o666)
    computer.told("stop")
    assert json.loads(config.read_text()).get("currentContext", "default") == "default"
    assert not computer.told("context")["wanted"]
    computer.told("start")
    assert chosen(docker) == "default"
