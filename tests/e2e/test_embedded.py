"""The embedded engine as root: its life, its ports, its neighbours, and what a crash leaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.embedded import EmbeddedEngine, EmbeddedPaths, identity, state
from backend.embedded.supervisor import drop_cgroups
from backend.errors import EngineStartFailed
from tests.e2e import images
from tests.e2e.conftest import DockerCli

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="test_rootless has the ordinary user's part"),
]
ROOT = Path(__file__).parents[2]
TCP_ECHO = (
    "use IO::Socket::INET; $SIG{CHLD} = 'IGNORE'; $s = IO::Socket::INET->new(LocalPort => 7, Listen => 1024); "
    "while ($c = $s->accept) { if (fork) { close $c; next } while (sysread $c, $m, 65536) { syswrite $c, $m } exit }"
)
UDP_ECHO = (
    "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 7, Proto => 'udp'); "
    "while ($s->recv($m, 65535)) { $s->send($m) }"
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A short folder for one embedded engine, which has ended when the test ends."""
    folder = Path(tempfile.mkdtemp(prefix="ph-", dir="/tmp"))
    yield folder
    held = state.held(_paths(folder))
    if held is not None:
        identity.send(held.who, signal.SIGKILL)
    _wait(lambda: not _ours(folder))
    shutil.rmtree(folder)


@pytest.fixture
def engine(place: Path) -> EmbeddedEngine:
    return EmbeddedEngine(_paths(place))


@pytest.mark.asyncio
async def test_it_starts_is_adopted_and_leaves_nothing(engine: EmbeddedEngine, place: Path) -> None:
    assert (await engine.status()).state == "stopped"
    said: list[str] = []
    endpoint = await engine.start(said.append)
    status = await engine.status()
    assert (status.state, status.running, status.kind) == ("running", True, "dockerd")
    assert said[-1] == "The engine answers"
    assert stat.S_IMODE(os.stat(endpoint.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(engine.paths.runtime).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(engine.paths.home).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(engine.paths.log).st_mode) == 0o600

    other = EmbeddedEngine(_paths(place))
    assert await other.start() == endpoint
    assert (await other.status()).pid == status.pid

    await other.stop()
    assert (await engine.status()).state == "stopped"
    assert not _ours(place)
    assert str(place) not in Path("/proc/self/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{Path(engine.paths.home).name}"))


@pytest.mark.asyncio
async def test_two_starts_at_once_make_one_engine(place: Path) -> None:
    both = [EmbeddedEngine(_paths(place)) for _ in range(2)]
    await asyncio.gather(*(one.start() for one in both))
    first, second = [(await one.status()).pid for one in both]
    assert first == second > 0
    await both[0].stop()


@pytest.mark.asyncio
async def test_a_killed_program_leaves_an_engine_to_adopt(engine: EmbeddedEngine, place: Path) -> None:
    code = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from backend.embedded import EmbeddedEngine, EmbeddedPaths\n"
        "asyncio.run(EmbeddedEngine(EmbeddedPaths(Path(sys.argv[1]), Path(sys.argv[2]))).start())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", code, str(engine.paths.home), str(engine.paths.runtime)]
    done = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, timeout=90)
    assert done.returncode == -signal.SIGKILL
    status = await engine.status()
    assert status.running
    await engine.start()
    assert (await engine.status()).pid == status.pid
    await engine.stop()


@pytest.mark.asyncio
async def test_a_program_killed_while_it_starts_does_not_block_the_next_start(engine: EmbeddedEngine) -> None:
    code = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\n"
        "from backend.embedded import EmbeddedEngine, EmbeddedPaths\n"
        "def said(words):\n    'Starting' in words and asyncio.get_running_loop().call_later(0.2, die)\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(EmbeddedEngine(EmbeddedPaths(Path(sys.argv[1]), Path(sys.argv[2]))).start(said))\n"
    )
    words = [sys.executable, "-c", code, str(engine.paths.home), str(engine.paths.runtime)]
    await asyncio.to_thread(subprocess.run, words, cwd=ROOT, timeout=90)
    await engine.start()
    assert (await engine.status()).running
    await engine.stop()


@pytest.mark.asyncio
async def test_a_killed_supervisor_takes_everything_along(engine: EmbeddedEngine, place: Path) -> None:
    await engine.start()
    assert len(_ours(place)) > 3
    os.kill((await engine.status()).pid, signal.SIGKILL)
    await asyncio.to_thread(_wait, lambda: not _ours(place))
    assert (await engine.status()).state == "stopped"
    await engine.start()
    await engine.stop()


@pytest.mark.asyncio
async def test_containers_with_a_restart_policy_come_back(engine: EmbeddedEngine, docker_cli: DockerCli) -> None:
    await engine.start()
    host = f"unix://{engine.paths.socket}"
    await asyncio.to_thread(_load_busybox, docker_cli, host)
    for name, policy in (("back", "always"), ("gone", "no")):
        words = (
            "run",
            "-d",
            "--name",
            name,
            "--restart",
            policy,
            images.BUSYBOX,
            "sh",
            "-c",
            "trap exit TERM; sleep 999 & wait",
        )
        await asyncio.to_thread(docker_cli, *words, host=host)
    await engine.stop()
    await engine.start()
    running = await asyncio.to_thread(docker_cli, "ps", "--format", "{{.Names}}", host=host)
    assert running.split() == ["back"]
    await engine.stop()


@pytest.mark.asyncio
async def test_a_stranger_with_the_number_in_the_state_file_is_left_alone(engine: EmbeddedEngine) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        engine.paths.make()
        for started, boot in ((identity.start_time(stranger.pid) + 1, identity.boot_id()), (1, "another boot")):
            told = {"supervisor": stranger.pid, "started": started, "boot": boot, "kind": "dockerd"}
            engine.paths.state.write_text(json.dumps(told))
            assert (await engine.status()).state == "stopped"
            await engine.stop()
        await engine.start()
        await engine.stop()
        assert stranger.returncode is None
        assert identity.start_time(stranger.pid) > 0
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.asyncio
async def test_a_start_that_fails_says_why_and_leaves_nothing(engine: EmbeddedEngine, place: Path) -> None:
    engine.paths.make()
    engine.paths.data_root.write_text("a file where a folder should be")
    with pytest.raises(EngineStartFailed) as caught:
        await engine.start()
    assert any("docker" in line for line in caught.value.log)
    assert not _ours(place)


@pytest.mark.asyncio
async def test_a_deadline_and_a_cancelled_start_leave_nothing(engine: EmbeddedEngine, place: Path) -> None:
    with pytest.raises(EngineStartFailed):
        await engine.start(deadline=0.1)
    await asyncio.to_thread(_wait, lambda: not _ours(place))

    def give_up(said: str) -> None:
        if said.startswith("Starting"):
            begun.cancel()

    begun = asyncio.create_task(engine.start(give_up))
    with pytest.raises(asyncio.CancelledError):
        await begun
    await asyncio.to_thread(_wait, lambda: not _ours(place))
    await engine.start()
    await engine.stop()


def test_ports_answer_where_they_were_published_and_nowhere_else(docker_cli: DockerCli, busybox_image: str) -> None:
    serve = "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"
    local, everywhere = _free_port(), _free_port()
    names = []
    try:
        for published in (f"127.0.0.1:{local}", str(everywhere)):
            words = ("run", "-d", "-p", f"{published}:80", busybox_image, "sh", "-c", serve)
            names.append(docker_cli(*words).strip())
        _wait(lambda: _page("127.0.0.1", local) == "hello" and _page("127.0.0.1", everywhere) == "hello")
        for other in ("127.0.0.2", *_own_addresses()):
            assert _page(other, local) == "refused"
            assert _page(other, everywhere) == "hello"
        if socket.has_ipv6 and _has_loopback6():
            assert _page("::1", local) == "refused"
            assert _page("::1", everywhere) == "hello"
    finally:
        docker_cli("rm", "-f", *names)
    assert _page("127.0.0.1", local) == "refused"


def test_a_taken_port_is_the_engines_error(docker_cli: DockerCli, busybox_image: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        words = ("run", "--rm", "-p", f"127.0.0.1:{port}:80", busybox_image, "true")
        assert "address already in use" in docker_cli(*words, check=False)


def test_half_closed_streams_pass(docker_cli: DockerCli, busybox_image: str) -> None:
    port = _free_port()
    words = ("run", "-d", "-p", f"127.0.0.1:{port}:7", busybox_image, "nc", "-ll", "-p", "7", "-e", "md5sum")
    name = docker_cli(*words).strip()
    try:
        _wait(lambda: bool(_through(port, b"x")))
        text = os.urandom(3_000_000)
        expected = subprocess.run(["md5sum"], input=text, capture_output=True, check=True).stdout
        assert _through(port, text).split()[0] == expected.split()[0]
    finally:
        docker_cli("rm", "-f", name)


def test_datagrams_pass_and_tell_their_clients_apart(docker_cli: DockerCli, debian_image: str) -> None:
    port = _free_port(socket.SOCK_DGRAM)
    name = docker_cli("run", "-d", "-p", f"127.0.0.1:{port}:7/udp", debian_image, "perl", "-e", UDP_ECHO).strip()
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
        ):
            one.settimeout(0.5)
            other.settimeout(0.5)
            _wait(lambda: _echo(one, port, b"ping") == b"ping")
            assert _echo(other, port, b"pong") == b"pong"
            assert _echo(one, port, b"x" * 9000) == b"x" * 9000
    finally:
        docker_cli("rm", "-f", name)


def test_many_connections_at_once(docker_cli: DockerCli, debian_image: str) -> None:
    port = _free_port()
    name = docker_cli("run", "-d", "-p", f"127.0.0.1:{port}:7", debian_image, "perl", "-e", TCP_ECHO).strip()
    try:
        _wait(lambda: _through(port, b"x") == b"x")
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(300)]
            for number, line in enumerate(lines):
                line.sendall(b"%d" % number)
                line.shutdown(socket.SHUT_WR)
            assert [line.recv(16) for line in lines] == [b"%d" % number for number in range(len(lines))]
    finally:
        docker_cli("rm", "-f", name)


def test_the_outside_is_reached_by_name(docker_cli: DockerCli, busybox_image: str) -> None:
    """The resolver is the namespace's own; whether the outside answers is the host's affair."""
    assert "10.213.127.3" in docker_cli("run", "--rm", busybox_image, "cat", "/etc/resolv.conf")
    routes = docker_cli("run", "--rm", "--net=host", busybox_image, "ip", "route")
    assert "tap0" in routes


def test_another_engines_ports_and_rules_live_on(place: Path) -> None:
    tar = place / "busybox.tar"
    tar.write_bytes(images.busybox_tar())
    command = [
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "slave",
    ]
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.e2e.neighbours", str(place), str(tar)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    drop_cgroups("pilothouse-neighbour")
    assert done.returncode == 0, done.stderr + (place / "first.log").read_text()[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert [told[when] for when in ("before", "during", "after", "after the refusal")] == ["first"] * 4
    assert told["ours"] == "ours"
    assert told["rules kept"]
    assert len(set(told["addresses"])) == 2
    assert "address already in use" in told["taken"]
    assert "dockerd (process" in told["refused"]


def _paths(place: Path) -> EmbeddedPaths:
    return EmbeddedPaths(place / "home", place / "run")


def _ours(place: Path) -> list[int]:
    """Processes that were told this place in their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.fsencode(place) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _wait(true: Callable[[], bool]) -> None:
    import time

    for _ in range(300):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true within 15 s")


def _load_busybox(docker_cli: DockerCli, host: str) -> None:
    docker_cli("import", "-", images.BUSYBOX, stdin=images.busybox_tar(), host=host)


def _free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _page(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{shown}:{port}/", timeout=5) as answer:
            return str(answer.read().decode().strip())
    except ConnectionError:
        return "cut"
    except OSError:
        return "refused"


def _own_addresses() -> list[str]:
    """The address that this host would use towards the outside; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            asker.connect(("198.51.100.1", 9))
            return [asker.getsockname()[0]]
        except OSError:
            return []


def _has_loopback6() -> bool:
    with socket.socket(socket.AF_INET6) as asker:
        try:
            asker.bind(("::1", 0))
        except OSError:
            return False
    return True


def _echo(asker: socket.socket, port: int, text: bytes) -> bytes:
    try:
        asker.sendto(text, ("127.0.0.1", port))
        return asker.recv(65535)
    except OSError:
        return b""


def _through(port: int, text: bytes) -> bytes:
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(text)
            line.shutdown(socket.SHUT_WR)
            while piece := line.recv(65536):
                got += piece
    except OSError:
        return b""
    return got
