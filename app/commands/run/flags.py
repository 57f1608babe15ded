"""Reads the flags of docker run by docker's own rules (spf13/pflag) into a draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.commands.run.draft import Draft
from app.commands.run.extras import EXTRAS
from app.commands.run.form import EnvRow, Extra, PortRow
from app.commands.run.mounts import from_mount, from_tmpfs, from_volume
from app.commands.run.shellwords import ShellWord
from app.commands.run.values import BadValue
from app.commands.run.write import SWITCHES, TEXT_FLAGS

Take = Callable[[Draft, str, ShellWord], None]
_TRUE = ("true", "1", "t")
_FALSE = ("false", "0", "f")
TERMINAL = "It only concerns a terminal."


@dataclass(frozen=True, slots=True)
class _Flag:
    take: Take
    switch: bool = False


def read(words: list[ShellWord], draft: Draft) -> list[ShellWord]:
    """Takes the flags off the front; returns the image and what follows it."""
    rest = list(words)
    while rest and rest[0].text.startswith("-") and rest[0].text != "-":
        word = rest.pop(0)
        if word.text == "--":
            break
        if word.text.startswith("--"):
            _long(word, rest, draft)
        else:
            _short(word, rest, draft)
    return rest


def read_global(words: list[ShellWord], draft: Draft) -> list[ShellWord]:
    """Takes docker's own flags (`--context x`, `-H …`) off the front; each is named as left out."""
    rest = list(words)
    while rest and rest[0].text.startswith("-"):
        word = rest.pop(0).text
        valued = word in (
            "--context",
            "-c",
            "--host",
            "-H",
            "--config",
            "--log-level",
            "-l",
            "--tlscacert",
            "--tlscert",
            "--tlskey",
        )
        value = rest.pop(0).text if valued and rest else ""
        draft.refuse(word, value, "The engine is chosen at the top of the window.")
    return rest


def _long(word: ShellWord, rest: list[ShellWord], draft: Draft) -> None:
    name, equals, value = word.text.partition("=")
    flag = _LONG.get(name)
    if flag is None:
        draft.refuse(name, value if equals else _guess(rest), "docker run has no such flag.")
    elif flag.switch:
        flag.take(draft, name, ShellWord(value if equals else "true"))
    elif equals:
        flag.take(draft, name, ShellWord(value, word.expansions))
    elif rest:
        flag.take(draft, name, rest.pop(0))
    else:
        draft.refuse(name, "", "Its value is missing.")


def _guess(rest: list[ShellWord]) -> str:
    """The value of a flag nobody knows: the next word, unless that must be the image or another flag."""
    if len(rest) < 2 or rest[0].text.startswith("-"):
        return ""
    return rest.pop(0).text


def _short(word: ShellWord, rest: list[ShellWord], draft: Draft) -> None:
    letters = word.text[1:]
    while letters:
        name, letters = "-" + letters[0], letters[1:]
        flag = _LONG.get(_SHORT.get(name, ""))
        if flag is None:
            draft.refuse(name, letters, "docker run has no such flag.")
            return
        if flag.switch:
            value = "true"
            if letters.startswith("="):
                value, letters = letters[1:], ""
            flag.take(draft, _SHORT[name], ShellWord(value))
            continue
        if letters:
            flag.take(draft, _SHORT[name], ShellWord(letters.removeprefix("="), word.expansions))
        elif rest:
            flag.take(draft, _SHORT[name], rest.pop(0))
        else:
            draft.refuse(name, "", "Its value is missing.")
        return


def _switch(field: str) -> Take:
    def take(draft: Draft, flag: str, word: ShellWord) -> None:
        if word.text.lower() in _TRUE:
            draft.values[field] = True
        elif word.text.lower() in _FALSE:
            draft.values[field] = False
        else:
            draft.refuse(flag, word.text, "It is on or off.")

    return take


def _text(field: str) -> Take:
    def take(draft: Draft, flag: str, word: ShellWord) -> None:
        draft.values[field] = word.text
        draft.ask_about(word, field)

    return take


def _list(field: str) -> Take:
    def take(draft: Draft, flag: str, word: ShellWord) -> None:
        draft.ask_about(word, _next(draft, field))
        draft.add(field, word.text)

    return take


def _next(draft: Draft, field: str) -> str:
    return f"{field}.{len(draft.values.get(field, ()))}"


def _port(draft: Draft, flag: str, word: ShellWord) -> None:
    draft.ask_about(word, _next(draft, "ports"))
    if "=" in word.text:
        _long_port(draft, flag, word.text)
        return
    text, slash, protocol = word.text.rpartition("/")
    if not slash:
        text, protocol = word.text, "tcp"
    host, _, container = text.rpartition(":")
    host_ip, _, host_port = host.rpartition(":")
    host_ip = host_ip.removeprefix("[").removesuffix("]")
    draft.add("ports", PortRow(host_port, container, protocol.lower(), host_ip))


def _long_port(draft: Draft, flag: str, text: str) -> None:
    # docker/cli opts/port.go: target=80,published=8080,protocol=tcp; mode is for services.
    values = dict(piece.partition("=")[::2] for piece in text.split(","))
    known = {"target", "published", "protocol", "mode"}
    if set(values) - known or "target" not in values:
        draft.refuse(flag, text)
        return
    draft.add("ports", PortRow(values.get("published", ""), values["target"], values.get("protocol", "tcp").lower()))


def _env(draft: Draft, flag: str, word: ShellWord) -> None:
    name, equals, _ = word.text.partition("=")
    where = _pair("env", draft, word)
    if not equals:
        sentence = "The value comes from the terminal that runs the line. Write it here."
        draft.ask(name, where, sentence, valueless=True)
    draft.ask_about(word, where)


def _label(draft: Draft, flag: str, word: ShellWord) -> None:
    draft.ask_about(word, _pair("labels", draft, word))


def _pair(field: str, draft: Draft, word: ShellWord) -> str:
    """Of two pairs of one name docker takes the value of the last, in the place of the first."""
    rows: list[EnvRow] = list(draft.values.get(field, ()))
    name, _, value = word.text.partition("=")
    place = next((i for i, row in enumerate(rows) if name and row.name == name), len(rows))
    draft.values[field] = (*rows[:place], EnvRow(name, value), *rows[place + 1 :])
    return f"{field}.{place}"


def _volume(draft: Draft, flag: str, word: ShellWord) -> None:
    where = _next(draft, "mounts")
    try:
        row, unknown = from_volume(word.text)
    except BadValue as bad:
        draft.refuse(flag, word.text, bad.sentence)
        return
    draft.ask_about(word, where)
    if row.kind == "bind" and row.source.startswith("."):
        draft.ask(row.source, where, "It is relative to the folder of a terminal. Write the whole path.")
    draft.add("mounts", row)
    for mode in unknown:
        draft.refuse(flag, mode, "docker has no such mode of a mount.")


def _mount(draft: Draft, flag: str, word: ShellWord) -> None:
    where = _next(draft, "mounts")
    try:
        row, unknown = from_mount(word.text)
    except BadValue as bad:
        draft.refuse(flag, word.text, bad.sentence)
        return
    draft.ask_about(word, where)
    if row.kind == "bind" and row.source.startswith("."):
        draft.ask(row.source, where, "It is relative to the folder of a terminal. Write the whole path.")
    draft.add("mounts", row)
    for piece in unknown:
        draft.refuse(flag, piece)


def _tmpfs(draft: Draft, flag: str, word: ShellWord) -> None:
    draft.ask_about(word, _next(draft, "mounts"))
    draft.add("mounts", from_tmpfs(word.text))


def _network(draft: Draft, flag: str, word: ShellWord) -> None:
    # docker/cli opts/network.go: name=x,alias=y,ip=…
    if "network" in draft.values:
        draft.refuse("--network", word.text, "A container starts in one network; connect it to others afterwards.")
        return
    draft.ask_about(word, "network")
    if "=" not in word.text:
        draft.values["network"] = word.text
        return
    for piece in word.text.split(","):
        key, _, value = piece.partition("=")
        if key == "name":
            draft.values["network"] = value
        elif key == "alias":
            draft.add("aliases", value)
        elif key in ("ip", "ip6", "mac-address", "link-local-ip"):
            draft.add("extras", Extra(f"--{key}", value))
        else:
            draft.refuse("--network", piece)


def _file(what: str, instead: str) -> Take:
    def take(draft: Draft, flag: str, word: ShellWord) -> None:
        draft.ask(word.text, flag.removeprefix("--"), f"{what} are read from this file by docker. {instead}")

    return take


def _extra(draft: Draft, flag: str, word: ShellWord) -> None:
    if EXTRAS[flag].takes == "nothing":
        if word.text.lower() in _TRUE:
            draft.add("extras", Extra(flag))
        return
    draft.ask_about(word, _next(draft, "extras"))
    if EXTRAS[flag].takes == "one":
        draft.values["extras"] = tuple(e for e in draft.values.get("extras", ()) if e.flag != flag)
    draft.add("extras", Extra(flag, word.text))


def _refuse(why: str) -> Take:
    def take(draft: Draft, flag: str, word: ShellWord) -> None:
        draft.refuse(flag, "" if word.text == "true" else word.text, why)

    return take


def _nothing(_draft: Draft, _flag: str, _word: ShellWord) -> None:
    """-d: every container runs in the background here."""


_LONG: dict[str, _Flag] = {
    **{flag: _Flag(_extra, switch=extra.takes == "nothing") for flag, extra in EXTRAS.items()},
    **{flag: _Flag(_text(field)) for flag, field in TEXT_FLAGS},
    **{flag: _Flag(_switch(field), switch=True) for flag, field in SWITCHES},
    "--name": _Flag(_text("name")),
    "--entrypoint": _Flag(_text("entrypoint")),
    "--restart": _Flag(_text("restart")),
    "--pull": _Flag(_text("pull")),
    "--publish": _Flag(_port),
    "--env": _Flag(_env),
    "--label": _Flag(_label),
    "--volume": _Flag(_volume),
    "--mount": _Flag(_mount),
    "--tmpfs": _Flag(_tmpfs),
    "--network": _Flag(_network),
    "--network-alias": _Flag(_list("aliases")),
    "--cap-add": _Flag(_list("cap_add")),
    "--cap-drop": _Flag(_list("cap_drop")),
    "--env-file": _Flag(_file("Variables", "Load it with From .env file.")),
    "--label-file": _Flag(_file("Labels", "Write them under Labels.")),
    "--detach": _Flag(_nothing, switch=True),
    "--attach": _Flag(_refuse(TERMINAL)),
    "--detach-keys": _Flag(_refuse(TERMINAL)),
    "--sig-proxy": _Flag(_refuse(TERMINAL), switch=True),
    "--quiet": _Flag(_refuse(TERMINAL), switch=True),
    "--help": _Flag(_refuse(TERMINAL), switch=True),
    "--cidfile": _Flag(_refuse("It writes a file beside the terminal.")),
    "--disable-content-trust": _Flag(_refuse("Images are not checked with Notary here."), switch=True),
    "--use-api-socket": _Flag(_refuse("It would hand your registry logins to the container."), switch=True),
    **{f: _Flag(_refuse("It is for Windows containers.")) for f in ("--cpu-count", "--cpu-percent")},
    **{f: _Flag(_refuse("It is for Windows containers.")) for f in ("--io-maxbandwidth", "--io-maxiops")},
}
_ALIASES = {"--net": "--network", "--net-alias": "--network-alias", "--dns-opt": "--dns-option"}


def _alias(name: str) -> Take:
    def take(draft: Draft, flag: str, word: ShellWord) -> None:
        _LONG[name].take(draft, name, word)

    return take


_LONG.update({old: _Flag(_alias(new)) for old, new in _ALIASES.items()})
_SHORT = {
    "-a": "--attach",
    "-c": "--cpu-shares",
    "-d": "--detach",
    "-e": "--env",
    "-h": "--hostname",
    "-i": "--interactive",
    "-l": "--label",
    "-m": "--memory",
    "-p": "--publish",
    "-P": "--publish-all",
    "-q": "--quiet",
    "-t": "--tty",
    "-u": "--user",
    "-v": "--volume",
    "-w": "--workdir",
}
