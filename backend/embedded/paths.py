"""The files of one embedded engine: what lasts in the data folder, sockets and locks in a short runtime folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from backend.errors import EngineStartFailed

SOCKET_PATH_BYTES = 107
"""sun_path of unix(7) holds 108 bytes, the closing NUL among them."""


@dataclass(frozen=True)
class EmbeddedPaths:
    """`home` holds data, state and log; `runtime` (short, on tmpfs where there is one) holds sockets and the lock."""

    home: Path
    runtime: Path

    @classmethod
    def below(cls, data: Path, runtime: Path) -> EmbeddedPaths:
        """The engine's folders under the program's data and runtime folders."""
        return cls(data / "engine", runtime / "engine")

    @property
    def data_root(self) -> Path:
        """Images, containers and volumes of dockerd."""
        return self.home / "docker"

    @property
    def podman_root(self) -> Path:
        """Images, containers and volumes of podman."""
        return self.home / "podman"

    @property
    def config(self) -> Path:
        """An empty daemon.json, so that the host's own is not read."""
        return self.home / "daemon.json"

    @property
    def log(self) -> Path:
        """The engine's log; its predecessor is beside it with `.1`."""
        return self.home / "engine.log"

    @property
    def plan(self) -> Path:
        """What the supervisor was asked to do."""
        return self.home / "plan.json"

    @property
    def state(self) -> Path:
        """Who runs the engine, written by the supervisor while it lives."""
        return self.home / "state.json"

    @property
    def revived(self) -> Path:
        """The engine whose containers came back last, where it does not see to that itself."""
        return self.home / "revived"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for its whole life."""
        return self.home / "lock"

    @property
    def port_proxy(self) -> Path:
        """The script that dockerd starts for each published port. Here, since /run is often mounted noexec."""
        return self.home / "port-proxy"

    @property
    def socket(self) -> Path:
        """Where the engine answers: mode 0600 in a 0700 folder."""
        return self.runtime / "docker.sock"

    @property
    def exec_root(self) -> Path:
        """Dockerd's and containerd's run-time files."""
        return self.runtime / "exec"

    @property
    def host_net(self) -> Path:
        """Inside the engine's mount namespace: the handle of the host's network."""
        return self.runtime / "host.net"

    @property
    def resolv(self) -> Path:
        """The engine's /etc/resolv.conf."""
        return self.runtime / "resolv.conf"

    def make(self) -> None:
        """Make the folders, 0700. Raises EngineStartFailed where they cannot be, or the socket's path is too long."""
        if len(os.fsencode(self.socket)) > SOCKET_PATH_BYTES:
            raise EngineStartFailed(f"The path {self.socket} is longer than a socket's path may be (107 bytes)")
        for folder in (self.home, self.runtime):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
            except OSError as error:
                raise EngineStartFailed(f"The folder {folder} cannot be used: {error.strerror}") from error
