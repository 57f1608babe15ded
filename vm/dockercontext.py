"""The docker context `pilothouse`: how docker's own programs find the machine, and the person's choice of it.

Layout: docs.docker.com/engine/manage-resources/contexts, as backend.contexts reads it. The context is ours to make and
to remove. Which one docker uses is the person's choice in its config.json: that is changed only when they said so, what
was chosen before is remembered in a file of ours, and it is put back only while the choice is still the one that we
made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from backend import contexts, endpoint
from backend.contexts import config_folder
from backend.endpoint import Endpoint
from vm import making
from vm.errors import DockerConfigUnusable
from vm.paths import MachinePaths, write_private

NAME = "pilothouse"
SAYS = "The machine of Pilothouse"


class _Remembered(msgspec.Struct, frozen=True):
    """What was chosen before us in the file `config`; empty where nothing was."""

    config: str
    before: str


class DockerContext:
    """The context for the engine at `where`; `memory` is our file for what was chosen before.

    `environment` says where docker's configuration is, as for docker itself (DOCKER_CONFIG).
    """

    def __init__(self, where: Endpoint, memory: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._where, self._memory = where, memory
        self.folder = config_folder(environment)
        self._config = self.folder / "config.json"
        self._place = self.folder / "contexts" / "meta" / hashlib.sha256(NAME.encode()).hexdigest()

    @property
    def ours(self) -> bool:
        """Whether the context is there and leads to this engine."""
        found = [each for each in contexts.contexts(self.folder) if each.name == NAME]
        return any(each.endpoint == self._where for each in found)

    @property
    def chosen(self) -> bool:
        """Whether docker uses it where nobody names another one."""
        return contexts.current_name(self.folder, {}) == NAME

    @property
    def overruled(self) -> bool:
        """Whether the person chose another one after ours was, which has not been given back yet."""
        return self._remembered() is not None and not self.chosen

    def make(self) -> None:
        """Make it, or lead the one that is there to this engine. Raises DockerConfigUnusable."""
        if self.ours:
            return
        self._spare_foreign()
        docker = {"Host": endpoint.text(self._where), "SkipTLSVerify": False}
        meta = {"Name": NAME, "Metadata": {"Description": SAYS}, "Endpoints": {"docker": docker}}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._place.mkdir(parents=True, exist_ok=True)
            _replace(self._place / "meta.json", msgspec.json.encode(meta), 0o644)
        except OSError as error:
            raise DockerConfigUnusable(str(self._place), _why_unwritten(error)) from error

    def _spare_foreign(self) -> None:
        """One of that name that the person made leads to where they want. Raises DockerConfigUnusable."""
        path = self._place / "meta.json"
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except OSError:
            return
        except (msgspec.MsgspecError, ValueError, RecursionError):
            found = {}
        metadata = found.get("Metadata")
        if not isinstance(metadata, dict) or metadata.get("Description") != SAYS:
            raise DockerConfigUnusable(str(path), "is a context of that name that somebody else made")

    def remove(self) -> None:
        """Give back the choice, and remove the context if it leads to this engine. Raises DockerConfigUnusable."""
        self.restore()
        if not self.ours:
            return
        try:
            shutil.rmtree(self._place)
        except OSError as error:
            raise DockerConfigUnusable(str(self._place), f"cannot be removed ({error.strerror or error})") from error

    def use(self) -> None:
        """Let docker use it, and remember what it used before. Raises DockerConfigUnusable; then nothing changed."""
        self.make()
        said = _read(self._config)
        before = said.fields.get("currentContext") or ""
        if before == NAME:
            return
        write_private(self._memory, msgspec.json.encode(_Remembered(str(self._config.absolute()), before)))
        _write(self._config, said, {**said.fields, "currentContext": NAME})

    def restore(self) -> bool:
        """Put back what docker used before us, where it still uses ours. Raises DockerConfigUnusable; then it stays so.

        False where the person chose another one since: that is left as it is.
        """
        remembered = self._remembered()
        if remembered is None:
            return True
        config = Path(remembered.config)
        said = _read(config)
        still = said.fields.get("currentContext") == NAME
        if still:
            fields = {key: value for key, value in said.fields.items() if key != "currentContext"}
            if remembered.before:
                fields = {**said.fields, "currentContext": remembered.before}
            _write(config, said, fields)
        self._memory.unlink(missing_ok=True)
        return still

    def _remembered(self) -> _Remembered | None:
        try:
            return msgspec.json.decode(self._memory.read_bytes(), type=_Remembered)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None


def of(paths: MachinePaths) -> DockerContext:
    """That of the machine."""
    return DockerContext(paths.endpoint, paths.context)


def begin(paths: MachinePaths) -> None:
    """The machine answers: its context is there, and chosen where the person wants that. Raises MachineError."""
    context = of(paths)
    context.make()
    if not making.read(paths).context:
        return
    if context.overruled:
        end(paths)
    else:
        context.use()


def end(paths: MachinePaths) -> None:
    """The machine answers no more: docker uses again what it used before. Raises MachineError.

    Where the person chose another context meanwhile, ours is not chosen again by itself either.
    """
    if not of(paths).restore() and (settings := making.read(paths)).context:
        making.write(paths, msgspec.structs.replace(settings, context=False))


class _Said(NamedTuple):
    """What a config.json says, and how it is written."""

    fields: dict[str, Any]
    text: str


def _read(path: Path) -> _Said:
    """One that is not there, or empty, says nothing, as for docker. Raises DockerConfigUnusable."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return _Said({}, "")
    except OSError as error:
        raise DockerConfigUnusable(str(path), endpoint.why_unread(error)) from error
    if (broken := contexts.broken_config(path.parent)) is not None:
        raise DockerConfigUnusable(str(path), getattr(broken, "reason", str(broken)))
    if text.strip() in (b"", b"null"):
        return _Said({}, "")
    try:
        msgspec.json.decode(text)  # The whole of it, also what docker keeps for others.
        return _Said(json.loads(text), text.decode())
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise DockerConfigUnusable(str(path), "is not what docker writes there") from error


def _write(path: Path, before: _Said, fields: dict[str, Any]) -> None:
    """As docker writes it, or as it was written before: its steps, its order, its end, its rights."""
    step = re.search(r"\{\r?\n([ \t]+)", before.text)
    indent = step[1] if step else None if before.text else "\t"
    ending = "\n" if before.text.endswith("\n") else ""
    text = json.dumps(fields, indent=indent, ensure_ascii=before.text.isascii()) + ending
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = path.resolve()  # It may be a link into a folder of the person's own.
        _replace(target, text.encode(), stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o600)
    except OSError as error:
        raise DockerConfigUnusable(str(path), _why_unwritten(error)) from error


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all."""
    write_private(path, content)
    path.chmod(mode)


def _why_unwritten(error: OSError) -> str:
    return f"cannot be written ({error.strerror or error})"
