"""Reads Dockerfiles: problems before anything is sent, stages to choose from, and the steps that a build will take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2b_dockerfile_utils import DockerfileAst, DockerfileInstruction, DockerfileSyntaxError, parse_dockerfile_ast

from backend.errors import DockerfileInvalid, DockerfileMissing
from backend.types.builds import Builder, BuildStep, Problem, Stage

MAX_BYTES = 2 * 1024 * 1024

# https://docs.docker.com/reference/dockerfile/
FLAGS: dict[str, tuple[str, ...]] = {
    "FROM": ("platform",),
    "RUN": ("mount", "network", "security", "device"),
    "COPY": ("from", "chown", "chmod", "link", "parents", "exclude"),
    "ADD": ("chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
}
BUILDKIT_FLAGS = {("RUN", f) for f in FLAGS["RUN"]} | {
    (i, f)
    for i in ("COPY", "ADD")
    for f in ("chmod", "link", "parents", "exclude", "keep-git-dir", "checksum", "unpack")
}
INSTRUCTIONS = (
    "FROM", "RUN", "CMD", "LABEL", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME", "USER", "WORKDIR", "ARG",
    "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL", "MAINTAINER",
)  # fmt: skip
AT_LEAST = {
    "COPY": 2,
    "ADD": 2,
    "RUN": 1,
    "ENV": 1,
    "LABEL": 1,
    "EXPOSE": 1,
    "VOLUME": 1,
    "USER": 1,
    "WORKDIR": 1,
    "ARG": 1,
}
BUILDKIT_STEPS = ("RUN", "COPY", "ADD", "WORKDIR")

_ERROR_LINE = re.compile(r"^Dockerfile parse error(?: on line \d+)?: ")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))")
_UNKNOWN = re.compile(r"^unknown instruction: (.*)$")


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A Dockerfile that parses: its text, syntax tree, stages, and what is odd about it."""

    text: str
    ast: DockerfileAst
    stages: tuple[Stage, ...]
    problems: tuple[Problem, ...]

    @property
    def instructions(self) -> list[DockerfileInstruction]:
        """In the order of the file."""
        return self.ast.instructions


def read(path: Path) -> str:
    """The text of the Dockerfile at `path`; raises DockerfileMissing, or DockerfileInvalid when it is no text."""
    try:
        if path.is_dir():
            raise DockerfileInvalid("it is a folder")
        if not path.is_file():
            raise DockerfileMissing(str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except PermissionError as error:
        raise DockerfileInvalid(f"it cannot be read ({error.strerror})") from error
    except OSError as error:
        raise DockerfileMissing(str(path)) from error
    if len(raw) > MAX_BYTES or b"\0" in raw:
        raise DockerfileInvalid("it is not a text file of at most 2 MB")
    return raw.decode("utf-8-sig", "replace")


def parse(text: str, builder: Builder = Builder.BUILDKIT) -> Dockerfile:
    """The parsed Dockerfile; raises DockerfileInvalid with the first fatal problem and its line."""
    found = check(text, builder)
    if isinstance(found, Dockerfile):
        return found
    worst = next(p for p in found if p.fatal)
    raise DockerfileInvalid(worst.message, worst.line)


def check(text: str, builder: Builder = Builder.BUILDKIT) -> Dockerfile | tuple[Problem, ...]:
    """The Dockerfile, or its problems when one of them is fatal."""
    try:
        ast = parse_dockerfile_ast(text)
    except DockerfileSyntaxError as error:
        return (_syntax_problem(error),)
    except (ValueError, RecursionError) as error:
        return (Problem(0, str(error) or "It cannot be read"),)
    if not ast.instructions:
        return (Problem(0, "It has no instructions"),)
    problems = [p for i in ast.instructions for p in _instruction_problems(i, builder, _has_syntax(text))]
    problems.extend(_order_problems(ast.instructions))
    problems.extend(Problem(w.line, w.message, fatal=False) for w in ast.warnings)
    problems.sort(key=lambda p: p.line)
    if any(p.fatal for p in problems):
        return tuple(problems)
    return Dockerfile(text, ast, _stages(ast.instructions), tuple(problems))


def stages(text: str) -> tuple[Stage, ...]:
    """The stages of a text that may be wrong elsewhere; none when it does not parse."""
    try:
        return _stages(parse_dockerfile_ast(text).instructions)
    except (ValueError, RecursionError):
        return ()


def plan(file: Dockerfile, builder: Builder, target: str = "") -> tuple[BuildStep, ...]:
    """The steps that a build will take, in the order of the file and numbered from 1.

    BuildKit runs only what the target needs, and counts FROM (of an image), RUN, COPY, ADD and WORKDIR; the classic
    builder runs every stage up to the target, and counts every instruction, also an ARG before the first FROM.
    """
    last = _target(file.stages, target)
    needed = _needed(file, last) if builder is Builder.BUILDKIT else set(range(last + 1))
    steps: list[BuildStep] = []
    stage: Stage | None = None
    for instruction in file.instructions:
        if instruction.name == "FROM":
            stage = file.stages[0 if stage is None else stage.index + 1]
        if stage is not None and stage.index not in needed:
            continue
        if builder is Builder.BUILDKIT and not _is_buildkit_step(instruction, stage, file.stages):
            continue
        steps.append(
            BuildStep(
                key=f"line {instruction.start_line}",
                number=len(steps) + 1,
                name=_words(instruction),
                stage=_stage_label(stage, last),
                base=stage.base if stage else "",
                line=instruction.start_line,
            )
        )
    return tuple(steps)


def bases(file: Dockerfile, values: Mapping[str, str], target: str = "") -> tuple[str, ...]:
    """The images from elsewhere that the classic builder wants up to `target`; `values` are the build arguments."""
    last, current = _target(file.stages, target), -1
    known: dict[str, str] = {}
    found: dict[str, None] = {}
    for instruction in file.instructions:
        current += instruction.name == "FROM"
        if current > last:
            break
        if instruction.name == "ARG" and current < 0:
            for word in instruction.args:
                name, _, default = word.partition("=")
                known[name] = values.get(name, _expanded(default.strip("\"'"), known))
        for word in _from_words(instruction):
            image = _expanded(word, known) if instruction.name == "FROM" else word
            if image and image != "scratch" and _stage_index(file.stages, image, current) is None:
                found[image] = None
    return tuple(found)


def _expanded(text: str, values: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-otherwise}` and `${NAME:+instead}` by their values."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1] or match[4], "")
        if match[2] == "+":
            return match[3] if found else ""
        return found or match[3] or ""

    return _VARIABLE.sub(value, text)


def _stage_label(stage: Stage | None, last: int) -> str:
    if stage is None:
        return ""
    return stage.name or ("final" if stage.index == last else stage.label)


def _words(instruction: DockerfileInstruction) -> str:
    return " ".join(instruction.original.split())


def _has_syntax(text: str) -> bool:
    """Whether the file names its own frontend, whose flags nobody here knows."""
    return bool(re.match(r"\ufeff?#\s*(?:(?:escape|check)\s*=[^\n]*\n#\s*)?syntax\s*=", text, re.IGNORECASE))


def _syntax_problem(error: DockerfileSyntaxError) -> Problem:
    message = _ERROR_LINE.sub("", str(error))
    if match := _UNKNOWN.match(message):
        word = match.group(1)
        close = difflib.get_close_matches(word.upper(), INSTRUCTIONS, 1, 0.6)
        fix = close[0] if close else ""
        return Problem(error.line or 0, f"{word} is not an instruction" + _meant(fix), word, fix)
    return Problem(error.line or 0, message[:1].upper() + message[1:])


def _meant(fix: str) -> str:
    return f". Did you mean {fix}?" if fix else ""


def _instruction_problems(instruction: DockerfileInstruction, builder: Builder, own_syntax: bool) -> list[Problem]:
    name, line = instruction.name, instruction.start_line
    problems: list[Problem] = []
    for flag in instruction.flags:
        word = flag.partition("=")[0].removeprefix("--")
        known = FLAGS.get(name, ())
        if word not in known and name != "ONBUILD":
            close = difflib.get_close_matches(word, known, 1, 0.6)
            fix = f"--{close[0]}" if close else ""
            text = f"{name} has no flag --{word}" + _meant(fix)
            problems.append(Problem(line, text, f"--{word}", fix, fatal=not own_syntax))
        elif builder is Builder.CLASSIC and (name, word) in BUILDKIT_FLAGS:
            problems.append(Problem(line, f"{name} --{word} needs BuildKit", f"--{word}"))
    if instruction.heredocs and builder is Builder.CLASSIC:
        problems.append(Problem(line, "Here-documents need BuildKit", f"<<{instruction.heredocs[0].name}"))
    wanted = AT_LEAST.get(name, 0)
    if len(instruction.args) < wanted and not instruction.heredocs:
        what = "a source and a destination" if wanted == 2 else "an argument"
        problems.append(Problem(line, f"{name} needs {what}", name))
    if name == "FROM":
        problems.extend(_from_problems(instruction))
    return problems


def _from_problems(instruction: DockerfileInstruction) -> list[Problem]:
    args, line = instruction.args, instruction.start_line
    if len(args) == 1 or (len(args) == 3 and args[1].upper() == "AS"):
        if len(args) == 3 and not re.fullmatch(r"[a-z][a-z0-9._-]*", args[2], re.IGNORECASE):
            return [Problem(line, "A stage's name has letters, digits, - _ and . and begins with a letter", args[2])]
        return []
    return [Problem(line, "FROM needs an image, and may end with AS and a name", "FROM")]


def _order_problems(instructions: list[DockerfileInstruction]) -> list[Problem]:
    for instruction in instructions:
        if instruction.name == "FROM":
            return []
        if instruction.name != "ARG":
            return [Problem(instruction.start_line, "The first instruction must be FROM", instruction.name)]
    return [Problem(instructions[0].start_line, "There is no FROM instruction", "")]


def _stages(instructions: list[DockerfileInstruction]) -> tuple[Stage, ...]:
    found: list[Stage] = []
    for instruction in instructions:
        if instruction.name == "FROM":
            args = instruction.args or [""]
            name = args[2] if len(args) > 2 and args[1].upper() == "AS" else ""
            found.append(Stage(len(found), name, args[0], instruction.start_line))
    return tuple(found)


def _target(all_stages: tuple[Stage, ...], target: str) -> int:
    if not target:
        return len(all_stages) - 1
    found = _stage_index(all_stages, target, len(all_stages))
    if found is None:
        raise DockerfileInvalid(f"There is no stage {target}")
    return found


def _stage_index(all_stages: tuple[Stage, ...], word: str, before: int) -> int | None:
    """The stage that `word` (a name, without case, or a number) means for an instruction of stage `before`."""
    for stage in reversed(all_stages[:before]):
        if stage.name and stage.name.lower() == word.lower():
            return stage.index
    short = len(word) < 10 and word.isascii() and word.isdecimal()
    return int(word) if short and int(word) < before else None


def _needed(file: Dockerfile, last: int) -> set[int]:
    wants: dict[int, set[int]] = {s.index: set() for s in file.stages}
    current = -1
    for instruction in file.instructions:
        words = _from_words(instruction)
        if instruction.name == "FROM":
            current += 1
        if current >= 0:
            wants[current].update(i for w in words if (i := _stage_index(file.stages, w, current)) is not None)
    needed, todo = set[int](), [last]
    while todo:
        index = todo.pop()
        if index not in needed:
            needed.add(index)
            todo.extend(wants[index])
    return needed


def _from_words(instruction: DockerfileInstruction) -> list[str]:
    """The words of an instruction that may name a stage."""
    if instruction.name == "FROM":
        return [w for w in instruction.args[:1] if not w.isdigit()]
    words = [f.removeprefix("--from=") for f in instruction.flags if f.startswith("--from=")]
    for flag in instruction.flags:
        if flag.startswith("--mount="):
            words.extend(re.findall(r"(?:^|,)from=([^,]+)", flag.removeprefix("--mount=")))
    return words


def _is_buildkit_step(instruction: DockerfileInstruction, stage: Stage | None, all_stages: tuple[Stage, ...]) -> bool:
    if stage is None:
        return False
    if instruction.name == "FROM":
        named = {s.name.lower() for s in all_stages[: stage.index] if s.name}
        return stage.base.lower() not in named and stage.base != "scratch"
    return instruction.name in BUILDKIT_STEPS
