"""Pasted lines: what is read, what is named as left out, what is asked, and that no shell has a part in it."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.commands.run import shellwords
from app.commands.run.body import build
from app.commands.run.form import EnvRow, Extra, MountRow, PortRow, RunForm
from app.commands.run.read import NotARunLine, looks_like_run_line, read_line
from app.commands.run.shellwords import UnbalancedQuote
from app.commands.run.write import run_line

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{1,8}", fullmatch=True)
paths = st.from_regex(r"(/[a-z0-9 _.$~'\"-]{1,6}){1,3}", fullmatch=True).filter(lambda p: p.strip() == p)
ports = st.integers(1, 65535).map(str)
sizes = st.sampled_from(("", "64m", "1.5g", "6291456"))


def mounts() -> st.SearchStrategy[MountRow]:
    modes = st.sampled_from(("", "z", "rshared", "cached", "z,delegated"))
    return st.one_of(
        st.builds(MountRow, st.just("bind"), paths, paths, st.booleans(), st.just("-v"), modes),
        st.builds(MountRow, st.just("volume"), names, paths, st.booleans(), st.just("-v"), st.just("")),
        st.builds(MountRow, st.just("bind"), paths, paths, st.booleans(), st.just("--mount"), st.just("")),
        st.builds(
            MountRow, st.just("volume"), names, paths, st.booleans(), st.just("--mount"), st.just("volume-nocopy")
        ),
        st.builds(
            MountRow, st.just("tmpfs"), st.just(""), paths, st.booleans(), st.just("--tmpfs"), st.just("size=1m")
        ),
        st.builds(
            MountRow, st.just("tmpfs"), st.just(""), paths, st.booleans(), st.just("--mount"), st.just("tmpfs-size=1m")
        ),
    )


def forms() -> st.SearchStrategy[RunForm]:
    address = st.sampled_from(("", "127.0.0.1", "::1", "10.0.0.1"))
    port = st.builds(PortRow, ports, ports, st.sampled_from(("tcp", "udp", "sctp")), address)
    pair = st.builds(EnvRow, names, words)
    return st.builds(
        RunForm,
        image=names.map(str.lower),
        name=st.one_of(st.just(""), names),
        command=st.lists(words, max_size=3).map(shlex.join),
        entrypoint=st.one_of(st.none(), words),
        env=st.lists(pair, max_size=3, unique_by=lambda row: row.name).map(tuple),
        labels=st.lists(pair, max_size=2, unique_by=lambda row: row.name).map(tuple),
        ports=st.lists(port, max_size=3).map(tuple),
        mounts=st.lists(mounts(), max_size=3).map(tuple),
        network=st.sampled_from(("", "host", "my-net")),
        aliases=st.lists(names, max_size=2).map(tuple),
        restart=st.sampled_from(("no", "always", "unless-stopped", "on-failure", "on-failure:3")),
        memory=sizes,
        cpus=st.sampled_from(("", "0.5", "2")),
        pids_limit=st.sampled_from(("", "-1", "5")),
        auto_remove=st.booleans(),
        tty=st.booleans(),
        interactive=st.booleans(),
        init=st.booleans(),
        privileged=st.booleans(),
        read_only=st.booleans(),
        publish_all=st.booleans(),
        cap_add=st.lists(names, max_size=2).map(tuple),
        cap_drop=st.lists(names, max_size=2).map(tuple),
        user=st.sampled_from(("", "1000:1000")),
        workdir=st.one_of(st.just(""), paths),
        health_cmd=st.one_of(st.just(""), words.map(str.strip)),
        health_interval=st.sampled_from(("", "30s")),
        platform=st.sampled_from(("", "linux/arm64")),
        pull=st.sampled_from(("missing", "always", "never")),
        extras=st.lists(st.sampled_from((Extra("--sysctl", "a=b"), Extra("--dns", "1.1.1.1"))), max_size=2).map(tuple),
    )


@settings(max_examples=150, deadline=None)
@given(forms())
def test_a_form_written_and_read_is_the_same_form(form: RunForm) -> None:
    reading = read_line(run_line(form).copied)
    assert reading.form == form
    assert reading.unsupported == ()
    assert all(q.where == "line" or q.piece for q in reading.questions)


@settings(max_examples=150, deadline=None)
@given(forms())
def test_a_form_that_is_built_never_raises(form: RunForm) -> None:
    build(form)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab '\"\\\t/=-:"), max_size=24))
def test_words_are_split_as_shlex_does(text: str) -> None:
    try:
        wanted = shlex.split(text.strip())
    except ValueError:
        return
    if text.strip().endswith("\\") or re.search(r"\\[ \t]+\n", text):
        return
    try:
        line = shellwords.split(text)
    except UnbalancedQuote:
        pytest.fail("shlex saw no open quote")
    assert [w.text for w in line.words] == wanted


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    for line in (text, f"docker run {text}"):
        try:
            reading = read_line(line)
        except NotARunLine:
            continue
        body, _problems = build(reading.form)
        assert body["Image"] == reading.form.image.strip()
        assert run_line(reading.form).argv[:2] == ["docker", "run"]


PIECES = (
    "-p 80:80", "-v /a:/b", "-e", "A=1", "--name", "x", "-it", "--rm", "nginx", "sh -c", "'a b'", '"$X"', "--mount",
    "type=bind,source=/a,target=/b", "-m 1g", "--restart always", "--label", "a=b", "--log-driver none",
    "--network host", "\\\n", "|", "--gpus all", "-u 0", "--health-cmd", "--entrypoint ''", "--cpus .5", "-P", "-d",
)  # fmt: skip
printable = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), max_size=8)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), printable), max_size=12).map(" ".join))
def test_what_was_read_is_written_so_that_it_is_read_the_same(text: str) -> None:
    try:
        form = read_line(f"docker run {text}").form
    except NotARunLine:
        return
    if re.fullmatch(r"[a-z0-9./:_-]+", form.image):
        assert build(read_line(run_line(form).copied).form) == build(form)


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("docker run -v $PWD:/x nginx", ["$PWD"]),
        ("docker run -v ${HOME}/a:/x nginx", ["${HOME}"]),
        ("docker run -v $(pwd):/x nginx", ["$(pwd)"]),
        ("docker run -v `pwd`:/x nginx", ["`pwd`"]),
        ('docker run -v "$(echo "a b")":/x nginx', ['$(echo "a b")']),
        ("docker run -v ~/a:/x nginx", ["~"]),
        ("docker run -v %cd%:/x nginx", ["%cd%"]),
        ("docker run -v ./a:/x nginx", ["./a"]),
        ("docker run -e KEY nginx", ["KEY"]),
        ("docker run -e A=$'x\\n' nginx", ["$'x\\n'"]),
        ("docker run --env-file x.env nginx", ["x.env"]),
        ("docker run nginx echo $HOME", ["$HOME"]),
        ("docker run nginx | grep x", ["| grep x"]),
        ("docker run nginx > out.txt", ["> out.txt"]),
        ("docker run nginx && rm -rf /", ["&& rm -rf /"]),
        ("docker run nginx; reboot", ["; reboot"]),
        ("docker run nginx &", ["&"]),
        ("docker run nginx\nreboot", ["reboot"]),
        ("TOKEN=1 docker run nginx", ["TOKEN=1"]),
    ],
)
def test_what_only_a_shell_could_fill_in_is_asked(line: str, pieces: list[str]) -> None:
    reading = read_line(line)
    assert [q.piece for q in reading.questions] == pieces
    assert all(q.sentence.endswith(".") for q in reading.questions)
    assert reading.form.image == "nginx"


@pytest.mark.parametrize(
    "line", ["docker run -e 'A=$HOME' nginx", 'docker run -e "A=\\$HOME" nginx', "docker run -e A=\\$HOME nginx"]
)
def test_a_quoted_dollar_is_only_a_dollar(line: str) -> None:
    reading = read_line(line)
    assert reading.questions == ()
    assert reading.form.env == (EnvRow("A", "$HOME"),)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("docker run --frob nginx", ["--frob"]),
        ("docker run --frob=1 nginx", ["--frob 1"]),
        ("docker run --frob 1 -d nginx", ["--frob 1"]),
        ("docker run -X nginx", ["-X"]),
        ("docker run --cidfile x nginx", ["--cidfile x"]),
        ("docker run -a stdout --sig-proxy=false nginx", ["-a stdout", "--sig-proxy false"]),
        ("docker run --network a --network b nginx", ["--network b"]),
        ("docker run --mount type=bind,source=/a,target=/b,bind-sort=1 nginx", ["--mount bind-sort=1"]),
        ("docker run --mount type=npipe,source=/a,target=/b nginx", ["--mount type=npipe,source=/a,target=/b"]),
        ("docker run -v /a:/b:ro,fast,z nginx", ["-v fast"]),
        ("docker run -v /a:/b:/c:d nginx", ["-v /a:/b:/c:d"]),
        ("docker --context far run nginx", ["--context far"]),
    ],
)
def test_what_is_not_understood_is_named(line: str, left: list[str]) -> None:
    reading = read_line(line)
    assert [u.text.replace("--attach", "-a").replace("--volume", "-v") for u in reading.unsupported] == left
    assert reading.form.image == "nginx"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "Paste a line that begins with docker run"),
        ("ls -l", "Paste a line that begins with docker run"),
        ("docker", "Paste a line that begins with docker run"),
        ("docker ps -a", "This is docker ps, not docker run"),
        ("docker run 'nginx", "A quote is not closed: '"),
        ("docker run `nginx", "A quote is not closed: `"),
        ("docker run $(nginx", "A quote is not closed: $("),
    ],
)
def test_what_is_not_a_run_line_is_said(line: str, sentence: str) -> None:
    with pytest.raises(NotARunLine, match=f"^{re.escape(sentence)}$"):
        read_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "$ docker run -d \\\n  --name web \\\n  nginx",
        "docker run -d \\ \n  --name web \\\t\r\n  nginx",
        "# docker run -d --name web nginx",
        "sudo docker run -d --name web nginx",
        "docker run -d `\n --name web nginx",
        "docker run -d ^\r\n --name web nginx",
        "docker run -d --name web nginx # the web server",
        "podman run -d --name web nginx",
        "/usr/bin/docker container run -d --name=web nginx",
    ],
)
def test_lines_as_people_paste_them(line: str) -> None:
    reading = read_line(line)
    assert (reading.form, reading.questions, reading.unsupported) == (RunForm(image="nginx", name="web"), (), ())
    assert looks_like_run_line(line) or line.startswith("/")


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("DOCKER_HOST=tcp://h:1 docker run nginx", True),
        ("docker -H unix:///x.sock run nginx", True),
        ("docker --context far container run nginx", True),
        ("sudo podman create nginx", True),
        ("docker runner nginx", False),
        ("docker build -t run .", False),
        ("A=1", False),
    ],
)
def test_what_is_worth_reading(line: str, is_one: bool) -> None:
    assert looks_like_run_line(line) is is_one


def test_of_two_of_one_name_the_last_counts_in_the_place_of_the_first() -> None:
    form = read_line("docker run -e A=1 -e B=2 -e A=$X -l c=3 --label c=4 nginx").form
    assert form.env == (EnvRow("A", "$X"), EnvRow("B", "2"))
    assert form.labels == (EnvRow("c", "4"),)
    assert build(form)[0]["Env"] == ["A=$X", "B=2"]


def test_a_dash_of_typography_is_named() -> None:
    reading = read_line("docker run \u2014name web nginx")
    assert any("dash" in q.sentence for q in reading.questions)
