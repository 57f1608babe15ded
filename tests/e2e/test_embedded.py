import pytest

from tests.e2e.conftest import DockerCli


@pytest.mark.slow
def test_containers_run(docker_cli: DockerCli, busybox_image: str) -> None:
    assert docker_cli("run", "--rm", busybox_image, "echo", "hello") == "hello\n"
