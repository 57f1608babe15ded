"""The builds made here, kept in a SQLite file of this person alone."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from backend.types.builds import BuildStep

MOST_BUILDS = 300
MOST_TEXT = 1_000_000
FILE = "builds.sqlite3"
RUNNING, SUCCEEDED, FAILED, CANCELLED, INTERRUPTED = "running", "succeeded", "failed", "cancelled", "interrupted"


class BuildRecord(Struct, frozen=True):
    """One build. Times are Unix seconds; of build arguments only the names. `error_line` is from 1, 0 unknown."""

    id: str
    tag: str
    context: str
    dockerfile: str = ""
    target: str = ""
    platform: str = ""
    builder: str = ""
    no_cache: bool = False
    pull: bool = False
    arg_names: tuple[str, ...] = ()
    text: str = ""
    state: str = RUNNING
    started: float = 0.0
    finished: float = 0.0
    steps: tuple[BuildStep, ...] = ()
    error: str = ""
    error_line: int = 0
    image: str = ""

    @property
    def seconds(self) -> float:
        """How long it took, or has been running."""
        return max(0.0, (self.finished or time.time()) - self.started)

    @property
    def cached(self) -> int:
        """How many of the Dockerfile's steps came from the cache."""
        return sum(1 for s in self.steps if s.number and s.state.value == "cached")

    @property
    def planned(self) -> int:
        """How many steps the Dockerfile has."""
        return sum(1 for s in self.steps if s.number)


def new_id() -> str:
    """A fresh id of a build."""
    return uuid.uuid4().hex


class BuildHistory(QObject):
    """The builds, newest first. `changed` after any change. `set_aside` names a broken file that was put away.

    Without a usable folder the history lives in memory for this run, and `problem` says why.
    """

    changed = Signal()

    def __init__(self, folder: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.set_aside = ""
        self.problem = ""
        self._records: dict[str, BuildRecord] = {}
        self._outputs: dict[str, str] = {}
        self._db = self._open(folder) if folder is not None else None
        if self._db is not None:
            self._load(self._db)

    @property
    def records(self) -> tuple[BuildRecord, ...]:
        """All of them, newest first."""
        return tuple(sorted(self._records.values(), key=lambda r: -r.started))

    def get(self, key: str) -> BuildRecord | None:
        """One build."""
        return self._records.get(key)

    def output(self, key: str) -> str:
        """What the build wrote, at most the last MOST_TEXT characters."""
        if self._db is not None:
            row = self._db.execute("SELECT output FROM builds WHERE id = ?", (key,)).fetchone()
            return str(row[0]) if row else ""
        return self._outputs.get(key, "")

    def put(self, record: BuildRecord, output: str | None = None) -> None:
        """Keeps a build, new or changed; `output` None leaves what is kept."""
        record = replace(record, text=record.text[:MOST_TEXT], error=record.error[:20_000])
        self._records[record.id] = record
        if output is not None:
            self._outputs[record.id] = output[-MOST_TEXT:]
        self._write(record, output)
        for old in self.records[MOST_BUILDS:]:
            self._drop(old.id)
        self.changed.emit()

    def remove(self, key: str) -> None:
        """Forgets a build; the image stays."""
        self._drop(key)
        self.changed.emit()

    def close(self) -> None:
        """Closes the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _drop(self, key: str) -> None:
        self._records.pop(key, None)
        self._outputs.pop(key, None)
        if self._db is not None:
            self._run("DELETE FROM builds WHERE id = ?", (key,))

    def _write(self, record: BuildRecord, output: str | None) -> None:
        body = msgspec.json.encode(record)
        kept = self._outputs.pop(record.id, "") if self._db is not None else ""
        if output is None:
            self._run(
                "INSERT INTO builds (id, started, record, output) VALUES (?, ?, ?, '')"
                " ON CONFLICT (id) DO UPDATE SET record = excluded.record",
                (record.id, record.started, body),
            )
        else:
            self._run(
                "INSERT OR REPLACE INTO builds (id, started, record, output) VALUES (?, ?, ?, ?)",
                (record.id, record.started, body, kept),
            )

    def _run(self, statement: str, values: tuple[object, ...]) -> None:
        if self._db is None:
            return
        try:
            with self._db:
                self._db.execute(statement, values)
        except sqlite3.Error as error:
            self.problem = str(error)

    def _open(self, folder: Path) -> sqlite3.Connection | None:
        path = folder / FILE
        for _ in range(2):
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                os.chmod(path, 0o600)
                db = sqlite3.connect(path)
            except (OSError, sqlite3.Error) as error:
                self.problem = getattr(error, "strerror", None) or str(error)
                return None
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS builds (id TEXT PRIMARY KEY, started REAL, record BLOB, output TEXT)"
                )
                db.execute("SELECT id, started, record, output FROM builds LIMIT 1")
                if db.execute("PRAGMA quick_check").fetchone() == ("ok",):
                    return db
            except sqlite3.Error as error:
                if not _of_the_file(error):
                    self.problem = str(error)
                    db.close()
                    return None
            db.close()
            if not self._put_aside(path):
                return None
        self.problem = "no sound file could be made"
        return None

    def _put_aside(self, path: Path) -> bool:
        aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
        try:
            os.replace(path, aside)
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
        except OSError as error:
            self.problem = error.strerror or str(error)
            return False
        self.set_aside = str(aside)
        return True

    def _load(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT record FROM builds ORDER BY started DESC LIMIT ?", (MOST_BUILDS,)).fetchall()
        for (body,) in rows:
            try:
                record = msgspec.json.decode(body, type=BuildRecord)
            except (msgspec.DecodeError, TypeError):
                continue
            if record.state == RUNNING:
                record = replace(record, state=INTERRUPTED, finished=record.started)
            self._records[record.id] = record


def _of_the_file(error: sqlite3.Error) -> bool:
    """Whether the file is to blame, broken or of another program: after a full disk or a lock it may be good."""
    return not isinstance(error, sqlite3.OperationalError) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR
