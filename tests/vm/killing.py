"""Killing a program at every step that it takes on the files of a folder: `python -m tests.vm.killing VERB HOME …`.

Forks once for each step, lets the child take the steps before it, and kills it with SIGKILL just as it begins that one.
Prints how many steps there were.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from vm import images
from vm.errors import RollbackMissing
from vm.machine import Machine
from vm.paths import MachinePaths

CHANGES = frozenset(("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod", "os.truncate", "open"))


class _Never(Exception):
    """What nobody raises."""


def changes(event: str, words: tuple[Any, ...], below: str) -> bool:
    """Whether something of that folder is about to be changed."""
    if event not in CHANGES or not isinstance(words[0], str | bytes | os.PathLike):
        return False
    if event == "open" and not (isinstance(words[2], int) and words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        return False
    return os.fsdecode(words[0]).startswith(below)


def act(verb: str, machine: Machine, image: Path) -> None:
    """What is killed."""
    if verb == "update":
        asyncio.run(machine.update(image))
    else:
        asyncio.run(machine.rollback())


def killed(verb: str, machine: Machine, image: Path, step: int) -> bool:
    """Whether a child that dies at this step came so far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(event: str, words: tuple[Any, ...]) -> None:
            nonlocal seen
            if changes(event, words, str(machine.paths.home)):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            act(verb, machine, image)
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), status
    return status != 0


def main(verb: str, data: str, runtime: str, image: str, pristine: str) -> None:
    """After each kill the machine has a whole image, and the same act done again comes to its end."""
    machine = Machine(MachinePaths(Path(data), Path(runtime)))
    step = 1
    while True:
        shutil.rmtree(data)
        shutil.copytree(pristine, data)
        before = machine.paths.in_use
        assert before is not None
        cut = killed(verb, machine, Path(image), step)
        now = machine.paths.in_use
        assert now is not None
        images.trusted_image(machine.paths.image)
        if now.before:
            images.trusted_image(machine.paths.images / now.before)
        report = asyncio.run(machine.inspect())
        assert report.state == "stopped", report
        assert machine.paths.disk.read_bytes() == b"precious"
        with suppress(RollbackMissing if now != before else _Never):
            act(verb, machine, Path(image))
        found = asyncio.run(machine.inspect())
        kept = {each.name for each in machine.paths.images.iterdir() if each.is_dir()}
        print(step, found.image, found.rollback, len(kept))
        if not cut:
            return
        step += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
