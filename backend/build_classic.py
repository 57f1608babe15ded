"""The classic builder: POST /build with the context as its body, and its messages turned into events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from backend.errors import BuildFailed
from backend.types.builds import (
    BuildEvent,
    BuildRequest,
    BuildStep,
    ImageBuilt,
    StepChanged,
    StepOutput,
    StepState,
)
from backend.types.images import ProgressDetail

# "Step 2/5 : RUN make" (Docker), "STEP 2/5: RUN make" (Podman)
_STEP = re.compile(r"^step (\d{1,9})/(\d{1,9}) ?: (.*)$", re.IGNORECASE)
_CACHED = re.compile(r"^(?: ---> |--> )Using cache\b")
_BUILT = re.compile(r"^Successfully built ([0-9a-f]{12,64})$")
_CODE = re.compile(r"returned a non-zero code: (\d{1,9})|exit status (\d{1,9})")


class ErrorDetail(Struct, frozen=True):
    """The error of a build message; `code` is the exit code of the command where one ran."""

    code: int = 0
    message: str = ""


class Message(Struct, frozen=True, rename={"detail": "progressDetail", "error_detail": "errorDetail"}):
    """One line of the answer to POST /build. `id`, `status` and `detail` are the progress of a pull."""

    stream: str = ""
    status: str = ""
    id: str = ""
    detail: ProgressDetail | None = None
    error: str = ""
    error_detail: ErrorDetail | None = None
    aux: dict[str, object] | None = None


def query(request: BuildRequest, dockerfile: str) -> dict[str, object]:
    """The parameters of POST /build (docs.docker.com/reference/api/engine, ImageBuild)."""
    found: dict[str, object] = {"dockerfile": dockerfile, "rm": "1", "forcerm": "1", "version": "1"}
    if request.tag:
        found["t"] = request.tag
    if request.build_args:
        found["buildargs"] = json.dumps(dict(request.build_args))
    if request.target:
        found["target"] = request.target
    if request.platform:
        found["platform"] = request.platform
    if request.no_cache:
        found["nocache"] = "1"
    if request.pull:
        found["pull"] = "1"
    return found


@dataclass(slots=True)
class ClassicReader:
    """Turns the messages of one build into events. `plan` are the steps that the Dockerfile asks for."""

    plan: tuple[BuildStep, ...]
    emit: Callable[[BuildEvent], None]
    clock: Callable[[], float] = time.time
    image: str = ""
    failure: BuildFailed | None = None
    _current: BuildStep | None = None
    _partial: str = ""
    _layers: dict[str, str] = field(default_factory=dict)

    def feed(self, message: Message) -> None:
        """Takes one message. An error is kept for `finish`, so that the answer is read to its end."""
        if self.failure is not None:
            return
        if message.error or message.error_detail:
            self._fail(message)
            return
        if message.aux and isinstance(found := message.aux.get("ID"), str):
            self.image = found
        if message.status:
            self._pulled(message)
        if message.stream:
            self._text(message.stream)

    def finish(self) -> str:
        """Ends the build and returns the image's id; raises BuildFailed when none came out."""
        if self.failure is not None:
            raise self.failure
        if self._partial:
            self._line(self._partial)
        if not self.image:
            raise BuildFailed("The engine ended the build without an image", self._current.line if self._current else 0)
        self._close(StepState.DONE)
        self.emit(ImageBuilt(self.image))
        return self.image

    def _text(self, text: str) -> None:
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._line(line)
        if len(self._partial) > 65_536:
            self._line(self._partial)
            self._partial = ""

    def _line(self, line: str) -> None:
        if match := _STEP.match(line):
            self._start(int(match[1]), match[3])
        elif _CACHED.match(line) and self._current is not None:
            self._current = replace(self._current, state=StepState.CACHED)
        elif match := _BUILT.match(line):
            self.image = self.image or match[1]
        else:
            self.emit(StepOutput(self._current.key if self._current else "", line + "\n"))

    def _start(self, number: int, name: str) -> None:
        self._close(StepState.DONE)
        planned = self.plan[number - 1] if 0 < number <= len(self.plan) else BuildStep(f"step {number}", number, name)
        self._current = replace(planned, state=StepState.RUNNING, started=self.clock())
        self.emit(StepChanged(self._current))

    def _close(self, state: StepState, error: str = "") -> None:
        step, self._current = self._current, None
        if step is None:
            return
        if step.state is StepState.CACHED and state is StepState.DONE:
            state = StepState.CACHED
        self.emit(StepChanged(replace(step, state=state, finished=self.clock(), error=error, words="")))

    def _pulled(self, message: Message) -> None:
        """A FROM that pulls: one line for each new status of a layer, and the layer's bytes on the step."""
        words = f"{message.id}: {message.status}" if message.id else message.status
        if self._layers.get(message.id) != message.status:
            self._layers[message.id] = message.status
            self.emit(StepOutput(self._current.key if self._current else "", words + "\n"))
        if self._current is not None and message.detail is not None and message.detail.total:
            detail = message.detail
            self._current = replace(self._current, words=words, done=detail.current, total=detail.total)
            self.emit(StepChanged(self._current))

    def _fail(self, message: Message) -> None:
        detail = message.error_detail or ErrorDetail()
        text = (detail.message or message.error).strip()
        line = self._current.line if self._current else 0
        found = _CODE.search(text)
        code = detail.code or (int(found[1] or found[2]) if found else None)
        if self._partial:
            self._line(self._partial)
            self._partial = ""
        self._close(StepState.FAILED, text)
        self.failure = BuildFailed(text, line or _line_in(text), code)


def _line_in(text: str) -> int:
    """The line that the engine's parser names: `dockerfile parse error line 3: …`, `… on line 3: …`."""
    found = re.search(r"parse error (?:on )?line (\d{1,9})", text, re.IGNORECASE)
    return int(found[1]) if found else 0
