"""What is read of this computer's settings: nameservers, proxies in every spelling, authorities beside Mozilla's."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import certifi
import pytest

from tests.e2e.guest.hosts import certificate
from vm.guest.handover import Handover, Proxy
from vm.surroundings import authorities, nameservers, proxies
from vm.surroundings.authorities import Authorities, AuthorityReader, chosen
from vm.surroundings.proxies import ProxyReader, gnome, proxy_of, redacted

GATEWAY = "198.51.100.2"
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the files and settings of Linux")
GNOME = """org.gnome.system.proxy autoconfig-url ''
org.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', '*.corp.example']
org.gnome.system.proxy mode 'manual'
org.gnome.system.proxy.http authentication-password "it's: @"
org.gnome.system.proxy.http authentication-user 'me'
org.gnome.system.proxy.http enabled false
org.gnome.system.proxy.http host 'proxy.example'
org.gnome.system.proxy.http port 8080
org.gnome.system.proxy.http use-authentication true
org.gnome.system.proxy.https host '::1'
org.gnome.system.proxy.https port 3129
org.gnome.system.proxy.socks host ''
"""


@pytest.fixture(autouse=True)
def no_proxy_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@ON_LINUX
def test_nameservers_are_those_of_the_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(nameservers, "RESOLV_CONF", file)
    assert nameservers.nameservers() == ()
    file.write_text(
        "# x\nsearch corp\nnameserver 10.0.0.1\nnameserver nonsense\nnameserver\n nameserver fe80::1%eth0\n"
    )
    assert nameservers.nameservers() == ("10.0.0.1", "fe80::1%eth0")
    file.write_bytes(b"\xff\nnameserver 0.0.0.0\n" + b"".join(b"nameserver 10.0.0.%d\n" % at for at in range(9)))
    assert nameservers.nameservers() == ("10.0.0.0", "10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("found", "is_"),
    [
        ({}, Proxy()),
        ({"no": "corp"}, Proxy()),
        ({"http": "proxy.example:3128"}, Proxy("http://proxy.example:3128")),
        ({"https": "http://me:p%40ss@127.0.0.1:3128/"}, Proxy("", f"http://me:p%40ss@{GATEWAY}:3128/")),
        ({"http": "http://localhost", "https": "http://[::1]:1"}, Proxy(f"http://{GATEWAY}", f"http://{GATEWAY}:1")),
        ({"all": "socks5://10.0.0.1:1080"}, Proxy("socks5://10.0.0.1:1080", "socks5://10.0.0.1:1080")),
        ({"http": "http://proxy:port"}, Proxy()),
        ({"http": "http://proxy\nno=*"}, Proxy()),
        ({"http": "ftp://proxy:1"}, Proxy()),
        ({"http": "http://"}, Proxy()),
        (
            {"http": "http://p:1", "no": "localhost, .corp;x *.example,169.254/16,<local>,10.0.0.0/8,*"},
            Proxy("http://p:1", "", ("localhost", ".corp;x", ".example", "169.254.0.0/16", "10.0.0.0/8", "*")),
        ),
    ],
)
def test_a_proxy_is_told_so_that_it_holds_in_the_guest(found: dict[str, str], is_: Proxy) -> None:
    made = proxy_of(found, GATEWAY)
    assert made == is_
    Handover("a", "k", proxy=made).files()


def test_who_signs_in_is_not_told() -> None:
    proxy = Proxy("http://me:secret@proxy.example:3128", "http://me:secret@proxy.example:3128")
    assert redacted(proxy) == "http://proxy.example:3128"
    assert redacted(Proxy()) == ""


def test_the_desktops_settings_are_understood() -> None:
    assert gnome(GNOME) == {
        "http": "http://me:it%27s%3A%20%40@proxy.example:8080",
        "https": "http://me:it%27s%3A%20%40@[::1]:3129",
        "no": "localhost,127.0.0.0/8,*.corp.example",
    }
    assert gnome(GNOME.replace("'manual'", "'none'")) == {}
    assert gnome("nonsense\norg.gnome.system.proxy mode 'manual'\norg.gnome.system.proxy ignore-hosts @as []") == {}


@ON_LINUX
def test_the_environment_goes_before_the_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("NO_PROXY", "corp.example")
    monkeypatch.setattr(proxies, "GSETTINGS", ("false",))
    assert ProxyReader(tmp_path).read(GATEWAY) == Proxy("", f"http://{GATEWAY}:3128", ("corp.example",))


@ON_LINUX
def test_the_desktops_proxy_is_read_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("gsettings") is None:
        pytest.skip("gsettings is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    reader = ProxyReader()
    assert reader.read(GATEWAY) == Proxy()
    for schema, key, value in (
        ("org.gnome.system.proxy.https", "host", "127.0.0.1"),
        ("org.gnome.system.proxy.https", "port", "3128"),
        ("org.gnome.system.proxy", "mode", "manual"),
    ):
        subprocess.run(["gsettings", "set", schema, key, value], check=True, capture_output=True)
    assert reader.read(GATEWAY).https == f"http://{GATEWAY}:3128"
    with monkeypatch.context() as patched:
        patched.setattr(proxies, "GSETTINGS", ("false",))
        assert reader.read(GATEWAY).https, "nothing changed, so nobody was asked"
    subprocess.run(["gsettings", "set", "org.gnome.system.proxy", "mode", "none"], check=True, capture_output=True)
    assert reader.read(GATEWAY) == Proxy()


@ON_LINUX
def test_only_what_every_guest_does_not_know_is_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Path(certifi.where()).read_bytes()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(usual)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    reader = AuthorityReader()
    assert reader.read() == Authorities()
    own = certificate("Company Root")[0].decode()
    broken = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
    bundle.write_bytes(usual + (broken + own + own).encode())
    found = reader.read()
    assert found.number == 1
    assert ssl.PEM_cert_to_DER_cert(found.pem) == ssl.PEM_cert_to_DER_cert(own)
    bundle.unlink()
    assert reader.read() == Authorities()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setattr(authorities, "BUNDLES", (str(tmp_path / "nowhere"), str(bundle)))
    bundle.write_text(own)
    assert reader.read().number == 1


def test_there_is_an_end_to_what_is_handed_over() -> None:
    many = [at.to_bytes(4) for at in range(1000)]
    usual = frozenset((sha256(many[0]).digest(),))
    assert chosen(many, usual).number == authorities.MOST
    assert chosen(many, usual) == chosen(reversed(many), usual)
    large = chosen([bytes([at]) * (1 << 18) for at in range(9)], frozenset())
    assert 0 < len(large.pem) <= authorities.MOST_BYTES
