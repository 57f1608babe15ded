"""LiveBuild: one build while it runs, its steps and output told in batches, without the values of arguments."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from app.stores.builds import FAILED, RUNNING, SUCCEEDED, BuildHistory, BuildRecord, new_id
from backend.types.builds import (
    BuildEvent,
    BuildRequest,
    BuildStep,
    BuildWarning,
    ContextSent,
    ImageBuilt,
    Planned,
    StepChanged,
    StepOutput,
    StepState,
)

MASK = "•••"
SHORTEST_SECRET = 4
_QUOTES = "\\\"'"
TICK_MS = 80
MOST_LINES = 20_000
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.|[\x00-\x08\x0b-\x1f\x7f]")
ENDED = (StepState.CACHED, StepState.DONE, StepState.FAILED, StepState.SKIPPED)


def plain(line: str) -> str:
    """A line of output without escapes, and of a line that rewrites itself only its last state."""
    return _CONTROL.sub("", line.rstrip("\r").rsplit("\r", 1)[-1].replace("\t", "    "))


def _secrets(values: Iterable[str]) -> list[str]:
    """What to mask, the longest first: values, and each line of one that has many, since output comes by line."""
    found = {part.strip() for value in values for part in (value, *value.splitlines())}
    return sorted((part for part in found if len(part) >= SHORTEST_SECRET), key=len, reverse=True)


def _assignments(arguments: Iterable[tuple[str, str]]) -> re.Pattern[str] | None:
    """Where a value too short to be masked by itself stands behind its name: `PIN=12`, quoted or not.

    A line of a long value counts as a value: output comes by line.
    """
    pairs = {(name, part.strip()) for name, value in arguments if name for part in (value, *value.splitlines())}
    short = sorted((p for p in pairs if 0 < len(p[1]) < SHORTEST_SECRET), key=lambda p: -len(p[1]))
    if not short:
        return None
    each = (rf"{re.escape(name)}=\\*[\"']?{re.escape(value)}(?!\w|\.\w)" for name, value in short)
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})")


def _masked_assignment(found: re.Match[str]) -> str:
    """The name and the quote stay."""
    name, _, value = found[0].partition("=")
    return f"{name}={value[: len(value) - len(value.lstrip(_QUOTES))]}{MASK}"


class LiveBuild(QObject):
    """`changed` at most every TICK_MS for steps and progress, `wrote(list of lines)` for output, `ended` once."""

    changed = Signal()
    wrote = Signal(object)
    ended = Signal()

    def __init__(self, request: BuildRequest, text: str, history: BuildHistory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.request = request
        self._history = history
        self._secrets = _secrets(value for _, value in request.build_args)
        self._assignments = _assignments(request.build_args)
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        self.sent = ContextSent(0, 0)
        self.warnings: list[BuildWarning] = []
        self._steps: dict[str, BuildStep] = {}
        self._partial: dict[str, str] = {}
        self._fresh: list[str] = []
        self.record = BuildRecord(
            id=new_id(),
            tag=request.tag,
            context=str(request.context),
            dockerfile=str(request.dockerfile or ""),
            target=request.target,
            platform=request.platform,
            builder=request.builder.value if request.builder else "",
            no_cache=request.no_cache,
            pull=request.pull,
            arg_names=tuple(n for n, _ in request.build_args),
            text=self.masked(text),
            started=time.time(),
        )
        self._timer = QTimer(self, singleShot=True, interval=TICK_MS)
        self._timer.timeout.connect(self.flush)
        history.put(self.record)

    @property
    def steps(self) -> tuple[BuildStep, ...]:
        """The Dockerfile's steps in its order, then the builder's own in the order they came."""
        return tuple(sorted(self._steps.values(), key=lambda s: (s.number == 0, s.number)))

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.record.state == RUNNING

    def masked(self, text: str) -> str:
        """The text without the values of build arguments."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        if self._assignments is not None:
            text = self._assignments.sub(_masked_assignment, text)
        return text

    def take(self, event: BuildEvent) -> None:
        """Takes one event of the builder."""
        match event:
            case Planned(steps):
                self._steps = {s.key: replace(s, name=self.masked(s.name)) for s in steps}
            case StepChanged(step):
                self._steps[step.key] = replace(step, name=self.masked(step.name), error=self.masked(step.error))
            case StepOutput(key, text):
                self._write(key, text)
            case ContextSent():
                self.sent = event
            case BuildWarning(text, line):
                self.warnings.append(replace(event, text=self.masked(text)))
                self._add([f"WARNING: {text}" + (f" (line {line})" if line else "")])
            case ImageBuilt(image):
                self.record = replace(self.record, image=image)
        if not self._timer.isActive():
            self._timer.start()

    def end(self, state: str, error: str = "", line: int = 0) -> None:
        """Ends it and keeps it in the history."""
        for key, rest in self._partial.items():
            if rest:
                self._add([self._prefix(key) + plain(self.masked(rest))])
        self._partial.clear()
        if not line:  # where there is a line, the error is shown there
            self._add(error.splitlines())
        self._end_steps(state, line)
        self.record = replace(
            self.record, state=state, finished=time.time(), steps=self.steps, error=self.masked(error), error_line=line
        )
        self._timer.stop()
        self._history.put(self.record, "\n".join(self.lines))
        self.flush()
        self.ended.emit()

    def _write(self, key: str, text: str) -> None:
        *lines, rest = (self._partial.get(key, "") + text).split("\n")
        self._partial[key] = rest[-65_536:]
        if lines:
            prefix = self._prefix(key)
            self._add(prefix + plain(self.masked(line)) for line in lines)

    def _prefix(self, key: str) -> str:
        step = self._steps.get(key)
        if step is None or not step.number:
            return ""
        passed = max(0.0, (step.finished or time.time()) - step.started) if step.started else 0.0
        return f"#{step.number} {passed:.1f} "

    def _add(self, lines: Iterable[str]) -> None:
        fresh = [self.masked(plain(self.masked(line))) for line in lines]
        self.lines.extend(fresh)
        self._fresh.extend(fresh)
        del self._fresh[:-MOST_LINES]

    def _end_steps(self, state: str, line: int) -> None:
        """What still runs when the build ends either failed or was left off."""
        for key, step in self._steps.items():
            if step.state is StepState.RUNNING:
                failed = state == FAILED and step.line == line and line > 0
                left = StepState.FAILED if failed else StepState.DONE if state == SUCCEEDED else StepState.SKIPPED
                self._steps[key] = replace(step, state=left, finished=time.time())

    def flush(self) -> None:
        """Tells at once what waits for the next tick."""
        fresh, self._fresh = self._fresh, []
        if fresh:
            self.wrote.emit(fresh)
        self.changed.emit()
