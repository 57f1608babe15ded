"""The dialog that asks for another engine: by its address, or on a host over SSH."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.pages.onboarding.remote import RemoteForm
from app.remote import Answer
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit, path_of, row_of
from app.widgets.forms import Field
from app.widgets.segments import Segments
from backend import endpoint
from backend.endpoint import Ssh, TlsFiles
from backend.errors import BackendError

KINDS = (("address", "By address"), ("ssh", "Remote host over SSH"))
TRUST = "Trust and connect"


class Connecting(Protocol):
    """Who connects; each tells when it is done."""

    def connect_to(self, text: str, tls: TlsFiles | None, told: Callable[[str, bool], None]) -> None:
        """Connects to an address; tells what is wrong, or nothing, and whether it is wrong with the TLS files."""

    def connect_over_ssh(self, where: Ssh, answer: Answer, told: Callable[[BaseException | None], None]) -> None:
        """Connects to a host; tells what keeps it from that, or None."""

    def ask_keyring(self, told: Callable[[bool], None]) -> None:
        """Tells whether secrets can be kept."""

    def give_up(self) -> None:
        """Ends the waiting."""


class ConnectDialog(Dialog):
    """An address with a folder of TLS files, or a host. It stays until the engine there answers."""

    def __init__(self, theme: Theme, window: QWidget, connecting: Connecting) -> None:
        super().__init__(theme, window, "Connect to another engine", 640)
        self._connecting = connecting
        self.kind = Segments(theme, KINDS)
        self.kind.setAccessibleName("How to connect")
        self.kind.set_current("address")
        self.kind.chosen.connect(lambda _key: self._show_kind())
        self.address = LineEdit(theme, "unix:///var/run/docker.sock", mono=True, icon="plug")
        self.address_field = Field(
            theme, "Address", self.address, "unix:// for a socket here, tcp://host:2376 for a server with TLS"
        )
        self.folder = LineEdit(theme, "Folder with ca.pem, cert.pem and key.pem", mono=True, icon="folder")
        choose = Button(theme, "Choose…")
        choose.clicked.connect(self._on_choose)
        self.folder_field = Field(theme, "TLS files", row_of(self.folder, choose), "Only for tcp://")
        self.folder.setAccessibleName("TLS files")
        self.remote = RemoteForm(theme)
        self.near = QWidget()
        column = QVBoxLayout(self.near)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(self.address_field)
        column.addWidget(self.folder_field)
        self.body.addWidget(row_of(self.kind, left=True))
        self.body.addWidget(self.near)
        self.body.addWidget(self.remote)
        self.add_button("Cancel", "ghost", self.reject)
        self.connect_button = self.add_button("Connect", "primary", self._on_connect)
        self._check = QTimer(self)
        self._check.setSingleShot(True)
        self._check.setInterval(300)
        self._check.timeout.connect(self._on_check)
        self.address.textChanged.connect(lambda _t: self._check.start())
        form = self.remote
        for edited in (form.host.textEdited, form.user.textEdited, form.port.valueChanged, form.way.chosen):
            edited.connect(lambda _value: self._on_other_host())
        self._show_kind()

    def show_host(self, where: Ssh) -> None:
        """Shows the way over SSH, with what is known of a host."""
        self.kind.set_current("ssh")
        self.remote.show_host(where)
        self._show_kind()

    def _show_kind(self) -> None:
        afar = self.kind.current() == "ssh"
        self.near.setVisible(not afar)
        self.remote.setVisible(afar)
        self._say_button()
        if afar:
            self._connecting.ask_keyring(lambda there: self.remote.show_keyring(there) if isValid(self) else None)

    def _say_button(self) -> None:
        trust = self.kind.current() == "ssh" and self.remote.asks_to_trust
        self.connect_button.setText(TRUST if trust else "Connect")

    def _on_other_host(self) -> None:
        self.remote.forget_questions()
        self._say_button()

    def _on_choose(self) -> None:
        chooser = QFileDialog(self, "Choose the folder of the TLS files", path_of(self.folder))
        chooser.setFileMode(QFileDialog.FileMode.Directory)
        chooser.fileSelected.connect(self.folder.setText)
        chooser.open()

    def _on_check(self) -> None:
        text = self.address.text().strip()
        self.address_field.set_error(self._problem(text) if text else "")

    def _problem(self, text: str) -> str:
        try:
            endpoint.parse(text)
        except BackendError as error:
            reason = str(getattr(error, "reason", error))
            return reason[:1].upper() + reason[1:]
        return ""

    def _on_connect(self) -> None:
        if self.kind.current() == "ssh":
            if (where := self.remote.where()) is not None:
                self._ask_host(where)
            return
        text = self.address.text().strip()
        folder = path_of(self.folder)
        problem = self._problem(text) if text else "Type an address"
        tls, missing = _tls_files(folder) if folder else (None, "")
        self.address_field.set_error(problem)
        self.folder_field.set_error(missing)
        if problem or missing:
            (self.address if problem else self.folder).setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if isinstance(host := endpoint.parse(text), Ssh):
            self.show_host(host)
            self._ask_host(host)
            return
        self._busy(True)
        self._connecting.connect_to(text, tls, self._on_told)

    def _ask_host(self, where: Ssh) -> None:
        self._busy(True)
        self._connecting.connect_over_ssh(where, self.remote.answer(), self._on_told_of_host)

    def _on_told(self, problem: str, of_files: bool) -> None:
        if not isValid(self):
            return
        self._busy(False)
        if problem:
            field, edit = (self.folder_field, self.folder) if of_files else (self.address_field, self.address)
            field.set_error(problem)
            edit.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.accept()

    def _on_told_of_host(self, error: BaseException | None) -> None:
        if not isValid(self):
            return
        self._busy(False)
        if error is None:
            self.accept()
            return
        self.remote.show_problem(error)
        self._say_button()

    def _busy(self, busy: bool) -> None:
        self._check.stop()
        self.connect_button.set_busy(busy)
        for part in (self.near, self.remote, self.kind):
            part.setEnabled(not busy)
        self.set_note("Waiting for its answer" if busy else "")

    def reject(self) -> None:
        """Closing asks no longer; the engine in use stays."""
        self._connecting.give_up()
        super().reject()


def open_connect(
    theme: Theme, window: QWidget, connecting: Connecting, where: Ssh | None = None, *, now: bool = False
) -> ConnectDialog:
    """Opens the dialog, for a host when there is one, which is asked at once with `now`."""
    dialog = ConnectDialog(theme, window, connecting)
    dialog.open()
    if where is not None:
        dialog.show_host(where)
        if now:
            dialog.connect_button.click()
    return dialog


def _tls_files(folder: str) -> tuple[TlsFiles, str]:
    """The files of a folder, named as docker names them, and what is wrong with it."""
    if not os.path.isdir(folder):
        return TlsFiles(), "There is no such folder"
    ca, cert, key = (
        path if os.path.isfile(path := os.path.join(folder, name)) else "" for name in ("ca.pem", "cert.pem", "key.pem")
    )
    if bool(cert) != bool(key):
        return TlsFiles(), f"{'cert.pem' if key else 'key.pem'} is missing in it"
    return TlsFiles(ca, cert, key), "" if ca or cert else "Neither ca.pem nor cert.pem is in it"
