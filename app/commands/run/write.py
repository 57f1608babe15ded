"""Writes a form as the docker command line that does the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from app.commandline import CommandLine, Secret, Word
from app.commands.run.extras import EXTRAS
from app.commands.run.form import Extra, PortRow, RunForm
from app.commands.run.mounts import flag_and_value

# Flags of one value whose field is a text, in the order of the line.
TEXT_FLAGS = (
    ("--hostname", "hostname"),
    ("--user", "user"),
    ("--workdir", "workdir"),
    ("--memory", "memory"),
    ("--cpus", "cpus"),
    ("--pids-limit", "pids_limit"),
    ("--health-cmd", "health_cmd"),
    ("--health-interval", "health_interval"),
    ("--health-timeout", "health_timeout"),
    ("--health-start-period", "health_start_period"),
    ("--health-retries", "health_retries"),
    ("--platform", "platform"),
)
SWITCHES = (
    ("--rm", "auto_remove"),
    ("--tty", "tty"),
    ("--interactive", "interactive"),
    ("--init", "init"),
    ("--privileged", "privileged"),
    ("--read-only", "read_only"),
    ("--no-healthcheck", "no_healthcheck"),
    ("--publish-all", "publish_all"),
)


def run_line(form: RunForm, *, create_only: bool = False) -> CommandLine:
    """`docker run -d …`, or `docker create …`. Values of environment variables are secrets.

    Never raises: a form with problems gives the line as far as it goes, so that it can be shown while typing.
    """
    head: tuple[Word, ...] = ("create",) if create_only else ("run", "-d")
    image = (form.image.strip(),) if form.image.strip() else ()
    return CommandLine.docker(*head, *_flags(form), *image, *command_words(form.command))


def command_words(command: str) -> list[str]:
    """The words of a command field; text with an open quote is one word per space."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def port_value(row: PortRow) -> str:
    """The value of -p for a row."""
    address = f"[{row.host_ip}]" if ":" in row.host_ip else row.host_ip
    protocol = "" if row.protocol == "tcp" else f"/{row.protocol}"
    if address:
        return f"{address}:{row.host}:{row.container}{protocol}"
    return f"{row.host}:{row.container}{protocol}" if row.host else f"{row.container}{protocol}"


def _flags(form: RunForm) -> Iterator[Word]:
    yield from _pairs("--name", filter(None, [form.name.strip()]))
    yield from _pairs("-p", map(port_value, form.ports))
    yield from _pairs("-e", (Secret(f"{e.name}=", e.value) for e in form.env))
    for mount in form.mounts:
        yield from flag_and_value(mount)
    yield from _pairs("--network", filter(None, [form.network]))
    yield from _pairs("--network-alias", form.aliases)
    yield from _pairs("--restart", [form.restart] if form.restart != "no" else ())
    yield from (flag for flag, field in SWITCHES if getattr(form, field))
    for flag, field in TEXT_FLAGS:
        yield from _pairs(flag, filter(None, [getattr(form, field).strip()]))
    yield from _pairs("--cap-add", form.cap_add)
    yield from _pairs("--cap-drop", form.cap_drop)
    yield from _pairs("--label", (f"{row.name}={row.value}" for row in form.labels))
    for extra in form.extras:
        yield from _extra(extra)
    yield from _pairs("--pull", [form.pull] if form.pull != "missing" else ())
    yield from _pairs("--entrypoint", [form.entrypoint] if form.entrypoint is not None else ())


def _extra(extra: Extra) -> Iterator[Word]:
    """Behind a switch a word of its own would be the image."""
    known = EXTRAS.get(extra.flag)
    if known is not None and known.takes == "nothing" and extra.value:
        yield f"{extra.flag}={extra.value}"
    else:
        yield extra.flag
        yield from filter(None, (extra.value,))


def _pairs(flag: str, values: Iterable[Word]) -> Iterator[Word]:
    for value in values:
        yield from (flag, value)
