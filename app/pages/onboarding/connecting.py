"""The dialog that asks for the address of another engine."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.dialogs import Dialog
from app.widgets.fields import LineEdit, row_of
from app.widgets.forms import Field
from backend import endpoint
from backend.endpoint import TlsFiles
from backend.errors import BackendError

UseText = Callable[[str, TlsFiles | None], str]


class ConnectDialog(Dialog):
    """An address, and for TLS a folder with ca.pem, cert.pem and key.pem. `use(text, tls)` returns what is wrong."""

    def __init__(self, theme: Theme, window: QWidget, use: UseText) -> None:
        super().__init__(theme, window, "Connect to another engine", 600)
        self._use = use
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
        chooser = QFileDialog(self, "Choose the folder of the TLS files", self.folder.text())
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
        folder = self.folder.text().strip().rstrip("/\\")
        tls = TlsFiles(f"{folder}/ca.pem", f"{folder}/cert.pem", f"{folder}/key.pem") if folder else None
        problem = "Type an address" if not text else self._problem(text) or self._use(text, tls)
        if problem:
            self.address_field.set_error(problem)
            self.address.setFocus()
        else:
            self.accept()
