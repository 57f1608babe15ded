"""The window loads on Windows: nothing that it imports needs a module which only POSIX systems have."""

from __future__ import annotations

import subprocess
import sys

ONLY_POSIX = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
FOR_LINUX = {
    f"backend.embedded.{name}"
    for name in ("dockerd", "firewall", "namespaces", "planning", "requirements", "rootless", "supervisor")
} | {"backend.portproxy"}
"""What starts the embedded engine, which runs on Linux alone; loaded by its first start."""

PROGRAM = f"""
import sys
sys.modules.update(dict.fromkeys({ONLY_POSIX}))
import importlib, pkgutil
import app, backend, vm
for package in (app, backend, vm):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name not in {FOR_LINUX} and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print("loaded", len(sys.modules))
"""


def test_without_the_modules_of_posix() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("loaded")


def test_the_machines_supervisor_loads_without_what_only_posix_has() -> None:
    program = f"""
import asyncio, os, signal, socket, sys
sys.modules.update(dict.fromkeys({ONLY_POSIX}))
del asyncio.start_unix_server, asyncio.open_unix_connection, socket.AF_UNIX, os.getuid, signal.SIGHUP
import vm.supervisor.__main__, vm.machine
print("loaded")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "loaded\n", done.stderr


def test_a_start_of_the_window_does_not_load_what_speaks_ssh() -> None:
    program = (
        "import sys, app.main, app.desk, app.pages.containers.page, backend.ssh.hosts, backend.discovery\n"
        "print(sorted({'paramiko', 'keyring', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_start_of_the_window_does_not_load_what_starts_the_embedded_engine() -> None:
    program = f"import sys, app.main, app.pages.containers.page\nprint(sorted({FOR_LINUX} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
