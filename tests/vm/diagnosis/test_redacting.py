"""What leaves in a bundle holds nobody's secret, wherever it stood and whatever it looked like."""

from __future__ import annotations

import asyncio
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from vm import making
from vm.diagnosis.bundle import FILES, LOGS, write_bundle
from vm.diagnosis.redacting import GONE, Redactor
from vm.machine import Machine
from vm.paths import MachinePaths
from vm.report import Failure, write_failure

CANARY = "canary8d2f61"


@pytest.mark.parametrize(
    "text",
    [
        f"proxy http://somebody:{CANARY}@proxy.example:3128/",
        f"https://{CANARY}@host/path?x=1",
        f"Authorization: Bearer {CANARY}",
        f"authorization: {CANARY}",
        f'{{"X-Registry-Auth": "{CANARY}"}}',
        f"--password={CANARY} --user x",
        f'"identitytoken":"{CANARY}"',
        f"AWS_SECRET_ACCESS_KEY={CANARY}",
        f"started with FOO={CANARY} and BAR='{CANARY} and more' DB_URL=\"{CANARY}\"",
        f"GET /v2/?token={CANARY}&service=x",
        f"client_secret: {CANARY}",
        f"pass = {CANARY}",
        f"api-key: '{CANARY}'",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY} cut off",
        f"username=x,password={CANARY},vers=3.0",
        f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.sig",
        f"ghp_{CANARY}{CANARY}",
        f"dckr_pat_{CANARY}{CANARY}",
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str) -> None:
    cleaned = Redactor().clean(text)
    assert CANARY not in cleaned
    assert GONE in cleaned


def test_home_name_and_known_values_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "ingeborg"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "ingeborg")
    monkeypatch.setenv("ANYTHING", CANARY)
    cleaned = Redactor(["of the guest"]).clean(f"{home}/file by ingeborg: {CANARY}, of the guest, /var/ingeborgs")
    assert cleaned == f"~/file by USER: {GONE}, {GONE}, /var/ingeborgs"


def test_what_helps_is_kept() -> None:
    text = (
        "2026-11-24T22:01:04+0000 guest: met after 12.3 s data failed foreign\n"
        "qemu-system-x86_64: Could not set up host forwarding rule 'tcp:127.0.0.1:2222-:22'\n"
        "STEP data ok\nkernel 6.12.1, 127.0.0.1:48023, exit code -6\n"
    )
    assert Redactor().clean(text) == text


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        made = Machine(MachinePaths.below(Path(folder) / "data", Path(folder) / "run"))
        made.paths.make()
        yield made


def test_no_source_of_a_bundle_gives_a_secret_away(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary in every file that is read, and in the environment."""
    paths = machine.paths
    monkeypatch.setenv("PROXY_OF_THE_HOUSE", f"http://me:env-{CANARY}@proxy:1")
    paths.user_key.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\nkey-{CANARY}\n-----END OPENSSH PRIVATE KEY-----\n")
    paths.host_key.write_text(f"host-{CANARY}\n")
    (paths.handed / "proxy").write_text(f"http=http://me:proxy-{CANARY}@proxy:1\n")
    (paths.handed / "shares").write_text(f"cifs\t//x/y\t/x\tusername=a,password=share-{CANARY}\n")
    words = [f"key-{CANARY}", f"host-{CANARY}", f"password=share-{CANARY}", f"me:proxy-{CANARY}@proxy", f"env-{CANARY}"]
    spoilt = "\n".join([*words[:3], f"http://{words[3]}:1", f"http://me:{words[4]}@proxy:1", f"TOKEN={CANARY}"])
    for name in LOGS:
        for ending in ("", ".1", ".last"):
            (paths.home / f"{name}{ending}").write_text(spoilt)
    for name in FILES:
        (paths.home / name).write_text(msgspec.json.encode({"x": spoilt}).decode())
    write_failure(paths.failure, Failure("guest", "X", spoilt, tuple(spoilt.splitlines())))
    made = paths.home / "out.zip"
    asyncio.run(write_bundle(machine, made, "1.0"))
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with zipfile.ZipFile(made) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert {f"logs/{name}" for name in LOGS} | set(FILES) <= set(texts)
    assert {name: text for name, text in texts.items() if CANARY in text} == {}


def test_a_machine_that_is_not_there_has_a_bundle_as_well(tmp_path: Path) -> None:
    machine = Machine(MachinePaths.below(tmp_path / "data", tmp_path / "run"))
    asyncio.run(machine.bundle(tmp_path / "out.zip", "1.0"))
    with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
        assert msgspec.json.decode(bundle.read("report.json"))["state"] == "absent"
    assert not machine.created
    assert making.usual().cpus
