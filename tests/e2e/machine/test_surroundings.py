"""The machine lives by its computer's names, proxy, authorities and clock, also when they change while it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import certifi
import pytest

from tests.e2e import images
from tests.e2e.guest.hosts import GATEWAY, Names, Registry
from tests.e2e.guest.machine import built
from tests.e2e.machine.computer import Computer, eventually
from tests.e2e.machine.programs import need
from vm.images import ARCHES
from vm.qemu.host import this_host

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
OWN_FILES = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"'
NAMESERVER = "127.0.0.77"
PASSWORD = "of-the-proxy"
PROXY = "org.gnome.system.proxy"


class Changing(Computer):
    """A computer whose hosts file, nameserver, proxy and authorities the test changes, for what runs on it alone."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.hosts, self.resolver, self.trusted = home / "hosts", home / "resolv.conf", home / "trusted.pem"
        for file, source in ((self.hosts, "/etc/hosts"), (self.resolver, "/etc/resolv.conf")):
            file.write_bytes(Path(source).read_bytes())
        self.trusted.write_bytes(Path(certifi.where()).read_bytes())
        for name in [each for each in self.environment if each.lower().endswith("_proxy") or each.startswith("XDG_")]:
            del self.environment[name]
        self.environment.update(GSETTINGS_BACKEND="keyfile", SSL_CERT_FILE=str(self.trusted))
        self.plain = self.python[:-1]
        alone = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--user", "--map-root-user"])]
        self.python = [*alone, "sh", "-c", OWN_FILES, "sh", str(self.resolver), str(self.hosts), *self.python]

    def set(self, schema: str, key: str, value: str) -> None:
        """One of the desktop's settings."""
        command = [*self.plain, "gsettings", "set", schema, key, value]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def surroundings(self) -> dict[str, Any]:
        """What the machine says that it lives by."""
        told: dict[str, Any] = self.told("status")["surroundings"]
        return told

    def within(self, *words: str) -> str:
        """What a container says."""
        return self.docker("run", "--rm", images.BUSYBOX, *words).decode()


class Greeting(BaseHTTPRequestHandler):
    """A service of this computer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the computer\n")

    def log_message(self, *words: object) -> None:
        """Nobody listens."""


@pytest.fixture(scope="module")
def computer() -> Iterator[Changing]:
    """With a machine that runs and a container in it that counts."""
    for name in (this_host().emulator, "qemu-img", "mksquashfs", "docker", "gsettings", "unshare"):
        need(name)
    home = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    made = Changing(home)
    try:
        image = shutil.copytree(built(ARCHES[this_host().arch]), home / "image")
        made.told("create", "--image", str(image), "--cpus", "2", "--disk", "8")
        made.start()
        made.docker("import", "-", images.BUSYBOX, stdin=images.busybox_tar())
        count = "while sleep 1; do n=$((n + 1)); echo $n; done"
        made.docker("run", "-d", "--name", "counts", images.BUSYBOX, "sh", "-c", count)
        yield made
    finally:
        if made.owner is not None:
            made.owner.kill()
            made.owner.communicate()
        made.cli("delete", "--yes", "--timeout", "5")
        shutil.rmtree(home, ignore_errors=True)


def test_a_service_of_this_computer_is_reached_by_name(computer: Changing) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Greeting)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        fetch = ("wget", "-q", "-O", "-")
        for name in ("host.docker.internal", "gateway.docker.internal"):
            assert computer.within(*fetch, f"http://{name}:{server.server_port}/") == "hello from the computer\n"
        added = ("run", "--rm", "--add-host", "here:host-gateway", images.BUSYBOX, *fetch)
        assert computer.docker(*added, f"http://here:{server.server_port}/") == b"hello from the computer\n"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def test_a_name_in_the_hosts_file_holds_at_once(computer: Changing) -> None:
    with computer.hosts.open("a") as file:
        file.write("10.9.8.7 wiki.corp.test\n127.0.0.1 app.corp.test\n")
    assert "10.9.8.7" in computer.within("nslookup", "wiki.corp.test")
    assert GATEWAY in computer.within("nslookup", "app.corp.test")
    computer.hosts.write_text(computer.hosts.read_text().replace("10.9.8.7", "10.9.8.6"))
    assert "10.9.8.6" in computer.within("nslookup", "wiki.corp.test")


def test_another_nameserver_of_this_computer_is_asked_at_once(computer: Changing) -> None:
    try:
        names = Names("203.0.113.7", (NAMESERVER, 53))
    except PermissionError:
        pytest.skip("only root may be a nameserver")
    with names:
        computer.resolver.write_text(f"nameserver {NAMESERVER}\n")
        assert "203.0.113.7" in computer.within("nslookup", "intranet.corp.test")
        computer.docker("run", "--rm", images.BUSYBOX, "sh", "-c", "nslookup -type=mx mail.corp.test || :")
        assert {"intranet.corp.test", "mail.corp.test"} <= names.asked
    shutil.copyfile("/etc/resolv.conf", computer.resolver)


def test_a_proxy_and_its_authority_are_in_force_while_a_container_goes_on(computer: Changing, tmp_path: Path) -> None:
    began = computer.docker("inspect", "-f", "{{.State.StartedAt}}", "counts")
    usual = computer.surroundings()
    assert (usual["proxy"], usual["authorities"]) == ("", 0)
    with Registry(tmp_path, "quay.example") as proxy:
        with computer.trusted.open("a") as file:
            file.write(proxy.authority)
        eventually(lambda: computer.surroundings()["authorities"] == 1)
        for key, value in (("host", "127.0.0.1"), ("port", str(proxy.port))):
            computer.set(f"{PROXY}.https", key, value)
        for key, value in (("user", "me"), ("password", PASSWORD)):
            computer.set(f"{PROXY}.http", f"authentication-{key}", value)
        computer.set(f"{PROXY}.http", "use-authentication", "true")
        computer.set(PROXY, "mode", "manual")
        eventually(lambda: computer.surroundings()["proxy"] == f"http://{GATEWAY}:{proxy.port}")
        eventually(lambda: "quay.example" in _pulled(computer, "quay.example/ship:1"))
        assert proxy.connects == {"quay.example:443"}
        assert any("/v2/ship/manifests/" in each for each in proxy.asked)
        _nothing_tells_the_password(computer)
        computer.set(PROXY, "mode", "none")
        computer.trusted.write_bytes(Path(certifi.where()).read_bytes())
        eventually(lambda: computer.surroundings() == usual)
        eventually(lambda: "quay.example" not in _pulled(computer, "quay.example/ship:2"))
    eventually(lambda: computer.docker("inspect", "-f", "{{.State.Running}}", "counts") == b"true\n")
    assert computer.docker("inspect", "-f", "{{.State.StartedAt}}", "counts") == began
    lines = computer.docker("logs", "counts").split()
    eventually(lambda: len(computer.docker("logs", "counts").split()) > len(lines))
    assert lines == [str(number).encode() for number in range(1, len(lines) + 1)]


def test_a_clock_that_is_an_hour_behind_is_put_right(computer: Changing) -> None:
    back = ("date", "-s", f"@{time.time() - 3600:.0f}")
    computer.docker("run", "--rm", "--privileged", images.BUSYBOX, *back)
    eventually(lambda: abs(int(computer.within("date", "+%s")) - time.time()) < 30, seconds=300)


def _pulled(computer: Changing, name: str) -> str:
    """Pull, and what the engine has under that name then."""
    docker = ["docker", "-H", f"unix://{computer.socket}"]
    subprocess.run([*docker, "pull", "-q", name], capture_output=True, timeout=600, check=False)
    asked = [*docker, "images", "-q", "--format", "{{.Repository}}", name]
    return subprocess.run(asked, capture_output=True, text=True, timeout=600, check=False).stdout


def _nothing_tells_the_password(computer: Changing) -> None:
    machine = computer.home / "data" / "machine"
    for file in machine.iterdir():
        if file.suffix in (".log", ".json", ".start"):
            assert PASSWORD not in file.read_text(errors="replace"), file
    assert (machine / "handed" / "proxy").stat().st_mode & 0o077 == 0
    said = computer.cli("status", "--json").stdout
    assert PASSWORD not in said
    for pid in (computer.told("status")["pid"], computer.told("status")["supervisor"]):
        assert PASSWORD not in Path(f"/proc/{pid}/cmdline").read_text()
    assert PASSWORD not in computer.docker("info").decode()
