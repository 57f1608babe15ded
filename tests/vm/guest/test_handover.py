"""What the guest is handed: a file for each value, and nothing that could be taken for two."""

from __future__ import annotations

import pytest

from vm.guest.disk import BLANK
from vm.guest.handover import Handover, Proxy


def test_only_what_is_set_is_handed_over() -> None:
    assert Handover("ssh-ed25519 AAAA me", "-----BEGIN\nkey\n-----END\n").files() == {
        "authorized_key": b"ssh-ed25519 AAAA me\n",
        "host_key": b"-----BEGIN\nkey\n-----END\n",
        "hostname": b"pilothouse\n",
    }


def test_every_value_has_its_form() -> None:
    whole = Handover(
        "a",
        "k",
        hostname="box",
        resolver=("198.51.100.2#5353", "198.51.100.3"),
        proxy=Proxy("http://u:p=@proxy:3128", "", ("corp.example", ".local")),
        certificates="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ).files()
    assert whole["resolver"] == b"198.51.100.2#5353\n198.51.100.3\n"
    assert whole["proxy"] == b"http=http://u:p=@proxy:3128\nno=corp.example,.local\n"
    assert whole["certificates"].endswith(b"-----END CERTIFICATE-----\n")


@pytest.mark.parametrize(
    "bad",
    [
        Handover("a\nb", "k"),
        Handover("a", "k", hostname="x\ny"),
        Handover("a", "k", resolver=("1.1.1.1\nserver=/x/",)),
        Handover("a", "k", proxy=Proxy("http://x\nno=*")),
    ],
)
def test_a_value_that_could_be_read_as_more_is_refused(bad: Handover) -> None:
    with pytest.raises(ValueError, match=r"more than one line"):
        bad.files()


def test_a_blank_disk_has_two_different_halves() -> None:
    assert len(BLANK) == 4096
    assert BLANK[:1024].strip(b"\0")
    assert BLANK[2048:].strip(b"\0")
    assert BLANK[:2048] != BLANK[2048:]
    assert not BLANK[1024:2048].strip(b"\0"), "ext4 has its first block there"
