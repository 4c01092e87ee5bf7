import socket

import pytest
import redis

from tests import plugin


@pytest.fixture
def server():
    assert plugin.VALKEY is not None
    return plugin.VALKEY


def test_it_refuses_rather_than_drop_what_it_holds(server):
    with redis.Redis.from_url(server.url(), decode_responses=True) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_it_asks_a_stranger_for_the_password(server):
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"PING\r\n")

        assert stranger.recv(100).startswith(b"-NOAUTH")
