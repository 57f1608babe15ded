r"""The program that the embedded dockerd starts for each published port, in the place of docker-proxy.

The engine lives in a network namespace of its own, so a listener there would be out of reach. This program opens the
listener in the host's namespace (`setns` to the handle that the supervisor left beside this engine) and dials the
container from the engine's. The other way, asking slirp4netns for a forward, was left: it knows no IPv6 listener,
its errors do not tell a taken port from a forbidden one, and every byte would pass a second user-mode TCP. Here the
host's own bind() answers, so "address already in use" is the kernel's word, and 127.0.0.1 means 127.0.0.1.

It is run as `python -I -S portproxy.py HANDLE <docker-proxy's options>` with the standard library alone, and follows
docker-proxy's protocol: "0\n" on descriptor 3 when it listens, "1\n" and the reason when it cannot; SIGINT and
SIGTERM end it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import selectors
import signal
import socket
import sys
import threading
import time
from collections import OrderedDict
from typing import NamedTuple, NoReturn

CLONE_NEWNET = 0x40000000
CONNECTIONS = 1000
CHUNK = 1 << 17
DIAL_SECONDS = 10.0
UDP_CLIENTS = 4096
UDP_IDLE_SECONDS = 90.0
NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
VALUED = ("proto", "host-ip", "host-port", "container-ip", "container-port")


class Options(NamedTuple):
    """What one start of the program is asked: the namespace's handle, then docker-proxy's options."""

    handle: str
    proto: str
    host_ip: str
    host_port: int
    container_ip: str
    container_port: int


def main(argv: list[str]) -> NoReturn:
    """Listen, tell the engine, forward until a signal. Ends with 1 when it cannot."""
    options = _options(argv)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _leave)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kind = "udp" if options.proto == "udp" else "tcp"
    try:
        if options.proto not in ("tcp", "udp"):
            raise OSError(errno.EPROTONOSUPPORT, f"{options.proto} ports cannot be published by this engine")
        listener = listen_outside(options.handle, kind, options.host_ip, options.host_port)
    except OSError as error:
        _tell(f"1\nlisten {kind}{_family_digit(options.host_ip)} {_shown(options)}: bind: {_words(error)}")
        sys.exit(1)
    _tell("0\n")
    target = (options.container_ip, options.container_port)
    if listener is None:
        _idle()
    elif kind == "udp":
        forward_datagrams(listener, target)
    else:
        forward_streams(listener, target)


def listen_outside(handle: str, kind: str, host: str, port: int) -> socket.socket | None:
    """A listener in the network namespace that `handle` names; None for `::` on a host without IPv6."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    inside = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    outside = os.open(handle, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(outside)
        try:
            return _bound(family, kind, host, port)
        except OSError as error:
            if host == "::" and error.errno in NO_SUCH_FAMILY:
                return None
            raise
        finally:
            _enter(inside)
    finally:
        os.close(outside)
        os.close(inside)


def _bound(family: socket.AddressFamily, kind: str, host: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == "tcp":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        if kind == "tcp":
            made.listen(1024)
    except OSError:
        made.close()
        raise
    return made


def forward_streams(listener: socket.socket, target: tuple[str, int]) -> NoReturn:
    """Each connection gets a connection to the container; a half-close passes through."""
    threading.stack_size(256 * 1024)
    room = threading.BoundedSemaphore(CONNECTIONS)
    while True:
        room.acquire()
        try:
            client, _ = listener.accept()
        except OSError as error:
            room.release()
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                threading.Event().wait(0.05)
            continue
        threading.Thread(target=_serve, args=(client, target, room), daemon=True).start()


def _serve(client: socket.socket, target: tuple[str, int], room: threading.BoundedSemaphore) -> None:
    try:
        with client:
            try:
                server = socket.create_connection(target, timeout=DIAL_SECONDS)
            except OSError:
                return
            with server:
                server.settimeout(None)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_pour, args=(server, client), daemon=True)
                back.start()
                _pour(client, server)
                back.join()
    finally:
        room.release()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the end of `source` inside the kernel (splice), then end `sink`; an error ends both."""
    try:
        reader, writer = os.pipe()
    except OSError:
        _cut(source, sink)
        return
    try:
        while moved := os.splice(source.fileno(), writer, CHUNK):
            while moved:
                moved -= os.splice(reader, sink.fileno(), moved)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        _cut(source, sink)
    finally:
        os.close(reader)
        os.close(writer)


def _cut(*sockets: socket.socket) -> None:
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def forward_datagrams(listener: socket.socket, target: tuple[str, int]) -> NoReturn:
    """Each client address gets a socket to the container, kept until it was idle for 90 seconds (docker-proxy's)."""
    listener.setblocking(False)
    clients: OrderedDict[object, tuple[socket.socket, float]] = OrderedDict()
    chosen = selectors.DefaultSelector()
    chosen.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in chosen.select(timeout=5):
            if key.data is None:
                _datagram_in(listener, target, clients, chosen)
            elif isinstance(key.fileobj, socket.socket):
                _datagram_out(key.fileobj, listener, key.data)
        now = time.monotonic()
        while clients:
            address, (oldest, used) = next(iter(clients.items()))
            if now - used < UDP_IDLE_SECONDS and len(clients) <= UDP_CLIENTS:
                break
            chosen.unregister(oldest)
            oldest.close()
            del clients[address]


def _datagram_in(
    listener: socket.socket,
    target: tuple[str, int],
    clients: OrderedDict[object, tuple[socket.socket, float]],
    chosen: selectors.DefaultSelector,
) -> None:
    try:
        payload, address = listener.recvfrom(65535)
        if address in clients:
            inner, _ = clients.pop(address)
        else:
            inner = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET, socket.SOCK_DGRAM)
            inner.setblocking(False)
            inner.connect(target)
            chosen.register(inner, selectors.EVENT_READ, address)
        clients[address] = (inner, time.monotonic())
        inner.send(payload)
    except OSError:
        return


def _datagram_out(inner: socket.socket, listener: socket.socket, address: tuple[str, int]) -> None:
    try:
        listener.sendto(inner.recv(65535), address)
    except OSError:
        return


def _enter(descriptor: int) -> None:
    """setns(2) through libc: Python has it from 3.12 on only."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _options(argv: list[str]) -> Options:
    """docker-proxy's options, as `-name value` or `-name=value`; those that do not matter here are passed over.

    Engines from 28 on bind in their own namespace and offer that listener (-use-listen-fd); ours counts.
    """
    given: dict[str, str] = {}
    words = iter(argv[1:])
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if name in VALUED:
            given[name] = value if equals else next(words, "")
    return Options(
        argv[0],
        given.get("proto", "tcp"),
        given.get("host-ip", "0.0.0.0"),  # noqa: S104 (what docker-proxy takes where none is given)
        int(given.get("host-port", "0")),
        given.get("container-ip", ""),
        int(given.get("container-port", "0")),
    )


def _family_digit(host: str) -> str:
    return "6" if ":" in host else "4"


def _shown(options: Options) -> str:
    host = f"[{options.host_ip}]" if ":" in options.host_ip else options.host_ip
    return f"{host}:{options.host_port}"


def _words(error: OSError) -> str:
    """The kernel's words as Go programs write them, since engines and people match on "address already in use"."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _tell(text: str) -> None:
    try:
        with os.fdopen(3, "wb") as pipe:
            pipe.write(text.encode())
    except OSError:
        return


def _idle() -> NoReturn:
    """On a host without IPv6 there is nothing to do for `::`, and the engine expects a process all the same."""
    while True:
        signal.pause()


def _leave(*_: object) -> None:
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
