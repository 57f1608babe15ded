"""Containers made by the Run dialog, on a real engine: as asked for, as docker makes them, and what a refusal says."""

from __future__ import annotations

import asyncio
import json
import shlex
import socket
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QApplication

from app.commandline import CommandLine
from app.commands.run.form import EnvRow, MountRow, PortRow, RunForm
from app.commands.run.read import read_line
from app.commands.run.running import Running, run_form
from app.operation import Operation
from app.pages.run.dialog import RunDialog
from app.places import Place
from backend.client import Engine
from backend.endpoint import UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.desk import Person, at_desk, with_full_capabilities

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

NAME, TWIN = "run-ours", "run-theirs"
SERVE = 'mkdir -p /www; echo "$GREETING" > /www/index.html; exec httpd -f -p 80 -h /www'
WAIT = "trap exit TERM; while :; do sleep 0.1; done"
# IMAGE and FOLDER are filled in. Every line is run twice: by us, and by the docker command line.
LINES = (
    "docker run -d IMAGE sleep 60",
    "docker run -d -p 127.0.0.1::80 -p 8099/udp IMAGE sleep 60",
    "docker run -d -e A=1 -e 'B=two words $x' -l a=b --label c IMAGE sleep 60",
    "docker run -d -v FOLDER:/x:ro -v run-vol:/v -v /anon IMAGE sleep 60",
    "docker run -d -v FOLDER:/x:cached -v run-vol:/v:rw -v FOLDER:/y:rw,z -v FOLDER:/z:ro,delegated IMAGE sleep 60",
    "docker run -d --mount type=bind,source=FOLDER,target=/x,readonly --tmpfs /t:size=1m IMAGE sleep 60",
    "docker run -d --mount type=volume,source=run-vol,target=/v,volume-nocopy IMAGE sleep 60",
    "docker run -d --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770 IMAGE sleep 60",
    "docker run -d --restart on-failure:3 -m 64m --cpus 0.5 --pids-limit 50 --shm-size 16m IMAGE sleep 60",
    "docker run -d -it --init -u 1000:1000 -w /tmp -h box IMAGE sh",
    "docker run -d --cpus 1/2 -e A=1 -e B=2 -e A=3 -l c=1 -l c=2 --oom-kill-disable=false IMAGE sleep 60",
    "docker run -d --entrypoint /bin/sh IMAGE -c 'sleep 60'",
    "docker run -d --cap-add net_admin --cap-drop CHOWN --read-only --security-opt no-new-privileges IMAGE sleep 60",
    "docker create --privileged --pid host --ipc private IMAGE sleep 60",
    "docker run -d --network host IMAGE sleep 60",
    "docker run -d --network run-net --network-alias one --network-alias two IMAGE sleep 60",
    "docker run -d --dns 1.1.1.1 --dns-search a.b --add-host db:10.0.0.9 IMAGE sleep 60",
    "docker run -d --health-cmd true --health-interval 30s --stop-signal SIGINT --stop-timeout 3 IMAGE sleep 60",
    "docker run -d --ulimit nofile=100:200 --sysctl net.ipv4.ip_forward=1 --log-opt max-size=1m IMAGE sleep 60",
    "docker run -d --device /dev/null:/dev/other:rw --group-add 10 --cpu-shares 512 --oom-score-adj 5 IMAGE sleep 60",
    "docker run -d --expose 9000 --expose 9001-9002/udp --no-healthcheck IMAGE sleep 60",
)  # fmt: skip
ORDERED = ("Cmd", "Entrypoint", "Test")


@pytest.fixture(autouse=True)
def clean(docker_cli: DockerCli) -> Iterator[None]:
    docker_cli("network", "create", "run-net", check=False)
    yield
    docker_cli("rm", "-f", "-v", NAME, TWIN, check=False)
    docker_cli("volume", "rm", "run-vol", check=False)
    docker_cli("network", "rm", "run-net", check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


@asynccontextmanager
async def dialog_on(engine: UnixSocket, form: RunForm) -> AsyncIterator[tuple[Person, RunDialog]]:
    async with at_desk(engine) as person:
        person.window.go(Place("run", extra=form))
        yield person, await person.find(RunDialog, "the dialog", lambda _d: True)


async def test_a_port_and_a_variable_reach_the_container(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    async with dialog_on(engine_host, RunForm()) as (person, dialog):
        port = free_port()
        await person.type(dialog.image, busybox_image)
        await person.type(dialog.name, NAME)
        await person.press("Add port")
        line = dialog.ports.lines[-1]
        await person.type(line.host, str(port))
        await person.type(line.inside, "80")
        await person.press("Add variable")
        dialog.env.set_pairs([("GREETING", "ahoy")])
        await person.choose(dialog.tabs, "advanced")
        await person.type(await person.field("Command"), f"sh -c {shlex.quote(SERVE)}")
        await person.until(lambda: line.words.text() == "Free", "the port to be free")
        await person.press("Run")
        await person.done(person.last("Run"))
        found = json.loads(await asyncio.to_thread(docker_cli, "inspect", NAME))[0]
        assert found["State"]["Running"]
        assert "GREETING=ahoy" in found["Config"]["Env"]
        assert found["HostConfig"]["PortBindings"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
        assert await fetched(port) == "ahoy\n"


async def test_a_container_that_ends_at_once_is_told(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    form = RunForm(image=busybox_image, name=NAME, command="sh -c 'exit 3'")
    async with dialog_on(engine_host, form) as (person, dialog):
        dialog.open_logs.setChecked(False)
        await person.press("Run")
        await person.sees(f"{NAME} ended at once, with code 3")
        await person.press("Open the logs")
        await person.until(lambda: person.window.place.tab == "logs", "its logs")


async def test_what_the_engine_warns_of_is_told(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    port = PortRow(str(free_port()), "80", "tcp", "127.0.0.1")
    form = RunForm(image=busybox_image, name=NAME, command="sleep 60", network="host", ports=(port,))
    async with dialog_on(engine_host, form) as (person, dialog):
        dialog.open_logs.setChecked(False)
        await person.press("Run")
        await person.done(person.last("Run"))
        await person.sees("Published ports are discarded when using host network mode.")
        assert person.says(f"Started {NAME}")


async def test_what_a_shell_would_fill_in_is_asked_for_before_it_runs(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    async with dialog_on(engine_host, RunForm()) as (person, dialog):
        line = f"docker run --frob --name {NAME} -e WHERE=$HOME {busybox_image} echo '$HOME' `id -u` | tee log"
        assert dialog.read(line) == ""
        dialog.open_logs.setChecked(False)
        await person.press("Run")
        for words in ("$HOME  is not filled in", "`id -u`  is not filled in", "| tee log  is left out"):
            assert person.says(words)
        assert person.says("--frob  is left out")
        await person.press("Change it")
        await person.until(lambda: person.has_keys(dialog.env), "the variable to have the keys")
        assert NAME not in await asyncio.to_thread(docker_cli, "ps", "-a", "--format", "{{.Names}}")
        dialog.env.set_pairs([("WHERE", "/srv")])
        await person.press("Run")
        assert not person.says("$HOME  is not filled in")
        await person.press("Run it")
        await person.done(person.last("Run"))
        found = json.loads(await asyncio.to_thread(docker_cli, "inspect", NAME))[0]
        assert "WHERE=/srv" in found["Config"]["Env"]
        assert found["Config"]["Cmd"] == ["echo", "$HOME", "`id -u`"]


async def fetched(port: int) -> str:
    def fetch() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return cast("str", answer.read().decode())

    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncio.to_thread(fetch)
            except OSError:
                await asyncio.sleep(0.1)


def comparable(found: dict[str, Any]) -> dict[str, Any]:
    """What of an inspect must be the same for two runs of one line."""
    name = found["Name"].lstrip("/")
    config, host = dict(found["Config"]), with_full_capabilities(found["HostConfig"])
    if config["Hostname"] == found["Id"][:12]:
        del config["Hostname"]
    for key in ("AttachStdout", "AttachStderr"):
        del config[key]  # docker create plans for a terminal
    mounts = [
        {k: m.get(k) for k in ("Type", "Destination", "Mode", "RW", "Propagation", "Driver")}
        | {"Source": m["Source"] if m["Type"] == "bind" else ""}
        for m in found["Mounts"]
    ]
    networks = {
        net: sorted(set(settings["Aliases"] or ()) - {found["Id"][:12], name})
        for net, settings in found["NetworkSettings"]["Networks"].items()
    }
    ports = sorted(found["NetworkSettings"]["Ports"] or {})
    return {
        "config": without_empty(config), "host": without_empty(host),
        "mounts": sorted(mounts, key=str), "networks": networks, "ports": ports,
    }  # fmt: skip


def without_empty(value: Any) -> Any:
    """The engine tells null and an empty list apart, people do not; docker puts binds and the like in any order."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if v not in (None, [], {}, "") and k != "ConsoleSize"}
        return {k: v if k in ORDERED else without_empty(v) for k, v in kept.items()}
    if isinstance(value, list):
        return sorted((without_empty(v) for v in value), key=str)
    return value


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[14:60])
async def test_a_line_makes_the_container_that_docker_makes(
    engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str, tmp_path: Path, line: str
) -> None:
    line = line.replace("IMAGE", busybox_image).replace("FOLDER", str(tmp_path))
    only = line.startswith("docker create")
    verb = "create" if only else "run -d"
    reading = read_line(line.replace(verb, f"{verb} --name {NAME}", 1))
    assert (reading.unsupported, reading.questions) == ((), ())
    engine = Engine(engine_host)
    await engine.open()
    try:
        await run_form(engine, Running(reading.form, only), Operation("Run", NAME, CommandLine()))
    finally:
        await engine.close()
    theirs = shlex.split(line.replace(verb, f"{verb} --name {TWIN}", 1))[1:]
    await asyncio.to_thread(docker_cli, *theirs)
    ours_found, theirs_found = json.loads(await asyncio.to_thread(docker_cli, "inspect", NAME, TWIN))
    assert comparable(ours_found) == comparable(theirs_found)
    assert ours_found["State"]["Running"] == theirs_found["State"]["Running"]


@pytest.mark.parametrize("case", ["name", "port", "image", "mount", "command", "cpus"])
async def test_a_refusal_is_said_at_its_field_and_leaves_nothing_behind(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str, case: str, tmp_path: Path
) -> None:
    port = free_port()
    await asyncio.to_thread(
        docker_cli, "run", "-d", "--name", TWIN, "-p", f"127.0.0.1:{port}:80", busybox_image, "sh", "-c", WAIT
    )
    plain = RunForm(image=busybox_image, name=NAME, command="sleep 60", env=(EnvRow("A", "1"),))
    forms: dict[str, tuple[RunForm, str, str]] = {
        "name": (replaced(plain, name=TWIN), "basic", f"{TWIN} is taken"),
        "port": (replaced(plain, ports=(PortRow(str(port), "80", "tcp", "127.0.0.1"),)), "basic", f"Taken by {TWIN}"),
        "image": (replaced(plain, image="localhost:1/none/such:1"), "basic", ""),
        "mount": (replaced(plain, mounts=(MountRow("bind", str(tmp_path / "none"), "/x"),)), "storage", "none"),
        "command": (replaced(plain, command="no-such-program"), "advanced", "no-such-program"),
        "cpus": (replaced(plain, cpus="9000"), "resources", "CPUs"),
    }
    form, tab, words = forms[case]
    async with dialog_on(engine_host, form) as (person, dialog):
        await person.until(lambda: case != "port" or dialog.ports.lines[0].taken, "the port to be looked at")
        await person.press("Run")
        if case in ("name", "port"):
            await person.sees(words)
        else:
            await person.until(dialog.failure.isVisible, "the reason", 60)
            assert words in dialog.failure.accessibleName()
        assert dialog.tabs.current() == tab
        assert dialog.form() == form
        assert dialog.isVisible()
        assert NAME not in (await asyncio.to_thread(docker_cli, "ps", "-a", "--format", "{{.Names}}")).split()


async def test_a_port_that_is_taken_behind_our_back_is_said_by_the_engine(
    qapp: QApplication, engine_host: UnixSocket, docker_cli: DockerCli, busybox_image: str
) -> None:
    """The check while typing said free; the start fails; the container that was made is removed."""
    port = free_port()
    form = RunForm(
        image=busybox_image, name=NAME, command="sleep 60", ports=(PortRow(str(port), "80", "tcp", "127.0.0.1"),)
    )
    async with dialog_on(engine_host, form) as (person, dialog):
        line = dialog.ports.lines[0]
        await person.until(lambda: line.words.text() == "Free", "free")
        busy = ("run", "-d", "--name", TWIN, "-p", f"127.0.0.1:{port}:80", busybox_image, "sleep", "60")
        await asyncio.to_thread(docker_cli, *busy)
        await person.press("Run")
        await person.until(lambda: dialog.failure.isVisible() or line.taken, "the reason")
        await person.until(lambda: line.taken, "the row to say it")
        assert line.host.hasFocus()
        await person.until(lambda: line.use.isVisible(), "the next free port")
        await person.click(line.use)
        await person.until(lambda: line.words.text() == "Free", "free again")
        await person.press("Run")
        await person.done(person.last("Run"))
    ports = await asyncio.to_thread(docker_cli, "port", NAME)
    assert f"127.0.0.1:{port}" not in ports.split()
    assert "80/tcp -> 127.0.0.1:" in ports


def replaced(form: RunForm, **values: object) -> RunForm:

    return replace(form, **values)  # type: ignore[arg-type]
