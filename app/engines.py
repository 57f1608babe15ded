"""Engines: which ones were found, which one is used, and the embedded one, as facts for the window."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from app.notices import Notice, notice_for
from app.preferences import Preferences
from app.remote import Answer, RemoteHosts, label_of
from app.session import EngineState, Phase, Session
from app.tasks import TaskScope
from backend import endpoint
from backend.client import Engine
from backend.embedded import EmbeddedEngine, Requirement
from backend.endpoint import Endpoint, Ssh
from backend.errors import BackendError, EndpointError, EngineStartFailed, TlsFilesUnusable, without_password
from backend.ssh.errors import SshError

if TYPE_CHECKING:
    from backend.discovery import Candidate, Probe

Told = Callable[[str, bool], None]
ToldOfHost = Callable[[BaseException | None], None]
EMBEDDED = "Embedded engine"
SETTLED_WITHIN = 5.0
"""Seconds that looking around gives way to the engine in use, whose lists are waited for."""
START_SSH_SECONDS = 15.0
"""Seconds that a host which was chosen may take at a start."""
LOOK_EVERY = 1.0
"""Seconds between looks while no engine is in use, so that one that comes is used within two."""


class Findings(Struct, frozen=True):
    """What a look around found. `looking` while it is under way; `busy` are the words of a start under way."""

    probes: tuple[Probe, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    looking: bool = False
    busy: str = ""
    failure: str = ""
    log: tuple[str, ...] = ()

    @property
    def can_embed(self) -> bool:
        """Whether the embedded engine can start here."""
        return bool(self.requirements) and all(r.ok for r in self.requirements)


def _concerns(candidate: Candidate) -> bool:
    """Whether a person said that he wants this one, or may have: that it cannot be used is told though another can."""
    chosen = candidate.source in ("DOCKER_HOST", "docker context") and candidate.current
    return chosen or candidate.label == "config.json"


def _docker_host() -> str:
    return without_password(os.environ.get("DOCKER_HOST", ""))


class Engines(QObject):
    """Looks, chooses, starts and stops. Signal: `changed(Findings)`; `none_found()` once no engine answered.

    `embedded_ended`: the embedded engine is in use and has ended by itself; it is told by `changed` too.
    """

    changed = Signal(object)
    none_found = Signal()

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        embedded: EmbeddedEngine,
        scope: TaskScope,
        remote: RemoteHosts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.remote = remote
        self._session, self._preferences, self.embedded, self._scope = session, preferences, embedded, scope
        self.findings = Findings()
        self._starting: asyncio.Task[Any] | None = None
        self._connecting: asyncio.Task[Any] | None = None
        self._missed: BackendError | OSError | None = None  # Why the engine of last time is not the one in use.
        self._leaving = False
        self._watching: asyncio.Task[Any] | None = None
        self.embedded_ended = False
        session.state_changed.connect(self._on_state)

    @property
    def uses_embedded(self) -> bool:
        """Whether the engine in use is the embedded one."""
        return self._session.state.label == EMBEDDED

    async def begin(self) -> None:
        """At the start: choose, then look around, so that the menu can offer the others; wait for one if need be."""
        await self._choose()
        if self._starting is not None:
            await asyncio.wait([self._starting])
        await self._session.settled(SETTLED_WITHIN)
        await self._look(self.findings)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._session.engine is not None:
                return
            if self._starting is None:
                await self._use_what_came()

    async def _choose(self) -> None:
        """The engine of last time, else the one that docker would use, else any, else none.

        A DOCKER_HOST that is not that of last time was set by somebody who wants it: it comes first.
        """
        last, host = self._preferences.get("engine/last", ""), _docker_host()
        asked_for = bool(host) and host != self._preferences.get("engine/docker-host", "")
        if last and not asked_for and await self._use_last(last):
            return
        from backend import discovery  # What is below is for a first start, or when the last engine is gone.

        found = await self._candidates()
        for candidate in found:
            if candidate.endpoint is None and candidate.error is not None and _concerns(candidate):
                self._session.notice(notice_for(candidate.error))
        for candidate in found:
            limit = START_SSH_SECONDS if isinstance(candidate.endpoint, Ssh) else 3
            probe = await discovery.probe(candidate, deadline=limit, tunnels=self.remote.hosts)
            if candidate.endpoint is not None and probe.answers:
                self._use_found(probe)
                return
            if candidate.endpoint is not None and _concerns(candidate) and probe.error is not None:
                self._session.notice(notice_for(probe.error))
        if (here := await self._embedded_endpoint()) is not None:
            self.use(here, EMBEDDED)
            return
        if isinstance(self._missed, SshError):  # A host may have asked something, which only the person can answer.
            self._session.notice(notice_for(self._missed))
        self.none_found.emit()

    def look(self) -> None:
        """Looks again."""
        self.remote.hosts.hurry()
        self._scope.start(self._look(), name="look for engines")

    def use(self, where: Endpoint, label: str, engine: Engine | None = None) -> None:
        """Uses an engine from now on and remembers it; `engine` when it was asked already. A start under way ends."""
        if label != EMBEDDED:
            self.cancel_start()
        if isinstance(where, Ssh):
            self.remote.remember(where)
        self._missed, self.embedded_ended = None, False
        self._preferences.set("engine/last", EMBEDDED if label == EMBEDDED else endpoint.text(where))
        self._preferences.set("engine/last-label", label)
        self._preferences.set("engine/docker-host", _docker_host())
        files = where.tls if isinstance(where, endpoint.Tcp) else None
        self._preferences.set("engine/last-tls", msgspec.to_builtins(files) if files is not None else {})
        self._session.use(where, label, engine)

    def connect_to(self, text: str, tls: endpoint.TlsFiles | None, told: Told) -> None:
        """Asks the engine at an address that a person typed, and uses it when it answers; the one before stays if not.

        `told` hears what is wrong, or nothing when it is in use; and whether it is wrong with the TLS files.
        """
        self.give_up()
        self._connecting = self._scope.start(self._connect_to(text, tls, told), name="connect to an engine")

    def connect_over_ssh(self, where: Ssh, answer: Answer, told: ToldOfHost) -> None:
        """Asks the engine on a host, and uses it when it answers. `told` hears what keeps it from that, or None."""
        self.give_up()
        self._connecting = self._scope.start(self._connect_over_ssh(where, answer, told), name="connect to a host")

    async def _connect_over_ssh(self, where: Ssh, answer: Answer, told: ToldOfHost) -> None:
        try:
            engine, kept = await self.remote.connect(where, answer)
        except (BackendError, OSError) as error:
            told(error)
            return
        if not kept:
            words = "Pilothouse holds it until you quit, and asks again at the next start."
            self._session.notice(Notice("The keyring did not keep the secret", words, kind="warning"))
        found = (p.candidate for p in self.findings.probes if p.candidate.endpoint == where)
        named = (c.label for c in found if c.source == "docker context")
        self.use(where, next(named, label_of(where)), engine)
        told(None)

    def ask_keyring(self, told: Callable[[bool], None]) -> None:
        """Whether this computer has a keyring, which may have to be looked for."""

        async def ask() -> None:
            told(await self.remote.hosts.can_keep_secrets())

        self._scope.start(ask(), name="look for a keyring")

    def give_up(self) -> None:
        """Asks no longer."""
        if self._connecting is not None:
            self._connecting.cancel()

    async def _connect_to(self, text: str, tls: endpoint.TlsFiles | None, told: Told) -> None:
        try:
            where = endpoint.parse(text, tls=tls)
            engine = await self._opened(where)
        except (BackendError, OSError) as error:
            notice = notice_for(error)
            told(f"{notice.title}. {notice.detail}".strip(), isinstance(error, TlsFilesUnusable))
            return
        self.use(where, endpoint.text(where), engine)
        told("", False)

    def _on_state(self, state: EngineState) -> None:
        if state.phase is Phase.LOST and self.uses_embedded:
            if self._watching is None:
                self._watching = self._scope.start(self._watch_embedded(), name="watch the embedded engine")
        elif self.embedded_ended and (state.phase is Phase.CONNECTED or not self.uses_embedded):
            self.embedded_ended = False
            self.changed.emit(self.findings)

    async def _watch_embedded(self) -> None:
        """While it does not answer: whether it is there at all. One that has ended comes back by a start only."""
        try:
            while self.uses_embedded and self._session.state.phase is Phase.LOST:
                if self._starting is None and (await self.embedded.status()).state == "stopped":
                    self.embedded_ended = True
                    self.changed.emit(self.findings)
                    return
                await asyncio.sleep(LOOK_EVERY)
        finally:
            self._watching = None

    def start_embedded(self) -> None:
        """Starts the embedded engine and uses it."""
        if self._starting is None:
            self._starting = self._scope.start(self._start(), name="start the embedded engine")

    def cancel_start(self) -> None:
        """Stops a start that is under way."""
        if self._starting is not None:
            self._starting.cancel()

    async def leave(self) -> None:
        """Uses no engine any more, also none that is found meanwhile: the next start asks for the one of now."""
        self._leaving = True
        await self._session.leave()

    async def stop_embedded(self) -> None:
        """Leaves the embedded engine and stops it with all that runs in it."""
        await self.leave()
        try:
            await self.embedded.stop()
        except BaseException:
            self._leaving = False
            raise

    async def _embedded_endpoint(self) -> Endpoint | None:
        status = await self.embedded.status()
        return status.endpoint if status.state == "running" else None

    async def _use_last(self, last: str) -> bool:
        """The engine of last time, when it answers; the embedded one is started again: its containers live there."""
        if last == EMBEDDED:
            if (here := await self._embedded_endpoint()) is not None:
                self.use(here, EMBEDDED)
                return True
            if not all(r.ok for r in await asyncio.to_thread(self.embedded.check)):
                return False
            self.none_found.emit()  # the page that shows how far a start is
            self._starting = self._scope.start(self._start(asked=False), name="start the embedded engine again")
            return True
        if (where := self._remembered(last)) is None:
            return False
        try:
            engine = await self._opened(where)
        except (BackendError, OSError) as error:
            self._missed = error
            return False
        self.use(where, self._preferences.get("engine/last-label", last), engine)
        return True

    def _remembered(self, last: str) -> Endpoint | None:
        """Where the engine of last time was, None when that cannot be read any more."""
        files: dict[str, object] = self._preferences.get("engine/last-tls", {})
        try:
            where = endpoint.parse(last, tls=msgspec.convert(files, endpoint.TlsFiles) if files else None)
        except (EndpointError, msgspec.ValidationError):
            return None
        return self.remote.whole(where) if isinstance(where, Ssh) else where

    async def _opened(self, where: Endpoint) -> Engine:
        """An engine that has answered. Raises what keeps it from that."""
        endpoint.check(where)
        if isinstance(where, Ssh):
            return (await self.remote.connect(where, patience=START_SSH_SECONDS))[0]
        engine = Engine(where)
        try:
            await engine.open()
        except BaseException:
            await engine.close()
            raise
        return engine

    async def _candidates(self) -> list[Candidate]:
        """All that may answer here, and the engine of last time."""
        from app.machinehere import machine_here, without_stopped
        from backend import discovery

        last = self._preferences.get("engine/last", "")
        where = self._remembered(last) if last and last != EMBEDDED else None
        label = self._preferences.get("engine/last-label", last)
        besides = [] if where is None else [discovery.Candidate(label, discovery.LAST, where)]
        besides += [discovery.Candidate(label_of(one), "SSH", one) for one in self.remote.remembered()]
        besides += await asyncio.to_thread(machine_here)
        found = await asyncio.to_thread(discovery.candidates, besides=besides)
        return await asyncio.to_thread(without_stopped, found)

    def _use_found(self, probe: Probe) -> None:
        """Uses what a look around found. The engine of last time stays the one that the next start asks first."""
        where, label = probe.candidate.endpoint, probe.candidate.label
        assert where is not None
        if self._leaving:
            return
        missed, last = self._missed, self._preferences.get("engine/last", "")
        if missed is None or endpoint.text(where) == last:
            self.use(where, label)
            return
        self._session.notice(notice_for(missed))
        self._session.use(where, label)

    async def _look(self, told: Findings | None = None) -> None:
        """Looks around; what is `told` of a start that failed stays on screen."""
        from backend import discovery

        told = told or Findings()
        self._set(Findings(self.findings.probes, self.findings.requirements, looking=True, busy=self.findings.busy))
        found = await self._candidates()
        probes, requirements = await asyncio.gather(
            discovery.probe_all(found, deadline=5, tunnels=self.remote.hosts), asyncio.to_thread(self.embedded.check)
        )
        busy = self.findings.busy
        self._set(Findings(tuple(probes), tuple(requirements), busy=busy, failure=told.failure, log=told.log))
        if self._starting is not None:
            return
        if self._session.vacant and (first := next((p for p in probes if p.answers), None)) is not None:
            self._use_found(first)

    async def _use_what_came(self) -> None:
        from backend import discovery

        found = await self._candidates()
        probes = await discovery.probe_all(found, deadline=LOOK_EVERY, tunnels=self.remote.hosts)
        if not self._session.vacant or self._starting is not None:
            return
        answers = [p for p in probes if p.answers]
        answers.sort(key=lambda p: p.candidate.source != discovery.LAST)
        if answers:
            self._use_found(answers[0])

    async def _start(self, *, asked: bool = True) -> None:
        base = Findings(self.findings.probes, self.findings.requirements)

        def tell(words: str) -> None:
            self._set(Findings(base.probes, base.requirements, busy=words))

        tell("Starting")
        try:
            where = await self.embedded.start(tell)
        except asyncio.CancelledError:
            self._set(base)
            raise
        except (BackendError, OSError) as error:
            notice = notice_for(error)
            log = error.log[-12:] if isinstance(error, EngineStartFailed) else ()
            self._set(Findings(base.probes, base.requirements, failure=f"{notice.title}. {notice.detail}", log=log))
            if not asked or self.embedded_ended:  # a list hides that page
                self._session.notice(notice)
        else:
            self._set(base)
            self.use(where, EMBEDDED)
        finally:
            self._starting = None

    def _set(self, findings: Findings) -> None:
        self.findings = findings
        self.changed.emit(findings)
