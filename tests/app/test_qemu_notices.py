"""Every error of vm.qemu has words of its own."""

from __future__ import annotations

import inspect

import pytest

from app.notices import notice_for
from app.qemuwordings import about_slowness
from app.wordings import has_own_words
from vm.qemu import errors
from vm.qemu.accelerators import Accelerator, Name, cause_of, emulation
from vm.qemu.probing import Refusal, Trial

EVERY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.QemuError)]


def make(kind: type[errors.QemuError]) -> errors.QemuError:
    values: dict[str, object] = {
        "seconds": 5.0,
        "code": -6,
        "port": 50022,
        "pid": 4711,
        "needed": 2 << 30,
        "free": 1 << 20,
        "looked": ("/usr/bin", "/opt/homebrew/bin"),
        "reasons": ("virtfs is mounted",),
        "refusals": ("kvm (host): no sign of the guest",),
    }
    names = [n for n in inspect.signature(kind.__init__).parameters if n not in ("self", "args", "kwargs")]
    return kind(*(values.get(name, f"<b>{name}</b>") for name in names))


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_has_its_own_notice(kind: type[errors.QemuError]) -> None:
    assert has_own_words(kind)
    notice = notice_for(make(kind))
    assert notice.title
    assert not notice.title.endswith(".")
    assert notice.detail.endswith(".") or kind in (errors.QemuError, errors.QmpError)
    for words in (notice.title, notice.detail):
        assert not any(bad in words.lower() for bad in ("please", "oops", "successfully"))
        assert "None" not in words
        assert "  " not in words


def test_the_tree_in_the_docstring_names_every_error() -> None:
    assert errors.__doc__ is not None
    for kind in EVERY:
        assert kind.__name__ in errors.__doc__


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("kvm", "Could not access KVM kernel module: No such file or directory", "KVM: Switch virtualization on"),
        ("kvm", "Could not access KVM kernel module: Permission denied", "KVM: You may not open /dev/kvm."),
        ("kvm", "no sign of the guest in 6 s", "KVM: It is there, and no guest runs in it."),
        ("hvf", "qemu: -accel hvf: Error: ret = HV_DENIED (0xfae94007)", "HVF: macOS does not let this QEMU have it"),
        ("hvf", "qemu: -accel hvf: invalid accelerator hvf", "HVF: This QEMU was built without it."),
        ("hvf", "Error: ret = HV_UNSUPPORTED (0xfae9400f)", "HVF: This Mac lends no virtualization"),
        ("whpx", "WHPX: No accelerator found, hr=00000000", "FeatureName:HypervisorPlatform"),
    ],
)
def test_a_slow_machine_says_why_and_what_would_help(name: Name, words: str, said: str) -> None:
    refusal = Refusal(Accelerator(name, "host"), words, cause_of(words))
    notice = about_slowness(Trial(emulation("x86_64"), (refusal, refusal)))
    assert notice is not None
    assert (notice.title, notice.kind) == ("The machine is slow here", "warning")
    assert notice.detail.count(said) == 1
    assert about_slowness(Trial(Accelerator(name, "host"), (refusal,))) is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.QemuMissing("qemu-system-x86_64", ("/usr/bin",)), "Install QEMU"),
        (errors.QemuTooOld("/q", "6.0.0", "6.2.0"), "/q is version 6.0.0; the machine needs 6.2.0"),
        (errors.QemuWrongArchitecture("/q", "x86_64", "aarch64"), "/q was made for x86_64 processors"),
        (errors.QemuCrashed("/q", -6, "Assertion failed"), "It was ended by SIGABRT. Assertion failed."),
        (errors.QemuCrashed("/q", 1, ""), "It ended with code 1."),
        (errors.MachineAlreadyRuns("/d", 42), "Process 42 runs the machine on /d"),
        (errors.SshPortTaken(2222), "took port 2222"),
        (errors.HostDiskFull("/d", "No space"), "Make room for /d"),
        (errors.FolderUnnameable("/home/\udcff"), "/home/\\udcff holds bytes"),
    ],
)
def test_the_fact_and_the_way_out_are_told(error: errors.QemuError, said: str) -> None:
    assert said in notice_for(error).detail
