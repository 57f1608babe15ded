"""The docker line that Activity offers for an action, given to the docker command line, does what the action did."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import subprocess
import tarfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication

from app.commands import builds, containers, images, logs
from app.commands.run.form import EnvRow, Extra, MountRow, PortRow, RunForm
from app.commands.run.running import RUN, Running
from app.operation import Operation
from app.pages.activity.page import ActivityPage
from app.stores.livebuild import LiveBuild
from backend.types.builds import Builder, BuildRequest
from backend.types.containers import ContainerSummary
from backend.types.images import ImageSummary
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk, with_full_capabilities
from tests.e2e.images import busybox_tar

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

NAME, OTHER, IMAGE, MORE = "lines-web", "lines-renamed", "lines-image:1", "lines-other:2"
ENDS = "trap exit TERM; while :; do sleep 0.1; done"
SECRET = "s3cret-$HOME `id` 'x' \"y\""


class Bench:
    """One try: what there is before, and what there is after."""

    def __init__(self, cli: DockerCli, host: str, busybox: str, folder: Path) -> None:
        self._cli, self._host, self.busybox, self.folder = cli, host, busybox, folder

    async def shell(self, line: str) -> str:
        """Runs a line as a person does who pastes it, and returns what it says."""
        environment = {**os.environ, "DOCKER_HOST": self._host}
        done = await asyncio.to_thread(subprocess.run, ["sh", "-c", line], capture_output=True, env=environment)
        assert done.returncode == 0, f"{line}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode()

    async def docker(self, *words: str, check: bool = True) -> str:
        return (await asyncio.to_thread(self._cli, *words, check=check)).strip()

    async def clean(self) -> None:
        await self.docker("rm", "-f", "-v", NAME, OTHER, check=False)
        await self.docker("rmi", "-f", IMAGE, MORE, check=False)
        await self.docker("image", "prune", "-f")
        await self.docker("volume", "prune", "-f")
        for file in self.folder.glob("out*"):
            file.unlink()

    async def make(self, case: Case) -> None:
        for setup in (*case.before, case.setup):
            await setup(self)

    async def created(self) -> None:
        await self.docker("create", "--name", NAME, self.busybox, "sh", "-c", ENDS)

    async def running(self, *flags: str, name: str = NAME) -> None:
        await self.docker("run", "-d", "--name", name, *flags, self.busybox, "sh", "-c", f"echo one; echo two; {ENDS}")

    async def logged(self) -> None:
        """A container that has said one thing on each of its streams."""
        await self.docker("run", "-d", "--name", NAME, self.busybox, "sh", "-c", f"echo one two; echo oh >&2; {ENDS}")
        while len((await self.shell(f"docker logs {NAME} 2>&1")).split()) < 3:
            await asyncio.sleep(0.02)

    async def paused(self) -> None:
        await self.running()
        await self.docker("pause", NAME)

    async def with_volume(self) -> None:
        await self.running("-v", "/data")

    async def tagged(self) -> None:
        await self.docker("tag", self.busybox, IMAGE)

    async def archive(self) -> None:
        await self.tagged()
        await self.docker("save", "-o", str(self.folder / "in.tar"), IMAGE)
        await self.docker("rmi", IMAGE)

    async def rootfs(self) -> None:
        (self.folder / "in.tar").write_bytes(busybox_tar())

    async def dangling(self) -> None:
        await self.docker("import", "--change", "CMD x", str(self.folder / "in.tar"))

    async def context(self) -> None:
        (self.folder / "Dockerfile").write_text(
            f"FROM {self.busybox} AS base\nARG WORD\nRUN echo $WORD > /w\nFROM base\n"
        )


Setup = Callable[[Bench], Awaitable[None]]
Act = Callable[[Person, Bench], Awaitable[Operation]]
See = Callable[[Bench], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """An action, what it needs, and what its result is read from; `line` is the beginning that is expected."""

    name: str
    line: str
    setup: Setup
    act: Act
    see: See
    before: tuple[Setup, ...] = field(default=())


async def container(person: Person, name: str = NAME) -> ContainerSummary:
    store = person.desk.session.stores.containers
    found: list[ContainerSummary] = []

    def look() -> bool:
        found[:] = [row for row in store.values.values() if row.name == name]
        return bool(found)

    await person.until(look, f"the container {name}")
    return found[0]


async def image(person: Person, reference: str = IMAGE) -> ImageSummary:
    store = person.desk.session.stores.images
    await person.until(lambda: any(reference in i.tags for i in store.values.values()), f"the image {reference}")
    return next(i for i in store.values.values() if reference in i.tags)


def simple(key: str) -> Act:
    async def act(person: Person, _bench: Bench) -> Operation:
        return person.desk.session.run(containers.SIMPLE[key], await container(person))

    return act


def removal(**how: bool) -> Act:
    async def act(person: Person, _bench: Bench) -> Operation:
        return person.desk.session.run(containers.REMOVE, containers.Removal(await container(person), **how))

    return act


async def rename(person: Person, _bench: Bench) -> Operation:
    return person.desk.session.run(containers.RENAME, containers.Renaming(await container(person), OTHER))


def save_log(times: bool) -> Act:
    async def act(person: Person, bench: Bench) -> Operation:
        row = await container(person)
        file = logs.LogFile(row.id, NAME, False, bench.folder / "out it's.log", times)
        return person.desk.session.run(logs.SAVE_LOG, file)

    return act


async def tag(person: Person, _bench: Bench) -> Operation:
    return person.desk.session.run(images.TAG, images.Tagging(await image(person), MORE))


async def untag(person: Person, _bench: Bench) -> Operation:
    return person.desk.session.run(images.REMOVE, images.ImageRemoval(await image(person), (IMAGE,)))


async def save(person: Person, bench: Bench) -> Operation:
    await image(person)
    return person.desk.session.run(images.SAVE, images.Saving((IMAGE,), bench.folder / "out image.tar"))


async def load(person: Person, bench: Bench) -> Operation:
    return person.desk.session.run(images.LOAD, bench.folder / "in.tar")


async def import_(person: Person, bench: Bench) -> Operation:
    return person.desk.session.run(images.IMPORT, images.Importing(bench.folder / "in.tar", IMAGE, "It's from a test"))


async def prune(person: Person, _bench: Bench) -> Operation:
    return person.desk.session.run(images.CLEAN_UP, images.CleanUp())


def build(builder: Builder) -> Act:
    async def act(person: Person, bench: Bench) -> Operation:
        request = BuildRequest(
            bench.folder, tag=IMAGE, build_args=(("WORD", SECRET),), target="base", no_cache=True, builder=builder
        )
        live = LiveBuild(request, (bench.folder / "Dockerfile").read_text(), person.desk.builds)
        return person.desk.session.run(builds.BUILD, live)

    return act


def form(bench: Bench) -> RunForm:
    return RunForm(
        image=bench.busybox, name=NAME, command=f"sh -c {shlex.quote(ENDS)}", hostname="lines", user="0",
        workdir="/tmp",
        env=(EnvRow("PLAIN", "1"), EnvRow("PASSWORD", SECRET)), labels=(EnvRow("a.b", "c d"),),
        ports=(PortRow("", "80", host_ip="127.0.0.1"), PortRow("", "53", "udp")),
        mounts=(
            MountRow("bind", str(bench.folder), "/in put", True), MountRow("volume", "", "/data"),
            MountRow("tmpfs", "", "/scratch", flag="--tmpfs"),
        ),
        restart="on-failure:3", memory="64m", cpus="0.5", pids_limit="50", tty=True, interactive=True,
        cap_drop=("NET_RAW",), extras=(Extra("--sysctl", "net.core.somaxconn=1024"),),
    )  # fmt: skip


async def run(person: Person, bench: Bench) -> Operation:
    return person.desk.session.run(RUN, Running(form(bench)))


async def create(person: Person, bench: Bench) -> Operation:
    wanted = RunForm(image=bench.busybox, name=NAME, command="true", entrypoint="", auto_remove=True, read_only=True)
    return person.desk.session.run(RUN, Running(wanted, create_only=True))


async def see_state(bench: Bench) -> object:
    found = json.loads(await bench.docker("inspect", NAME))[0]["State"]
    kept = {k: found[k] for k in ("Status", "Running", "Paused", "ExitCode", "OOMKilled")}
    return {**kept, "again": found["StartedAt"] > found["FinishedAt"] > "0002"}


async def see_names(bench: Bench) -> object:
    names = await bench.docker("ps", "-a", "--format", "{{.Names}}")
    return sorted(names.split()), await bench.docker("volume", "ls", "-q")


async def see_images(bench: Bench) -> object:
    found = await bench.docker("images", "-a", "--format", "{{.Repository}}:{{.Tag}}")
    return sorted(found.split())


async def see_log(bench: Bench) -> object:
    """The lines of the file, in any order: the engine reads the two streams of a container as they come."""
    text = (bench.folder / "out it's.log").read_text()
    return sorted(re.sub(r"\A[-0-9]{10}T[0-9:.]+Z ", "TIME ", line) for line in text.splitlines())


async def see_archive(bench: Bench) -> object:
    with tarfile.open(bench.folder / "out image.tar") as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        return json.loads(manifest.read())


async def see_import(bench: Bench) -> object:
    found = json.loads(await bench.docker("image", "inspect", IMAGE))[0]
    return {k: found.get(k) for k in ("Comment", "RootFS", "RepoTags", "Architecture", "Os", "Config")}


async def see_built(bench: Bench) -> object:
    found = json.loads(await bench.docker("image", "inspect", IMAGE))[0]
    word = await bench.docker("run", "--rm", IMAGE, "cat", "/w")
    by_buildkit = "buildkit" in await bench.docker("history", "--format", "{{.Comment}}", IMAGE)
    return by_buildkit, word, found["RepoTags"], found["Config"].get("Cmd"), len(found["RootFS"]["Layers"])


async def see_made(bench: Bench) -> object:
    """Everything that was asked for, without ids, times and what the engine drew for it."""
    found = json.loads(await bench.docker("inspect", NAME))[0]
    host = with_full_capabilities(found["HostConfig"])
    host = {k: v for k, v in host.items() if k not in ("ConsoleSize", "ContainerIDFile")}
    mounts = sorted((m["Type"], m["Destination"], m["RW"], m.get("Mode"), bool(m.get("Name"))) for m in found["Mounts"])
    config: dict[str, Any] = {**found["Config"]}
    config["Hostname"] = config["Hostname"] if config["Hostname"] == "lines" else ""
    config["Env"] = sorted(config["Env"] or ())  # older docker programs give them in another order
    for key in ("AttachStdout", "AttachStderr", "AttachStdin", "StdinOnce"):
        config.pop(key)
    return _told(host), mounts, _told(config), sorted(found["NetworkSettings"]["Ports"]), found["State"]["Status"]


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing: the engine keeps null, empty and absent apart, people do not."""
    return {k: v for k, v in values.items() if v not in (None, "", [], {}, 0, False)}


CASES = [
    Case("start", "docker start lines-web", Bench.created, simple("start"), see_state),
    Case("stop", "docker stop lines-web", Bench.running, simple("stop"), see_state),
    Case("restart", "docker restart lines-web", Bench.running, simple("restart"), see_state),
    Case("pause", "docker pause lines-web", Bench.running, simple("pause"), see_state),
    Case("resume", "docker unpause lines-web", Bench.paused, simple("resume"), see_state),
    Case("kill", "docker kill lines-web", Bench.running, simple("kill"), see_state),
    Case("rename", "docker rename lines-web lines-renamed", Bench.created, rename, see_names),
    Case("remove", "docker rm lines-web", Bench.created, removal(), see_names),
    Case(
        "remove with volumes", "docker rm --force --volumes lines-web", Bench.with_volume,
        removal(force=True, volumes=True), see_names,
    ),
    Case("save a log", "docker logs lines-web > ", Bench.logged, save_log(False), see_log),
    Case("save a log with times", "docker logs --timestamps lines-web > ", Bench.logged, save_log(True), see_log),
    Case("run", "docker run -d --name lines-web", Bench.clean, run, see_made),
    Case("create", "docker create --name lines-web", Bench.clean, create, see_made),
    Case("tag", "docker tag", Bench.tagged, tag, see_images),
    Case("untag", "docker rmi lines-image:1", Bench.tagged, untag, see_images),
    Case("save", "docker save --output", Bench.tagged, save, see_archive),
    Case("load", "docker load --input", Bench.archive, load, see_images),
    Case("import", "docker import --message", Bench.rootfs, import_, see_import),
    Case("clean up", "docker image prune --force", Bench.dangling, prune, see_images, before=(Bench.rootfs,)),
    Case("classic build", "DOCKER_BUILDKIT=0 docker build", Bench.context, build(Builder.CLASSIC), see_built),
    Case("BuildKit build", "docker buildx build --load", Bench.context, build(Builder.BUILDKIT), see_built),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_line_does_the_same(
    case: Case, qapp: QApplication, engine_process: Daemon, docker_cli: DockerCli, busybox_image: str, buildx: Path,
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    config = tmp_path_factory.mktemp("config")
    (config / "cli-plugins").mkdir()
    (config / "cli-plugins" / "docker-buildx").symlink_to(buildx)
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    for name in ("DOCKER_BUILDKIT", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    bench = Bench(docker_cli, engine_process.docker_host, busybox_image, tmp_path_factory.mktemp("bench"))
    await bench.clean()
    try:
        await bench.make(case)
        async with at_desk(engine_process.endpoint) as person:
            operation = await person.done(await case.act(person, bench))
            by_us = await case.see(bench)
            line = await copied(person, operation)
        assert line.startswith(case.line)

        await bench.clean()
        await bench.make(case)
        before = await case.see(bench) if case.see in (see_state, see_names, see_images) else None
        await bench.shell(line)
        assert await case.see(bench) == by_us
        assert before != by_us, "the action changes nothing that the test sees"
    finally:
        await bench.clean()


async def copied(person: Person, operation: Operation) -> str:
    """The line of an operation, as a person copies it from Activity; what is on screen hides what is secret."""
    page = cast("ActivityPage", await person.nav("activity"))
    await person.open_row(page.table, operation.subject)
    command = page.detail.command
    await person.until(command.isVisible, "the command line")
    if not command.is_open():
        await person.click(command, QPoint(60, 12))
    assert operation.line.shown == command.accessibleDescription()
    assert SECRET not in command.accessibleDescription()
    QApplication.clipboard().clear()
    await person.click(command.copy)
    return QApplication.clipboard().text()
