"""FakeQemu: a program that speaks QMP on its standard streams and keeps the state of a guest, with scripted faults.

`python qemu.py '{"faults": […]}'`. Faults: "crash" (words on stderr, an end), "mute" (no greeting), "garbage" (a line
that is no message, after the greeting), "long" (a line without an end), "stubborn" (no power button), "stuck" (not even
quit), "deaf" (no answer but to the first command), "slow-lines" (messages come in pieces), "tells" (an event before the
greeting), "strange" (an answer that nobody asked for).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

COMMANDS: dict[str, Callable[[Any, Any], Any]] = {
    "qmp_capabilities": lambda guest, _: {},
    "query-status": lambda guest, _: {"status": guest.status, "running": guest.status == "running"},
    "query-migrate": lambda guest, _: {"blocked-reasons": guest.blockers} if guest.blockers else {},
    "ringbuf-read": lambda guest, _: guest.taken(),
    "query-jobs": lambda guest, _: guest.jobs,
}


class Guest:
    """What the fake knows of its guest; `script` is the JSON of its command line."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.faults = frozenset(script.get("faults", ()))
        self.blockers = script.get("blockers", [])
        self.status = "running"
        self.forwards: set[str] = set()
        self.jobs: list[dict[str, Any]] = []
        self.ready = script.get("ready", "")
        self.answered = 0

    def say(self, message: dict[str, Any]) -> None:
        line = json.dumps(message) + "\r\n"
        pieces = [line[i : i + 7] for i in range(0, len(line), 7)] if "slow-lines" in self.faults else [line]
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
            time.sleep(0.001 if len(pieces) > 1 else 0)

    def tell(self, event: str, **data: Any) -> None:
        self.say({"event": event, "data": data, "timestamp": {"seconds": 1, "microseconds": 2}})

    def taken(self) -> str:
        said, self.ready = self.ready, ""
        return str(said)

    def forwarding(self, words: list[str]) -> str:
        rule = words[2].split("-")[0]
        if words[0] == "hostfwd_remove":
            found = rule in self.forwards
            self.forwards.discard(rule)
            return f"host forwarding rule for {words[2]} {'removed' if found else 'not found'}\r\n"
        if rule in self.forwards:
            return f"could not set up host forwarding rule '{words[2]}'\r\n"
        self.forwards.add(rule)
        return ""

    def job(self, arguments: dict[str, Any]) -> None:
        failed = {"error": "Error while writing VM state"} if "full" in self.faults else {}
        self.jobs.append({"id": arguments["job-id"], "status": "concluded", **failed})

    def shut(self, *, guest: bool, reason: str) -> None:
        self.tell("SHUTDOWN", guest=guest, reason=reason)
        sys.exit(0)

    def obey(self, command: str, arguments: dict[str, Any]) -> Any:
        if command in COMMANDS:
            return COMMANDS[command](self, arguments)
        match command:
            case "stop" | "cont":
                self.status = "paused" if command == "stop" else "running"
                self.tell("STOP" if command == "stop" else "RESUME")
            case "human-monitor-command":
                return self.forwarding(arguments["command-line"].split())
            case "snapshot-save" | "snapshot-delete":
                self.job(arguments)
            case "job-dismiss":
                self.jobs = [each for each in self.jobs if each["id"] != arguments["id"]]
            case "block_resize" | "system_powerdown" | "send-key" | "quit":
                pass
            case _:
                raise LookupError(command)
        return {}

    def after(self, command: str) -> None:
        """What follows an answer."""
        if command in ("system_powerdown", "send-key") and "stubborn" not in self.faults:
            self.tell("POWERDOWN")
            self.shut(guest=True, reason="guest-shutdown")
        if command == "quit" and "stuck" not in self.faults:
            self.shut(guest=False, reason="host-qmp-quit")

    def serve(self) -> None:
        if "crash" in self.faults:
            sys.stderr.write("qemu: -netdev user: Could not set up host forwarding rule 'tcp:127.0.0.1:2222-:22'\n")
            sys.exit(1)
        if "tells" in self.faults:
            self.tell("RESUME")
        if "mute" not in self.faults:
            self.say({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}})
        for line in sys.stdin:
            asked = json.loads(line)
            if "deaf" in self.faults and self.answered:
                continue
            try:
                self.say({"return": self.obey(asked["execute"], asked.get("arguments", {})), "id": asked["id"]})
            except LookupError:
                words = f"The command {asked['execute']} has not been found"
                self.say({"error": {"class": "CommandNotFound", "desc": words}, "id": asked["id"]})
            self.answered += 1
            self.misbehave()
            self.after(asked["execute"])
        time.sleep(3600)  # As QEMU does, it stays when nobody speaks any more.

    def misbehave(self) -> None:
        if "garbage" in self.faults:
            sys.stdout.write("GLib-WARNING **: something\n")
        if "long" in self.faults:
            sys.stdout.write("x" * (9 << 20))
        if "strange" in self.faults:
            sys.stdout.write('{"return": {}, "id": 4711}\n')
        sys.stdout.flush()


if __name__ == "__main__":
    Guest(json.loads(sys.argv[1])).serve()
