"""A remote host in the window: added, its key accepted, used, lost and back, and what is refused."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication

from app.findings import state_words
from app.pages.containers.page import ContainersPage
from app.pages.onboarding.connecting import TRUST, ConnectDialog
from app.pages.run.dialog import RunDialog
from app.pages.run.mountrows import MountLine
from app.session import Phase
from app.widgets.enginebutton import EngineButton
from backend import endpoint, system
from backend.endpoint import Ssh, UnixSocket
from tests.e2e.conftest import DockerCli
from tests.e2e.daemon import Daemon
from tests.e2e.desk import Person, at_desk, environment
from tests.e2e.sshd import CAPTAIN, DECKHAND, PASSWORD, Sshd, make_key
from tests.e2e.test_ssh import host_of, know
from tests.fakes.engine import FakeEngine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio,
    pytest.mark.skipif(os.getuid() != 0, reason="an sshd with users of its own takes root"),
]


async def asked(person: Person, where: Ssh, password: str = "") -> ConnectDialog:
    """The dialog, with a host typed into it, and Connect pressed."""
    person.desk._open_connect()
    dialog = await person.find(ConnectDialog, "the dialog", lambda _d: True)
    await person.choose(dialog.kind, "ssh")
    form = dialog.remote
    await person.type(form.host, where.host)
    form.port.setValue(where.port)
    await person.type(form.user, where.user)
    if where.key:
        await person.choose(form.way, "file")
        await person.type(form.file, where.key)
    if password:
        await person.choose(form.way, "password")
        await person.type(form.secret, password)
    await person.press("Connect")
    return dialog


async def in_use(person: Person, where: Ssh) -> None:
    session = person.desk.session
    await person.until(lambda: session.state.endpoint == where and session.state.phase is Phase.CONNECTED, "the host")
    await person.connected()


async def test_a_host_is_added_and_used(
    qapp: QApplication, sshd: Sshd, person_home: Path, busybox_image: str, docker_cli: DockerCli
) -> None:
    async with FakeEngine().serve() as near, at_desk(near) as person:
        person.window.resize(1280, 800)
        dialog = await asked(person, sshd.endpoint)
        await person.sees("Is this really 127.0.0.1?")
        assert person.says(sshd.fingerprint())
        assert person.desk.session.state.endpoint == near
        await person.press(TRUST)
        await in_use(person, sshd.endpoint)
        assert not person.window.dialogs_open()
        del dialog

        button = await person.find(EngineButton, "the engine button", lambda _b: True)
        assert button.text() == f"{CAPTAIN}@127.0.0.1"
        assert state_words(person.desk.session.state)[0].endswith("· remote")

        await person.nav("containers")
        await person.press("Run…")
        run = await person.find(RunDialog, "the Run dialog", lambda _d: True)
        await person.type(run.basic.image, busybox_image)
        await person.type(run.basic.name, "from-afar")
        await person.tab("storage")
        await person.press("Add mount")
        mount = await person.find(MountLine, "the mount", lambda _m: True)
        assert not mount.pick.isVisible()
        assert mount.source.placeholderText() == "/path/on/127.0.0.1"
        await person.sees("folders are those of that host")
        await person.type(mount.source, str(person_home))
        await person.type(mount.target, "/afar")
        await person.press("Run")
        await person.done(person.last("Run"))
        names = await asyncio.to_thread(docker_cli, "ps", "-a", "--format", "{{.Names}}")
        assert "from-afar" in names.split()
        await person.sees("from-afar")
        await asyncio.to_thread(docker_cli, "rm", "-f", "from-afar")
        await person.sees("The container is gone.")

        person.desk.engines.use(near, "Near")
        await person.until(lambda: person.desk.session.state.endpoint == near, "the engine here")
        await person.connected()
        next(c for c in person.desk._engine_choices() if c.text == f"{CAPTAIN}@127.0.0.1").on_pick()
        await in_use(person, sshd.endpoint)
        await person.until(lambda: not person.window.dialogs_open(), "the dialog to close by itself")
    with environment(DOCKER_HOST=""):
        async with at_desk(None, connect=False) as person:
            await in_use(person, sshd.endpoint)
            assert person.desk.session.engine is not None
            assert (await system.info(person.desk.session.engine)).server_version


async def test_a_docker_host_over_ssh_is_used(qapp: QApplication, sshd: Sshd, person_home: Path) -> None:
    (person_home / ".ssh" / "config").write_text(f"Host harbour\n  HostName 127.0.0.1\n  IdentityFile {sshd.key}\n")
    address = f"ssh://{CAPTAIN}@harbour:{sshd.port}"
    with environment(DOCKER_HOST=address):
        async with at_desk(None, connect=False) as person:
            notice = "harbour has not been seen before"
            await person.until(lambda: any(n.title == notice for n in person.notices), "the unknown key")
            await person.press("Look at it…")
            await person.find(ConnectDialog, "the dialog", lambda _d: True)
            await person.press("Connect")
            await person.sees("Is this really harbour?")
            await person.press(TRUST)
            await in_use(person, cast("Ssh", endpoint.parse(address)))
            assert person.desk.session.host == "127.0.0.1"
        async with at_desk(None) as person:
            assert person.desk.session.state.endpoint == endpoint.parse(address)


async def test_a_host_that_dies_is_said_and_comes_back(
    qapp: QApplication, engine_process: Daemon, person_home: Path, docker_cli: DockerCli, busybox_image: str
) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        await asyncio.to_thread(docker_cli, "create", "--name", "still-here", busybox_image)
        async with FakeEngine().serve() as near, at_desk(near) as person:
            await asked(person, host.endpoint)
            await in_use(person, host.endpoint)
            page = cast("ContainersPage", await person.nav("containers"))
            await person.row(page.list.table, "still-here")
            await asyncio.to_thread(host.kill)
            await person.until(lambda: person.desk.session.state.phase is Phase.LOST, "the loss")
            await person.until(person.window.banner.isVisible, "the banner")
            assert person.desk.session.stores.containers.stale
            assert person.key_of(page.list.table, "still-here")
            await asyncio.to_thread(host.start)
            await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the host again")
            await person.until(lambda: not person.desk.session.stores.containers.stale, "fresh lists")
            await asyncio.to_thread(docker_cli, "rename", "still-here", "came-back")
            await person.row(page.list.table, "came-back")
            await asyncio.to_thread(docker_cli, "rm", "came-back")


async def refused(person: Person, near: UnixSocket) -> None:
    """The engine of before is in use and the dialog waits."""
    assert person.desk.session.state.endpoint == near
    assert person.desk.session.state.phase is Phase.CONNECTED
    dialog = await person.find(ConnectDialog, "the dialog", lambda _d: True)
    assert dialog.connect_button.isEnabled()
    dialog.reject()
    await person.until(lambda: not person.window.dialogs_open(), "the dialog to close")


async def test_what_is_refused_is_said_in_the_dialog(
    qapp: QApplication, engine_process: Daemon, person_home: Path, tmp_path: Path
) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        async with FakeEngine().serve() as near, at_desk(near) as person:
            person.window.resize(1280, 800)
            me = Ssh("127.0.0.1", host.port, CAPTAIN)
            dialog = await asked(person, me, "wrong")
            await person.sees("127.0.0.1 refuses the password")
            assert person.has_keys(dialog.remote.secret)
            assert person.says("This computer has no keyring") or dialog.remote.keep.isVisible()
            await person.type(dialog.remote.secret, PASSWORD)
            await person.press("Connect")
            await in_use(person, me)
            person.desk.engines.use(near, "Near")
            await person.until(lambda: person.desk.session.state.endpoint == near, "the engine here")
            await person.connected()

            for where, words in (
                (Ssh("127.0.0.1", host.port, CAPTAIN, str(tmp_path / "none")), "is missing. Nothing was sent."),
                (Ssh("127.0.0.1", 1, CAPTAIN), "127.0.0.1 does not answer over SSH"),
                (Ssh("no-such-host.invalid", 22, CAPTAIN), "No host named no-such-host.invalid was found"),
            ):
                await asked(person, where)
                await person.sees(words)
                await refused(person, near)

            await asyncio.to_thread(host.kill)
            host.new_host_keys()
            await asyncio.to_thread(host.start)
            dialog = await asked(person, host.endpoint)
            await person.sees("The key of 127.0.0.1 has changed")
            assert person.says(host.fingerprint())
            assert person.says(f"{person_home}/.ssh/known_hosts:1 holds ED25519")
            assert not person.says(TRUST)
            assert not dialog.remote.asks_to_trust
            await refused(person, near)


async def test_hosts_without_an_engine_for_this_person_are_said(
    qapp: QApplication, engine_process: Daemon, person_home: Path
) -> None:
    with host_of(engine_process, "PasswordAuthentication no", "KbdInteractiveAuthentication no") as host:
        nowhere, shut = Sshd(person_home / "none.sock"), Sshd(engine_process.paths.socket)
        shut.engine = shut.root / "engine.sock"
        try:
            nowhere.start()
            with socket.socket(socket.AF_UNIX) as engine:
                engine.bind(str(shut.engine))
                shut.engine.chmod(0o660)
            shut.start()
            know(person_home, host, nowhere, shut)
            strange = make_key(person_home / "strange")
            async with FakeEngine().serve() as near, at_desk(near) as person:
                person.window.resize(1280, 800)
                await asked(person, Ssh("127.0.0.1", host.port, CAPTAIN, str(strange)))
                await person.sees("127.0.0.1 accepts none of your keys")
                await refused(person, near)
                await asked(person, nowhere.endpoint)
                await person.sees("No engine is running on 127.0.0.1")
                await refused(person, near)
                await asked(person, Ssh("127.0.0.1", shut.port, DECKHAND, str(shut.key)))
                await person.sees(f"{DECKHAND} may not use the engine of 127.0.0.1")
                assert person.says("/var/run/docker.sock is for the group root there")
                await refused(person, near)
        finally:
            nowhere.close()
            shut.close()


async def test_a_host_of_a_docker_context_is_not_asked_until_it_is_picked(
    qapp: QApplication, engine_process: Daemon, person_home: Path, own_home: Path
) -> None:
    with host_of(engine_process) as host:
        name = "ship"
        place = own_home / "docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        place.mkdir(parents=True)
        address = f"ssh://{CAPTAIN}@127.0.0.1:{host.port}"
        meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": address, "SkipTLSVerify": False}}}
        (place / "meta.json").write_text(json.dumps(meta))
        (person_home / ".ssh" / "id_ed25519").write_bytes(host.key.read_bytes())
        greeted = host.log().count("Connection from")
        async with FakeEngine().serve() as near, at_desk(near) as person:
            await person.until(lambda: name in [c.text for c in person.desk._engine_choices()], "the context")
            person.desk.engines.look()
            await person.until(lambda: not person.desk.engines.findings.looking, "the look to end")
            assert host.log().count("Connection from") == greeted
            next(c for c in person.desk._engine_choices() if c.text == name).on_pick()
            await person.sees("Is this really 127.0.0.1?")
            await person.press(TRUST)
            await in_use(person, cast("Ssh", endpoint.parse(address)))
            assert person.desk.session.state.label == name


async def test_a_host_that_comes_back_with_another_key_is_not_used(
    qapp: QApplication, engine_process: Daemon, person_home: Path
) -> None:
    with host_of(engine_process) as host:
        know(person_home, host)
        async with FakeEngine().serve() as near, at_desk(near) as person:
            await asked(person, host.endpoint)
            await in_use(person, host.endpoint)
            await asyncio.to_thread(host.kill)
            await person.until(lambda: person.desk.session.state.phase is Phase.LOST, "the loss")
            host.new_host_keys()
            await asyncio.to_thread(host.start)
            await person.sees("The key of 127.0.0.1 has changed")
            assert person.desk.session.state.phase is Phase.LOST
            know(person_home, host)
            await person.press("Try now")
            await person.until(lambda: person.desk.session.state.phase is Phase.CONNECTED, "the host again")
            await person.until(lambda: not person.window.banner.isVisible(), "the banner to go")


async def test_a_password_that_is_not_kept_is_asked_for_at_the_next_start(
    qapp: QApplication, sshd: Sshd, person_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.discovery.usual_sockets", lambda _environment: [])
    know(person_home, sshd)
    where = Ssh("127.0.0.1", sshd.port, CAPTAIN)
    async with FakeEngine().serve() as near, at_desk(near) as person:
        await asked(person, where, PASSWORD)
        await in_use(person, where)
    with environment(DOCKER_HOST=""):
        async with at_desk(None, connect=False) as person:
            await person.sees("127.0.0.1 asks for a password")
            await person.press("Connect…")
            dialog = await person.find(ConnectDialog, "the dialog", lambda _d: True)
            assert dialog.remote.host.text() == "127.0.0.1"
            await person.press("Connect")
            await person.sees("No key signs captain in there.")
            await person.type(dialog.remote.secret, PASSWORD)
            await person.press("Connect")
            await in_use(person, where)
