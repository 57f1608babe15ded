"""The port proxy's reading of docker-proxy's options."""

from __future__ import annotations

import errno

from backend import portproxy


def test_options_as_engines_give_them() -> None:
    line = "/x -proto tcp -host-ip 127.0.0.1 -host-port 8085 -container-ip 10.213.0.2 -container-port 80"
    assert portproxy._options(line.split(" ")) == ("/x", "tcp", "127.0.0.1", 8085, "10.213.0.2", 80)


def test_unknown_options_are_passed_over() -> None:
    words = ["/x", "-use-listen-fd", "-proto=udp", "-host-ip", "::", "-host-port", "53", "--container-ip=10.0.0.2"]
    assert portproxy._options([*words, "-container-port", "5353"]) == ("/x", "udp", "::", 53, "10.0.0.2", 5353)


def test_a_taken_port_is_told_in_the_words_that_engines_use() -> None:
    error = OSError(errno.EADDRINUSE, "Address already in use")
    assert portproxy._words(error) == "address already in use"
    assert portproxy._shown(portproxy.Options("/x", "tcp", "::1", 80, "", 0)) == "[::1]:80"
