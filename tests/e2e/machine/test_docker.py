"""What a person's own tools find at the machine's socket: docker compose, a full disk, and a network that goes away."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.machine.computer import PATIENCE, Computer, eventually, fetched
from vm.qemu.commandline import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
COMPOSE = """
services:
  web:
    image: {image}
    command: sh -c 'mkdir -p /www && hostname >/www/said && exec httpd -f -p 80 -h /www'
    hostname: harbour
    ports: ["127.0.0.1:{port}:80"]
    volumes: ["kept:/kept"]
  asker:
    image: {image}
    command: sh -c 'until wget -q -O /kept/heard http://web/said; do sleep 1; done; exec sleep 3600'
    volumes: ["kept:/kept"]
    depends_on: [web]
volumes:
  kept:
"""
CUT = "iptables -I {chain} -{way} eth0 -j DROP"
SILENT_SECONDS = 50
"""Longer than SSH waits for an answer before it calls again."""


def compose(computer: Computer, folder: Path, *words: str) -> str:
    """`docker compose …` as a person types it."""
    config = folder / "docker"
    plugin = config / "cli-plugins" / "docker-compose"
    if not plugin.is_symlink():
        plugin.parent.mkdir(parents=True)
        plugin.symlink_to(images.compose_plugin())
    known = {**computer.environment, "DOCKER_HOST": f"unix://{computer.socket}", "DOCKER_CONFIG": str(config)}
    command = ["docker", "compose", "-p", "harbour", *words]
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, (words, done.stderr[-2000:])
    return done.stdout


def test_compose_brings_up_services_that_know_each_other(computer: Computer, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "compose.yaml").write_text(COMPOSE.format(image=computer.busybox(), port=port))
    compose(computer, tmp_path, "up", "-d", "--quiet-pull")
    eventually(lambda: fetched(port).endswith(b"harbour\n"))
    eventually(lambda: computer.tried("exec", "harbour-asker-1", "cat", "/kept/heard").stdout == b"harbour\n")
    assert compose(computer, tmp_path, "exec", "-T", "web", "cat", "/kept/heard") == "harbour\n"
    running = computer.docker("ps", "--format", "{{.Names}}", "-f", "label=com.docker.compose.project=harbour")
    assert set(running.decode().split()) == {"harbour-web-1", "harbour-asker-1"}
    compose(computer, tmp_path, "down", "-v", "-t", "1")
    assert computer.docker("ps", "-aq", "-f", "label=com.docker.compose.project=harbour") == b""
    assert b"harbour_kept" not in computer.docker("volume", "ls", "-q")
    eventually(lambda: fetched(port) == b"")


def test_a_full_disk_in_it_is_told_and_room_can_be_made(computer: Computer) -> None:
    image = computer.busybox()
    fill = (
        "fallocate -l $(($(df -k /full | tail -n 1 | awk '{print $4}') - 2048))k /full/most; cat /dev/zero >/full/rest"
    )
    filling = computer.tried("run", "--name", "filler", "-v", "full:/full", image, "sh", "-c", fill)
    assert filling.returncode == 1
    assert b"No space left on device" in filling.stderr
    content = images.busybox_tar() + bytes(8 << 20)
    refused = computer.tried("import", "-", "too-much:1", stdin=content)
    assert refused.returncode == 1
    assert b"no space left on device" in refused.stderr
    assert computer.told("status")["state"] == "running"
    computer.docker("rm", "filler")
    computer.docker("volume", "rm", "full")
    computer.docker("import", "-", "enough:1", stdin=images.busybox_tar())
    computer.docker("rmi", "enough:1")


def test_a_network_that_was_cut_comes_back_with_socket_and_ports(computer: Computer) -> None:
    image = computer.busybox()
    port = free_port()
    serve = "mkdir -p /www && echo hello > /www/said && exec httpd -f -p 80 -h /www"
    computer.docker("run", "-d", "--name", "web", "-p", f"{port}:80", image, "sh", "-c", serve)
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    before = computer.told("status")
    cut = [CUT.format(chain=chain, way=way) for chain, way in (("INPUT", "i"), ("OUTPUT", "o"), ("FORWARD", "i"))]
    mended = [line.replace(" -I ", " -D ") for line in cut]
    script = "; ".join(("sleep 5", *cut, f"sleep {SILENT_SECONDS}", *mended))
    within = ("--net", "host", "--privileged", "-v", "/:/guest", image, "chroot", "/guest", "/bin/sh", "-c", script)
    with computer.interactive("exec", "-i", "web", "cat") as going:
        computer.docker("run", "-d", "--name", "cutter", *within)
        eventually(lambda: computer.cli("status").returncode != 0)
        assert computer.told("status", code=3)["state"] == "unresponsive"
        late: list[bytes] = []
        asking = threading.Thread(target=lambda: late.append(computer.tried("ps", "-q").stdout))
        asking.start()
        eventually(lambda: computer.cli("status").returncode == 0, seconds=10 * PATIENCE)
        asking.join(PATIENCE)
        assert not asking.is_alive()
        going.kill()
    after = computer.told("status")
    assert (after["pid"], after["supervisor"]) == (before["pid"], before["supervisor"])
    eventually(lambda: fetched(port).endswith(b"hello\n"))
    assert computer.docker("exec", "-i", "web", "cat", stdin=b"through\n") == b"through\n"
    another = free_port()
    computer.docker("run", "-d", "--name", "new", "-p", f"{another}:80", image, "httpd", "-f")
    eventually(lambda: fetched(another) != b"")
    computer.docker("rm", "-f", "new", "web", "cutter")
