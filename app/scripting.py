"""What `pilothouse engine …` and `pilothouse machine …` do for scripts; the exit codes stand in app.cli."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app import paths
from app.version import VERSION
from backend.embedded import EmbeddedEngine, EmbeddedPaths, EmbeddedStatus
from backend.endpoint import text
from backend.errors import EmbeddedError, EngineProgramMissing, EngineStartFailed, FirewallOwned, RootlessForbidden

NOT_RUNNING, MISSING, INTERRUPTED = 3, 4, 130
_REASONS = {
    errno.ENOTDIR: "a file is in its way",
    errno.EEXIST: "a file is in its place",
    errno.ENOENT: "it cannot be made there",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "nothing can be written there",
    errno.ENOSPC: "the disk is full",
}


MACHINE_VERBS = (
    "create",
    "start",
    "stop",
    "restart",
    "suspend",
    "resume",
    "status",
    "change",
    "move",
    "reset",
    "context",
    "fetch",
    "update",
    "rollback",
    "diagnose",
    "delete",
    "share",
    "unshare",
)


def read(argv: Sequence[str]) -> argparse.Namespace | None:
    """What the words ask for; None is the window. Leaves with 2 when they are not understood."""
    parser = _parser()
    words = parser.parse_args(argv)
    if words.noun == "machine" and words.verb == "move" and words.to is None:
        parser.error("machine move: say where with --to FOLDER")
    return None if words.noun is None else words


def run(words: argparse.Namespace) -> int:
    """Does it; returns the exit code."""
    try:
        if words.noun == "machine":
            from app import machinescript

            return asyncio.run(machinescript.run(words))
        return asyncio.run(_engine(words.verb, as_json=words.json, deadline=words.timeout))
    except KeyboardInterrupt:
        return INTERRUPTED


async def _engine(verb: str, *, as_json: bool, deadline: float) -> int:
    try:
        engine = EmbeddedEngine(EmbeddedPaths.below(paths.data_dir(), paths.runtime_dir()))
    except OSError as error:
        return unusable(error, as_json=as_json)
    try:
        if verb == "start":
            await engine.start(lambda said: None if as_json else print(said, file=sys.stderr), deadline)
        elif verb == "stop":
            await engine.stop(deadline)
        status = await engine.status()
    except EmbeddedError as error:
        return failed(type(error).__name__, _words(error), as_json=as_json, code=_code(error))
    except OSError as error:
        if error.filename is None:
            raise
        return unusable(error, as_json=as_json)
    _show(status, as_json=as_json)
    return NOT_RUNNING if verb == "status" and status.state != "running" else 0


def _show(status: EmbeddedStatus, *, as_json: bool) -> None:
    host = text(status.endpoint)
    if as_json:
        print(json.dumps({"state": status.state, "host": host, "kind": status.kind, "pid": status.pid}))
    elif status.state == "running":
        print(f"The embedded engine is running: {host}")
    elif status.state == "starting":
        print("The embedded engine is starting")
    else:
        print("The embedded engine is not running")


def failed(kind: str, sentences: list[str], *, as_json: bool, code: int) -> int:
    """Say what went wrong, to whom it is for; returns the code."""
    if as_json:
        print(json.dumps({"state": "failed", "error": kind, "words": sentences}))
    else:
        print("\n".join(sentences), file=sys.stderr)
    return code


def unusable(error: OSError, *, as_json: bool) -> int:
    """A folder of ours cannot be used."""
    reason = _REASONS.get(error.errno or 0, error.strerror)
    said = f"The folder {error.filename} cannot be used: {reason}." if error.filename else f"{error}."
    if os.environ.get("PILOTHOUSE_HOME"):
        said += " Let PILOTHOUSE_HOME name a folder of your own."
    return failed("FoldersUnusable", [said], as_json=as_json, code=MISSING)


def _code(error: EmbeddedError) -> int:
    return MISSING if isinstance(error, (EngineProgramMissing, FirewallOwned, RootlessForbidden)) else 1


def _words(error: EmbeddedError) -> list[str]:
    match error:
        case EngineProgramMissing(programs=programs):
            from backend.embedded.requirements import install_steps

            steps = [f"  {system}: {command}" if system else f"  {command}" for system, command in install_steps()]
            return [f"Not installed: {', '.join(programs)}. Install with:", *steps]
        case FirewallOwned(owner=owner):
            return [f"Another engine owns this host's firewall ({owner}). Install slirp4netns, and both can run."]
        case RootlessForbidden(reasons=reasons):
            from backend.embedded import planning

            helps = dict.fromkeys(step for one in planning.check() if not one.ok for step in one.steps)
            ways = [f"  {system}: {command}" if system else f"  {command}" for system, command in helps]
            said = ["The system forbids an engine without root:", *(f"  {reason}" for reason in reasons)]
            return [*said, "What helps:", *ways] if ways else said
        case EngineStartFailed(reason=reason, log=log):
            return [reason, *log[-10:]]
        case _:
            return [str(error)]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text}")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pilothouse", description="A desktop program for containers.")
    parser.add_argument("--version", action="version", version=f"pilothouse {VERSION}")
    nouns = parser.add_subparsers(dest="noun", metavar="engine | machine")
    engine = nouns.add_parser("engine", help="the embedded engine: status, start, stop")
    engine.add_argument("verb", choices=("status", "start", "stop"))
    engine.add_argument("--json", action="store_true", help="one line of JSON on standard output")
    engine.add_argument(
        "--timeout", type=_seconds, default=60, metavar="SECONDS", help="how long start and stop may take"
    )
    machine = nouns.add_parser("machine", help="the Linux machine with an engine: create, start, stop, …")
    machine.add_argument("verb", choices=MACHINE_VERBS, metavar="VERB", help=" | ".join(MACHINE_VERBS))
    machine.add_argument("path", type=Path, nargs="?", metavar="PATH", help="share, unshare: the folder")
    machine.add_argument("--json", action="store_true", help="one line of JSON on standard output")
    machine.add_argument(
        "--timeout", type=_seconds, default=30, metavar="SECONDS", help="how long stop waits before it uses force"
    )
    machine.add_argument(
        "--image", type=Path, metavar="FOLDER", help="create, update: the folder that make guest built"
    )
    machine.add_argument("--cpus", type=_count, metavar="NUMBER", help="create, change: processors")
    machine.add_argument("--memory", type=_count, metavar="MIB", help="create, change: memory")
    machine.add_argument(
        "--disk", type=_count, metavar="GIB", help="create, change: the most that the disk can hold; it never shrinks"
    )
    machine.add_argument(
        "--idle",
        type=_minutes,
        metavar="MINUTES",
        help="create, change: sleep after so long without a running container and a connection; 0: never",
    )
    machine.add_argument(
        "--suspend", choices=("yes", "no"), help="create, change: whether leaving the program saves the machine to disk"
    )
    machine.add_argument(
        "--use",
        choices=("yes", "no"),
        help="context: whether docker's own programs use the machine while it runs; no puts back what they used before",
    )
    machine.add_argument("--watch", action="store_true", help="share: tell containers what changes in it")
    machine.add_argument("--read-only", action="store_true", help="share: containers may not write to it")
    machine.add_argument("--to", type=Path, metavar="FOLDER", help="move: where its disk goes")
    machine.add_argument("--bundle", type=Path, metavar="FILE", help="diagnose: save a redacted zip for a bug report")
    machine.add_argument("--repair", metavar="NAME", help="diagnose: mend what a check named")
    machine.add_argument(
        "--yes",
        action="store_true",
        help="delete, reset: throw away what is in it; change, move, update, rollback: restart it if need be",
    )
    return parser


def _minutes(text: str) -> int:
    return 0 if text == "0" else _count(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 20):
        raise argparse.ArgumentTypeError(f"not a number above nought: {text}")
    return int(text)
