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
from app.machinehere import machine_here
from backend.endpoint import UnixSocket


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        monkeypatch.setenv("PILOTHOUSE_HOME", folder)
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


def test_nothing_is_thrown_away_unless_it_is_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["machine", "delete"]) == 2
    assert "--yes" in capsys.readouterr().err


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


def test_it_needs_neither_qt_nor_paramiko() -> None:
    words = "import sys; from app import cli; cli.main(['machine', 'status']); "
    words += "print([name for name in ('PySide6', 'paramiko', 'httpx') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
