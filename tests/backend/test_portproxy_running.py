"""The port proxy as the engine starts it: what it tells, what it carries, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend import portproxy

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="entering a network namespace takes root"
)


ONTO_THREE = (
    "import os, sys; pipe = int(sys.argv[1]); pipe == 3 or (os.dup2(pipe, 3), os.close(pipe));"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


class Proxy:
    """One that runs, over this program's own network; `said` is what it told the engine."""

    def __init__(self, proto: str, target: int, port: int) -> None:
        reader, writer = os.pipe()
        python = [sys.executable, "-I", "-S", "-B"]
        options = ["-proto", proto, "-host-ip", "127.0.0.1", "-host-port", str(port)]
        options += ["-container-ip", "127.0.0.1", "-container-port", str(target)]
        command = [*python, str(Path(portproxy.__file__).absolute()), "/proc/self/ns/net", *options]
        self.process = subprocess.Popen([*python, "-c", ONTO_THREE, str(writer), *command], pass_fds=(writer,))
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            self.said = pipe.read()


@contextmanager
def proxy(proto: str, target: int, port: int) -> Iterator[Proxy]:
    """One that listens, and ends in peace when the engine asks it to."""
    made = Proxy(proto, target, port)
    try:
        assert made.said == b"0\n"
        yield made
        made.process.send_signal(signal.SIGINT)
        assert made.process.wait(60) == 0
    finally:
        made.process.kill()
        made.process.wait()


def refused(proto: str, port: int) -> str:
    """What one that cannot listen told the engine before it ended with 1."""
    made = Proxy(proto, 1, port)
    assert made.process.wait(60) == 1
    return made.said.decode()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def container() -> Iterator[int]:
    """Answers each connection with all it said, backwards, once it said its last word."""

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                text = b""
                while part := client.recv(65536):
                    text += part
                client.sendall(text[::-1])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def asked(port: int, text: bytes) -> bytes:
    def say() -> None:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)

    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        thread = threading.Thread(target=say)
        thread.start()
        answer = b""
        while part := client.recv(65536):
            answer += part
        thread.join()
    return answer


def test_a_connection_is_carried_with_its_half_close_and_every_byte() -> None:
    text = bytes(range(256)) * 8000
    with container() as target, proxy("tcp", target, port := free_port()):
        assert asked(port, b"abc") == b"cba"
        assert asked(port, text) == text[::-1]


def test_a_container_that_refuses_ends_the_connection_and_not_the_proxy() -> None:
    nobody = free_port()
    with proxy("tcp", nobody, port := free_port()) as one:
        for _ in range(2):
            assert asked(port, b"") == b""
        assert one.process.poll() is None


def test_datagrams_find_their_way_back() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(60)
        with proxy("udp", there.getsockname()[1], port := free_port(socket.SOCK_DGRAM)):
            clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
            for number, client in enumerate(clients):
                client.settimeout(60)
                client.sendto(b"from %d" % number, ("127.0.0.1", port))
            for _ in clients:
                text, address = there.recvfrom(100)
                there.sendto(b"to " + text, address)
            for number, client in enumerate(clients):
                assert client.recv(100) == b"to from %d" % number
                client.close()


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_a_taken_port_is_told_to_the_engine(proto: str) -> None:
    kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if proto == "tcp":
            holder.listen()
        port = holder.getsockname()[1]
        said = refused(proto, port)
    assert said == f"1\nlisten {proto}4 127.0.0.1:{port}: bind: address already in use"


def test_a_protocol_that_is_not_carried_is_told_to_the_engine() -> None:
    assert refused("sctp", 7).endswith("sctp ports cannot be published by this engine")
