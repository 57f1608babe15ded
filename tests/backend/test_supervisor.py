"""The supervisor of the embedded engine over a program that is no engine: its lock, state, log, signals and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.embedded import namespaces, supervisor

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the embedded engine is Linux's")
PYTHON = [sys.executable, "-I", "-S", "-B"]


def planned(folder: Path, script: str, **others: object) -> list[str]:
    """The command that lives by a plan for a shell script in the engine's place."""
    plan: dict[str, Any] = {
        "command": ["/bin/sh", "-c", script],
        "environment": {"PATH": "/usr/bin:/bin", "GIVEN": "ours"},
        "without": ["KEPT_OUT"],
        "lock": str(folder / "lock"),
        "state": str(folder / "state"),
        "log": str(folder / "log"),
        "log_bytes": 100_000,
        "cgroup": "",
        "stale": [],
        "facts": {"kind": "a script"},
        "network": None,
        **others,
    }
    (folder / "plan").write_text(json.dumps(plan))
    return [*PYTHON, str(Path(supervisor.__file__).absolute()), str(folder / "plan")]


def lived(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")
    return done.returncode, (folder / "log").read_text()


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_it_ends_as_the_engine_ended_and_keeps_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "old.pid").write_text("77")
    script = f"ls {tmp_path}; cat {tmp_path}/state; echo; echo $GIVEN.$KEPT_OUT.$PASSED; echo aloud >&2; exit 7"
    command = planned(tmp_path, f"while [ ! -e {tmp_path}/state ]; do :; done; {script}", stale=[f"{tmp_path}/old.pid"])
    code, log = lived(command, tmp_path, {"KEPT_OUT": "1", "PASSED": "theirs"})
    assert code == 7
    assert log.splitlines()[-2:] == ["ours..theirs", "aloud"]
    assert "old.pid" not in log
    facts = json.loads(next(line for line in log.splitlines() if line.startswith("{")))
    assert facts["kind"] == "a script"
    assert {"supervisor", "started", "engine"} <= set(facts)
    assert not (tmp_path / "state").exists()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_one_that_cannot_be_started_says_so_in_the_log(tmp_path: Path) -> None:
    code, log = lived(planned(tmp_path, "", command=["/no/such/dockerd"]), tmp_path)
    assert (code, log) == (127, "/no/such/dockerd: No such file or directory\n")


def test_a_second_one_leaves_the_first_alone_and_a_signal_reaches_the_engine(tmp_path: Path) -> None:
    script = "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    command = planned(tmp_path, script)
    with subprocess.Popen(command, start_new_session=True) as first:
        try:
            until(lambda: (tmp_path / "log").exists() and "ready" in (tmp_path / "log").read_text())
            assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600
            assert subprocess.run(command, check=False, timeout=60).returncode == supervisor.LOCKED
            first.terminate()
            assert first.wait(60) == 3
        finally:
            first.kill()
    assert "asked" in (tmp_path / "log").read_text()


def test_an_engine_does_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    with subprocess.Popen(planned(tmp_path, "exec sleep 600"), start_new_session=True) as process:
        try:
            until((tmp_path / "state").exists)
            engine = json.loads((tmp_path / "state").read_text())["engine"]
            until(lambda: b"sleep" in Path(f"/proc/{engine}/cmdline").read_bytes())
        finally:
            process.kill()
    until(lambda: not alive(engine))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("status", "code"), [(0, 0), (3 << 8, 3), (int(signal.SIGTERM), 143), (int(signal.SIGKILL), 137)]
)
def test_an_end_is_told_as_a_shell_tells_it(status: int, code: int) -> None:
    assert namespaces.exit_code(status) == code


def test_the_first_process_passes_signals_on_buries_orphans_and_ends_as_the_engine(tmp_path: Path) -> None:
    """The orphan ends first and is not taken for the engine."""
    script = f"(true &) ; trap 'exit 9' TERM; touch {tmp_path}/up; while :; do sleep 0.05; done"
    first = (
        "import sys; sys.path.insert(0, sys.argv[1]); from backend.embedded import namespaces as n; import ctypes;"
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0);"  # PR_SET_CHILD_SUBREAPER, as the first of a pid namespace is
        "n.run_first(['/bin/sh', '-c', sys.argv[2]], {'PATH': '/usr/bin:/bin'}, lambda: print('the end', flush=True))"
    )
    root = str(Path(__file__).parents[2])
    with subprocess.Popen([*PYTHON, "-c", first, root, script], stdout=subprocess.PIPE) as process:
        try:
            until((tmp_path / "up").exists)
            process.terminate()
            assert process.communicate(timeout=60)[0] == b"the end\n"
            assert process.returncode == 9
        finally:
            process.kill()


def test_a_mount_that_is_refused_names_its_target(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone") as told:
        namespaces.mount("none", os.fspath(tmp_path / "gone"), "", namespaces.MS_BIND)
    assert told.value.filename == os.fspath(tmp_path / "gone")
