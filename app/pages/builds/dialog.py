"""The Build dialog: what to build, from where, checked while a person types."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from app.commands import builds as commands
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.choices import Checkbox
from app.widgets.commandbox import CommandBox
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit, Select, path_of, row_of
from app.widgets.forms import Field
from app.widgets.keyvalue import KeyValueEditor
from backend import dockerfiles, references
from backend.errors import DockerfileInvalid, DockerfileMissing, InvalidReference
from backend.types.builds import Builder, BuildRequest, Problem

CHECK_MS = 300
PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?\Z")
ARG_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class BuildDialog(Dialog):
    """`wanted(request, text of the Dockerfile)` when a person presses Build and nothing is wrong.

    `forgotten` are build arguments of the request whose values nobody kept; one that stays empty is not passed.
    """

    wanted = Signal(object, str)

    def __init__(
        self,
        theme: Theme,
        window: QWidget,
        builders: tuple[Builder, ...],
        request: BuildRequest | None = None,
        forgotten: Iterable[str] = (),
    ) -> None:
        super().__init__(theme, window, "Build an image")
        self._builders = builders or (Builder.CLASSIC,)
        self._forgotten = frozenset(forgotten)
        self._text = ""
        self.context = LineEdit(theme, "Choose a folder, or drop one here", mono=True, icon="folder")
        self.choose = Button(theme, "Choose…")
        self.file = LineEdit(theme, "Dockerfile", mono=True, icon="file-text")
        self.choose_file = Button(theme, "Choose…")
        self.tag = LineEdit(theme, "shop-api:dev", mono=True, icon="tag")
        self.target = Select(theme, [("", "The last stage")])
        self.platform = LineEdit(theme, "The engine's own, or linux/amd64", mono=True)
        for field in (self.context, self.file, self.tag, self.platform):
            field.setAcceptDrops(False)  # What is dropped is for the dialog: a field would take it as text.
        self.args = KeyValueEditor(theme, "Name", "Value", add_text="Add build argument")
        self.no_cache = Checkbox(theme, "Without cache")
        self.pull = Checkbox(theme, "Pull newer base images")
        self.builder = Select(theme, [(b.value, b.value) for b in self._builders])
        self.command = CommandBox(theme)
        self.fields = {
            "context": Field(theme, "Folder", row_of(self.context, self.choose)),
            "file": Field(theme, "Dockerfile", row_of(self.file, self.choose_file)),
            "tag": Field(theme, "Name and tag", self.tag),
            "target": Field(theme, "Stage", self.target),
            "args": Field(theme, "Build arguments", self.args),
            "platform": Field(theme, "Platform", self.platform),
        }
        self.context.setAccessibleName("Folder")
        self.file.setAccessibleName("Dockerfile")
        self._timer = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._lay_out(theme)
        self._connect()
        if self._forgotten:
            self.fields["args"].set_help("Values are not kept. Type them again; one left empty is not passed.")
        if request is not None:
            self.fill(request)
        self._show_command()

    def fill(self, request: BuildRequest) -> None:
        """Puts a request into the fields."""
        self.context.setText(str(request.context) if str(request.context) != "." else "")
        self.file.setText(str(request.dockerfile or ""))
        self.tag.setText(request.tag)
        self.args.set_pairs(request.build_args)
        self.platform.setText(request.platform)
        self.no_cache.setChecked(request.no_cache)
        self.pull.setChecked(request.pull)
        if request.builder in self._builders and request.builder is not None:
            self.builder.set_value(request.builder.value)
        self.check()
        self.target.set_value(request.target)
        self._show_command()

    def request(self) -> BuildRequest:
        """What the fields say."""
        return BuildRequest(
            context=Path(path_of(self.context)),
            dockerfile=Path(path_of(self.file)) if self.file.text().strip() else None,
            tag=self.tag.text().strip(),
            build_args=tuple((n, v) for n, v in self.args.pairs() if n and (v or n not in self._forgotten)),
            target=self.target.value(),
            platform=self.platform.text().strip(),
            no_cache=self.no_cache.isChecked(),
            pull=self.pull.isChecked(),
            builder=Builder(self.builder.value()),
        )

    def check(self) -> bool:
        """Checks every field, shows what is wrong beside it, and says whether it can be built."""
        request = self.request()
        problems = {
            "context": self._context_problem(request),
            "tag": _tag_problem(request.tag),
            "args": next((f"{n} cannot be a name" for n, _ in request.build_args if not ARG_NAME.match(n)), ""),
            "platform": "" if not request.platform or PLATFORM.match(request.platform) else "Write it as linux/amd64",
            "file": "",
        }
        if not problems["context"]:
            problems["file"] = self._file_problem(request)
        for key, text in problems.items():
            self.fields[key].set_error(text)
        return not any(problems.values())

    def _context_problem(self, request: BuildRequest) -> str:
        if not self.context.text().strip():
            return "Choose the folder that the build may read"
        return "" if os.path.isdir(request.context) else "There is no such folder"

    def _file_problem(self, request: BuildRequest) -> str:
        self._text = ""
        try:
            self._text = dockerfiles.read(request.dockerfile_path)
        except DockerfileMissing:
            return f"There is no file {request.dockerfile_path.name} in it"
        except DockerfileInvalid as error:
            return f"It is not usable: {error.message}"
        chosen = self.target.value()
        stages = [s.name for s in dockerfiles.stages(self._text) if s.name]
        self.target.set_choices([("", "The last stage"), *((name, name) for name in stages)])
        self.target.set_value(chosen if chosen in stages else "")
        found = dockerfiles.check(self._text, request.builder or Builder.BUILDKIT)
        if isinstance(found, dockerfiles.Dockerfile):
            return ""
        return _worded(next(p for p in found if p.fatal))

    def _on_build(self) -> None:
        if self.check():
            request, text = self.request(), self._text
            self.accept()  # First: the keyboard goes back below, and from there to the build that is shown.
            self.wanted.emit(request, text)
            return
        first = next((k for k in ("context", "file", "tag", "args", "platform") if self.fields[k].error()), "")
        {"context": self.context, "file": self.file, "tag": self.tag, "platform": self.platform}.get(
            first, self.args
        ).setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_choose(self) -> None:
        picker = QFileDialog(self, "Choose the folder to build", self.context.text())
        picker.setFileMode(QFileDialog.FileMode.Directory)
        picker.fileSelected.connect(self.context.setText)
        picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picker.open()

    def _on_choose_file(self) -> None:
        picker = QFileDialog(self, "Choose the Dockerfile", self.context.text())
        picker.setFileMode(QFileDialog.FileMode.ExistingFile)
        picker.fileSelected.connect(self.file.setText)
        picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picker.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Takes a folder or a Dockerfile of this computer."""
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Puts the folder into its field; of a file also the name."""
        path = Path(event.mimeData().urls()[0].toLocalFile())
        folder = os.path.isdir(path)  # Path.is_dir raises for a name that is too long.
        self.context.setText(str(path if folder else path.parent))
        self.file.setText("" if folder or path.name == "Dockerfile" else path.name)
        event.acceptProposedAction()

    def _show_command(self) -> None:
        request = self.request()
        shown = request if self.context.text().strip() else replace(request, context=Path("FOLDER"))
        self.command.set_line(commands.line(shown))

    def _on_edited(self) -> None:
        self._show_command()
        self._timer.start()

    def _on_pause(self) -> None:
        if self.context.text().strip():
            self.check()

    def _connect(self) -> None:
        for field in (self.context, self.file, self.tag, self.platform):
            field.textChanged.connect(self._on_edited)
        for select in (self.target, self.builder):
            select.changed.connect(self._on_edited)
        for box in (self.no_cache, self.pull):
            box.toggled.connect(self._on_edited)
        self.args.changed.connect(self._on_edited)
        self._timer.timeout.connect(self._on_pause)
        self.choose.clicked.connect(self._on_choose)
        self.choose_file.clicked.connect(self._on_choose_file)

    def _lay_out(self, theme: Theme) -> None:
        self.setAcceptDrops(True)
        for key in ("context", "file", "tag", "target", "args", "platform"):
            self.body.addWidget(self.fields[key])
        if len(self._builders) > 1:
            self.body.addWidget(Field(theme, "Builder", self.builder))
        options = QWidget()
        row = QHBoxLayout(options)
        row.setContentsMargins(120, 0, 0, 0)
        row.setSpacing(20)
        row.addWidget(self.no_cache)
        row.addWidget(self.pull)
        row.addStretch(1)
        self.body.addWidget(options)
        self.body.addWidget(self.command)
        self.add_button("Cancel", "ghost", self.reject)
        self.build = self.add_button("Build", "primary", self._on_build)


def _worded(problem: Problem) -> str:
    return f"Line {problem.line}: {problem.message}" if problem.line else problem.message


def _tag_problem(tag: str) -> str:
    if not tag:
        return "Give the image a name, as in shop-api:dev"
    try:
        found = references.parse_reference(tag)
    except InvalidReference as error:
        return error.reason[:1].upper() + error.reason[1:]
    return "A name to build has no digest" if found.digest else ""
