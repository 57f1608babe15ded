"""Turns a form into the request of POST /containers/create (docs.docker.com/reference/api/engine)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from app.commands.run import mounts, values
from app.commands.run.extras import EXTRAS, Body, endpoint, host
from app.commands.run.form import RESTARTS, Extra, PortRow, Problem, RunForm
from app.commands.run.values import BadValue


class FormInvalid(ValueError):
    """A form that cannot be sent; `problems` says why, in the order of the dialog."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.sentence}" for p in problems))
        self.problems = problems


def create_body(form: RunForm) -> Body:
    """The request's body. Raises FormInvalid."""
    body, problems = build(form)
    if problems:
        raise FormInvalid(problems)
    return body


def build(form: RunForm) -> tuple[Body, tuple[Problem, ...]]:
    """The body as far as the form's values allow, and a Problem for each value that does not fit."""
    builder = _Builder(form)
    builder.build()
    return builder.body, tuple(builder.problems)


class _Builder:
    def __init__(self, form: RunForm) -> None:
        self._form = form
        self.problems: list[Problem] = []
        self.body: Body = {"Image": form.image.strip(), "HostConfig": {}}

    def _try(self, field: str, apply: Callable[[], None]) -> None:
        try:
            apply()
        except BadValue as bad:
            self.problems.append(Problem(f"{field}.{bad.part}" if bad.part else field, bad.sentence))

    def build(self) -> None:
        form = self._form
        self._process()
        for index, port in enumerate(form.ports):
            self._try(f"ports.{index}", lambda p=port: _publish(self.body, p))  # type: ignore[misc]
        host(self.body)["PublishAllPorts"] = form.publish_all
        self._environment()
        for index, mount in enumerate(form.mounts):
            self._try(f"mounts.{index}", lambda m=mount: mounts.apply(self.body, m))  # type: ignore[misc]
        self._network()
        self._try("restart", self._restart)
        self._resources()
        self._health()
        self._security()
        for index, extra in enumerate(form.extras):
            self._try(f"extras.{index}", lambda e=extra: _extra(self.body, e))  # type: ignore[misc]

    def _process(self) -> None:
        form, body = self._form, self.body
        body.update(Tty=form.tty, OpenStdin=form.interactive, Hostname=form.hostname.strip(), User=form.user.strip())
        body["WorkingDir"] = form.workdir.strip()
        body.update(AttachStdin=False, AttachStdout=False, AttachStderr=False, StdinOnce=False)
        try:
            if words := shlex.split(form.command):
                body["Cmd"] = words
        except ValueError:
            self.problems.append(Problem("command", "A quote is not closed"))
        if form.entrypoint is not None:
            body["Entrypoint"] = [form.entrypoint]
        if form.init:
            host(body)["Init"] = True

    def _environment(self) -> None:
        for index, row in enumerate(self._form.env):
            if not row.name or "=" in row.name or "\0" in row.name + row.value:
                self.problems.append(Problem(f"env.{index}", "A variable needs a name without ="))
        for index, row in enumerate(self._form.labels):
            if not row.name or "=" in row.name:
                self.problems.append(Problem(f"labels.{index}", "A label needs a name without ="))
        self.body["Env"] = [f"{name}={value}" for name, value in {e.name: e.value for e in self._form.env}.items()]
        self.body["Labels"] = {label.name: label.value for label in self._form.labels}

    def _network(self) -> None:
        form = self._form
        host(self.body)["NetworkMode"] = form.network.strip() or "default"
        if form.aliases:
            endpoint(self.body)["Aliases"] = list(form.aliases)

    def _restart(self) -> None:
        name, colon, count = self._form.restart.partition(":")
        if name not in RESTARTS or (colon and name != "on-failure"):
            raise BadValue("Use no, always, unless-stopped or on-failure")
        if self._form.auto_remove and name != "no":
            raise BadValue("A container that is removed when it exits cannot restart")
        retries = values.whole(count, 0, 2**31 - 1) if colon else 0
        host(self.body)["RestartPolicy"] = {"Name": name, "MaximumRetryCount": retries}
        host(self.body)["AutoRemove"] = self._form.auto_remove

    def _resources(self) -> None:
        form, part = self._form, host(self.body)
        self._number("memory", form.memory, values.memory, part, "Memory")
        self._number("cpus", form.cpus, values.nano_cpus, part, "NanoCpus")
        self._number("pids_limit", form.pids_limit, lambda t: values.whole(t, -1), part, "PidsLimit")

    def _health(self) -> None:
        form = self._form
        numbers = (
            ("health_interval", form.health_interval, values.duration, "Interval"),
            ("health_timeout", form.health_timeout, values.duration, "Timeout"),
            ("health_start_period", form.health_start_period, values.duration, "StartPeriod"),
            ("health_retries", form.health_retries, lambda t: values.whole(t, 0, 1000), "Retries"),
        )
        check: Body = {}
        if form.no_healthcheck:
            if form.health_cmd.strip():
                self.problems.append(Problem("health_cmd", "The health check is switched off"))
            check["Test"] = ["NONE"]
        elif form.health_cmd.strip():
            check["Test"] = ["CMD-SHELL", form.health_cmd]
        for field, text, parse, key in numbers:
            self._number(field, text, parse, check, key)
        if check:
            self.body["Healthcheck"] = check

    def _security(self) -> None:
        form, part = self._form, host(self.body)
        part.update(Privileged=form.privileged, ReadonlyRootfs=form.read_only)
        added = _capabilities(form.cap_add)
        dropped = [c for c in _capabilities(form.cap_drop) if c not in added]
        part.update({key: names for key, names in (("CapAdd", added), ("CapDrop", dropped)) if names})

    def _number(self, field: str, text: str, parse: Callable[[str], int], part: Body, key: str) -> None:
        if text.strip():
            self._try(field, lambda: part.__setitem__(key, parse(text)))


def _publish(body: Body, row: PortRow) -> None:
    for port in values.published(row):
        body.setdefault("ExposedPorts", {})[port.key] = {}
        bindings = host(body).setdefault("PortBindings", {}).setdefault(port.key, [])
        bindings.append({"HostIp": port.host_ip, "HostPort": port.host_port})


def _extra(body: Body, extra: Extra) -> None:
    flag = EXTRAS.get(extra.flag)
    if flag is None:
        raise BadValue(
            f"docker run has no flag {extra.flag}" if extra.flag else "Name a docker run flag, such as --sysctl"
        )
    flag.apply(body, extra.value)


def _capabilities(names: Iterable[str]) -> list[str]:
    # docker/cli opts/capabilities.go: with prefix, sorted, and ALL alone.
    upper = {name.strip().upper() for name in names}
    if "ALL" in upper:
        return ["ALL"]
    return sorted(name if name.startswith("CAP_") else f"CAP_{name}" for name in upper)
