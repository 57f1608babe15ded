"""Which accelerator runs a guest here: each is tried with a real kernel, and what was found is remembered.

A device node, a listed feature or a successful start prove nothing: there are computers with a /dev/kvm whose guests
never say a word.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from vm.qemu.accelerators import Accelerator, Cause, cause_of, choices, emulation
from vm.qemu.commandline import Boot, base, kernel
from vm.qemu.errors import NoAccelerator
from vm.qemu.finding import Qemu
from vm.qemu.host import Host
from vm.qemu.programs import environment, hidden, last_words, unstartable

TRIAL_SECONDS = 6.0
"""An accelerated kernel reaches its init in less than one."""
START_SECONDS = 20.0
MEMORY = 512
KEPT = 1 << 16
GIVEN_UP = (b"KVM internal error", b"WHPX: Unexpected VP exit code")
"""What QEMU writes when its accelerator failed; it then stays, with a guest that stands still."""
SLOW_KEPT_SECONDS = 24 * 3600.0
"""Somebody may switch virtualization on: emulation is not the last word for longer."""


class Refusal(msgspec.Struct, frozen=True):
    """An accelerator that did not run a guest, and why: `reason` in QEMU's words or ours, `cause` for the way out."""

    accelerator: Accelerator
    reason: str
    cause: Cause


class Trial(msgspec.Struct, frozen=True):
    """What runs a guest here, what does not, and whether QEMU locks itself in (`sandbox`)."""

    accelerator: Accelerator
    refusals: tuple[Refusal, ...] = ()
    sandbox: bool = False


class _Remembered(msgspec.Struct, frozen=True):
    key: str
    at: float
    trial: Trial


async def probe(
    qemu: Qemu, host: Host, boot: Boot, marker: bytes, *, remembered: Path | None = None, seconds: float = TRIAL_SECONDS
) -> Trial:
    """The best accelerator on whose console `marker` appeared within `seconds`; emulation has only to start.

    `boot` prints the marker as early as it proves something, as the kernel's "Run /init as init process". What is found
    is kept in the file `remembered` for this QEMU and this kernel of the host. Raises NoAccelerator.
    """
    key = _key(qemu, host)
    if remembered is not None and (kept := _recalled(remembered, key)) is not None:
        return kept
    trial = await _try_all(qemu, host, boot, marker, seconds)
    if remembered is not None:
        _remember(remembered, _Remembered(key, time.time(), trial))
    return trial


def recall(remembered: Path, qemu: Qemu, host: Host) -> Trial | None:
    """What a probe found before, where it still holds."""
    return _recalled(remembered, _key(qemu, host))


def last_trial(remembered: Path) -> Trial | None:
    """What was found the last time, whatever has changed since; None where nothing can be read."""
    try:
        return msgspec.json.decode(remembered.read_bytes(), type=_Remembered).trial
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def forget(remembered: Path) -> None:
    """Have the next probe try again."""
    remembered.unlink(missing_ok=True)


async def _try_all(qemu: Qemu, host: Host, boot: Boot, marker: bytes, seconds: float) -> Trial:
    slow = emulation(host.arch)
    sandbox = host.system == "linux" and not await _starts(qemu, host, slow, sandbox=True)
    refusals: list[Refusal] = []
    for accelerator in choices(host, qemu.version):
        if accelerator.slow:
            reason = await _starts(qemu, host, accelerator, sandbox=sandbox)
        else:
            words = base(qemu, host, accelerator, sandbox=sandbox) + kernel(boot, host.arch)
            words += ["-smp", "2", "-m", str(MEMORY), "-serial", "stdio"]
            reason = await _seen(words, marker, seconds)
        if not reason:
            return Trial(accelerator, tuple(refusals), sandbox)
        refusals.append(Refusal(accelerator, reason, cause_of(reason)))
    raise NoAccelerator([f"{each.accelerator.name} ({each.accelerator.cpu}): {each.reason}" for each in refusals])


async def _starts(qemu: Qemu, host: Host, accelerator: Accelerator, *, sandbox: bool) -> str:
    """Whether QEMU sets up a machine, its guest halted; the reason where it does not."""
    words = base(qemu, host, accelerator, sandbox=sandbox)
    words += ["-m", str(MEMORY), "-S", "-chardev", "stdio,id=qmp,signal=off", "-mon", "chardev=qmp,mode=control"]
    # The greeting may come before the machine is whole; the answer to a command does not.
    return await _seen(words, b'"return"', START_SECONDS, said=b'{"execute":"qmp_capabilities"}\n')


async def _seen(argv: Sequence[str], marker: bytes, seconds: float, said: bytes = b"") -> str:
    """Run until the marker is seen; "" when it was, else the reason."""
    pipe, together = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=pipe, stdout=pipe, stderr=together, env=environment(), **hidden()
        )
    except OSError as error:
        return unstartable(argv[0], error).reason
    assert process.stdin is not None
    assert process.stdout is not None
    heard = bytearray()
    try:
        process.stdin.write(said)
        async with asyncio.timeout(seconds):
            if await _hears(process.stdout, heard, marker):
                return ""
            gone = process.stdout.at_eof() and f"ended with {await process.wait()}"
    except TimeoutError:
        gone = f"no sign of the guest in {seconds:g} s"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    words = last_words(heard.decode(errors="replace"))
    return ": ".join(part for part in (gone, words) if part)


async def _hears(output: asyncio.StreamReader, heard: bytearray, marker: bytes) -> bool:
    """Listen until the marker, or the end, or QEMU's word that it has given up."""
    while chunk := await output.read(1 << 16):
        heard += chunk
        if marker in heard:
            return True
        if any(word in heard for word in GIVEN_UP):
            return False
        del heard[:-KEPT]
    return False


def _key(qemu: Qemu, host: Host) -> str:
    """What the result holds for: this very file of QEMU, asked for by this processor, on this kernel of the host."""
    found = qemu.program.resolve()
    about = found.stat()
    return f"{found} {about.st_size} {about.st_mtime_ns} {host.arch} {host.kernel}"


def _recalled(path: Path, key: str) -> Trial | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Remembered)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    fresh = 0 <= time.time() - kept.at < SLOW_KEPT_SECONDS
    return kept.trial if kept.key == key and (fresh or not kept.trial.accelerator.slow) else None


def _remember(path: Path, found: _Remembered) -> None:
    """Where it cannot be written, the next start tries again."""
    with suppress(OSError):
        written = path.with_name(path.name + ".new")
        written.write_bytes(msgspec.json.encode(found))
        os.replace(written, path)
