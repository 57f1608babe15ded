"""`pilothouse machine …` where there is no machine, and the machine among the engines that are found."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import cli
from app.machinehere import LABEL, machine_here, without_stopped
from app.machinewordings import export_line
from backend.discovery import MACHINE, Candidate, candidates
from backend.endpoint import UnixSocket
from vm import making
from vm.dockercontext import DockerContext
from vm.paths import MachinePaths


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        monkeypatch.setenv("PILOTHOUSE_HOME", folder)
        monkeypatch.setenv("DOCKER_CONFIG", f"{folder}/docker")
        yield Path(folder)


def test_without_a_machine_every_word_says_so(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert cli.main(["machine", "status", "--json"]) == 3
    said = json.loads(capsys.readouterr().out)
    assert (said["state"], said["host"], said["pid"]) == ("absent", "", 0)
    assert cli.main(["machine", "start"]) == 4
    assert "pilothouse machine create" in capsys.readouterr().err
    assert cli.main(["machine", "stop"]) == 0
    assert cli.main(["machine", "delete", "--yes", "--json"]) == 4
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"] == "MachineMissing"
    assert not (home / "data" / "machine").exists()


@pytest.mark.parametrize("verb", ["delete", "reset"])
def test_nothing_is_thrown_away_unless_it_is_confirmed(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert cli.main(["machine", verb]) == 2
    assert "--yes" in capsys.readouterr().err


def test_what_rests_or_changes_needs_a_machine(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    for words in (["change", "--cpus", "2"], ["move", "--to", str(home)], ["resume"], ["reset", "--yes"]):
        assert cli.main(["machine", *words, "--json"]) == 4
        assert json.loads(capsys.readouterr().out)["error"] == "MachineMissing"
    assert cli.main(["machine", "suspend", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "absent"
    with pytest.raises(SystemExit) as caught:
        cli.main(["machine", "move"])
    assert caught.value.code == 2


@pytest.mark.parametrize("words", [["--cpus", "0"], ["--memory", "-1"], ["--disk", "much"], ["--timeout", "nan"]])
def test_numbers_that_are_none_are_not_understood(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["machine", "create", *words])
    assert caught.value.code == 2


def test_it_is_an_engine_among_others_while_its_socket_is_there(home: Path) -> None:
    assert machine_here() == []
    folder = home / "run" / "machine"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "docker.sock"))
        found = machine_here()
    assert [(each.source, each.endpoint) for each in found] == [("machine", UnixSocket(str(folder / "docker.sock")))]


def test_one_that_docker_knows_by_its_context_is_listed_once_by_its_own_name(home: Path) -> None:
    where = UnixSocket(str(home / "run" / "machine" / "docker.sock"))
    DockerContext(where, home / "memory").make()
    besides = [Candidate(LABEL, MACHINE, where)]
    environment = {"DOCKER_CONFIG": str(home / "docker"), "HOME": str(home)}
    found = [each for each in candidates(environment, besides=besides) if each.endpoint == where]
    assert [(each.label, each.source, each.current) for each in found] == [("Machine", "machine", False)]
    # While it does not run, only docker's choice of it is worth a word.
    assert without_stopped(candidates(environment)) == [c for c in candidates(environment) if c.endpoint != where]
    DockerContext(where, home / "memory").use()
    first = without_stopped(candidates(environment))[0]
    assert (first.label, first.endpoint, first.current) == ("pilothouse", where, True)


def test_what_docker_uses_is_told_and_changed(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["machine", "context"]) == 4
    capsys.readouterr()
    machine = MachinePaths(home / "data" / "machine", home / "run" / "machine")
    machine.make()
    making.write(machine, making.usual())
    assert cli.main(["machine", "context", "--use", "yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wanted"]
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    assert cli.main(["machine", "context"]) == 0
    assert "DOCKER_HOST is set here" in capsys.readouterr().out
    assert cli.main(["machine", "context", "--use", "no"]) == 0
    assert "does not use the machine" in capsys.readouterr().out


def test_the_line_for_a_shell_is_quoted() -> None:
    assert export_line("unix:///it's here") == "export DOCKER_HOST='unix:///it'\"'\"'s here'"


def test_it_needs_neither_qt_nor_paramiko() -> None:
    words = "import sys; from app import cli; cli.main(['machine', 'status']); "
    words += "print([name for name in ('PySide6', 'paramiko', 'httpx') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
