"""What a start of the embedded engine takes, decided without starting one: programs, the kernel, another's firewall."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from backend.embedded import EmbeddedPaths, firewall, identity, planning, requirements
from backend.embedded.facts import Requirement
from backend.errors import EngineProgramMissing, EngineStartFailed, FirewallOwned, RootlessForbidden

ROOT, ORDINARY = 0, 1000
ALLOWED, REFUSED = Requirement("x", True, "it may"), Requirement("x", False, "the kernel forbids it")


@pytest.fixture
def paths(tmp_path: Path) -> EmbeddedPaths:
    made = EmbeddedPaths(tmp_path / "home", tmp_path / "run")
    made.make()
    return made


class Computer:
    """Which programs there are, who asks, and what the kernel allows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch, self._folder = monkeypatch, folder
        monkeypatch.setattr(requirements, "search_path", lambda: str(folder))
        monkeypatch.setattr(firewall, "_dockerds", list)

    def has(self, *names: str, user: int = ROOT, tunnel: Requirement = ALLOWED, user_ns: Requirement = ALLOWED) -> None:
        for name in names:
            self.program(name, "exit 1")
        self._patch.setattr(os, "geteuid", lambda: user)
        self._patch.setattr(requirements, "tunnel", lambda: tunnel)
        self._patch.setattr(requirements, "rootless_requirements", lambda: [user_ns, tunnel])

    def program(self, name: str, script: str) -> str:
        path = self._folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        return str(path)


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Computer:
    folder = tmp_path / "programs"
    folder.mkdir()
    return Computer(monkeypatch, folder)


def test_root_gets_a_network_of_its_own(computer: Computer, paths: EmbeddedPaths) -> None:
    computer.has(*requirements.ROOT_PROGRAMS)
    made = planning.plan(paths)
    assert made["network"] is not None
    assert (made["facts"]["kind"], made["facts"]["boot"]) == ("dockerd", identity.boot_id())
    assert all(one.ok for one in planning.check())


@pytest.mark.parametrize(("without", "tunnel"), [("slirp4netns", ALLOWED), ("", REFUSED)])
def test_without_a_way_out_root_uses_the_hosts_network(
    computer: Computer, paths: EmbeddedPaths, without: str, tunnel: Requirement
) -> None:
    computer.has(*(name for name in requirements.ROOT_PROGRAMS if name != without), tunnel=tunnel)
    assert planning.plan(paths)["network"] is None


def test_what_root_lacks_is_named(computer: Computer, paths: EmbeddedPaths) -> None:
    computer.has("dockerd", "iptables")
    with pytest.raises(EngineProgramMissing) as told:
        planning.plan(paths)
    assert told.value.programs == ("containerd", "runc", "slirp4netns")


def test_the_hosts_network_is_left_to_the_engine_that_owns_it(computer: Computer, paths: EmbeddedPaths) -> None:
    computer.has(*requirements.ROOT_PROGRAMS, tunnel=REFUSED)
    computer.program("iptables", 'case "$*" in *"-t nat -S DOCKER") exit 0;; esac; exit 1')
    with pytest.raises(FirewallOwned, match="DOCKER of the table nat"):
        planning.plan(paths)
    mark = paths.home / firewall.OWN_MARK
    mark.write_text("another boot")
    with pytest.raises(FirewallOwned):
        planning.plan(paths)
    mark.write_text(identity.boot_id())  # what our own engine left in this boot keeps nobody out
    assert planning.plan(paths)["network"] is None


def test_chains_and_processes_both_own_a_firewall(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert firewall.owner(computer.program("none", "exit 1")) == ""
    assert firewall.owner(computer.program("all", "exit 0")) == "the chain DOCKER of the table nat"
    filtered = computer.program("filter", 'case "$*" in *"-t filter "*) exit 0;; esac; exit 1')
    assert firewall.owner(filtered) == "the chain DOCKER of the table filter"
    monkeypatch.setattr(firewall, "_dockerds", lambda: [77])
    assert firewall.owner(filtered) == "dockerd (process 77)"


def test_a_dockerd_is_told_by_its_name_and_its_network(tmp_path: Path) -> None:
    program = tmp_path / "dockerd"
    shutil.copy(str(shutil.which("sleep")), program)
    with subprocess.Popen([str(program), "60"]) as process:
        try:
            while process.pid not in firewall._dockerds():  # it bears its name a moment after its start
                assert process.poll() is None
            assert os.getpid() not in firewall._dockerds()
        finally:
            process.kill()


def test_a_person_gets_rootlesskit_or_podman(computer: Computer, paths: EmbeddedPaths) -> None:
    computer.has(*requirements.PODMAN_PROGRAMS, user=ORDINARY)
    assert planning.plan(paths)["facts"]["kind"] == "podman"
    assert {"podman"} <= {one.name for one in planning.check()}
    computer.has(*requirements.ROOTLESS_PROGRAMS, user=ORDINARY)
    assert planning.plan(paths)["facts"]["kind"] == "rootless"
    assert not {"podman"} & {one.name for one in planning.check()}


def test_a_person_hears_first_what_is_missing_then_what_is_forbidden(computer: Computer, paths: EmbeddedPaths) -> None:
    computer.has("dockerd", user=ORDINARY, user_ns=REFUSED)
    with pytest.raises(EngineProgramMissing) as missing:
        planning.plan(paths)
    assert "rootlesskit" in missing.value.programs
    computer.has(*requirements.ROOTLESS_PROGRAMS, user=ORDINARY, user_ns=REFUSED)
    with pytest.raises(RootlessForbidden) as forbidden:
        planning.plan(paths)
    assert forbidden.value.reasons == (REFUSED.words,)


@pytest.mark.parametrize(
    ("said", "unshare", "words"),
    [
        ({"/proc/sys/kernel/unprivileged_userns_clone": "0"}, True, "unprivileged_userns_clone is 0"),
        ({"/proc/sys/user/max_user_namespaces": "0"}, True, "max_user_namespaces is 0"),
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"}, False, "AppArmor restricts them"),
        ({}, False, "unshare was refused"),
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"}, True, ""),
    ],
)
def test_what_forbids_user_namespaces_is_named(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], unshare: bool, words: str
) -> None:
    monkeypatch.setattr(requirements, "_read", lambda path: said.get(path, ""))
    monkeypatch.setattr(requirements, "_may_unshare", lambda: unshare)
    found = requirements._user_namespaces()
    assert found.ok is (not words)
    assert words in found.words
    assert bool(found.steps) is any(name.rpartition("/")[2] in found.words for name in said)
    assert all(command.startswith("sudo ") and "/etc/sysctl.d/" in command for _system, command in found.steps)


@pytest.mark.parametrize(("there", "step"), [(False, "sudo modprobe tun"), (True, "sudo chmod 0666 ")])
def test_a_tunnel_that_cannot_be_opened_comes_with_the_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: bool, step: str
) -> None:
    monkeypatch.setattr(requirements, "TUN", str(tmp_path / "tun"))
    monkeypatch.setattr(os, "access", lambda *_: False)  # nothing is closed to root
    if there:
        (tmp_path / "tun").touch()
    found = requirements.tunnel()
    assert not found.ok
    assert [command.startswith(step) for _system, command in found.steps] == [True]


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        (f"other:1:65536\n{os.getuid()}:100000:65536\n", True),
        (f"{os.getuid()}:100000:65535\n", False),
        (f"{os.getuid()}:100000:many\n{os.getuid()}\n", False),
        ("", False),
    ],
)
def test_a_range_of_ids_is_wide_enough_or_comes_with_the_step(
    monkeypatch: pytest.MonkeyPatch, text: str, enough: bool
) -> None:
    monkeypatch.setattr(requirements, "_read", lambda _path: text)
    found = requirements._ids("subuid")
    assert found.ok is enough
    assert enough or found.steps[0][1].startswith("sudo usermod --add-subuids")


def test_files_that_cannot_be_written_are_told_without_words_of_python(
    computer: Computer, paths: EmbeddedPaths
) -> None:
    computer.has(*requirements.ROOT_PROGRAMS)
    made = planning.plan(paths)
    paths.plan.mkdir()
    with pytest.raises(EngineStartFailed) as told:
        planning.launched(paths, made)
    assert told.value.reason == f"The engine's files cannot be written below {paths.home}: {os.strerror(errno.EISDIR)}"
