"""The machine as the window shows it: its state in a word, its start by requirement, its facts."""

from __future__ import annotations

from msgspec import Struct

from app.machinewordings import ENDED, STEPS, port_words
from app.notices import Notice, notice_for
from app.notices import Step as NextStep
from app.presentation.units import DASH, NBSP, bytes_text
from app.stores.machine import MachineState
from app.widgets.checklist import CheckRow
from app.widgets.startpanel import StartView
from vm.errors import MachineStartFailed
from vm.report import Report, Step

MADE = {
    "fetch": "Fetching the image",
    "image": "Copying and checking the image",
    "keys": "Making its keys",
    "disk": "Making its disk",
}
"""What is made before the first start, in this order."""
SLOW = "The machine is slow here"
_MARKS = {"begun": "going", "met": "good", "failed": "bad"}
_STATES: dict[str, tuple[str, str, str]] = {
    "absent": ("circle-dashed", "Not made yet", "neutral"),
    "stopped": ("circle-stop", "Stopped", "neutral"),
    "starting": ("loader", "Starting", "info"),
    "running": ("dot", "Running", "success"),
    "unresponsive": ("triangle-alert", "Not answering", "warning"),
    "stopping": ("loader", "Stopping", "info"),
    "suspended": ("pause", "Suspended", "neutral"),
    "asleep": ("moon", "Asleep", "neutral"),
    "failed": ("circle-x", "Ended by itself", "danger"),
}
_UNKNOWN = ("circle-help", "Not known", "neutral")
_ACCELERATORS = {"kvm": "KVM", "hvf": "Hypervisor.framework", "whpx": "Windows Hypervisor Platform"}
_DOING = {
    "stop": "Stopping",
    "suspend": "Suspending",
    "change": "Changing",
    "move": "Moving",
    "update": "Updating",
    "rollback": "Going back",
    "reset": "Resetting",
    "delete": "Deleting",
}


class Fact(Struct, frozen=True):
    """One line of what is known; `copied` can be put on the clipboard."""

    name: str
    words: str
    copied: str = ""
    token: str = "text"


def state_chip(state: MachineState) -> tuple[str, str, str]:
    """Icon, word and role of the state."""
    if state.doing in _DOING:
        return "loader", _DOING[state.doing], "info"
    if state.doing in ("start", "restart"):
        return _STATES["starting"]
    return _UNKNOWN if state.report is None or state.silent is not None else _STATES[state.report.state]


def is_slow(report: Report | None) -> bool:
    """Whether the machine is emulated."""
    return report is not None and report.accelerator == "tcg"


def problem_of(state: MachineState) -> BaseException | None:
    """What is wrong: why it did not start or ended, or why nothing can be done with it or asked of it."""
    if state.doing:
        return None
    if state.error is not None:
        return state.error
    failure = state.report.failure if state.report is not None else None
    if failure is not None:
        return MachineStartFailed(failure.step, failure.kind, failure.reason, failure.console)
    return state.silent


def problem_notice(state: MachineState) -> Notice | None:
    """The same for people."""
    error = problem_of(state)
    if error is None:
        return None
    return notice_for(error)


def start_view(state: MachineState) -> StartView:
    """What a start has come to, or what kept it from it; empty when there is nothing to say."""
    report = state.report
    slow = SLOW if is_slow(report) else ""
    if state.doing in ("start", "restart") or (report is not None and report.state == "starting"):
        going = state.doing in ("start", "restart")
        return StartView("Starting the machine", going, _rows(state), slow)
    notice = problem_notice(state)
    if notice is None:
        return StartView()
    error = problem_of(state)
    console = error.console if isinstance(error, MachineStartFailed) else ()
    began = isinstance(error, MachineStartFailed) and error.step in STEPS and error.kind not in ENDED
    rows = _failed_rows(error, report) if isinstance(error, MachineStartFailed) and began else ()
    helps = notice.step if notice.step is not None and notice.step.act != "machine-start" else None
    label = helps.label if helps is not None else ""
    again = state.word in ("absent", "stopped", "failed", "suspended", "starting")
    return StartView(notice.title, False, rows, slow, notice.detail, label, again, console)


def next_step(state: MachineState) -> NextStep | None:
    """The press that helps with what is wrong."""
    notice = problem_notice(state)
    return notice.step if notice is not None else None


def _rows(state: MachineState) -> tuple[CheckRow, ...]:
    if state.making:
        names = [name for name in MADE if name != "fetch" or state.making == "fetch"]
        at = names.index(state.making) if state.making in names else 0
        marks = ("good",) * at + ("going",) + ("waiting",) * (len(names) - at - 1)
        amounts = {state.making: state.amount.words}
        return tuple(
            CheckRow(f"make-{name}", MADE[name], mark, amounts.get(name, ""))
            for name, mark in zip(names, marks, strict=True)
        )
    steps = {step.name: step for step in state.report.steps} if state.report is not None else {}
    if state.word not in ("starting", "running", "unresponsive"):
        steps = {}
    left_out = {"supervisor", "guest" if "wake" in steps else "wake"}
    return tuple(_row(name, words, steps.get(name)) for name, words in STEPS.items() if name not in left_out)


def _row(name: str, words: str, step: Step | None) -> CheckRow:
    if step is None:
        return CheckRow(name, words, "waiting")
    right = f"{step.seconds:.1f}{NBSP}s" if step.seconds else ""
    return CheckRow(name, words, _MARKS[step.progress], _told(step), right)


def _failed_rows(error: MachineStartFailed, report: Report | None) -> tuple[CheckRow, ...]:
    steps = {step.name: step for step in report.steps} if report is not None else {}
    rows = []
    for name, words in STEPS.items():
        if name == error.step:
            rows.append(CheckRow(name, words, "bad"))
            break
        if name not in ("supervisor", "wake") or name in steps:
            rows.append(_row(name, words, steps[name]) if name in steps else CheckRow(name, words, "good"))
    return tuple(rows)


def _told(step: Step) -> str:
    """What a requirement says, for people."""
    told = step.told
    match step.name:
        case "accelerator":
            return "None: emulated" if told == "tcg" else _ACCELERATORS.get(told, told)
        case "disk" if step.progress == "met":
            used, _, size = told.partition(" of ")
            if used.isdigit() and size.isdigit():
                return f"{bytes_text(int(used))} of {bytes_text(int(size))} used"
        case "process" if told.isdigit():
            return f"Process {told}"
        case "guest" if told.startswith("STEP "):
            return told.removeprefix("STEP ")
    return told


def facts_of(state: MachineState, socket: str, home: str) -> list[Fact]:
    """What process, monitor and engine say, each as one line."""
    report = state.report
    if report is None:
        return []
    up = state.up
    facts = [
        Fact("Process", f"QEMU runs as process {report.pid}" if report.pid else "QEMU does not run"),
        Fact("QEMU says", report.qemu.capitalize() or DASH),
        Fact("Engine", _engine_words(report), token="warning" if up and not report.engine else "text"),
        Fact("Acceleration", _acceleration(report), token="warning" if is_slow(report) else "text"),
    ]
    if report.socket:
        facts.append(Fact("Socket", socket, f"unix://{socket}"))
    facts.append(Fact("Folder", home, home))
    return facts


def _engine_words(report: Report) -> str:
    if report.engine:
        return f"Docker {report.engine} answers"
    return "Does not answer" if report.state in ("running", "unresponsive") else DASH


def _acceleration(report: Report) -> str:
    name = report.accelerator
    if not name:
        return DASH
    return "None: emulated, which is slow" if name == "tcg" else _ACCELERATORS.get(name, name)


def warning_of(report: Report | None) -> tuple[str, str, str]:
    """The gravest warning as kind, title and words; three empty ones where there is none."""
    if report is None or not report.warnings:
        return "", "", ""
    low = sorted(report.warnings, key=lambda each: (not each.stopped, each.where))[0]
    left = f"{bytes_text(low.free)} of {bytes_text(low.size)} left"
    if low.stopped:
        return (
            "error",
            "The machine stands still",
            f"{left} on this computer. It goes on once there is room",
        )
    where = "This computer's disk is almost full" if low.where == "host" else "The machine's disk is almost full"
    return "warning", where, left


def port_rows(report: Report | None) -> tuple[CheckRow, ...]:
    """The ports that containers publish, and why one does not answer."""
    if report is None:
        return ()
    rows = []
    for port in report.ports:
        place = f"{port.address}:{port.port}/{port.protocol}"
        words = port_words(port) or "Answers on this computer"
        rows.append(CheckRow(place, place, "bad" if port.error else "good", words))
    return tuple(rows)
