"""What a look around for engines found, in the words of the onboarding page."""

from __future__ import annotations

from collections.abc import Sequence

from app.engines import EMBEDDED, Findings
from app.notices import notice_for
from app.pages.onboarding.page import Finding, OnboardingView
from backend.embedded import Requirement
from backend.errors import BackendError, SocketMissing


def findings_view(findings: Findings) -> OnboardingView:
    """What the onboarding page shows of the findings."""
    rows = [
        Finding(
            f"{p.candidate.label} ({p.candidate.source})", p.answers,
            f"{p.product} {p.version}" if p.answers else _why(p.error),
        )
        for p in findings.probes
    ]  # fmt: skip
    bad = [r for r in findings.requirements if not r.ok]
    if findings.requirements and not bad:
        rows.append(Finding(EMBEDDED, True, "Can run here"))
    rows += [Finding(f"{EMBEDDED}: {r.name}", False, r.words) for r in bad]
    return OnboardingView(
        tuple(rows), findings.can_embed, bad[0].words if bad else "",
        _steps(bad), findings.looking, findings.busy, findings.failure,
        findings.log,
    )  # fmt: skip


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
