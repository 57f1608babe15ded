"""The machine lives by its computer's names, proxy, authorities and clock, also when they change while it runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import certifi
import pytest

from tests.e2e.guest.hosts import GATEWAY, Names, Registry
from tests.e2e.machine.computer import Computer, eventually
from tests.e2e.machine.programs import need

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
NAMESERVER = "127.0.0.77"
PASSWORD = "of-the-proxy"
PATIENT = 900.0
"""Seconds: an engine that is started anew takes long on a busy computer."""
PROXY = "org.gnome.system.proxy"


class Changing:
    """The computer as the test changes it, for what runs on it alone."""

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self.hosts, self.resolver, self.trusted = computer.hosts, computer.resolver, computer.trusted
        self.docker, self.told, self.busybox = computer.docker, computer.told, computer.busybox()

    def set(self, schema: str, key: str, value: str) -> None:
        """One of the desktop's settings."""
        command = [*self.computer.plain, str(need("gsettings")), "set", schema, key, value]
        subprocess.run(command, cwd="/", env=self.computer.environment, check=True, capture_output=True)

    def surroundings(self) -> dict[str, Any]:
        """What the machine says that it lives by; its engine may be away, since it is started anew."""
        told: dict[str, Any] = json.loads(self.computer.cli("status", "--json").stdout)
        return {"proxy": None, "authorities": None, **told.get("surroundings", {})}

    def within(self, *words: str) -> str:
        """What a container says."""
        return self.docker("run", "--rm", self.busybox, *words).decode()

    def pulled(self, name: str) -> str:
        """Pull, and what the engine has under that name then."""
        self.computer.tried("pull", "-q", name)
        return self.computer.tried("images", "--format", "{{.Repository}}", name).stdout.decode()


class Greeting(BaseHTTPRequestHandler):
    """A service of this computer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the computer\n")

    def log_message(self, *words: object) -> None:
        """Nobody listens."""


@pytest.fixture(scope="module")
def changing(computer: Computer) -> Iterator[Changing]:
    """With a container that counts."""
    made = Changing(computer)
    count = "while sleep 1; do n=$((n + 1)); echo $n; done"
    made.docker("run", "-d", "--name", "counts", made.busybox, "sh", "-c", count)
    yield made
    computer.tried("rm", "-f", "counts")


def test_a_service_of_this_computer_is_reached_by_name(changing: Changing) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Greeting)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        fetch = ("wget", "-q", "-O", "-")
        for name in ("host.docker.internal", "gateway.docker.internal"):
            assert changing.within(*fetch, f"http://{name}:{server.server_port}/") == "hello from the computer\n"
        added = ("run", "--rm", "--add-host", "here:host-gateway", changing.busybox, *fetch)
        assert changing.docker(*added, f"http://here:{server.server_port}/") == b"hello from the computer\n"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_a_name_in_the_hosts_file_holds_at_once(changing: Changing) -> None:
    with changing.hosts.open("a") as file:
        file.write("10.9.8.7 wiki.corp.test\n127.0.0.1 app.corp.test\n")
    assert "10.9.8.7" in changing.within("nslookup", "wiki.corp.test")
    assert GATEWAY in changing.within("nslookup", "app.corp.test")
    changing.hosts.write_text(changing.hosts.read_text().replace("10.9.8.7", "10.9.8.6"))
    assert "10.9.8.6" in changing.within("nslookup", "wiki.corp.test")


def test_another_nameserver_of_this_computer_is_asked_at_once(changing: Changing) -> None:
    try:
        names = Names("203.0.113.7", (NAMESERVER, 53))
    except PermissionError:
        pytest.skip("only root may be a nameserver")
    with names:
        changing.resolver.write_text(f"nameserver {NAMESERVER}\n")
        assert "203.0.113.7" in changing.within("nslookup", "intranet.corp.test")
        changing.docker("run", "--rm", changing.busybox, "sh", "-c", "nslookup -type=mx mail.corp.test || :")
        assert {"intranet.corp.test", "mail.corp.test"} <= names.asked
    shutil.copyfile("/etc/resolv.conf", changing.resolver)


def test_a_proxy_and_its_authority_are_in_force_while_a_container_goes_on(changing: Changing, tmp_path: Path) -> None:
    began = changing.docker("inspect", "-f", "{{.State.StartedAt}}", "counts")
    usual = changing.surroundings()
    assert (usual["proxy"], usual["authorities"]) == ("", 0)
    with Registry(tmp_path, "quay.example") as proxy:
        with changing.trusted.open("a") as file:
            file.write(proxy.authority)
        eventually(lambda: changing.surroundings()["authorities"] == 1, PATIENT)
        for key, value in (("host", "127.0.0.1"), ("port", str(proxy.port))):
            changing.set(f"{PROXY}.https", key, value)
        for key, value in (("user", "me"), ("password", PASSWORD)):
            changing.set(f"{PROXY}.http", f"authentication-{key}", value)
        changing.set(f"{PROXY}.http", "use-authentication", "true")
        changing.set(PROXY, "mode", "manual")
        eventually(lambda: changing.surroundings()["proxy"] == f"http://{GATEWAY}:{proxy.port}", PATIENT)
        eventually(lambda: "quay.example" in changing.pulled("quay.example/ship:1"), PATIENT)
        assert proxy.connects == {"quay.example:443"}
        assert any("/v2/ship/manifests/" in each for each in proxy.asked)
        _nothing_tells_the_password(changing)
        changing.set(PROXY, "mode", "none")
        changing.trusted.write_bytes(Path(certifi.where()).read_bytes())
        eventually(lambda: changing.surroundings() == usual, PATIENT)
    eventually(lambda: changing.computer.tried("inspect", "counts").returncode == 0, PATIENT)
    assert changing.docker("inspect", "-f", "{{.State.Running}}", "counts") == b"true\n"
    assert changing.docker("inspect", "-f", "{{.State.StartedAt}}", "counts") == began
    lines = changing.docker("logs", "counts").split()
    eventually(lambda: len(changing.docker("logs", "counts").split()) > len(lines), PATIENT)
    assert lines == [str(number).encode() for number in range(1, len(lines) + 1)]


def test_a_clock_that_is_an_hour_behind_is_put_right(changing: Changing) -> None:
    back = ("date", "-s", f"@{time.time() - 3600:.0f}")
    changing.docker("run", "--rm", "--privileged", changing.busybox, *back)
    eventually(lambda: abs(int(changing.within("date", "+%s")) - time.time()) < 30, seconds=PATIENT)


def _nothing_tells_the_password(changing: Changing) -> None:
    machine = changing.computer.machine
    for file in machine.iterdir():
        if file.suffix in (".log", ".json", ".start"):
            assert PASSWORD not in file.read_text(errors="replace"), file
    assert (machine / "handed" / "proxy").stat().st_mode & 0o077 == 0
    said = changing.computer.cli("status", "--json").stdout
    assert PASSWORD not in said
    for pid in (changing.told("status")["pid"], changing.told("status")["supervisor"]):
        assert PASSWORD not in Path(f"/proc/{pid}/cmdline").read_text()
    assert PASSWORD not in changing.docker("info").decode()
