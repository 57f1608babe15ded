"""Key files as ssh-keygen writes them."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest

from backend.ssh.credentials import load_key
from tests.e2e.sshd import make_key


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_keys_of_every_kind_are_read_and_others_are_told(tmp_path: Path, kind: str) -> None:
    plain, locked = make_key(tmp_path / "plain", kind), make_key(tmp_path / "locked", kind, "open")
    assert load_key(str(plain)).asbytes() == load_key(str(plain), "unused").asbytes()
    assert load_key(str(locked), "open")
    with pytest.raises(paramiko.PasswordRequiredException):
        load_key(str(locked))
    for path, phrase in ((locked, "shut"), (plain.with_suffix(".pub"), None)):
        with pytest.raises(paramiko.SSHException) as caught:
            load_key(str(path), phrase)
        assert not isinstance(caught.value, paramiko.PasswordRequiredException)
