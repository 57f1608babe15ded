"""Which transport of httpx carries the calls to an endpoint."""

from __future__ import annotations

import httpx

from backend import endpoint as ep
from backend.dial import Tunnels
from backend.endpoint import Endpoint, NamedPipe, Ssh, Tcp, UnixSocket
from backend.errors import UnsupportedEndpoint


def transport_to(endpoint: Endpoint, limits: httpx.Limits, tunnels: Tunnels | None) -> httpx.AsyncBaseTransport:
    """Connections to an endpoint for httpx, loading what its kind needs. Raises UnsupportedEndpoint."""
    match endpoint:
        case UnixSocket(path):
            from backend.sockets import SocketBackend, transport_over

            return transport_over(SocketBackend(path), limits)
        case Tcp(_, _, files):
            from backend import tls

            verify = tls.context(files) if files is not None else False
            return httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)
        case NamedPipe(path):
            from backend.pipe import PipeBackend
            from backend.sockets import transport_over

            return transport_over(PipeBackend(path), limits)
        case Ssh() if tunnels is not None:
            from backend.sockets import transport_over
            from backend.tunnel import TunnelBackend

            return transport_over(TunnelBackend(endpoint, tunnels), limits)
        case _:
            raise UnsupportedEndpoint(ep.text(endpoint), "nothing here opens connections over SSH")
