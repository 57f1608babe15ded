"""Every error of vm.errors has words of its own, and a start that failed says what to do next."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import get_args

import pytest

from app.machinewordings import STEPS, port_words
from app.notices import notice_for
from app.wordings import has_own_words
from vm import errors
from vm.paths import MachinePaths
from vm.report import Published, Reason
from vm.supervisor.boot import Boot

EVERY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.MachineError)]


def make(kind: type[errors.MachineError]) -> errors.MachineError:
    values: dict[str, object] = {"seconds": 5.0, "looked": ("/one", "/two"), "needed": 2 << 30, "free": 1 << 20}
    values |= {"step": "guest", "console": ("READY",)}
    names = [n for n in inspect.signature(kind.__init__).parameters if n not in ("self", "args", "kwargs")]
    return kind(*(values.get(name, f"<b>{name}</b>") for name in names))


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_has_its_own_notice(kind: type[errors.MachineError]) -> None:
    assert has_own_words(kind)
    notice = notice_for(make(kind))
    assert notice.title
    assert not notice.title.endswith(".")
    assert "None" not in notice.title + notice.detail


def test_every_requirement_has_a_name_for_people_and_a_hint(tmp_path: Path) -> None:
    boot = Boot(MachinePaths.below(tmp_path, tmp_path), lambda _: None, lambda _: None, dict)
    names = [each.name for each in boot.requirements]
    assert ["supervisor", *names] == list(STEPS)
    for name in names:
        bare = errors.MachineStartFailed(name, "RequirementLate", "not within 5 s")
        words = notice_for(bare).detail
        assert words.startswith(f"{STEPS[name]}: ")
        assert len(words) > len(f"{STEPS[name]}: not within 5 s.") or name == "qemu"


@pytest.mark.parametrize("reason", [each for each in get_args(Reason) if each])
def test_a_port_that_does_not_answer_is_told_with_the_way_out(reason: Reason) -> None:
    port = Published("udp", "::1", 53, reason, words="Too many open files")
    words = port_words(port)
    assert "53" in words or "::1" in words or port.words in words
    assert port_words(Published("tcp", "0.0.0.0", 80)) == ""


def test_who_has_a_port_is_named() -> None:
    assert port_words(Published("tcp", "0.0.0.0", 80, "taken", "nginx (pid 7)")).startswith("nginx (pid 7) has port 80")
