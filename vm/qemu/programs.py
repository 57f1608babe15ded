"""Running one of QEMU's programs to its end: whatever stands in the way becomes a typed error."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vm.qemu.errors import QemuForbidden, QemuMissing, QemuSilent, QemuUnusable, QemuWrongArchitecture

EBADARCH = 86
"""macOS: "Bad CPU type in executable"."""
WRONG_MACHINE = (193, 216)
"""Windows: ERROR_BAD_EXE_FORMAT, ERROR_EXE_MACHINE_TYPE_MISMATCH."""
LAST_WORDS = 2000


class Finished(NamedTuple):
    """A program that ended: its exit code (negative: a signal) and what it wrote."""

    code: int
    out: str
    err: str


def environment() -> Mapping[str, str]:
    """Ours, with QEMU's words in English: some of them are recognised."""
    return {**os.environ, "LC_ALL": "C"}


def hidden() -> dict[str, Any]:
    """Arguments of a process that opens no console window on Windows."""
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {}


async def run(argv: Sequence[str], deadline: float) -> Finished:
    """Run it to its end. Raises QemuMissing, QemuForbidden, QemuWrongArchitecture or QemuSilent."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment(), **hidden()
        )
    except OSError as error:
        raise unstartable(argv[0], error) from error
    try:
        async with asyncio.timeout(deadline):
            out, err = await process.communicate()
    except TimeoutError as error:
        raise QemuSilent(argv[0], deadline) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    code = process.returncode
    return Finished(-1 if code is None else code, out.decode(errors="replace"), err.decode(errors="replace"))


def unstartable(program: str, error: OSError) -> QemuUnusable:
    """Why the system did not start the program."""
    if error.errno in (errno.ENOEXEC, EBADARCH) or getattr(error, "winerror", None) in WRONG_MACHINE:
        return QemuWrongArchitecture(program, "", "")
    if isinstance(error, FileNotFoundError) and not Path(program).exists():
        return QemuMissing(os.path.basename(program), [os.path.dirname(program)])
    # ENOENT for a file that is there: its loader or a library is not.
    return QemuForbidden(program, error.strerror or str(error))


def last_words(text: str) -> str:
    """The end of what a program wrote."""
    return text.strip()[-LAST_WORDS:]
