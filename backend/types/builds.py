"""What a build is asked for and what it tells while it runs."""

from __future__ import annotations

import enum
from pathlib import Path

from msgspec import Struct


class Builder(enum.Enum):
    """Which program executes the Dockerfile: BuildKit through buildx, or the engine's classic builder."""

    BUILDKIT = "BuildKit"
    CLASSIC = "Classic"


class BuildRequest(Struct, frozen=True):
    """One build.

    `dockerfile` is relative to the context unless absolute; None means `Dockerfile` there. `build_args` are names and
    values; a value never leaves memory except to the builder. `builder` None means BuildKit where it is there.
    """

    context: Path
    dockerfile: Path | None = None
    tag: str = ""
    build_args: tuple[tuple[str, str], ...] = ()
    target: str = ""
    platform: str = ""
    no_cache: bool = False
    pull: bool = False
    builder: Builder | None = None

    @property
    def dockerfile_path(self) -> Path:
        """Where the Dockerfile is."""
        return self.context / (self.dockerfile or "Dockerfile")


class StepState(enum.Enum):
    """Where a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    CACHED = "cached"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class BuildStep(Struct, frozen=True):
    """One step of a build.

    `key` is stable within the build. `number` counts the Dockerfile's steps from 1; 0 marks the builder's own work
    (loading, exporting). `line` is 1-based in the Dockerfile, 0 unknown. `started` and `finished` are Unix seconds,
    0 when not known. `words` tells progress within the step, `done` and `total` are bytes (total 0 unknown).
    """

    key: str
    number: int
    name: str
    stage: str = ""
    base: str = ""
    line: int = 0
    state: StepState = StepState.WAITING
    started: float = 0.0
    finished: float = 0.0
    words: str = ""
    done: int = 0
    total: int = 0
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it runs or when not known."""
        return max(0.0, self.finished - self.started) if self.started and self.finished else 0.0


class Planned(Struct, frozen=True):
    """The steps that the Dockerfile asks for, before the first one runs."""

    steps: tuple[BuildStep, ...]


class ContextSent(Struct, frozen=True):
    """How much of the context went out; `total` and `total_files` are 0 until they are counted."""

    sent: int
    files: int
    total: int = 0
    total_files: int = 0


class StepChanged(Struct, frozen=True):
    """A step came to another state."""

    step: BuildStep


class StepOutput(Struct, frozen=True):
    """Text that a step wrote, as it came: it may end in the middle of a line. `key` is empty for the builder itself."""

    key: str
    text: str


class BuildWarning(Struct, frozen=True):
    """What the builder remarks on, with its line in the Dockerfile (0 unknown)."""

    text: str
    line: int = 0


class ImageBuilt(Struct, frozen=True):
    """The image that came out."""

    id: str


BuildEvent = Planned | ContextSent | StepChanged | StepOutput | BuildWarning | ImageBuilt


class Problem(Struct, frozen=True):
    """What is wrong with a Dockerfile at `line` (1-based, 0 unknown), before anything is sent.

    `word` is the piece of the line to underline, `fix` what to write instead of it; both may be empty. `fatal` problems
    end a build, others are remarks.
    """

    line: int
    message: str
    word: str = ""
    fix: str = ""
    fatal: bool = True


class Stage(Struct, frozen=True):
    """One FROM of a Dockerfile: its name (empty when it has none), base and line."""

    index: int
    name: str
    base: str
    line: int

    @property
    def label(self) -> str:
        """The name as builders print it."""
        return self.name or f"stage-{self.index}"
