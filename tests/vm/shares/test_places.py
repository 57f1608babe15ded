"""Which folders may be shared, and where they lie in the guest."""

from __future__ import annotations

from pathlib import Path

import pytest

from vm.shares.places import Share, covered, guest_path, hidden_below, in_order, private_places, problem


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/home/Łukasz o'Brien/my files", "/home/Łukasz o'Brien/my files"),
        ("/home/a/", "/home/a"),
        ("/home//a/./b/../c", "/home/a/c"),
        ("//srv/x", "/srv/x"),
        ("C:\\Users\\Ann Lee\\src", "/c/Users/Ann Lee/src"),
        ("d:/work//x\\y", "/d/work/x/y"),
        ("E:\\", "/e"),
    ],
)
def test_a_folder_lies_at_the_same_path_in_the_guest(here: str, there: str) -> None:
    assert guest_path(here) == there


def test_folders_that_are_the_guests_own_are_refused(tmp_path: Path) -> None:
    assert problem(str(tmp_path)) == ""
    for own in ("/", "/usr", "/etc/ssl", "/var/lib/docker", "/run/user", "/tmp", "/proc"):
        assert "own system" in problem(own), own
    assert problem("relative") == "is no full path"
    assert problem(str(tmp_path / "none")) == "is not there"
    (tmp_path / "file").touch()
    assert problem(str(tmp_path / "file")) == "is no folder"
    (tmp_path / "a\nb").mkdir()
    assert "cannot be passed on" in problem(str(tmp_path / "a\nb"))


def test_what_is_shared_is_the_folder_and_all_below_it() -> None:
    shares = (Share("/home/ann/src"), Share("C:\\work"))
    assert covered("/home/ann/src", shares)
    assert covered("/home/ann/src/a/../b", shares)
    assert covered("c:\\Work\\x", (Share("C:\\Work"),))
    assert not covered("/home/ann/srcs", shares)
    assert not covered("/home/ann/src/../other", shares)
    assert not covered("/home/ann", shares)


def test_private_places_are_hidden_unless_they_are_named(tmp_path: Path) -> None:
    home, data = tmp_path / "ann", tmp_path / "ann" / ".local" / "share" / "pilothouse"
    data.mkdir(parents=True)
    private = private_places(home, (data,))
    hidden = hidden_below(Share(str(home)), private)
    assert {".ssh", ".gnupg", ".mozilla", ".config/google-chrome", ".local/share/pilothouse"} <= set(hidden)
    assert hidden_below(Share(str(home / ".config")), private).count("google-chrome") == 1
    assert hidden_below(Share(str(home / ".ssh")), private) == ()
    assert hidden_below(Share(str(home / "src")), private) == ()
    (tmp_path / "link").symlink_to(home)
    assert ".ssh" in hidden_below(Share(str(tmp_path / "link")), private)


def test_outer_folders_are_mounted_before_inner_ones() -> None:
    assert [each.path for each in in_order((Share("/a/b"), Share("/a")))] == ["/a", "/a/b"]
