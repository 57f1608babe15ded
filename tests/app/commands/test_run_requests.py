"""The request of a form is the one that the docker command line sends for the same line.

`run_requests.json` holds what docker 28.2 sent to an engine of API 1.41 for each line, without what was empty.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.commands.run.body import FormInvalid, build, create_body
from app.commands.run.checks import check
from app.commands.run.form import EnvRow, Extra, MountRow, PortRow, RunForm
from app.commands.run.read import read_line
from app.commands.run.write import run_line

RECORDED = json.loads(Path(__file__).with_name("run_requests.json").read_text(encoding="utf-8"))
MANY = "9" * 5000
MEANT_EMPTY = ("MaskedPaths", "ReadonlyPaths")


def pruned(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        parts = {k: pruned(v, k) for k, v in value.items()}
        return {k: v for k, v in parts.items() if k in MEANT_EMPTY or v not in (None, False, 0, "", [], {})}
    if isinstance(value, list):
        return [pruned(v) for v in value]
    return value


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda r: str(r["line"])[7:70])
def test_same_request_as_docker(recorded: dict[str, Any]) -> None:
    reading = read_line(recorded["line"])
    body, problems = build(reading.form)
    assert (problems, reading.unsupported, reading.questions) == ((), (), ())
    assert pruned(body) == pruned(recorded["body"])


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda r: str(r["line"])[7:70])
def test_line_written_says_the_same(recorded: dict[str, Any]) -> None:
    form = read_line(recorded["line"]).form
    assert read_line(run_line(form).copied).form == form


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        (RunForm(image="a", memory="lots"), "memory", "Use a size such as 512m or 2g"),
        (RunForm(image="a", memory="512"), "memory", "That is 512 bytes. Add a unit, such as 512m"),
        (RunForm(image="a", memory="5m"), "memory", "The least is 6m"),
        (RunForm(image="a", cpus="two"), "cpus", "Use a number of CPUs such as 0.5 or 2"),
        (RunForm(image="a", cpus="nan"), "cpus", "Use a number of CPUs such as 0.5 or 2"),
        (RunForm(image="a", cpus="1e999999999"), "cpus", "Use a number of CPUs such as 0.5 or 2"),
        *(
            (RunForm(image="a", cpus=cpus), "cpus", "Use a number of CPUs such as 0.5 or 2")
            for cpus in ("1/3", "1/0", "1/", "/2", "1.5/2", "1/2/2", "-1/2", "1/inf")
        ),
        (RunForm(image="a", pids_limit="x"), "pids_limit", "Use a whole number from -1"),
        (RunForm(image="a", command="sh -c 'x"), "command", "A quote is not closed"),
        (RunForm(image="a", ports=(PortRow("80800", "80"),)), "ports.0.host", "Use 1 to 65535"),
        (RunForm(image="a", ports=(PortRow("80", "0"),)), "ports.0.container", "Use 1 to 65535"),
        (RunForm(image="a", ports=(PortRow("80", "²"),)), "ports.0.container", "Use 1 to 65535"),
        (RunForm(image="a", ports=(PortRow("80", ""),)), "ports.0.container", "Say which port of the container"),
        (RunForm(image="a", ports=(PortRow("9-8", "1-2"),)), "ports.0.host", "The range runs backwards"),
        (RunForm(image="a", ports=(PortRow("1-3", "1-2"),)), "ports.0.host", "Both ranges must be equally long"),
        (
            RunForm(image="a", ports=(PortRow("1", "1", "tcp", "here"),)),
            "ports.0.host_ip",
            "Use an address such as 127.0.0.1",
        ),
        (RunForm(image="a", ports=(PortRow("1", "1", "icmp"),)), "ports.0.protocol", "Use tcp, udp or sctp"),
        (
            RunForm(image="a", mounts=(MountRow("bind", "x", "/y"),)),
            "mounts.0.source",
            "Give the whole path, from the root on",
        ),
        (
            RunForm(image="a", mounts=(MountRow("bind", "", "/y"),)),
            "mounts.0.source",
            "Name a folder or file of the computer that the engine is on",
        ),
        (RunForm(image="a", mounts=(MountRow("bind", "/x", ""),)), "mounts.0.target", "Say where in the container"),
        (
            RunForm(image="a", mounts=(MountRow("bind", "/x", "/"),)),
            "mounts.0.target",
            "The container's own root cannot be replaced",
        ),
        (
            RunForm(image="a", mounts=(MountRow("volume", "a/b", "/x"),)),
            "mounts.0.source",
            "A volume's name has letters, digits, _ . and -, at least two",
        ),
        *(
            (
                RunForm(image="a", mounts=(MountRow("volume", "", "/x", True, flag),)),
                "mounts.0.source",
                "A new volume without a name cannot be read-only",
            )
            for flag in ("-v", "--mount")
        ),
        (
            RunForm(image="a", mounts=(MountRow("bind", "/a:b", "/x", flag="-v"),)),
            "mounts.0.source",
            "A path with a colon cannot be mounted this way",
        ),
        (
            RunForm(image="a", mounts=(MountRow("bind", "/a", "/x", options="bind-sort=1"),)),
            "mounts.0.options",
            "bind-sort is not an option of this mount",
        ),
        (
            RunForm(image="a", restart="always", auto_remove=True),
            "restart",
            "A container that is removed when it exits cannot restart",
        ),
        (RunForm(image="a", restart="sometimes"), "restart", "Use no, always, unless-stopped or on-failure"),
        (RunForm(image="a", restart="on-failure:x"), "restart", "Use 0 to 2,147,483,647"),
        (RunForm(image="a", env=(EnvRow("A=B", "c"),)), "env.0", "A variable needs a name without ="),
        (RunForm(image="a", labels=(EnvRow("", "c"),)), "labels.0", "A label needs a name without ="),
        (RunForm(image="a", health_interval="often"), "health_interval", "Use a time such as 30s or 1m30s"),
        (RunForm(image="a", health_cmd="x", no_healthcheck=True), "health_cmd", "The health check is switched off"),
        (RunForm(image="a", extras=(Extra("--frob", "1"),)), "extras.0", "docker run has no flag --frob"),
        (
            RunForm(image="a", extras=(Extra("--ulimit", "1"),)),
            "extras.0",
            "Use name=soft:hard, such as nofile=1024:2048",
        ),
        (RunForm(image="a", extras=(Extra("--ulimit", f"x={MANY}"),)), "extras.0", "Use a whole number from -1"),
        (RunForm(image="a", extras=(Extra("--ulimit", f"x=1:{MANY}"),)), "extras.0", "Use a whole number from -1"),
        (RunForm(image="a", memory=MANY), "memory", "That is more than any computer has"),
        (RunForm(image="a", memory="8589934592g"), "memory", "That is more than any computer has"),
        (
            RunForm(image="a", health_cmd="x", health_interval=f"{MANY}s"),
            "health_interval",
            "That is longer than any container lasts",
        ),
        (
            RunForm(image="a", extras=(Extra("--oom-kill-disable", "false"),)),
            "extras.0",
            "It is on or left out, and takes no value",
        ),
        (RunForm(image="a", extras=(Extra("--sysctl", "x"),)), "extras.0", "Use name=value"),
        (RunForm(image="a", extras=(Extra("--add-host", "x"),)), "extras.0", "Use host:address"),
        (RunForm(image="a", extras=(Extra("--gpus", "fast=1"),)), "extras.0", "Use all, a number or device=…"),
        (
            RunForm(image="a", extras=(Extra("--device", "a:b:c:d"),)),
            "extras.0",
            "Use /dev/name, /dev/name:/dev/inside or with :rwm",
        ),
        (RunForm(image="a", extras=(Extra("--pid", " "),)), "extras.0", "It needs a value"),
    ],
)
def test_each_wrong_value_is_said_at_its_field(form: RunForm, field: str, sentence: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        create_body(form)
    assert [(p.field, p.sentence) for p in caught.value.problems] == [(field, sentence)]
    assert run_line(form).shown.startswith("docker run -d")


def test_secrets_are_masked_on_screen_and_there_when_copied() -> None:
    line = run_line(RunForm(image="a", env=(EnvRow("KEY", "hush $x"),)))
    assert "hush" not in line.shown
    assert "'KEY=hush $x'" in line.copied


def test_the_line_of_an_unnamed_volume_has_no_modes() -> None:
    row = MountRow("volume", "", "/x", True, "-v", "z")
    assert run_line(RunForm(image="a", mounts=(row,))).shown == "docker run -d -v /x a"


def test_a_value_behind_a_switch_never_stands_where_the_image_would() -> None:
    form = RunForm(image="a", extras=(Extra("--oom-kill-disable", "false"),))
    assert run_line(form).shown == "docker run -d --oom-kill-disable=false a"


def test_a_row_of_a_name_that_is_above_already_is_said() -> None:
    rows = (EnvRow("A", "1"), EnvRow("a", "2"), EnvRow("A", "3"))
    problems = check(RunForm(image="a", env=rows, labels=rows))
    assert [(p.field, p.sentence) for p in problems] == [
        ("env.2", "A is already in a row above"),
        ("labels.2", "A is already in a row above"),
    ]
    assert build(RunForm(image="a", env=rows))[0]["Env"] == ["A=3", "a=2"]


def test_create_only_is_docker_create() -> None:
    assert run_line(RunForm(image="a", name="b"), create_only=True).shown == "docker create --name b a"
