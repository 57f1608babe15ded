"""The sentences for what is wrong with files of this computer; app.wordings has those for all else."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from app.notices import Notice, Step, sentence
from backend import errors as e
from backend.saving import NotSaved

CHOOSE = Step("Choose an engine", "choose-engine")


def _os(error: OSError) -> Notice:
    where = f" ({error.filename})" if error.filename else ""
    return Notice("The system refused", sentence(f"{error.strerror or error}{where}"))


def _not_saved(error: NotSaved) -> Notice:
    place, other = error.filename, "Choose another folder."
    match error.errno:
        case errno.ENOENT:
            return Notice(f"The folder {place} does not exist", "Choose another one, or make it first.")
        case errno.ENOTDIR:
            return Notice(f"{place} is not a folder", other)
        case errno.EACCES | errno.EPERM:
            return Notice(f"You may not write to {place}", other)
        case errno.EROFS:
            return Notice(f"Nothing can be written to {place}", f"That place is read-only. {other}")
        case errno.ENOSPC:
            return Notice("The disk is full", f"Make room for {place}, or choose a folder on another disk.")
        case errno.ENAMETOOLONG:
            return Notice("The name of the file is too long", "Choose a shorter one.")
    return Notice(f"{place} could not be written", sentence(error.strerror or str(error)))


def _tls_files(error: e.TlsFilesUnusable) -> Notice:
    return Notice(
        "A file for TLS cannot be used",
        f"{error.text} {error.reason}. Nothing was sent. Put the right file there; whoever runs the engine has it.",
        CHOOSE,
    )


def _context_missing(error: e.ContextMissing) -> Notice:
    return Notice(
        f"The docker context {error.text} does not exist",
        f"{error.reason}, and there is none of that name. The command docker context ls shows those that exist.",
        CHOOSE,
    )


def _context_broken(error: e.ContextBroken) -> Notice:
    return Notice(
        "Docker's own configuration cannot be used",
        f"{error.text} {error.reason}. Mend the file or move it away; the docker command line reads it too.",
        CHOOSE,
    )


FILE_WORDINGS: dict[type[BaseException], Callable[[Any], Notice]] = {
    OSError: _os,
    NotSaved: _not_saved,
    e.TlsFilesUnusable: _tls_files,
    e.ContextMissing: _context_missing,
    e.ContextBroken: _context_broken,
}
