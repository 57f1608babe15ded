"""The guest as it runs: the engine, who may come in, memory, certificates, shares, and what it gives back."""

from __future__ import annotations

import re

import pytest

from tests.e2e import images
from tests.e2e.guest.hosts import GATEWAY, certificate
from tests.e2e.guest.machine import Guest, allocated, built
from vm.guest.manifest import FILES, check_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
MEMORY_MB = 200
IMAGE_MB = 150


@pytest.fixture(scope="module")
def busybox(guest: Guest) -> str:
    """A base image in the guest's engine."""
    guest.ssh(f"docker import - {images.BUSYBOX}", images.busybox_tar())
    return images.BUSYBOX


def test_the_image_is_small_and_whole(guest: Guest) -> None:
    del guest
    manifest = check_folder(built("amd64"))
    assert sum(manifest.file(name).size for name in FILES) <= IMAGE_MB * 1_000_000
    assert {"docker.io", "containerd", "runc", "docker-cli", "docker-compose", "docker-buildx"} <= {
        package.name for package in manifest.packages
    }


def test_idle_it_uses_little_memory(guest: Guest) -> None:
    used = int(guest.ssh("free -m | grep ^Mem").split()[2])
    assert used <= MEMORY_MB, guest.ssh("free -m; ps -o pid,rss,args")


def test_it_says_each_step_and_then_that_it_is_ready(guest: Guest) -> None:
    said = (guest.folder / "words").read_text().splitlines()
    steps = [line.split() for line in said if line.startswith("STEP")]
    assert [step[1] for step in steps] == [
        *("modules", "handed", "network", "data", "names", "certificates", "foreign", "ssh", "engine")
    ]
    assert {step[2] for step in steps} == {"ok"}
    boot_id = guest.ssh("cat /proc/sys/kernel/random/boot_id").strip()
    assert said[-1] == f"READY {boot_id}"
    assert f"READY {boot_id}" in guest.console
    assert guest.ssh("hostname").strip() == "harbour"


def test_the_engine_and_its_programs_answer(guest: Guest) -> None:
    said = guest.ssh("docker version && docker compose version && docker buildx version")
    assert "Server:" in said
    assert "Docker Compose version" in said
    assert "buildx" in said


def test_a_container_runs_and_reaches_the_host_by_name(guest: Guest, busybox: str) -> None:
    said = guest.ssh(f"docker run --rm {busybox} /bin/sh -c 'echo it runs; nslookup host.docker.internal'")
    assert "it runs" in said
    assert GATEWAY in said
    guest.ssh("docker network create quay")
    said = guest.ssh(f"docker run --rm --network quay {busybox} /bin/nslookup host.docker.internal")
    assert GATEWAY in said
    said = guest.ssh(f"docker run --rm --add-host gate:host-gateway {busybox} /bin/cat /etc/hosts")
    assert re.search(rf"^{GATEWAY}\s+gate$", said, re.MULTILINE)


def test_no_engine_listens_on_a_tcp_port(guest: Guest, busybox: str) -> None:
    listening = guest.ssh("netstat -ltn | tail -n +3")
    assert {line.split()[3].rpartition(":")[2] for line in listening.splitlines()} == {"22", "53"}
    tries = "for port in 2375 2376 2377; do nc -w 2 10.213.0.1 $port </dev/null && echo open; done; echo tried"
    assert guest.ssh(f"docker run --rm {busybox} /bin/sh -c '{tries}'").strip() == "tried"


def test_only_the_handed_key_comes_in_and_probes_lock_nobody_out(guest: Guest) -> None:
    no_key = [
        "-o",
        "IdentityFile=none",
        "-o",
        "PreferredAuthentications=password,keyboard-interactive",
        "-o",
        "BatchMode=yes",
    ]
    for _ in range(12):
        assert guest.ssh("echo in", options=no_key, check=False) == ""
    assert guest.ssh("echo in").strip() == "in"


def test_killed_the_engine_comes_back_and_its_containers_never_left(guest: Guest, busybox: str) -> None:
    guest.ssh(f"docker run -d --name kept {busybox} /bin/sleep 600")
    began = guest.ssh("docker inspect -f '{{.State.StartedAt}}' kept")
    guest.ssh("kill -9 $(pidof dockerd)")
    guest.eventually("docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' kept", f"true {began.strip()}")
    guest.ssh("docker rm -f kept")


def test_an_authority_is_in_force_only_while_it_is_given(guest: Guest) -> None:
    made = certificate("Corporate Root")[0].decode()
    guest.ssh("pilothouse set certificates", made.encode())
    assert made.strip() in guest.ssh("cat /etc/ssl/certs/ca-certificates.crt")
    guest.ssh("pilothouse set certificates", b"")
    assert made.strip() not in guest.ssh("cat /etc/ssl/certs/ca-certificates.crt")
    guest.eventually("docker version -f '{{.Server.Version}}' 2>&1", "26.")


def test_the_engine_makes_no_folder_where_the_host_shares_none(guest: Guest, busybox: str) -> None:
    said = guest.ssh(f"docker run --rm -v /home/someone/project:/project {busybox} true 2>&1", check=False)
    assert "read-only file system" in said
    assert "home" not in guest.ssh("ls /").split()


def test_what_cannot_change_while_it_runs_is_refused(guest: Guest) -> None:
    assert (
        guest.ssh("pilothouse set host_key 2>&1", b"x", check=False)
        == "host_key cannot be changed while the machine runs\n"
    )
    assert guest.ssh("hostname").strip() == "harbour"


def test_what_is_freed_goes_back_to_the_host(guest: Guest) -> None:
    guest.ssh("dd if=/dev/urandom of=/var/lib/pilothouse/large bs=1M count=80 2>/dev/null; sync")
    full = allocated(guest.disk)
    guest.ssh("rm /var/lib/pilothouse/large; sync; pilothouse trim")
    assert allocated(guest.disk) < full - 70_000_000


def test_programs_of_the_other_architecture_have_their_emulator(guest: Guest) -> None:
    assert "enabled" in guest.ssh("cat /proc/sys/fs/binfmt_misc/qemu-aarch64")
