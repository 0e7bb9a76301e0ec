"""The web server stays reachable whatever other connections do."""

import contextlib
import socket
import threading
import urllib.request
from collections.abc import Iterator
from unittest import mock

import pytest

from flowsynth.apps.explorer import server
from flowsynth.apps.explorer.service import Explorer

IDLE = 200


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Port of a server that closes idle connections after 2 s."""
    monkeypatch.setattr(server, "IDLE_TIMEOUT", 2)
    web_server = server.serve(mock.create_autospec(Explorer, instance=True), "127.0.0.1", 0)
    thread = threading.Thread(target=web_server.run, daemon=True)
    thread.start()
    yield web_server.effective_port
    web_server.close()


def test_idle_connections_keep_nobody_out_and_are_closed(port: int):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(IDLE)]
        for client in sockets[::2]:
            client.sendall(b"POST /match HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/page.css", timeout=5) as response:
            assert response.status == 200
        assert {client.recv(1) for client in sockets} == {b""}
