"""Notice: what a person is told after something went wrong. Typed error in, Notice out; app.wordings has the words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

_DAEMON_PARTS = (
    "Error response from daemon: ", "failed to create task for container: ", "failed to create shim task: ",
    "OCI runtime create failed: ", "runc create failed: ", "unable to start container process: ", "Error: ",
)  # fmt: skip
Kind = Literal["error", "warning", "info", "success"]


class Step(Struct, frozen=True):
    """The next press: its `label`, the `act` that app.main knows, and what it is about."""

    label: str
    act: str
    argument: object = None


class Notice(Struct, frozen=True):
    """What a person is told: what failed (`title`), why (`detail`), and what to press next."""

    title: str
    detail: str = ""
    step: Step | None = None
    kind: Kind = "error"


def notice_for(error: BaseException, doing: str = "", subject: str = "") -> Notice:
    """The notice for an error. With `doing` ("Remove") and `subject` ("nginx") the title says what failed."""
    from app.wordings import is_plain, subject_of, wording_of  # Late: most starts have nothing to tell.

    notice = wording_of(error)
    if not doing:
        return notice
    verb = doing.rstrip("…")
    title = f"Could not {verb[:1].lower()}{verb[1:]} {subject_of(error) or subject}".rstrip()
    said = notice.detail or sentence(str(error))
    # Not as a sentence: a title may begin with a name, and web is not Web.
    lead = "" if is_plain(error) else f"{notice.title}."
    return Notice(title, f"{lead} {said}".strip() if lead not in said else said, notice.step, notice.kind)


def not_answered(error: BaseException) -> bool:
    """Whether the engine was not there to answer, which is no fault of what was typed."""
    from backend.errors import EngineGone, EngineTimeout, EngineUnreachable

    return isinstance(error, EngineGone | EngineTimeout | EngineUnreachable)


def elsewhere(notice: Notice, again: Callable[[], object]) -> Notice:
    """The same of what could not be saved, with a press that asks anew where to."""
    return replace(notice, step=Step("Choose another place…", "call", again))


def refusal_of(error: BaseException, doing: str, subject: str) -> tuple[Notice, str]:
    """The notice of a form that was refused ("run", "web"), and the reason that stands at the field at fault."""
    from app.wordings import says_little

    notice = notice_for(error)
    if not (says_little(error) and notice.detail):
        return notice, notice.title
    return replace(notice, title=f"Could not {doing} {subject}".rstrip()), notice.detail


def sentence(text: str) -> str:
    """Foreign words as a sentence: capital first, a full stop last, what only names parts of the daemon dropped."""
    words = " ".join(text.split())
    for prefix in _DAEMON_PARTS:
        words = words.removeprefix(prefix)
    words = words.removesuffix(": unknown")
    if not words:
        return ""
    kept = words.startswith("/") or "://" in words.partition(" ")[0]  # a path or an address is written as it is
    words = words if kept else words[0].upper() + words[1:]
    return words if words.endswith((".", "?", "!", "…")) else words + "."


def about_files(folders: str = "", settings: str = "", history: str = "", problem: str = "") -> list[Notice]:
    """What to say of our own files: folders that cannot be used, files that were set aside, a history in memory."""
    found = []
    if folders:
        words = f"{sentence(folders)} What is chosen and built now is not kept."
        found.append(Notice("The folders of Pilothouse cannot be used", words, kind="warning"))
    if settings:
        words = f"They begin anew. The old file is kept as {settings}."
        found.append(Notice("The settings could not be read", words, kind="warning"))
    if history:
        words = f"It begins anew. The old file is kept as {history}."
        found.append(Notice("The history of builds could not be read", words, kind="warning"))
    if problem:
        found.append(Notice("The history of builds is not kept", sentence(problem), kind="warning"))
    return found
