"""The docker context of the machine: made, chosen, given back, removed; docker's own files stay as they were."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from backend.contexts import contexts, current_name
from backend.endpoint import UnixSocket
from tests.e2e.machine.programs import need
from vm import dockercontext, making
from vm.dockercontext import NAME, DockerContext
from vm.errors import DockerConfigUnusable
from vm.making import Settings
from vm.paths import MachinePaths

WHERE = UnixSocket("/somewhere/docker.sock")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "docker" / "config.json"


@pytest.fixture
def context(config: Path, tmp_path: Path) -> DockerContext:
    return DockerContext(WHERE, tmp_path / "memory.json", {"DOCKER_CONFIG": str(config.parent)})


def docker(config: Path, *words: str) -> str:
    """What docker's own program says."""
    environment = {**os.environ, "DOCKER_CONFIG": str(config.parent)}
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        environment.pop(name, None)
    done = subprocess.run([need("docker"), *words], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def chosen(config: Path) -> str:
    """The context in use; `docker context show` is younger than the oldest docker that we know."""
    return docker(config, "context", "ls", "--format", "{{if .Current}}{{.Name}}{{end}}").strip()


def written(config: Path, text: str | bytes) -> None:
    config.parent.mkdir(exist_ok=True)
    config.write_bytes(text.encode() if isinstance(text, str) else text)


def test_docker_finds_it_chooses_it_and_gets_back_what_it_had(context: DockerContext, config: Path) -> None:
    docker(config, "context", "create", "mine", "--docker", "host=unix:///mine.sock")
    docker(config, "context", "use", "mine")
    context.make()
    listed = docker(config, "context", "ls", "--format", "{{.Name}} {{.DockerEndpoint}} {{.Current}}").splitlines()
    assert f"{NAME} unix:///somewhere/docker.sock false" in listed
    assert chosen(config) == "mine"
    assert docker(config, "context", "inspect", NAME, "--format", "{{.Endpoints.docker.Host}}") == (
        "unix:///somewhere/docker.sock"
    )
    context.use()
    assert context.chosen
    assert chosen(config) == NAME
    context.use()  # Twice is once.
    assert context.restore()
    assert chosen(config) == "mine"
    context.remove()
    assert NAME not in docker(config, "context", "ls", "--format", "{{.Name}}").splitlines()
    assert [each.name for each in contexts(config.parent)] == ["mine"]


def test_what_the_person_chose_meanwhile_is_left_alone(context: DockerContext, config: Path) -> None:
    context.use()
    docker(config, "context", "use", "default")
    assert not context.restore()
    assert chosen(config) == "default"
    assert context.restore()  # That was the end of it.
    docker(config, "context", "use", NAME)
    assert context.restore()
    assert chosen(config) == NAME  # Their choice as well.


def test_nothing_is_written_to_the_config_unless_it_is_chosen(context: DockerContext, config: Path) -> None:
    context.make()
    assert not config.exists()
    context.remove()
    assert not config.exists()
    context.use()
    assert json.loads(config.read_text()) == {"currentContext": NAME}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    context.restore()
    assert json.loads(config.read_text()) == {}


@pytest.mark.parametrize(
    "text",
    [
        '{\n\t"auths": {\n\t\t"quay.example": {}\n\t},\n\t"z": 1,\n\t"a": [\n\t\t1.5\n\t]\n}',
        '{\n  "credsStore": "desktop",\n  "name": "é"\n}\n',
        '{"credsStore": "desktop", "name": "\\u00e9"}',
        '{\n    "currentContext": "mine",\n    "aliases": {\n        "builder": "buildx"\n    }\n}\n',
    ],
    ids=["tabs", "two spaces", "one line", "chosen before"],
)
def test_all_else_in_the_config_is_kept_as_it_was_written(context: DockerContext, config: Path, text: str) -> None:
    written(config, text)
    config.chmod(0o640)
    context.use()
    assert {**json.loads(text), "currentContext": NAME} == json.loads(config.read_text())
    context.restore()
    assert config.read_text() == text
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert sorted(path.name for path in config.parent.iterdir()) == ["config.json", "contexts"]


def test_a_config_that_is_a_link_stays_one(context: DockerContext, config: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    config.parent.mkdir()
    config.symlink_to(real)
    context.use()
    assert config.is_symlink()
    assert json.loads(real.read_text()) == {"currentContext": NAME}


@pytest.mark.parametrize(
    "text", [b'{"auths": ', b"[]", b'{"currentContext": 7}', b"\xff\xfe{}", b"{}" + b" " * 2_000_000]
)
def test_a_config_that_is_broken_is_refused_and_not_touched(context: DockerContext, config: Path, text: bytes) -> None:
    written(config, text)
    with pytest.raises(DockerConfigUnusable) as caught:
        context.use()
    assert caught.value.path == str(config)
    assert config.read_bytes() == text
    assert context.restore()  # Nothing was remembered.


def test_one_that_broke_while_it_was_chosen_is_put_right_later(context: DockerContext, config: Path) -> None:
    written(config, '{"currentContext": "mine"}')
    context.use()
    whole = config.read_bytes()
    written(config, b"{")
    with pytest.raises(DockerConfigUnusable):
        context.restore()
    assert config.read_bytes() == b"{"
    written(config, whole)
    assert context.restore()
    assert json.loads(config.read_text()) == {"currentContext": "mine"}


def test_a_context_of_that_name_that_is_not_ours_is_spared(context: DockerContext, config: Path) -> None:
    docker(config, "context", "create", NAME, "--docker", "host=unix:///mine.sock")
    with pytest.raises(DockerConfigUnusable, match="somebody else made"):
        context.use()
    context.remove()
    assert docker(config, "context", "inspect", NAME, "--format", "{{.Endpoints.docker.Host}}") == "unix:///mine.sock"


def test_ours_of_another_folder_is_led_here(context: DockerContext, config: Path, tmp_path: Path) -> None:
    other = DockerContext(UnixSocket("/other.sock"), tmp_path / "other", {"DOCKER_CONFIG": str(config.parent)})
    other.make()
    assert (other.ours, context.ours) == (True, False)
    context.make()
    other.remove()  # It is not the other's any more.
    assert [each.endpoint for each in contexts(config.parent)] == [WHERE]


def test_a_folder_that_cannot_be_written_is_told(context: DockerContext, config: Path) -> None:
    config.parent.write_text("a file in its place")
    with pytest.raises(DockerConfigUnusable):
        context.make()


def test_it_is_chosen_while_the_machine_runs_where_the_person_wants_it(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(config.parent))
    paths = MachinePaths.below(tmp_path / "data", tmp_path / "run")
    paths.make()
    making.write(paths, Settings(1, 512, 1 << 30))
    dockercontext.begin(paths)
    assert (dockercontext.of(paths).ours, dockercontext.of(paths).chosen) == (True, False)
    making.write(paths, Settings(1, 512, 1 << 30, context=True))
    dockercontext.begin(paths)
    assert current_name(config.parent, {}) == NAME
    dockercontext.end(paths)
    assert current_name(config.parent, {}) == ""
    assert making.read(paths).context
    for closing in (dockercontext.end, dockercontext.begin):  # It ends, or it wakes from a sleep.
        making.write(paths, Settings(1, 512, 1 << 30, context=True))
        dockercontext.begin(paths)
        assert current_name(config.parent, {}) == NAME
        written(config, '{"currentContext": "another"}')
        closing(paths)
        assert not making.read(paths).context
        assert current_name(config.parent, {}) == "another"
