"""Trying accelerators with programs in QEMU's place: one whose guest speaks, one that hangs, crashes or gives up."""

from __future__ import annotations

from pathlib import Path

import pytest

from vm.qemu.accelerators import Accelerator
from vm.qemu.commandline import Boot
from vm.qemu.errors import NoAccelerator
from vm.qemu.finding import Qemu
from vm.qemu.host import Host
from vm.qemu.probing import forget, probe

pytestmark = pytest.mark.asyncio

BOOT = Boot(Path("/kernel"), Path("/initrd"))
MARKER = b"Run /init"
LINUX = Host("linux", "x86_64", "6.1")
SPEAKS = "echo '[ 0.4] Run /init as init process'; exec sleep 100"
STARTS = """read line; echo '{"return": {}}'; exec sleep 100"""


def qemu(folder: Path, cases: str, version: tuple[int, int, int] = (9, 0, 0)) -> Qemu:
    """`cases` are those of a shell's case on the whole command line."""
    program = folder / "qemu"
    program.write_text(f'#!/bin/sh\necho x >>"{folder}/runs"\ncase "$*" in\n{cases}\nesac\n')
    program.chmod(0o755)
    return Qemu(program, program, version, "path")


def runs(folder: Path) -> int:
    return (folder / "runs").read_text().count("x") if (folder / "runs").exists() else 0


async def test_the_first_whose_guest_speaks_is_taken_and_remembered(tmp_path: Path) -> None:
    found = qemu(tmp_path, f"*' -S '*) {STARTS};; *kvm*) {SPEAKS};;")
    kept = tmp_path / "trial.json"
    trial = await probe(found, LINUX, BOOT, MARKER, remembered=kept)
    assert trial.accelerator == Accelerator("kvm", "host")
    assert (trial.refusals, trial.sandbox, trial.accelerator.slow) == ((), True, False)
    before = runs(tmp_path)
    assert await probe(found, LINUX, BOOT, MARKER, remembered=kept) == trial
    assert runs(tmp_path) == before
    await probe(found, Host("linux", "x86_64", "6.2"), BOOT, MARKER, remembered=kept)
    assert runs(tmp_path) > before, "another kernel of the host, another answer"
    before = runs(tmp_path)
    forget(kept)
    await probe(found, LINUX, BOOT, MARKER, remembered=kept)
    assert runs(tmp_path) > before


async def test_a_qemu_that_changed_is_tried_again(tmp_path: Path) -> None:
    kept = tmp_path / "trial.json"
    await probe(qemu(tmp_path, f"*' -S '*) {STARTS};; *) {SPEAKS};;"), LINUX, BOOT, MARKER, remembered=kept)
    changed = qemu(tmp_path, f"*' -S '*) {STARTS};; *) echo 'no kvm'; exit 1;;")
    trial = await probe(changed, LINUX, BOOT, MARKER, remembered=kept)
    assert trial.accelerator.name == "tcg"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
async def test_a_broken_memory_is_none(tmp_path: Path, content: bytes) -> None:
    kept = tmp_path / "trial.json"
    kept.write_bytes(content)
    trial = await probe(qemu(tmp_path, f"*' -S '*) {STARTS};; *) {SPEAKS};;"), LINUX, BOOT, MARKER, remembered=kept)
    assert trial.accelerator.name == "kvm"


async def test_what_does_not_run_a_guest_says_why_and_emulation_is_left(tmp_path: Path) -> None:
    cases = f"*' -S '*) {STARTS};; *arch-cap*) echo 'KVM internal error. Suberror: 1' >&2; exec sleep 100;;"
    found = qemu(tmp_path, cases + "*) echo 'failed to set MSR 0x10a' >&2; kill -6 $$;;")
    trial = await probe(found, LINUX, BOOT, MARKER)
    assert trial.accelerator == Accelerator("tcg", "max")
    assert trial.accelerator.slow
    assert [each.accelerator.cpu for each in trial.refusals] == ["host", "host,-arch-capabilities"]
    assert trial.refusals[0].reason == "ended with -6: failed to set MSR 0x10a"
    assert "KVM internal error" in trial.refusals[1].reason
    assert {each.cause for each in trial.refusals} == {"broken"}


async def test_a_guest_that_never_speaks_is_given_up(tmp_path: Path) -> None:
    mac = Host("macos", "aarch64", "25.0")
    trial = await probe(
        qemu(tmp_path, f"*' -S '*) {STARTS};; *'-cpu max'*) {SPEAKS};; *) exec sleep 100;;"),
        mac,
        BOOT,
        MARKER,
        seconds=0.3,
    )
    assert trial.accelerator == Accelerator("hvf", "max")
    assert [each.reason for each in trial.refusals] == ["no sign of the guest in 0.3 s"]
    assert not trial.sandbox


async def test_a_qemu_without_a_sandbox_runs_without_it(tmp_path: Path) -> None:
    found = qemu(
        tmp_path, f"*sandbox*) echo 'seccomp support is disabled' >&2; exit 1;; *' -S '*) {STARTS};; *) {SPEAKS};;"
    )
    trial = await probe(found, LINUX, BOOT, MARKER)
    assert (trial.accelerator.name, trial.sandbox) == ("kvm", False)


async def test_nothing_at_all_is_an_error_with_every_reason(tmp_path: Path) -> None:
    with pytest.raises(NoAccelerator) as caught:
        await probe(qemu(tmp_path, "*) echo 'broken' >&2; exit 1;;"), LINUX, BOOT, MARKER)
    assert len(caught.value.refusals) == 3
    assert all(each.endswith("ended with 1: broken") for each in caught.value.refusals)
