"""What a look around for engines found, in the words of the onboarding page, the menu of engines and the sidebar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from app.engines import EMBEDDED, Engines, Findings
from app.notices import Kind, Notice, Step, notice_for
from app.remote import label_of
from app.session import EngineState, Phase
from app.widgets.enginebutton import EngineChoice
from backend.embedded import Requirement
from backend.endpoint import NamedPipe, Ssh, UnixSocket
from backend.errors import BackendError, SocketMissing
from backend.ssh.errors import SshError

if TYPE_CHECKING:
    from app.pages.onboarding.page import OnboardingView


def findings_view(findings: Findings) -> OnboardingView:
    """What the onboarding page shows of the findings."""
    from app.pages.onboarding.page import Finding, OnboardingView

    rows = [
        Finding(
            f"{p.candidate.label} ({p.candidate.source})", p.answers,
            f"{p.product} {p.version}" if p.answers else _why(p.error),
        )
        for p in findings.probes
        if p.asked
    ]  # fmt: skip
    bad = [r for r in findings.requirements if not r.ok]
    if findings.requirements and not bad:
        rows.append(Finding(EMBEDDED, True, "Can run here"))
    rows += [Finding(f"{EMBEDDED}: {r.name}", False, r.words) for r in bad]
    return OnboardingView(
        tuple(rows), findings.can_embed, bad[0].words if bad else "",
        _steps(bad), findings.looking, findings.busy, findings.failure,
        findings.log,
        installs=any(r.program for r in bad) and not any(system for r in bad for system, _command in r.steps),
    )  # fmt: skip


def state_words(state: EngineState) -> tuple[str, str]:
    """The engine in use in a few words, and the colour of its dot."""
    match state.phase:
        case Phase.CONNECTED:
            near = isinstance(state.endpoint, UnixSocket | NamedPipe)
            version = ".".join(state.version.split(".")[:2])
            return f"{state.product} {version} · {'local' if near else 'remote'}", "success-fill"
        case Phase.CONNECTING:
            return "Connecting…", "warning-fill"
        case Phase.LOST:
            return "Engine not answering", "danger-fill"
        case Phase.NONE:
            return "No engine", ""


class Banner(Struct, frozen=True):
    """What the banner says of the engine in use; its button takes a `step`, else it tries again. `counts` seconds."""

    kind: Kind
    title: str
    words: str
    button: str
    icon: str
    step: Step | None = None
    counts: bool = False


def banner_of(engines: Engines, state: EngineState, now: float) -> Banner | None:
    """What is to be said of the engine in use at a time of the loop; None when it is well."""
    if engines.embedded_ended:
        if busy := engines.findings.busy:
            return Banner("info", "Starting the embedded engine", busy, "", "power")
        words = "What ran in it has ended too. Containers with a restart policy come back with it."
        return Banner("error", "The embedded engine has ended", words, "Start engine", "power")
    if state.error is None or state.phase not in (Phase.LOST, Phase.CONNECTING):
        return None
    notice = notice_for(state.error)
    if isinstance(state.error, SshError) and state.error.lasting:
        return Banner("error", notice.title, notice.detail, *_way_out(notice))
    left = max(0.0, (state.retry_at or 0) - now)
    again = f"Trying again in {left:.0f}\u00a0s" if left >= 0.5 else "Trying again"
    if state.phase is Phase.LOST:
        from app.machinehere import LABEL  # Late: a start has no lost engine.

        if state.label == LABEL:
            there = Step("Show the machine", "show-machine")
            return Banner(
                "error", "The machine's engine does not answer", again, there.label, "monitor", there, counts=True
            )
        return Banner("error", "Engine not answering", again, "Try now", "unplug", counts=True)
    return Banner("error", notice.title, f"{notice.detail} {again}", "Try now", "unplug", counts=True)


def _way_out(notice: Notice) -> tuple[str, str, Step | None]:
    """Words and icon of the button, and its step where that is more than another try."""
    if notice.step is not None and notice.step.act == "connect-ssh":
        return notice.step.label, "unplug", notice.step
    return "Try now", "unplug", None


def engine_choices(
    engines: Engines,
    state: EngineState,
    connect: Callable[[], object],
    connect_to_host: Callable[[Ssh], object] = lambda _where: None,
) -> list[EngineChoice]:
    """The menu of engines: those found, the embedded one, and ways to others. Hosts over SSH may ask back."""
    choices: list[EngineChoice] = []
    for probe in engines.findings.probes:
        where, label = probe.candidate.endpoint, probe.candidate.label
        words = f"{label}  {probe.product} {probe.version}" if probe.answers else label
        why = "" if probe.answers or probe.error is None else notice_for(probe.error).title
        why = why or ("" if where else "It has no address")
        use: Callable[[], object] = partial(engines.use, where, label) if where is not None else engines.look
        if isinstance(where, Ssh):
            why, use = "", partial(connect_to_host, where)
        in_use = state.endpoint is not None and where == state.endpoint
        choices.append(EngineChoice(words, use, "server", in_use, why))
    listed = {probe.candidate.endpoint for probe in engines.findings.probes}
    for host in engines.remote.remembered():
        if host not in listed:
            use = partial(connect_to_host, host)
            choices.append(EngineChoice(label_of(host), use, "server", host == state.endpoint))
    if engines.uses_embedded and not engines.embedded_ended:
        choices.append(EngineChoice(EMBEDDED, lambda: None, "zap", True))
    else:
        able = engines.findings.can_embed or engines.embedded_ended
        why = "" if able else "Look again to see what is missing"
        choices.append(EngineChoice("Start the embedded engine", engines.start_embedded, "zap", None, why))
    choices.append(EngineChoice("Connect to another engine…", connect, "plug", separated=True))
    choices.append(EngineChoice("Look again", engines.look, "refresh-cw"))
    return choices


def _steps(unmet: Sequence[Requirement]) -> tuple[str, ...]:
    """The commands that would help, each once; where systems differ, with the system's name before it."""
    steps = dict.fromkeys(step for r in unmet for step in r.steps)
    return tuple(f"{system}: {command}" if system else command for system, command in steps)


def _why(error: BackendError | None) -> str:
    if error is None:
        return ""
    if isinstance(error, SocketMissing):
        return f"{error.where.removeprefix('unix://')} is missing"
    notice = notice_for(error)
    return notice.detail or notice.title
