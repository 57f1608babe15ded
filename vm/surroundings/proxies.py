"""The proxy that this computer uses: of the environment, else of the system's settings (GNOME's, macOS, Windows)."""

from __future__ import annotations

import ast
import ipaddress
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from vm.guest.handover import Proxy

GSETTINGS = ("gsettings", "list-recursively", "org.gnome.system.proxy")
GSETTINGS_SECONDS = 10.0
STORES = (".config/dconf/user", ".config/glib-2.0/settings/keyfile")
"""Where GNOME's settings lie below the home folder."""
SCHEMES = frozenset(("http", "https", "socks5", "socks5h"))


class ProxyReader:
    """Reads it again and again at little cost."""

    def __init__(self, home: Path | None = None) -> None:
        self._home = home or Path(os.path.expanduser("~"))
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._gnome: Mapping[str, str] = {}

    def read(self, gateway: str) -> Proxy:
        """What it is now, in words that hold in the guest, where this computer's loopback is `gateway`."""
        found: Mapping[str, str] = urllib.request.getproxies_environment()
        if not found.keys() & {"http", "https", "all"}:
            told = _system_settings()
            found = self._of_gnome() if told is None else told
        return proxy_of(found, gateway)

    def _of_gnome(self) -> Mapping[str, str]:
        seen = tuple(_stamp(self._home / store) for store in STORES)
        if seen != self._seen:
            self._seen = seen
            self._gnome = {}
            with suppress(OSError, subprocess.SubprocessError):
                said = subprocess.run(GSETTINGS, capture_output=True, timeout=GSETTINGS_SECONDS, check=True).stdout
                self._gnome = gnome(said.decode(errors="replace"))
        return self._gnome


def proxy_of(found: Mapping[str, str], gateway: str) -> Proxy:
    """From urllib's words (http, https, all, no) to ours; what cannot be used is left out."""
    usual = found.get("all", "")
    http, https = (_usable(found.get(kind) or usual, gateway) for kind in ("http", "https"))
    no = [each for word in found.get("no", "").replace(",", " ").split() if (each := _exception(word))]
    return Proxy(http, https, tuple(dict.fromkeys(no))) if http or https else Proxy()


def redacted(proxy: Proxy) -> str:
    """Where it is, without who signs in to it."""
    places = [_place(urlsplit(url)) for url in (proxy.http, proxy.https) if url]
    return ", ".join(dict.fromkeys(places))


def gnome(said: str) -> Mapping[str, str]:
    """What `gsettings list-recursively org.gnome.system.proxy` says, in urllib's words."""
    values: dict[str, object] = {}
    for line in said.splitlines():
        schema, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        with suppress(ValueError, SyntaxError):
            name = schema.removeprefix("org.gnome.system.proxy").lstrip(".")
            value = value.capitalize() if value in ("true", "false") else value.removeprefix("@as ")
            values[f"{name}.{key}"] = ast.literal_eval(value)
    if values.get(".mode") != "manual":
        return {}
    found = {kind: _gnome_url(values, kind) for kind in ("http", "https")}
    ignored = values.get(".ignore-hosts")
    found["no"] = ",".join(map(str, ignored)) if isinstance(ignored, list) else ""
    return {kind: url for kind, url in found.items() if url}


def _gnome_url(values: Mapping[str, object], kind: str) -> str:
    host, port = values.get(f"{kind}.host"), values.get(f"{kind}.port")
    if not host or not port:
        return ""
    who = ""
    if values.get("http.use-authentication") is True:  # There is one for both.
        name, word = (str(values.get(f"http.authentication-{each}", "")) for each in ("user", "password"))
        who = f"{quote(name, safe='')}:{quote(word, safe='')}@"
    place = f"[{host}]" if ":" in str(host) else host
    return f"http://{who}{place}:{port}"


def _usable(url: str, gateway: str) -> str:
    """The address as a URL that the guest can reach, or nothing."""
    url = url.strip()
    if url and "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in SCHEMES or not host or any(not " " < letter < "\x7f" for letter in url):
        return ""
    if _is_loopback(host):
        who, at, _ = parts.netloc.rpartition("@")
        parts = parts._replace(netloc=f"{who}{at}{gateway}" + (f":{parts.port}" if parts.port else ""))
    return parts.geturl()


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _exception(word: str) -> str:
    """As Go reads NO_PROXY: `.example.com`, `10.0.0.0/8`, `name`, `*`."""
    if word == "<local>" or not word.isprintable():
        return ""
    address, slash, bits = word.partition("/")
    if slash and address.replace(".", "").isdecimal():  # macOS writes 169.254/16.
        return f"{address}{'.0' * (3 - address.count('.'))}/{bits}"
    return word[1:] if word.startswith("*.") else word


def _place(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


if sys.platform == "darwin":
    import _scproxy

    def _system_settings() -> Mapping[str, str] | None:
        exceptions = _scproxy._get_proxy_settings().get("exceptions") or ()
        return {**urllib.request.getproxies(), "no": ",".join(map(str, exceptions))}

elif sys.platform == "win32":
    import winreg

    SETTINGS = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"

    def _system_settings() -> Mapping[str, str] | None:
        exceptions = ""
        with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, SETTINGS) as key:
            exceptions = str(winreg.QueryValueEx(key, "ProxyOverride")[0]).replace(";", ",")
        return {**urllib.request.getproxies(), "no": exceptions}

else:

    def _system_settings() -> Mapping[str, str] | None:
        """None: the desktop is asked."""
        return None
