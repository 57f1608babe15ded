"""Ports of the engine in its own network: who answers where, streams, datagrams and the way out."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import urllib.request

import pytest

from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="test_rootless has the ordinary user's part"),
]
TCP_ECHO = (
    "use IO::Socket::INET; $SIG{CHLD} = 'IGNORE'; $s = IO::Socket::INET->new(LocalPort => 7, Listen => 1024); "
    "while ($c = $s->accept) { if (fork) { close $c; next } while (sysread $c, $m, 65536) { syswrite $c, $m } exit }"
)
UDP_ECHO = (
    "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 7, Proto => 'udp'); "
    "while ($s->recv($m, 65535)) { $s->send($m) }"
)


def test_ports_answer_where_they_were_published_and_nowhere_else(docker_cli: DockerCli, busybox_image: str) -> None:
    serve = "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"
    local, everywhere = _free_port(), _free_port()
    names = []
    try:
        for published in (f"127.0.0.1:{local}", str(everywhere)):
            words = ("run", "-d", "-p", f"{published}:80", busybox_image, "sh", "-c", serve)
            names.append(docker_cli(*words).strip())
        wait_for(lambda: _page("127.0.0.1", local) == "hello" and _page("127.0.0.1", everywhere) == "hello")
        for other in ("127.0.0.2", *_own_addresses()):
            assert _page(other, local) == "refused"
            assert _page(other, everywhere) == "hello"
        if socket.has_ipv6 and _has_loopback6():
            assert _page("::1", local) == "refused"
            assert _page("::1", everywhere) == "hello"
    finally:
        docker_cli("rm", "-f", *names)
    assert _page("127.0.0.1", local) == "refused"


def test_a_taken_port_is_the_engines_error(docker_cli: DockerCli, busybox_image: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        words = ("run", "--rm", "-p", f"127.0.0.1:{port}:80", busybox_image, "true")
        assert "address already in use" in docker_cli(*words, check=False)


def test_half_closed_streams_pass(docker_cli: DockerCli, busybox_image: str) -> None:
    port = _free_port()
    words = ("run", "-d", "-p", f"127.0.0.1:{port}:7", busybox_image, "nc", "-ll", "-p", "7", "-e", "md5sum")
    name = docker_cli(*words).strip()
    try:
        wait_for(lambda: bool(_through(port, b"x")))
        text = os.urandom(3_000_000)
        expected = subprocess.run(["md5sum"], input=text, capture_output=True, check=True).stdout
        assert _through(port, text).split()[0] == expected.split()[0]
    finally:
        docker_cli("rm", "-f", name)


def test_datagrams_pass_and_tell_their_clients_apart(docker_cli: DockerCli, debian_image: str) -> None:
    port = _free_port(socket.SOCK_DGRAM)
    name = docker_cli("run", "-d", "-p", f"127.0.0.1:{port}:7/udp", debian_image, "perl", "-e", UDP_ECHO).strip()
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        ):
            one.settimeout(0.5)
            other.settimeout(0.5)
            wait_for(lambda: _echo(one, port, b"ping") == b"ping")
            assert _echo(other, port, b"pong") == b"pong"
            assert _echo(one, port, b"x" * 9000) == b"x" * 9000
    finally:
        docker_cli("rm", "-f", name)


def test_many_connections_at_once(docker_cli: DockerCli, debian_image: str) -> None:
    port = _free_port()
    name = docker_cli("run", "-d", "-p", f"127.0.0.1:{port}:7", debian_image, "perl", "-e", TCP_ECHO).strip()
    try:
        wait_for(lambda: _through(port, b"x") == b"x")
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(300)]
            for number, line in enumerate(lines):
                line.sendall(b"%d" % number)
                line.shutdown(socket.SHUT_WR)
            assert [line.recv(16) for line in lines] == [b"%d" % number for number in range(len(lines))]
    finally:
        docker_cli("rm", "-f", name)


def test_the_outside_is_reached_by_name(docker_cli: DockerCli, busybox_image: str) -> None:
    """The resolver is the namespace's own; whether the outside answers is the host's affair."""
    assert "10.213.127.3" in docker_cli("run", "--rm", busybox_image, "cat", "/etc/resolv.conf")
    routes = docker_cli("run", "--rm", "--net=host", busybox_image, "ip", "route")
    assert "tap0" in routes


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _page(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{shown}:{port}/", timeout=5) as answer:
            return str(answer.read().decode().strip())
    except ConnectionError:
        return "cut"
    except OSError:
        return "refused"


def _own_addresses() -> list[str]:
    """The address that this host would use towards the outside; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            asker.connect(("198.51.100.1", 9))
            return [asker.getsockname()[0]]
        except OSError:
            return []


def _has_loopback6() -> bool:
    with socket.socket(socket.AF_INET6) as asker:
        try:
            asker.bind(("::1", 0))
        except OSError:
            return False
    return True


def _echo(asker: socket.socket, port: int, text: bytes) -> bytes:
    try:
        asker.sendto(text, ("127.0.0.1", port))
        return asker.recv(65535)
    except OSError:
        return b""


def _through(port: int, text: bytes) -> bytes:
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(text)
            line.shutdown(socket.SHUT_WR)
            while piece := line.recv(65536):
                got += piece
    except OSError:
        return b""
    return got
