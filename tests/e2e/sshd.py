"""A real sshd for the tests, on a loopback port, with users, host keys and a /run of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from backend.endpoint import Ssh
from tests.e2e.daemon import descendants

CAPTAIN, DECKHAND, PASSWORD = "captain", "deckhand", "hold fast"
START_SECONDS = 20
KINDS = ("ed25519", "ecdsa")
NEWER = ("PerSourcePenalties no",)
"""Lines that older servers do not know."""


class Sshd:
    """sshd in a mount namespace of its own: CAPTAIN may do everything, DECKHAND nothing; both have PASSWORD.

    `engine` is the socket that stands at /var/run/docker.sock there. Needs root, and changes nothing of this computer.
    """

    def __init__(self, engine: Path, *lines: str, kinds: tuple[str, ...] = KINDS) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="ph-ssh-", dir="/tmp"))
        self.root.chmod(0o755)
        self.engine, self.lines = engine, lines
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.key = make_key(self.root / "captain")
        self.new_host_keys(*kinds)
        self._write_users()

    @property
    def endpoint(self) -> Ssh:
        """As CAPTAIN with the key that is let in."""
        return Ssh("127.0.0.1", self.port, CAPTAIN, str(self.key))

    def new_host_keys(self, *kinds: str) -> None:
        """Other keys of the host, from its next start on."""
        for path in self.root.glob("host_*"):
            path.unlink()
        for kind in kinds or KINDS:
            make_key(self.root / f"host_{kind}", kind)

    def fingerprint(self, kind: str = "ed25519") -> str:
        """As ssh-keygen says it."""
        words = ["ssh-keygen", "-l", "-f", str(self.root / f"host_{kind}.pub")]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[1]

    def known_line(self, kind: str = "ed25519") -> str:
        """The line of known_hosts for this host."""
        return f"[127.0.0.1]:{self.port} {(self.root / f'host_{kind}.pub').read_text()}"

    def start(self) -> None:
        """Starts and waits for its greeting."""
        (self.root / "config").write_text(self._config())
        setup = (
            "mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/sshd && "
            f"ln -s {shlex.quote(str(self.engine))} /run/docker.sock && mount --bind {self.root}/etc /etc && "
            f"exec {shlex.quote(_program())} -D -e -f {self.root}/config"
        )
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(["unshare", "-m", "sh", "-c", setup], stdout=log, stderr=log)
        limit = time.monotonic() + START_SECONDS
        while not self._greets():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < limit, self.log()
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL it and all its connections, as a crash of the host would end them."""
        assert self._process is not None
        for pid in (self._process.pid, *descendants(self._process.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait(10)

    def freeze(self, frozen: bool) -> None:
        """SIGSTOP or SIGCONT for it and all its connections: the link stands and nobody answers."""
        assert self._process is not None
        for pid in (self._process.pid, *descendants(self._process.pid)):
            os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def close(self) -> None:
        """Leaves nothing."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace")[-4000:]

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as line:
                return line.recv(8).startswith(b"SSH-2.0")
        except OSError:
            return False

    def _config(self) -> str:
        lines = [*self.lines, "ListenAddress 127.0.0.1", f"Port {self.port}", "UsePAM no", "StrictModes no"]
        lines += [f"HostKey {path.with_suffix('')}" for path in sorted(self.root.glob("host_*.pub"))]
        lines += [f"AuthorizedKeysFile {self.root}/captain.pub", "PermitRootLogin yes", "PidFile none", "UseDNS no"]
        lines += ["MaxStartups 200", "LogLevel VERBOSE"]
        for line in NEWER:
            if not subprocess.run([_program(), "-t", "-o", line, "-f", "/dev/null"], capture_output=True).stderr.count(
                b"Bad configuration option"
            ):
                lines.append(line)
        return "\n".join(lines) + "\n"

    def _write_users(self) -> None:
        secret = ["openssl", "passwd", "-6", PASSWORD]
        crypt = subprocess.run(secret, check=True, capture_output=True, text=True).stdout.strip()
        users = ((CAPTAIN, 0), (DECKHAND, 54_321))
        own = "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in users)
        shadow = "".join(f"{name}:{crypt}:19000:0:99999:7:::\n" for name, _ in users)
        # The folder as a whole: a mount upon a file goes when another one is renamed to its name, as useradd does.
        shutil.copytree("/etc", self.root / "etc", symlinks=True)
        for name, more in (("passwd", own), ("shadow", shadow), ("group", f"{DECKHAND}:x:54321:\n")):
            path = self.root / "etc" / name
            path.write_text(more + path.read_text())


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A private key with its public half beside it, as ssh-keygen makes it."""
    words = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return path


def _program() -> str:
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, "sshd is not installed: make test installs it"
    return found
