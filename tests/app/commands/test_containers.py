"""What each verb says, when it applies and which docker line it equals."""

import pytest

from app.commands.containers import (
    KILL,
    PAUSE,
    REMOVE,
    RENAME,
    RESTART,
    RESUME,
    SIMPLE,
    START,
    STOP,
    Removal,
    Renaming,
    name_problem,
)
from backend.types.containers import ContainerId, ContainerSummary


def row(state: str = "running", name: str = "web") -> ContainerSummary:
    return ContainerSummary(id=ContainerId("ab" * 32), names=(f"/{name}",), state=state)


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("running", "stop restart pause kill"),
        ("paused", "stop restart resume kill"),
        ("restarting", "stop restart kill"),
        ("exited", "start restart"),
        ("created", "start restart"),
        ("dead", ""),
        ("removing", ""),
        ("unknown", ""),
    ],
)
def test_what_applies(state: str, allowed: str) -> None:
    found = {key for key, command in SIMPLE.items() if not command.why_not(row(state))}
    assert found == set(allowed.split())


def test_why_not_is_a_sentence() -> None:
    assert START.why_not(row()) == "It is already running"
    assert STOP.why_not(row("exited")) == "It is not running"
    assert RESUME.why_not(row()) == "It is not paused"
    assert PAUSE.why_not(row("paused")) == "It is already paused"
    assert REMOVE.why_not(Removal(row("removing"))) == "It is being removed"
    assert RENAME.why_not(Renaming(row("exited"))) == ""


def test_lines() -> None:
    assert STOP.line(row()).shown == "docker stop web"
    assert RESUME.line(row()).shown == "docker unpause web"
    assert RESTART.line(row()).shown == "docker restart web"
    assert KILL.line(row()).shown == "docker kill web"
    assert RENAME.line(Renaming(row(), "api")).shown == "docker rename web api"
    assert REMOVE.line(Removal(row())).shown == "docker rm web"
    assert REMOVE.line(Removal(row(), volumes=True, force=True)).shown == "docker rm --force --volumes web"


def test_a_name_that_looks_like_a_flag_is_not_used() -> None:
    assert STOP.line(row(name="-f")).argv == ["docker", "stop", "ab" * 32]
    assert STOP.line(row(name="<b>x&")).argv == ["docker", "stop", "ab" * 32]


@pytest.mark.parametrize("name", ["web", "a1", "A_b.c-d", "x" * 255])
def test_good_names(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize("name", ["", "a", "-web", ".web", "we b", "wéb", "web\n", "x" * 256])
def test_bad_names(name: str) -> None:
    assert name_problem(name) != ""
