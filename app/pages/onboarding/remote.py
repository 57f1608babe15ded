"""The part of the Connect dialog for a host over SSH: where it is, who signs in, and what the host asks back."""

from __future__ import annotations

import os

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.notices import notice_for
from app.remote import Answer
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.cards import InsetPanel
from app.widgets.choices import Checkbox
from app.widgets.fields import LineEdit, SecretEdit, SpinEdit, path_of, row_of
from app.widgets.forms import Field
from app.widgets.segments import Segments
from app.widgets.text import PlainLabel
from backend import endpoint
from backend.endpoint import SSH_PORT, Ssh
from backend.errors import InvalidEndpoint
from backend.ssh.errors import SshKeyFileUnusable, SshKeyUnknown, SshPasswordRefused, SshSecretWanted

WORDS = {
    "keys": "Those of your agent and of ~/.ssh",
    "file": "This key and no other is shown to the host",
    "password": "Your keys are tried first",
}
WAYS = (("keys", "My keys"), ("file", "Key file"), ("password", "Password"))
NO_KEYRING = "This computer has no keyring: it is asked each time, and only held in memory"


class RemoteForm(QWidget):
    """Host, port, user and one way to sign in; `where` and `answer` are what the person typed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._asked: SshSecretWanted | SshPasswordRefused | None = None
        self._unknown: SshKeyUnknown | None = None
        self._socket = ""
        self.host = LineEdit(theme, "server.example, or a Host of ~/.ssh/config", mono=True, icon="server")
        self.port = SpinEdit(theme, 1, 65535, SSH_PORT)
        self.port.setFixedWidth(96)
        self.port.setAccessibleName("Port")
        port_name = PlainLabel(theme, "Port", "body_medium")
        self.host_field = Field(theme, "Host", row_of(self.host, port_name, self.port))
        self.host.setAccessibleName("Host")
        self.user = LineEdit(theme, "As in ~/.ssh/config, or your name here", mono=True)
        self.user_field = Field(theme, "User", self.user)
        self.way = Segments(theme, WAYS)
        self.way.set_current("keys")
        self.way_field = Field(theme, "Sign in with", row_of(self.way, left=True))
        self.file = LineEdit(theme, "~/.ssh/id_ed25519", mono=True, icon="file")
        choose = Button(theme, "Choose…")
        choose.clicked.connect(self._on_choose)
        self.file_field = Field(theme, "Key file", row_of(self.file, choose))
        self.file.setAccessibleName("Key file")
        self.secret = SecretEdit(theme)
        self.way.chosen.connect(lambda _key: self.secret.clear())
        self.secret_field = Field(theme, "Password", self.secret)
        self.keep = Checkbox(theme, "Keep it in the keyring of this computer")
        self.keep_field = Field(theme, "", self.keep)
        self.keep_field.hide()
        self._can_keep: bool | None = None
        self.panel = InsetPanel(theme, 12)
        self.key_title = PlainLabel(theme, "", "body_strong", wrap=True)
        self.key_words = PlainLabel(theme, "", "body", "text-secondary", wrap=True)
        self.fingerprint = PlainLabel(theme, "", "mono", wrap=True)
        self.fingerprint.set_selectable()
        for label in (self.key_title, self.fingerprint, self.key_words):
            self.panel.body.addWidget(label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        for part in (
            self.host_field, self.user_field, self.way_field, self.file_field, self.secret_field, self.keep_field,
            self.panel,
        ):  # fmt: skip
            column.addWidget(part)
        self.panel.hide()
        self._show_way()

    @property
    def asks_to_trust(self) -> bool:
        """Whether a key is shown that the person may trust."""
        return self._unknown is not None

    def show_host(self, where: Ssh) -> None:
        """Fills in what is known of a host."""
        self.host.setText(where.host)
        self.port.setValue(where.port)
        self.user.setText(where.user)
        self.file.setText(where.key)
        self._socket = where.socket
        self.way.set_current("file" if where.key else "keys")
        self._show_way()

    def show_keyring(self, there: bool) -> None:
        """Says whether secrets can be kept."""
        self._can_keep = there
        self.keep.setEnabled(there)
        self.keep_field.set_help("" if there else NO_KEYRING)
        self._show_way()

    def where(self) -> Ssh | None:
        """The host as typed; None when something is wrong, which is then said at its field."""
        self.host_field.set_error("")
        self.file_field.set_error("")
        host, user, way = self.host.text().strip(), self.user.text().strip(), self.way.current()
        file = path_of(self.file) if way == "file" else ""
        address = f"[{host}]" if ":" in host else host
        try:
            if not host:
                raise InvalidEndpoint("", "type the name or number of a host")
            read = endpoint.parse(f"ssh://{user + '@' if user else ''}{address}:{self.port.value()}")
            assert isinstance(read, Ssh)
        except InvalidEndpoint as error:
            self.host_field.set_error(error.reason[:1].upper() + error.reason[1:])
            self.host.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        if way == "file" and not file:
            self.file_field.set_error("Choose the key")
            self.file.setFocus(Qt.FocusReason.OtherFocusReason)
            return None
        return Ssh(read.host, read.port, read.user, file, self._socket)

    def answer(self) -> Answer:
        """What the person answers now."""
        secret = self.secret.text() if not self.secret_field.isHidden() else ""
        return Answer(self._unknown, self._asked, secret, self.keep.isChecked() and bool(self._can_keep))

    def show_problem(self, error: BaseException | None) -> None:
        """Says what keeps the host from being used, at the field where it can be mended."""
        self._unknown = None
        self.panel.hide()
        self.secret_field.set_help("")
        for field in (self.host_field, self.file_field, self.secret_field):
            field.set_error("")
        if error is None:
            return
        notice = notice_for(error)
        words = f"{notice.title}. {notice.detail}".strip()
        match error:
            case SshKeyUnknown():
                self._ask_to_trust(error)
            case SshSecretWanted() | SshPasswordRefused():
                self._ask_secret(error, words)
            case SshKeyFileUnusable() if not self.file_field.isHidden():
                self._mark(self.file_field, self.file, words)
            case _:
                self._mark(self.host_field, self.host, words)

    def forget_questions(self) -> None:
        """Another host or way is typed: what was asked before counts no more."""
        self._asked = None
        self.show_problem(None)
        self._show_way()

    def _ask_to_trust(self, error: SshKeyUnknown) -> None:
        self._unknown = error
        self.key_title.setText(f"Is this really {error.host}?")
        self.fingerprint.setText(f"{error.kind} {error.fingerprint}")
        self.key_words.setText(
            "Its key has not been seen before. Compare it with what whoever runs the host says; "
            "on the host, ssh-keygen -l -f /etc/ssh/ssh_host_…_key.pub shows it."
        )
        self.panel.show()

    def _ask_secret(self, error: SshSecretWanted | SshPasswordRefused, words: str) -> None:
        self._asked = error
        self._show_way()
        self.secret.clear()
        if isinstance(error, SshPasswordRefused):
            self._mark(self.secret_field, self.secret, words)
        else:
            self.secret_field.set_help(words)
            self.secret.setFocus(Qt.FocusReason.OtherFocusReason)

    def _mark(self, field: Field, edit: LineEdit, words: str) -> None:
        field.set_error(words)
        edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_way(self) -> None:
        way = self.way.current()
        self.way_field.set_help(WORDS[way])
        self.file_field.setVisible(way == "file")
        secret = way == "password" or self._asked is not None
        self.secret_field.label.setText("Passphrase" if self._asked is not None and self._asked.key else "Password")
        self.secret_field.setVisible(secret)
        self.keep_field.setVisible(secret and self._can_keep is not None)

    def _on_choose(self) -> None:
        chooser = QFileDialog(self, "Choose the key", path_of(self.file) or os.path.expanduser("~/.ssh"))
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.fileSelected.connect(self.file.setText)
        chooser.open()
