"""A shared folder: what is in it, and that nothing leads out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from vm.shares import folder as folders
from vm.shares.folder import Folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home folder in which one thing is private, beside something that is not shared."""
    home = tmp_path / "home"
    (home / "src").mkdir(parents=True)
    (home / "src" / "main.py").write_text("print()")
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id").write_text("secret")
    (home / ".config" / "browser").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("outside")
    return home


@pytest.fixture
def shared(place: Path) -> Folder:
    """It."""
    return Folder(str(place), writable=True, hidden=(".ssh", ".config/browser"))


def names(shared: Folder, *parts: bytes) -> set[bytes]:
    """What a folder shows."""
    return {name for name, _ in shared.entries(parts)}


def test_files_are_read_written_and_renamed(place: Path, shared: Folder) -> None:
    file = shared.open((b"src", b"new"), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o664)
    os.write(file, b"content")
    os.close(file)
    assert stat.S_IMODE((place / "src" / "new").stat().st_mode) == 0o664
    with pytest.raises(FileExistsError):
        shared.rename((b"src", b"new"), shared, (b"src", b"main.py"), replace=False)
    shared.rename((b"src", b"new"), shared, (b"src", b"main.py"), replace=True)
    assert (place / "src" / "main.py").read_text() == "content"
    shared.make((b"deep",), 0o755)
    assert stat.S_IMODE((place / "deep").stat().st_mode) == 0o755
    shared.link((b"src", b"main.py"), shared, (b"deep", b"twin"))
    assert (place / "deep" / "twin").samefile(place / "src" / "main.py")
    shared.change_mode((b"deep", b"twin"), 0o4600)
    assert stat.S_IMODE((place / "deep" / "twin").stat().st_mode) == 0o600
    shared.change_size((b"deep", b"twin"), 3)
    assert (place / "deep" / "twin").read_text() == "con"
    shared.change_times((b"deep", b"twin"), 1_000_000_000, 2_000_000_000)
    assert (place / "deep" / "twin").stat().st_mtime == 2
    shared.remove((b"deep", b"twin"))
    shared.remove_folder((b"deep",))
    assert not (place / "deep").exists()
    assert shared.room(()).f_bsize > 0


def test_a_name_may_hold_any_bytes(place: Path, shared: Folder) -> None:
    os.close(shared.open((b"\xff\xfe 'a' \n",), os.O_CREAT | os.O_WRONLY, 0o644))
    assert b"\xff\xfe 'a' \n" in names(shared)
    assert b"\xff\xfe 'a' \n" in os.listdir(os.fsencode(place))


@pytest.mark.parametrize(
    "way", [(b"..", b"outside", b"file"), (b"src", b"..", b"..", b"outside"), (b"a/../../x",), (b"",)]
)
def test_no_path_leads_out(shared: Folder, way: tuple[bytes, ...]) -> None:
    with pytest.raises(FileNotFoundError):
        shared.stat(way)
    with pytest.raises(FileNotFoundError):
        shared.open(way, os.O_WRONLY | os.O_CREAT, 0o644)


def test_no_link_is_followed(place: Path, shared: Folder) -> None:
    shared.point((b"out",), b"../outside")
    shared.point((b"file",), b"../outside/file")
    assert shared.points_to((b"out",)) == b"../outside"
    assert stat.S_ISLNK(shared.stat((b"out",)).st_mode)
    for way in ((b"out", b"file"), (b"out", b"new")):
        with pytest.raises(OSError):
            shared.open(way, os.O_WRONLY | os.O_CREAT, 0o644)
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_TRUNC):
        with pytest.raises(OSError):
            shared.open((b"file",), flags)
    with pytest.raises(OSError):
        shared.entries((b"out",))
    with pytest.raises(OSError):
        shared.change_mode((b"file",), 0o777)
    shared.change_times((b"file",), 0, 0)
    with pytest.raises(OSError):
        shared.change_size((b"file",), 0)
    outside = place.parent / "outside" / "file"
    assert outside.read_text() == "outside"
    assert outside.stat().st_mtime > 1000
    assert stat.S_IMODE(outside.stat().st_mode) != 0o777


def test_a_pipe_is_not_waited_for(place: Path, shared: Folder) -> None:
    os.mkfifo(place / "pipe")
    for flags in (os.O_RDONLY, os.O_RDWR, os.O_WRONLY):
        with pytest.raises(OSError):
            shared.open((b"pipe",), flags)


def test_what_is_private_is_not_there(place: Path, shared: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LOOK_EVERY", 0.0)
    assert names(shared) == {b"src", b".config"}
    assert names(shared, b".config") == set()
    for way in ((b".ssh",), (b".ssh", b"id"), (b".SSH", b"id"), (b".config", b"browser")):
        with pytest.raises(FileNotFoundError):
            shared.stat(way)
    with pytest.raises(FileNotFoundError):
        shared.open((b".ssh", b"id"), os.O_RDONLY)
    with pytest.raises(FileNotFoundError):
        shared.rename((b".ssh",), shared, (b"mine",), replace=True)
    with pytest.raises(FileNotFoundError):
        shared.rename((b"src",), shared, (b".ssh",), replace=True)
    with pytest.raises(PermissionError):  # It would take the browser with it, to where it is not known for private.
        shared.rename((b".config",), shared, (b"mine",), replace=True)
    os.rename(place / ".ssh", place / "keys")
    os.symlink(place / "keys", place / ".ssh")
    with pytest.raises(FileNotFoundError):
        shared.open((b"keys", b"id"), os.O_RDONLY)
    assert b"keys" not in names(shared)


def test_what_is_shared_to_be_read_is_not_written(place: Path) -> None:
    shared = Folder(str(place), writable=False)
    os.close(shared.open((b"src", b"main.py"), os.O_RDONLY))
    changes: tuple[Callable[[], object], ...] = (
        lambda: shared.open((b"src", b"main.py"), os.O_WRONLY),
        lambda: shared.open((b"src", b"x"), os.O_RDONLY | os.O_CREAT, 0o644),
        lambda: shared.make((b"x",), 0o755),
        lambda: shared.remove((b"src", b"main.py")),
        lambda: shared.change_mode((b"src",), 0o700),
        lambda: shared.change_times((b"src",), 0, 0),
        lambda: shared.point((b"x",), b"y"),
    )
    for change in changes:
        with pytest.raises(OSError, match="to be read"):
            change()
    assert names(shared, b"src") == {b"main.py"}


def test_the_folder_itself_stays(shared: Folder) -> None:
    assert stat.S_ISDIR(shared.stat(()).st_mode)
    with pytest.raises(PermissionError):
        shared.remove_folder(())
    with pytest.raises(PermissionError):
        shared.rename((), shared, (b"x",), replace=True)
