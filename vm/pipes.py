"""Named pipes of Windows that only this person may open: the places where elsewhere there are unix sockets.

The pipes carry messages, since a message of no bytes is how docker ends one direction of a connection (go-winio:
pipe.go, CloseWrite). Sources: learn.microsoft.com/windows/win32/ipc/named-pipes, CPython's asyncio/windows_events.py.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUFFER = 64 * 1024
CALLER_LIMIT = 256 * 1024
FOLDER = "\\\\.\\pipe\\"


def is_there(name: str) -> bool:
    """Whether somebody serves the pipe; to open it would take a caller's place."""
    return name.removeprefix(FOLDER) in os.listdir(FOLDER)


if sys.platform == "win32":
    import _winapi
    import ctypes
    from asyncio import windows_utils
    from ctypes import wintypes

    _FIRST = 0x00080000  # FILE_FLAG_FIRST_PIPE_INSTANCE: nobody else has a pipe of this name.
    _NO_REMOTE = 0x00000008  # PIPE_REJECT_REMOTE_CLIENTS
    _TOKEN_QUERY, _TOKEN_USER, _SDDL_1 = 0x0008, 1, 1

    class _Attributes(ctypes.Structure):
        _fields_ = (
            ("length", wintypes.DWORD),
            ("descriptor", wintypes.LPVOID),
            ("inherit", wintypes.BOOL),
        )

    class PipeListener:
        """Serves a pipe. Raises OSError where the name is taken, or the system refuses."""

        def __init__(self, name: str) -> None:
            self._name = name
            self._next = self._instance(first=True)

        async def accept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            """The next caller. Raises OSError."""
            loop = asyncio.get_running_loop()
            pipe = self._next
            try:
                await loop._proactor.accept_pipe(pipe)  # type: ignore[attr-defined]
            except OSError:  # The caller went before it was let in; another instance waits for the next one.
                self._next = self._instance(first=False)
                pipe.close()
                raise
            self._next = self._instance(first=False)
            reader = asyncio.StreamReader(limit=CALLER_LIMIT)
            protocol = asyncio.StreamReaderProtocol(reader)
            transport = loop._make_duplex_pipe_transport(pipe, protocol)  # type: ignore[attr-defined]
            return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

        def close(self) -> None:
            """Take no more callers."""
            self._next.close()

        def _instance(self, *, first: bool) -> windows_utils.PipeHandle:
            mode = _winapi.PIPE_ACCESS_DUPLEX | _winapi.FILE_FLAG_OVERLAPPED | (_FIRST if first else 0)
            kind = 0x4 | _winapi.PIPE_READMODE_MESSAGE | _winapi.PIPE_WAIT | _NO_REMOTE  # PIPE_TYPE_MESSAGE
            with _for_this_person() as attributes:
                handle = _winapi.CreateNamedPipe(
                    self._name, mode, kind, _winapi.PIPE_UNLIMITED_INSTANCES, BUFFER, BUFFER, 0, attributes
                )
            return windows_utils.PipeHandle(handle)

    @contextmanager
    def _for_this_person() -> Iterator[int]:
        """The address of security attributes that let this person in, and nobody else."""
        descriptor = wintypes.LPVOID()
        words = f"D:P(A;;GA;;;{_sid()})"
        convert = ctypes.windll.advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW
        if not convert(ctypes.c_wchar_p(words), _SDDL_1, ctypes.byref(descriptor), None):
            raise ctypes.WinError()
        try:
            attributes = _Attributes(ctypes.sizeof(_Attributes), descriptor, False)
            yield ctypes.addressof(attributes)
        finally:
            ctypes.windll.kernel32.LocalFree(descriptor)

    def _sid() -> str:
        """The person that this process runs as, as SDDL writes them."""
        advapi32, kernel32 = ctypes.windll.advapi32, ctypes.windll.kernel32
        token, size, text = wintypes.HANDLE(), wintypes.DWORD(), wintypes.LPWSTR()
        process = wintypes.HANDLE(_winapi.GetCurrentProcess())
        if not advapi32.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)):
            raise ctypes.WinError()
        try:
            advapi32.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
            user = ctypes.create_string_buffer(size.value)
            if not advapi32.GetTokenInformation(token, _TOKEN_USER, user, size, ctypes.byref(size)):
                raise ctypes.WinError()
        finally:
            kernel32.CloseHandle(token)
        sid = ctypes.cast(user, ctypes.POINTER(wintypes.LPVOID))[0]  # TOKEN_USER begins with a pointer to it.
        if not advapi32.ConvertSidToStringSidW(wintypes.LPVOID(sid), ctypes.byref(text)):
            raise ctypes.WinError()
        try:
            return str(text.value)
        finally:
            kernel32.LocalFree(text)
