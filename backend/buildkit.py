"""BuildKit through the buildx program: finding it, starting it without secrets in its arguments, ending it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backend import endpoint as endpoints
from backend.build_progress import BuildKitReader
from backend.endpoint import Endpoint, Tcp
from backend.errors import BuilderMissing, BuildFailed
from backend.types.builds import BuildEvent, BuildRequest, BuildStep, ImageBuilt, StepState

NAMES = ("docker-buildx", "docker-buildx.exe")
# https://docs.docker.com/build/concepts/overview/#install-buildx, and where Docker Desktop keeps it
PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
    "/Applications/Docker.app/Contents/Resources/cli-plugins",
    "C:\\Program Files\\Docker\\cli-plugins",
)
# What the program itself obeys: a build argument of such a name goes into the arguments instead.
_OWN_NAMES = re.compile(r"(?:DOCKER_|BUILDX_|LD_|DYLD_|SSL_|XDG_|GO)|(?:PATH|HOME|TMPDIR|USER)\Z")
_EXIT_CODE = re.compile(r"exit code: (\d{1,9})")
FOREIGN = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION")
LINE_LIMIT = 4 * 1024 * 1024
PATIENCE = 5.0
_FORCE: signal.Signals = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has no SIGKILL; a process is terminated there by force in any case."""


@dataclass(frozen=True, slots=True)
class Buildx:
    """The program and its version; `rawjson` says whether it can print its progress as JSON."""

    path: str
    version: tuple[int, int] = (0, 0)

    @property
    def rawjson(self) -> bool:
        """Since buildx 0.13."""
        return self.version >= (0, 13)


def find(environ: Mapping[str, str] | None = None) -> str:
    """The absolute path of buildx, where the docker command line would look, then on PATH; empty when it is missing."""
    env = os.environ if environ is None else environ
    config = Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or Path.home()) / ".docker")
    folders = [*_extra_folders(config), str(config / "cli-plugins"), *PLUGIN_FOLDERS]
    for folder in folders:
        for name in NAMES:
            path = os.path.join(folder, name)
            if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    found = shutil.which("docker-buildx", path=env.get("PATH", ""))
    return os.path.abspath(found) if found else ""


def _extra_folders(config: Path) -> list[str]:
    try:
        found = json.loads((config / "config.json").read_bytes()).get("cliPluginsExtraDirs", [])
    except (OSError, ValueError, AttributeError):
        return []
    return [f for f in found if isinstance(f, str)] if isinstance(found, list) else []


async def probe(path: str, *, deadline: float = 10) -> Buildx:
    """Asks the program for its version; raises BuilderMissing when it does not run."""
    try:
        process = await asyncio.create_subprocess_exec(
            path, "version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise BuilderMissing(f"{path}: {error.strerror}") from error
    try:
        async with asyncio.timeout(deadline):
            out, _ = await process.communicate()
    except TimeoutError as error:
        raise BuilderMissing(f"{path} does not answer") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    match = re.search(rb"\sv?(\d{1,9})\.(\d{1,9})", out)
    return Buildx(path, (int(match[1]), int(match[2])) if match else (0, 0))


def arguments(program: Buildx, request: BuildRequest, iidfile: str) -> list[str]:
    """The whole command. A build argument is given by name alone; its value waits in the environment."""
    words = [program.path, "--builder", "default", "build", f"--progress={'rawjson' if program.rawjson else 'plain'}"]
    words += ["--load", "--iidfile", iidfile, "--file", os.path.abspath(request.dockerfile_path)]
    for flag, value in (("--tag", request.tag), ("--target", request.target), ("--platform", request.platform)):
        words += [flag, value] if value else []
    words += [w for w, on in (("--no-cache", request.no_cache), ("--pull", request.pull)) if on]
    for name, value in request.build_args:
        words += ["--build-arg", f"{name}={value}" if _OWN_NAMES.match(name) else name]
    return [*words, "--", os.path.abspath(request.context)]


def environment(
    request: BuildRequest, endpoint: Endpoint, certificates: str, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What the program gets: ours without what points it elsewhere, our endpoint, and the values of build arguments."""
    env = dict(os.environ if environ is None else environ)
    for name in list(env):
        if name in FOREIGN or name.startswith(("BUILDX_", "BUILDKIT_")):
            del env[name]
    env["DOCKER_HOST"] = endpoints.text(endpoint)
    if certificates:
        env["DOCKER_CERT_PATH"] = certificates
        env["DOCKER_TLS"] = "1"
        if isinstance(endpoint, Tcp) and endpoint.tls is not None and endpoint.tls.verify:
            env["DOCKER_TLS_VERIFY"] = "1"
    env.update({n: v for n, v in request.build_args if not _OWN_NAMES.match(n)})
    return env


def _link_certificates(endpoint: Endpoint, folder: str) -> str:
    """A folder with the names that docker expects, made of links; empty without TLS."""
    if not isinstance(endpoint, Tcp) or endpoint.tls is None:
        return ""
    tls = endpoint.tls
    for name, path in (("ca.pem", tls.ca), ("cert.pem", tls.cert), ("key.pem", tls.key)):
        if path:
            os.symlink(os.path.abspath(path), os.path.join(folder, name))
    return folder


async def build(
    program: Buildx,
    endpoint: Endpoint,
    request: BuildRequest,
    plan: tuple[BuildStep, ...],
    emit: Callable[[BuildEvent], None],
) -> str:
    """Builds and returns the image's id; raises BuildFailed. Cancelling it ends the program and so the build.

    There is no deadline: a build takes what it takes, and the person can cancel it.
    """
    reader = BuildKitReader(plan, emit)
    with tempfile.TemporaryDirectory(prefix="pilothouse-build-") as folder:
        iidfile = os.path.join(folder, "image")
        env = environment(request, endpoint, _link_certificates(endpoint, folder))
        try:
            process = await _start(arguments(program, request, iidfile), env)
        except OSError as error:
            raise BuilderMissing(f"{program.path}: {error.strerror}") from error
        try:
            assert process.stderr is not None
            await _read(process.stderr, reader)
            code = await process.wait()
        finally:
            await _end(process)
            reader.finish(StepState.SKIPPED)
        if code:
            raise _failure(reader, code)
        image = _image_id(iidfile)
    emit(ImageBuilt(image))
    return image


async def _start(command: list[str], env: dict[str, str]) -> asyncio.subprocess.Process:
    """Starts it with a session of its own, so that it can be ended with what it starts.

    Cancelled between its birth and asyncio's word of it, asyncio would end the program alone: its children would stay.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, limit=LINE_LIMIT, start_new_session=True,
        )
    )  # fmt: skip
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_end_begun)  # Also when a second cancel ends the waiting.
        await asyncio.wait({starting})
        with suppress(OSError):
            await (await starting).wait()
        raise


def _end_begun(starting: asyncio.Future[asyncio.subprocess.Process]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        _signal(starting.result(), _FORCE)


def _image_id(iidfile: str) -> str:
    try:
        return Path(iidfile).read_text("ascii").strip()
    except OSError:
        return ""


async def _read(stream: asyncio.StreamReader, reader: BuildKitReader) -> None:
    while True:
        try:
            raw = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                reader.line(error.partial)
            return
        except asyncio.LimitOverrunError as error:
            raw = await stream.readexactly(error.consumed or 1)
        reader.line(raw.rstrip(b"\n"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the program and what it started: asked first, and by force after PATIENCE seconds or when hurried.

    Whoever quits cancels a second time, and then nobody would be left to see it end.
    """
    if process.returncode is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError) as hurry:
        _signal(process, _FORCE)
        await process.wait()
        if isinstance(hurry, asyncio.CancelledError):
            raise


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()


def _failure(reader: BuildKitReader, code: int) -> BuildFailed:
    text = reader.error or f"buildx ended with {code}"
    line = reader.failed.line if reader.failed and reader.failed.line else reader.source_line or reader.base_line
    found = _EXIT_CODE.search(text) or (_EXIT_CODE.search(reader.failed.error) if reader.failed else None)
    return BuildFailed(text, line, int(found[1]) if found else None)
