"""`pilothouse engine …` as a script sees it: exit codes, words, one line of JSON, and no Qt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli() -> Iterator[Cli]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as home:

        def run(*words: str, path: str = os.environ["PATH"], where: str = home) -> subprocess.CompletedProcess[str]:
            environment = {**os.environ, "PILOTHOUSE_HOME": where, "PATH": path}
            command = [sys.executable, "-m", "app.cli", *words]
            return subprocess.run(
                command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, timeout=120
            )

        yield run
        run("engine", "stop")


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("pilothouse ")


def test_a_wrong_word_is_code_2(cli: Cli) -> None:
    assert cli("engine", "dance").returncode == 2
    assert cli("engine").returncode == 2


def test_status_of_no_engine_is_code_3(cli: Cli) -> None:
    done = cli("engine", "status")
    assert (done.returncode, done.stdout) == (3, "The embedded engine is not running\n")
    told = json.loads(cli("engine", "status", "--json").stdout)
    assert (told["state"], told["kind"], told["pid"]) == ("stopped", "", 0)
    assert told["host"].startswith("unix:///")


def test_stopping_what_does_not_run_is_fine(cli: Cli) -> None:
    assert cli("engine", "stop").returncode == 0


@pytest.mark.parametrize("verb", ["status", "start", "stop"])
@pytest.mark.parametrize("below", ["", "/data"], ids=["a file as home", "a file in the place of a folder"])
def test_folders_that_cannot_be_used_are_told_in_a_sentence(cli: Cli, tmp_path: Path, verb: str, below: str) -> None:
    (tmp_path / "home").mkdir()
    file = Path(f"{tmp_path}/home{below or '/file'}")
    file.write_text("")
    where = str(tmp_path / "home") if below else str(file)
    done = cli("engine", verb, where=where)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert done.stderr.startswith(f"The folder {file}")
    assert "cannot be used: a file is in its" in done.stderr
    done = cli("engine", verb, "--json", where=where)
    assert (done.returncode, done.stderr) == (4, "")
    told = json.loads(done.stdout)
    assert (told["state"], told["error"], len(told["words"])) == ("failed", "FoldersUnusable", 1)


def test_a_folder_that_cannot_be_made_is_told_too(cli: Cli) -> None:
    done = cli("engine", "status", where="/proc/none")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert done.stderr.startswith("The folder /proc/none cannot be used: it cannot be made there.")


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon"])
def test_what_is_no_time_is_code_2(cli: Cli, seconds: str) -> None:
    done = cli("engine", "status", "--timeout", seconds)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--timeout: not a number of seconds: {seconds}" in done.stderr


def test_the_command_line_needs_no_qt() -> None:
    code = "import sys, app.cli; sys.exit(any(name.startswith(('PySide6', 'qasync')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], timeout=60).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="test_rootless has the ordinary user's part")
def test_start_status_stop(cli: Cli) -> None:
    done = cli("engine", "start")
    assert done.returncode == 0, done.stderr
    assert "The engine answers" in done.stderr
    told = json.loads(cli("engine", "status", "--json").stdout)
    assert (told["state"], told["kind"]) == ("running", "dockerd")
    assert cli("engine", "start", "--json").stdout.count("\n") == 1
    assert cli("engine", "stop").returncode == 0
    assert cli("engine", "status").returncode == 3
