"""Host keys: files as OpenSSH writes them, what contradicts and what revokes, and our own file."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ssh import hostkeys
from backend.ssh.config import Route
from backend.ssh.errors import SshKeyChanged, SshKeyRevoked, SshKeyUnknown
from backend.ssh.hostkeys import HostKey, KnownHosts, Pinned

HERE = Route("box", "Box.example", 22, "me")
THERE = Route("box", "box.example", 2222, "me")


class Keys:
    """Keys of a host, made by ssh-keygen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: dict[str, str] = {}
        for name, kind in (("one", "ed25519"), ("two", "ed25519"), ("rsa", "rsa"), ("ec", "ecdsa")):
            words = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / name)]
            subprocess.run([*words, *(["-b", "2048"] if kind == "rsa" else [])], check=True, capture_output=True)
            self.lines[name] = " ".join((folder / f"{name}.pub").read_text().split()[:2])

    def key(self, name: str) -> HostKey:
        return next(hostkeys.read([f"x {self.lines[name]}"])).key


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


@pytest.fixture
def known(theirs: Path, tmp_path: Path) -> KnownHosts:
    return KnownHosts(tmp_path / "ours" / "known_hosts", [theirs])


@pytest.mark.parametrize("name", ["one", "rsa", "ec"])
def test_fingerprints_are_those_of_ssh_keygen(keys: Keys, name: str) -> None:
    said = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(keys.folder / f"{name}.pub")], check=True, capture_output=True, text=True
    ).stdout
    key = keys.key(name)
    assert key.fingerprint == said.split()[1]
    assert f"({key.kind})" in said


@pytest.mark.parametrize(
    "names", ["box.example", "other,BOX.example", "*.example", "b?x.example,!not.example", "10.0.0.1,box.example"]
)
def test_a_key_in_the_persons_file_is_known(keys: Keys, theirs: Path, known: KnownHosts, names: str) -> None:
    theirs.write_text(f"# comment\n\n{names} {keys.lines['one']} me@here\n")
    known.check("ssh://box", HERE, keys.key("one"))
    assert known.types(HERE) == ("ssh-ed25519",)
    with pytest.raises(SshKeyUnknown):
        known.check("ssh://box:2222", THERE, keys.key("one"))


def test_a_name_that_is_excluded_is_not_meant(keys: Keys, theirs: Path, known: KnownHosts) -> None:
    theirs.write_text(f"*.example,!box.example {keys.lines['one']}\n")
    with pytest.raises(SshKeyUnknown):
        known.check("ssh://box", HERE, keys.key("one"))


@pytest.mark.parametrize("route", [HERE, THERE])
def test_hashed_names_of_openssh(keys: Keys, theirs: Path, known: KnownHosts, route: Route) -> None:
    theirs.write_text(f"{hostkeys.name_of(route.address, route.port)} {keys.lines['one']}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(theirs)], check=True, capture_output=True)
    assert theirs.read_text().startswith("|1|")
    known.check("ssh://box", route, keys.key("one"))
    with pytest.raises(SshKeyChanged):
        known.check("ssh://box", route, keys.key("two"))


def test_another_key_is_refused_with_both_and_the_place(keys: Keys, theirs: Path, known: KnownHosts) -> None:
    theirs.write_text(f"# first\nbox.example {keys.lines['rsa']}\nbox.example {keys.lines['one']}\n")
    with pytest.raises(SshKeyChanged) as caught:
        known.check("ssh://box", HERE, keys.key("two"))
    changed = caught.value
    assert (changed.host, changed.kind, changed.fingerprint) == ("box", "ED25519", keys.key("two").fingerprint)
    assert changed.known == f"ED25519 {keys.key('one').fingerprint}"
    assert changed.place == f"{theirs}:3"
    known.check("ssh://box", HERE, keys.key("one"))
    with pytest.raises(SshKeyChanged):  # A type that was never seen is no way around the one that was.
        known.check("ssh://box", HERE, keys.key("ec"))


def test_a_revoked_key_is_refused_though_it_is_known(keys: Keys, theirs: Path, known: KnownHosts) -> None:
    theirs.write_text(f"box.example {keys.lines['one']}\n@revoked * {keys.lines['one']}\n")
    with pytest.raises(SshKeyRevoked) as caught:
        known.check("ssh://box", HERE, keys.key("one"))
    assert caught.value.place == f"{theirs}:2"


def test_authorities_and_lines_that_are_none_are_passed_over(keys: Keys, theirs: Path, known: KnownHosts) -> None:
    theirs.write_bytes(
        f"@cert-authority * {keys.lines['one']}\nbox.example ssh-ed25519\nbox.example ssh-ed25519 ???\n".encode()
        + b"\xff\xfe\x00\n|1|x|y ssh-ed25519 AAAA\n|1|broken ssh-ed25519 AAAA\n"
    )
    with pytest.raises(SshKeyUnknown):
        known.check("ssh://box", HERE, keys.key("one"))


def test_what_the_person_accepts_is_kept_in_our_file_alone(keys: Keys, theirs: Path, known: KnownHosts) -> None:
    theirs.write_text(f"else.example {keys.lines['one']}\n")
    before = theirs.read_bytes()
    for name in ("one", "ec"):
        with pytest.raises(SshKeyUnknown) as caught:
            known.check("ssh://box", THERE if name == "ec" else HERE, keys.key(name))
        assert caught.value.fingerprint == keys.key(name).fingerprint
        known.accept(caught.value)
        known.check("ssh://box", THERE if name == "ec" else HERE, keys.key(name))
    assert theirs.read_bytes() == before
    assert stat.S_IMODE(known.ours.stat().st_mode) == 0o600
    assert known.ours.read_text() == f"box.example {keys.lines['one']}\n[box.example]:2222 {keys.lines['ec']}\n"
    said = subprocess.run(["ssh-keygen", "-F", "[box.example]:2222", "-f", str(known.ours)], capture_output=True)
    assert keys.lines["ec"].encode() in said.stdout


def test_an_alias_for_the_key(keys: Keys, theirs: Path, known: KnownHosts) -> None:
    theirs.write_text(f"harbour {keys.lines['one']}\n")
    known.check("ssh://box", Route("box", "10.0.0.1", 2222, "me", key_name="Harbour"), keys.key("one"))


def test_a_pinned_key_lets_no_other_pass(keys: Keys) -> None:
    pinned = Pinned(keys.key("one"))
    pinned.check("ssh://machine", HERE, keys.key("one"))
    assert pinned.types(HERE) == ("ssh-ed25519",)
    for name in ("two", "ec"):
        with pytest.raises(SshKeyChanged):
            pinned.check("ssh://machine", HERE, keys.key(name))


@given(st.lists(st.text(max_size=80), max_size=5), st.text(max_size=20))
def test_any_text_is_read(lines: list[str], name: str) -> None:
    for entry in hostkeys.read(lines):
        entry.is_for(name)
