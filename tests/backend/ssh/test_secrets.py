"""Secrets: memory and keyring, and what is asked again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backend.ssh.secrets import Secrets
from tests.fakes.keyring import BrokenKeyring, HeldKeyring


def test_without_a_keyring_secrets_live_in_memory(capfd: pytest.CaptureFixture[str]) -> None:
    secrets = Secrets(None)
    assert not secrets.can_keep
    assert secrets.get("ssh://me@box") is None
    assert secrets.put("ssh://me@box", "x", keep=False)
    assert secrets.get("ssh://me@box") == "x"
    assert not secrets.put("ssh://me@box", "x", keep=True)
    assert Secrets(None).get("ssh://me@box") is None


def test_what_is_to_be_kept_outlives_the_run() -> None:
    ring = HeldKeyring()
    first = Secrets(ring)
    assert first.can_keep
    assert first.put("a", "kept", keep=True)
    assert first.put("b", "not kept", keep=False)
    second = Secrets(ring)
    assert second.get("a") == "kept"
    assert second.get("b") is None
    assert ring.held == {("pilothouse", "a"): "kept"}


def test_a_refused_secret_is_asked_again_and_stays_until_there_is_a_better_one() -> None:
    ring = HeldKeyring()
    ring.held["pilothouse", "a"] = "old"
    secrets = Secrets(ring)
    assert secrets.get("a") == "old"
    secrets.refused("a")
    assert secrets.get("a") is None
    assert ring.held["pilothouse", "a"] == "old"
    secrets.put("a", "new", keep=True)
    assert secrets.get("a") == Secrets(ring).get("a") == "new"


def test_a_keyring_that_fails_is_as_none() -> None:
    secrets = Secrets(BrokenKeyring())
    assert secrets.get("a") is None
    assert not secrets.put("a", "x", keep=True)
    assert secrets.get("a") == "x"


def test_a_system_without_a_keyring_has_none() -> None:
    program = (
        "import sys\nfrom backend.ssh.secrets import system_keyring\n"
        "assert 'paramiko' not in sys.modules\nprint(system_keyring())"
    )
    environment = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip() == "None", done.stderr
