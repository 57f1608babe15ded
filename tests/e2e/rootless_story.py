"""What an ordinary user does with the embedded engine; run by test_rootless as that user, prints one line of JSON.

Arguments: home, runtime, port, the busybox root file system as a tar. Standard library and `backend` alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from backend.embedded import EmbeddedEngine, EmbeddedPaths
from backend.errors import EmbeddedError, EngineStartFailed

SERVE = "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"


async def story(home: Path, runtime: Path, port: int, tar: str) -> dict[str, object]:
    engine = EmbeddedEngine(EmbeddedPaths(home, runtime))
    said: list[str] = []
    try:
        await engine.start(said.append, 90)
    except EmbeddedError as error:
        log = list(error.log) if isinstance(error, EngineStartFailed) else []
        return {"error": type(error).__name__, "words": str(error), "log": log}
    told: dict[str, object] = {"said": said, "kind": (await engine.status()).kind}
    told["socket"] = oct(stat.S_IMODE(os.stat(engine.paths.socket).st_mode))
    try:
        told |= await asyncio.to_thread(_containers, f"unix://{engine.paths.socket}", port, tar)
    finally:
        await engine.stop(60)
    told["after"] = (await engine.status()).state
    return told


def _containers(host: str, port: int, tar: str) -> dict[str, object]:
    def docker(*words: str) -> str:
        done = subprocess.run(["docker", "-H", host, *words], capture_output=True, text=True, timeout=120)
        return (done.stdout if done.returncode == 0 else f"failed: {done.stderr}").strip()

    docker("import", tar, "pilothouse-test/busybox:1")
    ran = docker(
        "run",
        "-d",
        "--stop-signal=KILL",
        "--name",
        "web",
        "-p",
        f"127.0.0.1:{port}:80",
        "pilothouse-test/busybox:1",
        "sh",
        "-c",
        SERVE,
    )
    return {"ran": ran, "page": _fetch(port), "uid": docker("exec", "web", "id", "-u")}


def _fetch(port: int) -> str:
    import time

    for _ in range(50):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return str(answer.read().decode().strip())
        except (OSError, urllib.error.URLError) as error:
            failure = repr(error)
            time.sleep(0.1)
    return failure


if __name__ == "__main__":
    told = asyncio.run(story(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
    print(json.dumps(told))
