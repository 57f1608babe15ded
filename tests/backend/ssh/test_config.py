"""The person's ~/.ssh/config: what is followed, what is refused, and that nothing in it is run."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from backend.endpoint import Ssh
from backend.ssh.config import Route, SshConfig
from backend.ssh.errors import SshConfigUnusable


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path / ".ssh"


def route(folder: Path, text: str | None, endpoint: Ssh) -> Route:
    if text is not None:
        (folder / "config").write_text(text)
    return SshConfig(folder.parent).route(endpoint)


@pytest.mark.parametrize("text", [None, "", "# nothing\n"])
def test_without_a_word_about_the_host(folder: Path, text: str | None) -> None:
    found = route(folder, text, Ssh("box.example"))
    keys = tuple(str(folder / name) for name in ("id_ed25519", "id_ecdsa", "id_rsa"))
    assert found == Route("box.example", "box.example", 22, getpass.getuser(), keys)


def test_what_stands_there_is_followed(folder: Path) -> None:
    found = route(
        folder,
        "Host box\n  HostName 10.0.0.7\n  User pilot\n  Port 2022\n  IdentityFile ~/.ssh/box key\n"
        "  IdentitiesOnly yes\n  HostKeyAlias harbour\nHost *\n  User nobody\n",
        Ssh("box"),
    )
    assert found == Route("box", "10.0.0.7", 2022, "pilot", (str(folder / "box key"),), True, "harbour")


def test_what_the_person_says_goes_before_the_file(folder: Path) -> None:
    text = "Host box\n  User pilot\n  Port 2022\n  IdentityFile ~/.ssh/box\n"
    found = route(folder, text, Ssh("box", 22022, "me", "~/mine"))
    assert (found.port, found.user, found.keys) == (22022, "me", (str(folder.parent / "mine"),))
    assert found.one_key


def test_hosts_on_the_way(folder: Path) -> None:
    found = route(
        folder,
        "Host far\n  ProxyJump gate,me@second:2200\nHost gate\n  HostName gate.example\n  ProxyJump outer\n"
        "Host direct\n  ProxyJump none\nHost *\n  User pilot\n",
        Ssh("far"),
    )
    gate, second = found.through
    assert (gate.name, gate.address, gate.user) == ("gate", "gate.example", "pilot")
    assert [jump.name for jump in gate.through] == ["outer"]
    assert (second.address, second.port, second.user) == ("second", 2200, "me")
    assert route(folder, None, Ssh("direct")).through == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Host box\n  ProxyCommand nc %h %p\n", "ProxyCommand"),
        ("Host *\n  ProxyJump box\n", "circle"),
        ("Host box\n  ProxyJump -oProxyCommand=x\n", "cannot be a host on the way"),
        ("Host box\n  Port many\n", "many is not a port"),
        ('Host "box\n  User x\n', "is not what ssh reads there"),
    ],
)
def test_what_cannot_be_followed_is_told(folder: Path, text: str, words: str) -> None:
    with pytest.raises(SshConfigUnusable, match=words) as caught:
        route(folder, text, Ssh("box"))
    assert caught.value.host == "box"


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "config").mkdir()
    with pytest.raises(SshConfigUnusable, match="is a folder, not a file"):
        route(folder, None, Ssh("box"))


def test_conditions_that_run_programs_or_are_not_judged_never_hold(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = (
        f'Match exec "touch {ran}"\n  User bad\nMatch host box !exec "touch {ran}"\n  User bad\n'
        f"Match localnetwork 0.0.0.0/0\n  User bad\nMatch host box\n  User good\n"
    )
    assert route(folder, text, Ssh("box")).user == "good"
    assert not ran.exists()


def test_included_files(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "a").write_text("Host box\n  User included\n")
    (folder / "more" / "b").write_text("Include loop\n")
    (folder / "loop").write_text("Include ~/.ssh/more/b\nHost other\n  User nested\n")
    text = "Include more/*\nInclude nowhere\nHost box\n  Port 2022\n  Include more/a\n  HostName after.example\n"
    found = route(folder, text, Ssh("box"))
    assert (found.user, found.port, found.address) == ("included", 2022, "after.example")
    assert route(folder, None, Ssh("other")).user == "nested"
