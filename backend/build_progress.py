"""What buildx prints with --progress=rawjson or plain, turned into events."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from backend.types.builds import BuildEvent, BuildStep, BuildWarning, StepChanged, StepOutput, StepState

KEPT_ERROR = 40
MOST_LINES = 100_000


class Vertex(Struct, frozen=True):
    """One node of BuildKit's graph (github.com/moby/buildkit, client.Vertex)."""

    digest: str = ""
    name: str = ""
    started: str | None = None
    completed: str | None = None
    cached: bool = False
    error: str = ""


class VertexStatus(Struct, frozen=True):
    """Progress within a vertex, in bytes."""

    id: str = ""
    vertex: str = ""
    name: str = ""
    current: int = 0
    total: int = 0


class VertexLog(Struct, frozen=True):
    """Output of a vertex; `data` is base64."""

    vertex: str = ""
    data: str | None = None


class Position(Struct, frozen=True):
    """A line of the Dockerfile, from 1."""

    line: int = 0


class Range(Struct, frozen=True):
    """From where to where."""

    start: Position = Position()


class VertexWarning(Struct, frozen=True):
    """A remark; `short` is base64."""

    short: str | None = None
    range: tuple[Range, ...] | None = None


class Status(Struct, frozen=True):
    """One line of rawjson (client.SolveStatus)."""

    vertexes: tuple[Vertex, ...] | None = None
    statuses: tuple[VertexStatus, ...] | None = None
    logs: tuple[VertexLog, ...] | None = None
    warnings: tuple[VertexWarning, ...] | None = None


# "[linux/amd64 stage-1 2/5] RUN make"; platform and stage may be missing
_NAME = re.compile(r"^\[(?:(?:linux|windows)/\S+ )?(?:(\S+) )?\s*(\d{1,9})/(\d{1,9})\] (\w+)(.*)$", re.DOTALL)
_INTERNAL = re.compile(r"^\[(?:internal|auth)\]|^exporting |^importing |^resolv|^docker-image://", re.IGNORECASE)
_PLAIN = re.compile(r"^#(\d+) (.*)$")
_PLAIN_TIMED = re.compile(r"^(\d+\.\d+) (.*)$")
_SOURCE_LINE = re.compile(r"^\S.*:(\d{1,9})$")
_METADATA = "[internal] load metadata for "
_BUILDER_PARTS = (
    "ERROR: ", "failed to solve: ", "rpc error: code = Unknown desc = ",
    "failed to solve with frontend dockerfile.v0: ", "failed to create LLB definition: ",
)  # fmt: skip
_DECODER = msgspec.json.Decoder(Status)


@dataclass(slots=True)
class BuildKitReader:
    """Turns lines of one build into events. `plan` are the steps that the Dockerfile asks for.

    Lines that are neither a status nor plain progress are kept in `tail`: buildx tells its errors there.
    """

    plan: tuple[BuildStep, ...]
    emit: Callable[[BuildEvent], None]
    clock: Callable[[], float] = time.time
    failed: BuildStep | None = None
    source_line: int = 0
    tail: list[str] = field(default_factory=list)
    _steps: dict[str, BuildStep] = field(default_factory=dict)
    _open: list[bytes] = field(default_factory=list)
    _in_error: bool = False

    def line(self, raw: bytes) -> None:
        """Takes one line, without its end. A status may be spread over lines, from a lone `{` to a lone `}`."""
        if self._open or raw == b"{":
            self._open.append(raw)
            if raw != b"}" and len(self._open) < MOST_LINES:
                return
            raw, self._open = b"\n".join(self._open), []
        if raw.startswith(b"{"):
            try:
                self._status(_DECODER.decode(raw))
            except (msgspec.DecodeError, ValueError):
                self._other(raw.decode("utf-8", "replace"))
            return
        text = raw.decode("utf-8", "replace").rstrip("\r")
        if (match := _PLAIN.match(text)) and not self._in_error:
            self._plain(match[1], match[2])
        elif text.strip():
            self._other(text)

    def finish(self, state: StepState) -> None:
        """Ends what still runs, because the builder went away: as `state`."""
        for key, step in list(self._steps.items()):
            if step.state is StepState.RUNNING:
                self._set(key, replace(step, state=state, finished=self.clock()))

    @property
    def error(self) -> str:
        """The last words of the builder about its failure, without what only names parts of the builder."""
        for text in reversed(self.tail):
            if text.startswith("ERROR: "):
                for part in _BUILDER_PARTS:
                    text = text.removeprefix(part)
                return text
        return self.failed.error if self.failed else "\n".join(self.tail[-3:])

    @property
    def base_line(self) -> int:
        """The line of the FROM whose image the builder could not find; 0 when it failed at something else."""
        image = self.failed.name.removeprefix(_METADATA) if self.failed else ""
        if not self.failed or image == self.failed.name:
            return 0
        bases = [(_base(step.name), step.line) for step in self.plan if step.name.upper().startswith("FROM ")]
        named = [line for base, line in bases if base and f"/{image}".endswith(f"/{base}")]
        unknown = [line for base, line in bases if "$" in base]
        return next(iter(named), unknown[0] if len(bases) == len(unknown) == 1 else 0)

    def _status(self, status: Status) -> None:
        for vertex in status.vertexes or ():
            self._vertex(vertex)
        for progress in status.statuses or ():
            step = self._steps.get(progress.vertex)
            if step is not None and step.state is StepState.RUNNING and (progress.total or progress.current):
                words = progress.name or progress.id
                self._set(progress.vertex, replace(step, words=words, done=progress.current, total=progress.total))
        for log in status.logs or ():
            step = self._steps.get(log.vertex)
            text = base64.b64decode(log.data or "").decode("utf-8", "replace")
            self.emit(StepOutput(step.key if step else "", text))
        for warning in status.warnings or ():
            text = base64.b64decode(warning.short or "").decode("utf-8", "replace")
            self.emit(BuildWarning(text, warning.range[0].start.line if warning.range else 0))

    def _vertex(self, vertex: Vertex) -> None:
        step = self._steps.get(vertex.digest) or self._step_for(vertex.digest, vertex.name)
        started, finished = _seconds(vertex.started), _seconds(vertex.completed)
        state = StepState.WAITING
        if vertex.error:
            state = StepState.SKIPPED if "context canceled" in vertex.error else StepState.FAILED
        elif vertex.cached:
            state = StepState.CACHED
        elif finished:
            state = StepState.DONE
        elif started:
            state = StepState.RUNNING
        step = replace(step, state=state, started=started, finished=finished, error=vertex.error, words="", total=0)
        if state is StepState.FAILED:
            self.failed = step
        self._set(vertex.digest, step)

    def _set(self, key: str, step: BuildStep) -> None:
        if self._steps.get(key) != step:
            self._steps[key] = step
            self.emit(StepChanged(step))

    def _step_for(self, key: str, name: str) -> BuildStep:
        match = _NAME.match(name)
        if match and not _INTERNAL.match(name):
            taken = {s.key for s in self._steps.values()}
            found = _planned(self.plan, match[1] or "", int(match[2]), int(match[3]), match[4] + match[5])
            if found is not None and found.key not in taken:
                return found
        return BuildStep(f"builder {key}", 0, name)

    def _plain(self, key: str, text: str) -> None:
        step = self._steps.get(key)
        if step is None:
            self._set(key, replace(self._step_for(key, text), state=StepState.RUNNING, started=self.clock()))
            return
        now = self.clock()
        if text == "CACHED":
            self._set(key, replace(step, state=StepState.CACHED, finished=now))
        elif text.startswith("DONE "):
            if step.state is StepState.RUNNING:
                self._set(key, replace(step, state=StepState.DONE, finished=now))
        elif text.startswith("ERROR: "):
            self.failed = replace(step, state=StepState.FAILED, finished=now, error=text.removeprefix("ERROR: "))
            self._set(key, self.failed)
        elif text == "CANCELED":
            self._set(key, replace(step, state=StepState.SKIPPED, finished=now))
        elif text != "...":
            timed = _PLAIN_TIMED.match(text)
            self.emit(StepOutput(step.key, (timed[2] if timed else text) + "\n"))

    def _other(self, text: str) -> None:
        self._in_error = self._in_error or text.startswith("------")
        if match := _SOURCE_LINE.match(text):
            self.source_line = int(match[1])
        self.tail.append(text)
        del self.tail[:-KEPT_ERROR]


def _base(words: str) -> str:
    """The image of `FROM --platform=x image AS name`, with the tag that it means."""
    image = next((word for word in words.split()[1:] if not word.startswith("--")), "")
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def _planned(plan: tuple[BuildStep, ...], stage: str, number: int, total: int, words: str) -> BuildStep | None:
    """The planned step that BuildKit calls `[stage number/total] words`.

    Where the base image brings ONBUILD steps the numbers shift: then the words decide.
    """
    groups: dict[str, list[BuildStep]] = {}
    for step in plan:
        groups.setdefault(step.stage, []).append(step)
    steps = groups.get(stage)
    if steps is None and (not stage or stage.startswith("stage-")) and groups:
        steps = groups.get("final") or list(groups.values())[-1]
    if not steps:
        return None
    verb = words.split(maxsplit=1)[0].upper()
    if len(steps) == total and steps[number - 1].name.split(maxsplit=1)[0].upper() == verb:
        return steps[number - 1]
    shifted = number - 1 - (total - len(steps))
    if 0 <= shifted < len(steps) and steps[shifted].name.split(maxsplit=1)[0].upper() == verb:
        return steps[shifted]
    short = " ".join(words.split())
    return next((s for s in steps if s.name == short), None)


def _seconds(text: str | None) -> float:
    """RFC 3339 with nanoseconds as Unix seconds; 0 for none."""
    if not text or text.startswith("0001-"):
        return 0.0
    trimmed = re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(trimmed).timestamp()
    except ValueError:
        return 0.0
