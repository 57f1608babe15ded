"""A host with an engine already on it, and ours beside it; run by test_embedded in namespaces that stand for the host.

Arguments: a folder, the busybox tar. Prints one line of JSON. It is the first process of a process namespace, so
whatever it starts ends with it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from backend.embedded import EmbeddedEngine, EmbeddedPaths
from backend.embedded.namespaces import MS_BIND, link_up, mount
from backend.errors import FirewallOwned

SERVE = "mkdir -p /www && echo {} > /www/index.html && exec httpd -f -p 80 -h /www"
FIRST_PORT, OUR_PORT = 8101, 8102


def main(folder: Path, tar: str) -> dict[str, object]:
    link_up("lo")
    first = f"unix://{folder}/first.sock"
    (folder / "first.json").write_text("{}")
    with (folder / "first.log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                *("dockerd", f"--data-root={folder}/first", f"--exec-root={folder}/x", f"--pidfile={folder}/first.pid"),
                *(f"--host={first}", f"--config-file={folder}/first.json", "--exec-opt=native.cgroupdriver=cgroupfs"),
                "--cgroup-parent=/pilothouse-neighbour",
            ],
            stdout=log,
            stderr=log,
        )
    wait(lambda: docker(first, "version").returncode == 0, daemon)
    serve(first, tar, FIRST_PORT, "first")
    told: dict[str, object] = {"before": fetch(FIRST_PORT)}
    chains = rules()
    told |= asyncio.run(ours(folder, tar, first))
    told["after"] = fetch(FIRST_PORT)
    told["rules kept"] = rules() == chains
    told["refused"] = asyncio.run(refused(folder))
    told["after the refusal"] = fetch(FIRST_PORT)
    daemon.terminate()
    daemon.wait(30)
    return told


async def ours(folder: Path, tar: str, first: str) -> dict[str, object]:
    engine = EmbeddedEngine(EmbeddedPaths(folder / "home", folder / "run"))
    await engine.start(lambda _: None, 60)
    host = f"unix://{engine.paths.socket}"
    try:
        await asyncio.to_thread(serve, host, tar, OUR_PORT, "ours")
        told: dict[str, object] = {"during": await asyncio.to_thread(fetch, FIRST_PORT)}
        told["ours"] = await asyncio.to_thread(fetch, OUR_PORT)
        told["addresses"] = [address(first), address(host)]
        taken = docker(host, "run", "--rm", "-p", f"{FIRST_PORT}:80", "bb", "true")
        told["taken"] = taken.stderr
    finally:
        await engine.stop(30)
    return told


async def refused(folder: Path) -> str:
    """Without slirp4netns there is no network of our own, and the chains are the other engine's."""
    path = shutil.which("slirp4netns")
    assert path is not None
    mount("/dev/null", path, "", MS_BIND)
    try:
        await EmbeddedEngine(EmbeddedPaths(folder / "home2", folder / "run2")).start(lambda _: None, 30)
    except FirewallOwned as error:
        return str(error)
    return "started"


def serve(host: str, tar: str, port: int, word: str) -> None:
    done = docker(host, "import", tar, "bb")
    assert done.returncode == 0, done.stderr
    done = docker(
        host,
        "run",
        "-d",
        "--stop-signal=KILL",
        "--name",
        word,
        "-p",
        f"{port}:80",
        "bb",
        "sh",
        "-c",
        SERVE.format(word),
    )
    assert done.returncode == 0, done.stderr


def address(host: str) -> str:
    words = ("ps", "-q")
    ids = docker(host, *words).stdout.split()
    return docker(host, "inspect", "-f", "{{.NetworkSettings.IPAddress}}", *ids).stdout.strip()


def docker(host: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", "-H", host, *words], capture_output=True, text=True, timeout=120)


def fetch(port: int) -> str:
    failure = ""
    for _ in range(50):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return str(answer.read().decode().strip())
        except (OSError, urllib.error.URLError) as error:
            failure = repr(error)
            time.sleep(0.1)
    return failure


def rules() -> str:
    tables = (
        subprocess.run(["iptables", "-w", "-t", t, "-S"], capture_output=True, text=True) for t in ("nat", "filter")
    )
    return "".join(done.stdout for done in tables)


def wait(true: object, daemon: subprocess.Popen[bytes]) -> None:
    assert callable(true)
    for _ in range(600):
        if true():
            return
        assert daemon.poll() is None, "the first engine ended"
        time.sleep(0.05)
    raise AssertionError("the first engine does not answer")


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
