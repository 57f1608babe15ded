"""Offered names are free, and everything that reaches the host is said, whichever way it is asked for."""

from __future__ import annotations

import random

import pytest

from app.commands.containers import name_problem
from app.commands.run.body import build
from app.commands.run.danger import dangers
from app.commands.run.names import FIRST, LAST, free_name
from app.commands.run.read import read_line


def test_offered_names_are_free_and_usable() -> None:
    taken = {f"{first}-{last}" for first in FIRST for last in LAST}
    assert name_problem(free_name(())) == ""
    name = free_name(taken)
    assert name not in taken
    assert name_problem(name) == ""
    assert free_name((), random.Random(1)) == free_name((), random.Random(1))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--privileged", "Privileged"),
        ("-v /var/run/docker.sock:/var/run/docker.sock", "docker.sock"),
        ("--mount type=bind,source=/var/run/docker.sock,target=/s", "docker.sock"),
        ("-v /:/host:ro", "/: "),
        ("--mount type=bind,source=/,target=/host", "/: "),
        ("-v /etc/:/x", "/etc"),
        ("-v /var/lib/docker:/x", "/var/lib/docker"),
        ("--mount type=volume,source=vol,target=/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/", "/: "),
        ("-v //:/x", "/"),
        ("-v /tmp/../etc:/x", "/etc"),
        ("--pid host", "processes"),
        ("--network host", "network"),
        ("--ipc host", "memory"),
        ("--userns host", "root"),
        ("--volumes-from web", "web"),
        ("--device /dev/sda", "/dev/sda"),
        ("--cap-add sys_admin", "SYS_ADMIN"),
        ("--cap-add ALL", "ALL"),
        ("--security-opt seccomp=unconfined", "seccomp"),
        ("--security-opt systempaths=unconfined", "hidden"),
        ("--security-opt apparmor=unconfined", "apparmor"),
        ("--uts host", "name"),
        ("--cgroupns host", "control groups"),
        ("--pid container:web", "web"),
        ("--device-cgroup-rule 'a *:* rwm'", "devices"),
    ],
)
def test_what_reaches_the_host_is_said(flags: str, words: str) -> None:
    body, problems = build(read_line(f"docker run {flags} nginx").form)
    assert problems == ()
    found = dangers(body)
    assert len(found) == 1
    assert words in found[0]
    assert found[0].endswith(".")


@pytest.mark.parametrize("flags", ["", "-v data:/data", "-v /home/me/site:/site", "-p 80:80", "--cap-drop ALL"])
def test_an_ordinary_container_is_not_called_dangerous(flags: str) -> None:
    assert dangers(build(read_line(f"docker run {flags} nginx").form)[0]) == []
