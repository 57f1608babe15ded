"""The dialog that asks for the address of another engine."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QWidget
from shiboken6 import isValid

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit, path_of, row_of
from app.widgets.forms import Field
from backend import endpoint
from backend.endpoint import TlsFiles
from backend.errors import BackendError

Connect = Callable[[str, TlsFiles | None, Callable[[str, bool], None]], None]


class ConnectDialog(Dialog):
    """An address, and for TLS a folder with ca.pem, cert.pem and key.pem. It stays until the engine there answers.

    `connect(text, tls, told)` tells what is wrong, or nothing, and whether it is wrong with the TLS files; `give_up`
    ends its waiting.
    """

    def __init__(self, theme: Theme, window: QWidget, connect: Connect, give_up: Callable[[], None]) -> None:
        super().__init__(theme, window, "Connect to another engine", 600)
        self._connect, self._give_up = connect, give_up
        self.address = LineEdit(theme, "unix:///var/run/docker.sock", mono=True, icon="plug")
        self.address_field = Field(
            theme, "Address", self.address, "unix:// for a socket here, tcp://host:2376 for a server with TLS"
        )
        self.folder = LineEdit(theme, "Folder with ca.pem, cert.pem and key.pem", mono=True, icon="folder")
        choose = Button(theme, "Choose…")
        choose.clicked.connect(self._on_choose)
        self.folder_field = Field(theme, "TLS files", row_of(self.folder, choose), "Only for tcp://")
        self.folder.setAccessibleName("TLS files")
        self.body.addWidget(self.address_field)
        self.body.addWidget(self.folder_field)
        self.add_button("Cancel", "ghost", self.reject)
        self.connect_button = self.add_button("Connect", "primary", self._on_connect)
        self._check = QTimer(self)
        self._check.setSingleShot(True)
        self._check.setInterval(300)
        self._check.timeout.connect(self._on_check)
        self.address.textChanged.connect(lambda _t: self._check.start())

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
        text = self.address.text().strip()
        folder = path_of(self.folder)
        problem = self._problem(text) if text else "Type an address"
        tls, missing = _tls_files(folder) if folder else (None, "")
        self.address_field.set_error(problem)
        self.folder_field.set_error(missing)
        if problem or missing:
            (self.address if problem else self.folder).setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._busy(True)
        self._connect(text, tls, self._on_told)

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

    def _busy(self, busy: bool) -> None:
        self._check.stop()
        self.connect_button.set_busy(busy)
        self.address_field.setEnabled(not busy)
        self.folder_field.setEnabled(not busy)
        self.set_note("Waiting for its answer" if busy else "")

    def reject(self) -> None:
        """Closing asks no longer; the engine in use stays."""
        self._give_up()
        super().reject()


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
