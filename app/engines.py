"""Engines: which ones were found, which one is used, and the embedded one, as facts for the window."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.notices import notice_for
from app.preferences import Preferences
from app.session import Session
from app.tasks import TaskScope
from backend import discovery, endpoint
from backend.discovery import Candidate, Probe
from backend.embedded import EmbeddedEngine, Requirement
from backend.endpoint import Endpoint
from backend.errors import BackendError, EndpointError, EngineStartFailed

EMBEDDED = "Embedded engine"
LOOK_EVERY = 1.0
"""Seconds between looks while no engine is in use, so that one that comes is used within two."""


@dataclass(frozen=True, slots=True)
class Findings:
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


class Engines(QObject):
    """Looks, chooses, starts and stops. Signal: `changed(Findings)`; `none_found()` once no engine answered."""

    changed = Signal(object)
    none_found = Signal()

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        embedded: EmbeddedEngine,
        scope: TaskScope,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._preferences, self.embedded, self._scope = session, preferences, embedded, scope
        self.findings = Findings()
        self._starting: asyncio.Task[Any] | None = None

    @property
    def uses_embedded(self) -> bool:
        """Whether the engine in use is the embedded one."""
        return self._session.state.label == EMBEDDED

    async def begin(self) -> None:
        """At the start: choose, then look around, so that the menu can offer the others; wait for one if need be."""
        await self._choose()
        await self._look()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._session.engine is not None:
                return
            if self._starting is None:
                await self._use_what_came()

    async def _choose(self) -> None:
        """The engine of last time, else the one that docker would use, else any, else none."""
        found = await asyncio.to_thread(discovery.candidates)
        last = self._preferences.get("engine/last", "")
        if last == EMBEDDED or not last:
            if (here := await self._embedded_endpoint()) is not None and last:
                self.use(here, EMBEDDED)
                return
        elif (wanted := self._last(last, found)) is not None and (await discovery.probe(wanted)).answers:
            self._use_candidate(wanted)
            return
        for candidate in found:
            if candidate.endpoint is None and candidate.error is not None and _concerns(candidate):
                self._session.notice(notice_for(candidate.error))
        for candidate in found:
            probe = await discovery.probe(candidate, deadline=3)
            if candidate.endpoint is not None and probe.answers:
                self._use_candidate(candidate)
                return
            if candidate.endpoint is not None and _concerns(candidate) and probe.error is not None:
                self._session.notice(notice_for(probe.error))
        if (here := await self._embedded_endpoint()) is not None:
            self.use(here, EMBEDDED)
            return
        self.none_found.emit()

    def look(self) -> None:
        """Looks again."""
        self._scope.start(self._look(), name="look for engines")

    def use(self, where: Endpoint, label: str) -> None:
        """Uses an engine from now on and remembers it."""
        self._preferences.set("engine/last", EMBEDDED if label == EMBEDDED else endpoint.text(where))
        self._session.use(where, label)

    def use_text(self, text: str, tls: endpoint.TlsFiles | None = None) -> str:
        """Uses the engine at an address that a person typed; returns what is wrong with it, or nothing."""
        try:
            where = endpoint.parse(text, tls=tls)
            endpoint.check(where)
        except (EndpointError, BackendError) as error:
            notice = notice_for(error)
            return notice.detail or notice.title
        self.use(where, endpoint.text(where))
        return ""

    def start_embedded(self) -> None:
        """Starts the embedded engine and uses it."""
        if self._starting is None:
            self._starting = self._scope.start(self._start(), name="start the embedded engine")

    def cancel_start(self) -> None:
        """Stops a start that is under way."""
        if self._starting is not None:
            self._starting.cancel()

    async def stop_embedded(self) -> None:
        """Stops the embedded engine with all that runs in it."""
        await self.embedded.stop()

    async def _embedded_endpoint(self) -> Endpoint | None:
        status = await self.embedded.status()
        return status.endpoint if status.state == "running" else None

    def _last(self, text: str, found: Sequence[Candidate]) -> Candidate | None:
        for candidate in found:
            if candidate.endpoint is not None and endpoint.text(candidate.endpoint) == text:
                return candidate
        try:
            return Candidate(text, "last time", endpoint.parse(text))
        except EndpointError:
            return None

    def _use_candidate(self, candidate: Candidate) -> None:
        assert candidate.endpoint is not None
        self.use(candidate.endpoint, candidate.label)

    async def _look(self) -> None:
        self._set(Findings(self.findings.probes, self.findings.requirements, looking=True))
        found = await asyncio.to_thread(discovery.candidates)
        probes, requirements = await asyncio.gather(
            discovery.probe_all(found, deadline=5), asyncio.to_thread(self.embedded.check)
        )
        self._set(Findings(tuple(probes), tuple(requirements)))
        if self._session.engine is None and (first := next((p for p in probes if p.answers), None)) is not None:
            self._use_candidate(first.candidate)

    async def _use_what_came(self) -> None:
        found = await asyncio.to_thread(discovery.candidates)
        probes = await discovery.probe_all(found, deadline=LOOK_EVERY)
        if self._session.engine is not None or self._starting is not None:
            return
        if (first := next((p for p in probes if p.answers), None)) is not None:
            self._use_candidate(first.candidate)

    async def _start(self) -> None:
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
        else:
            self._set(base)
            self.use(where, EMBEDDED)
        finally:
            self._starting = None

    def _set(self, findings: Findings) -> None:
        self.findings = findings
        self.changed.emit(findings)
