"""What `pilothouse machine diagnose` says and does: the checks, one repair, the bundle for a bug report."""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec

from app import checkwordings, scripting
from app.version import VERSION
from vm.diagnosis.check import ASKED, NAMES, REPAIRS, Check
from vm.machine import Machine


async def run(machine: Machine, words: argparse.Namespace) -> int:
    """Does it; 1 where something is bad. Raises as Machine.repair, OSError."""
    if words.repair is not None and (refused := _refused(words)):
        return scripting.failed("NotConfirmed", [refused], as_json=words.json, code=2)
    if words.repair is not None:
        await machine.repair(words.repair)
    if words.bundle is not None:
        await machine.bundle(words.bundle, VERSION)
    found = sorted([check async for check in machine.diagnose()], key=lambda check: NAMES.index(check.name))
    if words.json:
        bundle = str(words.bundle) if words.bundle is not None else ""
        print(json.dumps({"checks": [_told(check) for check in found], "bundle": bundle}))
    else:
        print("\n".join(_shown(check) for check in found))
        if words.bundle is not None:
            print(f"Saved {words.bundle}. Look through it before you give it away.")
    return 1 if any(check.result == "bad" for check in found) else 0


def _refused(words: argparse.Namespace) -> str:
    """Why a repair is not begun; empty where it is."""
    if not words.repair or words.repair not in REPAIRS:
        return f"Repairs are: {', '.join(filter(None, REPAIRS))}."
    if words.repair in ASKED and not words.yes:
        return f"{checkwordings.CONSEQUENCES[words.repair]} Say --yes if that is wanted."
    return ""


def _told(check: Check) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(check)
    return {**said, "words": checkwordings.explanation(check)}


def _shown(check: Check) -> str:
    mend = f" [--repair {check.repair}]" if check.repair else ""
    return f"{checkwordings.line(check)}{mend}"
